/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's file of one array (NEP 1), here of records of x[dim], weight, log_q, little-endian. */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for any number of events, so that the head can be written anew when there are more. */
enum { HEAD_BYTES = 256, PREFIX_BYTES = 10 };

static void head(struct text *text, const struct event_file *file, const nis_event *first)
{
  (void)first;
  char line[HEAD_BYTES];
  int n = snprintf(line, sizeof line,
                   "{'descr': [('x', '<f8', (%zu,)), ('weight', '<f8'), ('log_q', '<f8')], "
                   "'fortran_order': False, 'shape': (%" PRIu64 ",), }",
                   file->run->dim, file->events);
  memset(line + n, ' ', sizeof line - (size_t)n);
  line[HEAD_BYTES - PREFIX_BYTES - 1] = '\n';
  nis_text_bytes(text, "\x93NUMPY\1\0", 8);
  const unsigned char size[] = {HEAD_BYTES - PREFIX_BYTES, 0};
  nis_text_bytes(text, size, sizeof size);
  nis_text_bytes(text, line, HEAD_BYTES - PREFIX_BYTES);
}

static void number(struct text *text, double value)
{
  uint64_t bits;
  unsigned char bytes[8];
  memcpy(&bits, &value, sizeof bits);
  for (int k = 0; k < 8; k++) bytes[k] = (unsigned char)(bits >> 8 * k);
  nis_text_bytes(text, bytes, sizeof bytes);
}

static void event(struct text *text, const struct event_file *file, const nis_event_block *block,
                  size_t i, const nis_event *particles)
{
  (void)particles;
  for (size_t j = 0; j < block->dim; j++) number(text, block->x[i * block->dim + j]);
  number(text, block->weight[i] * file->run->summary->unit);
  number(text, block->log_q[i]);
}

static void tail(struct text *text, const struct event_file *file)
{
  (void)text, (void)file;
}

const struct stream_format nis_npy_stream = {head, event, tail, 1};

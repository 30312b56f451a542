/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's file of one array (NEP 1), here of records of x[dim], weight, log_q, and
 * outputs[extra] if there are any, little-endian. */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void nis_npy_head(struct text *text, size_t dim, size_t extra, uint64_t events)
{
  char line[NPY_HEAD], outputs[64] = "";
  if (extra > 0) snprintf(outputs, sizeof outputs, ", ('outputs', '<f8', (%zu,))", extra);
  int n = snprintf(line, sizeof line,
                   "{'descr': [('x', '<f8', (%zu,)), ('weight', '<f8'), ('log_q', '<f8')%s], "
                   "'fortran_order': False, 'shape': (%" PRIu64 ",), }",
                   dim, outputs, events);
  memset(line + n, ' ', sizeof line - (size_t)n);
  line[NPY_HEAD - NPY_PREFIX - 1] = '\n';
  nis_text_bytes(text, "\x93NUMPY\1\0", 8);
  const unsigned char size[] = {NPY_HEAD - NPY_PREFIX, 0};
  nis_text_bytes(text, size, sizeof size);
  nis_text_bytes(text, line, NPY_HEAD - NPY_PREFIX);
}

static void head(struct text *text, const struct event_file *file, const nis_event *first)
{
  (void)first;
  nis_npy_head(text, file->run->dim, file->run->extra, file->events);
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
  for (size_t k = 0; k < block->extra; k++) number(text, block->outputs[i * block->extra + k]);
}

static void tail(struct text *text, const struct event_file *file)
{
  (void)text, (void)file;
}

const struct stream_format nis_npy_stream = {head, event, tail, 1};

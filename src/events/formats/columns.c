/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points, weights and outputs in columns, for numpy.loadtxt, gnuplot, awk. */
#include "format.h"

#include <inttypes.h>

static void head(struct text *text, const struct event_file *file, const nis_event *first)
{
  (void)first;
  nis_print_head(text, file, "# ", 0);
  nis_text_print(text, "# the mean of the weights estimates the integral\n# columns:");
  for (size_t j = 1; j <= file->run->dim; j++) nis_text_print(text, " x%zu", j);
  nis_text_print(text, " weight");
  for (size_t k = 1; k <= file->run->extra; k++) nis_text_print(text, " o%zu", k);
  nis_text_bytes(text, "\n", 1);
}

static void event(struct text *text, const struct event_file *file, const nis_event_block *block,
                  size_t i, const nis_event *particles)
{
  (void)particles;
  for (size_t j = 0; j < block->dim; j++)
    nis_text_print(text, "%.17g ", block->x[i * block->dim + j]);
  nis_text_print(text, "%.17g", block->weight[i] * file->run->summary->unit);
  for (size_t k = 0; k < block->extra; k++)
    nis_text_print(text, " %.17g", block->outputs[i * block->extra + k]);
  nis_text_bytes(text, "\n", 1);
}

static void tail(struct text *text, const struct event_file *file)
{
  nis_text_print(text, "# end of %" PRIu64 " events\n", file->events);
}

const struct stream_format nis_text_stream = {head, event, tail, 0};

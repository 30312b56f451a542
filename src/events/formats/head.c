/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What several formats say in the same way. */
#include "format.h"

#include "base/error.h"
#include "base/host.h"
#include "numerics/weights.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

int nis_no_particles(void)
{
  return nis_fail(NIS_CALLBACK,
                  "the function that makes particles returned non-zero, or not 2 to %d of them",
                  NIS_MOST_PARTICLES);
}

struct decays {
  const nis_event_options *options;
  size_t n, dim, extra;
  const double *x, *outputs; /* the latter NULL: none */
  nis_event *events;
};

static int call_particles(void *context, const struct callback *self)
{
  const struct decays *d = context;
  for (size_t i = 0; i < d->n; i++) {
    nis_event *event = d->events + i;
    if (d->outputs) nis_host_set_extra((double *)d->outputs + i * d->extra);
    if (d->options->particles(d->x + i * d->dim, d->dim, event, d->options->particles_params))
      return 1;
    if (event->nparticles < 2 || event->nparticles > NIS_MOST_PARTICLES || self->refused) return 1;
  }
  return 0;
}

int nis_make_particles(const struct event_file *file, const nis_event_block *block, size_t first,
                       size_t n, int worker, nis_event *events)
{
  struct decays decays = {.options = file->options,
                          .n = n,
                          .dim = block->dim,
                          .extra = block->extra,
                          .x = block->x + first * block->dim,
                          .events = events};
  if (block->outputs) decays.outputs = block->outputs + first * block->extra;
  memset(events, 0, n * sizeof *events);
  if (!file->options->particles) return NIS_OK;
  return nis_host_call(call_particles, &decays, worker) ? NIS_CALLBACK : NIS_OK;
}

double nis_largest_event(const struct event_file *file)
{
  const nis_event_summary *summary = file->run->summary;
  if (file->options->unit_weights) return summary->unit;
  return summary->unit * fmax(1, file->run->weights->largest / summary->w_max);
}

/* Bytes of the character at s, which ends with a zero byte. 0 for what is not UTF-8, and for
 * control characters, ends of lines of all kinds and what is none of XML's characters. */
static size_t character(const unsigned char *s)
{
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
  uint32_t code = n == 1 ? s[0] : s[0] & 0xffu >> (n + 1);
  if (n == 0 || s[0] > 0xf7) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (s[i] & 0x3f);
  }
  int control = (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0);
  int no_text = (code >= 0xd800 && code < 0xe000) || code == 0xfffe || code == 0xffff;
  int ends_line = code == 0x2028 || code == 0x2029;
  return control || no_text || ends_line || code < least[n] || code > 0x10ffff ? 0 : n;
}

static void print_escaped(struct text *text, const char *s, size_t n)
{
  switch (n ? *s : 0) {
  case 0: nis_text_print(text, "\\x%02x", (unsigned char)*s); break;
  case '<': nis_text_print(text, "&lt;"); break;
  case '>': nis_text_print(text, "&gt;"); break;
  case '&': nis_text_print(text, "&amp;"); break;
  default: nis_text_bytes(text, s, n);
  }
}

static void print_line(struct text *text, const char *line, const char *end, int escape)
{
  while (line < end) {
    size_t n = character((const unsigned char *)line);
    if (n && !escape)
      nis_text_bytes(text, line, n);
    else
      print_escaped(text, line, n);
    line += n ? n : 1;
  }
}

static void print_lines(struct text *text, const char *lines, const char *prefix, int escape)
{
  while (*lines) {
    const char *end = lines + strcspn(lines, "\r\n");
    nis_text_print(text, "%s", prefix);
    print_line(text, lines, end, escape);
    nis_text_bytes(text, "\n", 1);
    lines = end + (end[0] == '\r' && end[1] == '\n') + (*end != '\0');
  }
}

static void print_rule(struct text *text, const nis_event_options *o)
{
  switch (o->w_max) {
  case NIS_W_MAX_LARGEST: nis_text_print(text, "the largest weight"); break;
  case NIS_W_MAX_QUANTILE: nis_text_print(text, "quantile %.17g", o->quantile); break;
  case NIS_W_MAX_MEDIAN: nis_text_print(text, "median of maxima"); break;
  default: nis_text_print(text, "tail %.17g", o->tail);
  }
  nis_text_print(text, "%s%s", o->whole_run ? ", over the whole run" : "",
                 o->unit_weights ? ", unit weights" : "");
}

void nis_print_head(struct text *text, const struct event_file *file, const char *prefix,
                    int escape)
{
  const struct event_run *run = file->run;
  nis_text_print(text, "%sgenerator: nis %s\n%sseed: %" PRIu64 "\n%sdim: %zu\n", prefix,
                 nis_version(), prefix, run->seed, prefix, run->dim);
  nis_text_print(text, "%scalls: %" PRIu64 "\n%sintegral: %.17g +- %.17g\n", prefix, run->calls,
                 prefix, run->value, run->error);
  nis_text_print(text, "%sunit: %.17g\n%sw_max: %.17g, ", prefix, run->summary->unit, prefix,
                 run->summary->w_max);
  print_rule(text, file->options);
  nis_text_bytes(text, "\n", 1);
  if (file->options->header) print_lines(text, file->options->header, prefix, escape);
}

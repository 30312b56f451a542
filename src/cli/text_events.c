/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points and weights in columns, for numpy.loadtxt, gnuplot, awk. */
#include "event_format.h"

#include "options.h"
#include "values.h"

#include <inttypes.h>

static void write_columns(const struct event_file *to)
{
  fputs("# columns:", to->file);
  for (size_t j = 1; j <= to->run->options.dim; j++) fprintf(to->file, " x%zu", j);
  fputs(" weight\n", to->file);
}

static void begin(const struct event_file *to, const double *x)
{
  (void)x;
  const struct run *run = to->run;
  FILE *file = to->file;
  fprintf(file, "# generator: nis %s\n# integrand: %s, dim %zu\n# parameters: ", nis_version(),
          run->row->name, run->options.dim);
  values_print(file, run->row, run->arguments->values);
  fprintf(file, "\n# seed: %" PRIu64 "\n# command: ", run->options.seed);
  options_print(file, run->arguments);
  fprintf(file, "\n# integral: %.17g +- %.17g", run->result.value, run->result.error);
  unit_print(file, run->row);
  fprintf(file, "\n# unit: %.17g", to->unit);
  unit_print(file, run->row);
  fputs("\n# the mean of weight * unit estimates the integral\n", file);
  write_columns(to);
}

static void write_event(const struct event_file *to, const double *x, double weight)
{
  for (size_t j = 0; j < to->run->options.dim; j++) fprintf(to->file, "%.17g ", x[j]);
  fprintf(to->file, "%.17g\n", weight);
}

static void end(const struct event_file *to, uint64_t events)
{
  fprintf(to->file, "# end of %" PRIu64 " events\n", events);
}

const struct event_format text_format = {begin, write_event, end};

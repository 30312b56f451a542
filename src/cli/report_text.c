/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"

#include "numbers.h"
#include "values.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>

static void label(FILE *file, const char *text)
{
  fprintf(file, "%-20s ", text);
}

static void print_problem(FILE *file, const struct run *run)
{
  label(file, "integrand");
  fprintf(file, "%s, %zu dimension%s, seed %" PRIu64, run->row->name, run->options.dim,
          run->options.dim == 1 ? "" : "s", run->options.seed);
  if (run->row->parameters->name) fputs("; ", file);
  values_print(file, run->row, run->arguments->values);
  fputc('\n', file);
}

static void print_value(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  char estimate[ESTIMATE_TEXT];
  format_estimate(estimate, r->value, r->error);
  label(file, "integral");
  fputs(estimate, file);
  unit_print(file, run->row);
  fputc('\n', file);
  if (!isfinite(r->error / r->value)) return;
  label(file, "relative error");
  fprintf(file, "%.3g\n", r->error / fabs(r->value));
}

static void print_exact(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  if (!run->has_exact) return;
  label(file, "exact value");
  fprintf(file, "%.12g", run->exact);
  if (r->error > 0) fprintf(file, "  (pull %+.2f)", (r->value - run->exact) / r->error);
  fputc('\n', file);
}

static void print_chi2(FILE *file, const nis_result *r)
{
  if (r->dof < 1) return;
  label(file, "chi2 / dof");
  fprintf(file, "%.4g / %d", r->chi2, r->dof);
  fprintf(file, "  (p = %.2g)", r->p_value);
  fputc('\n', file);
}

static void print_calls(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  label(file, "calls");
  fprintf(file, "%" PRIu64 "  (training %" PRIu64 ", integration %" PRIu64 ")\n", r->calls,
          r->train_calls, r->calls - r->train_calls);
  label(file, "zero calls");
  fprintf(file, "%" PRIu64 "\n", r->zero_calls);
  if (!r->bad_calls) return;
  label(file, "bad calls");
  fprintf(file, "%" PRIu64 "  (NaN or Inf, counted as 0)\n", r->bad_calls);
}

static void print_threads(FILE *file, const nis_result *r)
{
  if (!r->serialized) return;
  label(file, "threads");
  fputs("1 for the integrand, which is not thread-safe\n", file);
}

static void print_search(FILE *file, const nis_result *r)
{
  if (!r->search_calls) return;
  label(file, "search");
  fprintf(file, "%d peak%s found in %" PRIu64 " calls\n", r->peaks_found,
          r->peaks_found == 1 ? "" : "s", r->search_calls);
}

static void print_unseen(FILE *file, const nis_result *r)
{
  label(file, "unseen volume");
  fprintf(file, "%.2g  (of the unit cube; a peak with a smaller basin may be lost)\n",
          r->unseen_volume);
}

static void print_quality(FILE *file, const nis_result *r)
{
  if (r->calls == r->train_calls) return; /* nothing of the frozen flow was seen */
  label(file, "effective sample");
  fprintf(file, "%.0f  (the largest weight has %.2g of the sum)\n", r->ess, r->max_weight_share);
  if (!isnan(r->khat)) {
    label(file, "k-hat");
    fprintf(file, "%.2f  (shape of the weights' tail, below 0.7 is good)\n", r->khat);
  }
  label(file, "unweighting eff.");
  fprintf(file, "%.4g  (1e-3 of the weight above w_max)\n", r->efficiency);
  label(file, "");
  fprintf(file, "%.4g  (w_max = largest weight)\n", r->efficiency_max);
  label(file, "");
  fprintf(file, "%.4g  (w_max = median of maxima)\n", r->efficiency_median);
}

static void print_share(FILE *file, const char *name, nis_share share, const char *meaning)
{
  char text[ESTIMATE_TEXT];
  format_estimate(text, share.value, share.error);
  label(file, name);
  fprintf(file, "%s  (%s)\n", text, meaning);
}

static void print_weights(FILE *file, const struct run *run)
{
  const nis_event_summary *e = &run->events;
  label(file, "overweights");
  fprintf(file, "%" PRIu64 "  (%.3g of the events; %.3g of the weight lies above w_max)\n",
          e->overweights, (double)e->overweights / (double)e->events, e->overweight_share);
  if (e->negatives) {
    label(file, "negative weights");
    fprintf(file, "%" PRIu64 "  (the mean weight is %.4g)\n", e->negatives,
            e->sum_weights / (double)e->events);
  }
  label(file, "unit weight");
  fprintf(file, "%.10g", e->unit);
  unit_print(file, run->row);
  fputc('\n', file);
}

static void print_events(FILE *file, const struct run *run)
{
  static const char *const rules[] = {"w_max by tail", "largest weight", "quantile",
                                      "median of maxima"};
  const nis_event_summary *e = &run->events;
  label(file, "events");
  fprintf(file, "%" PRIu64 " in %s\n", e->events, run->arguments->event_options.path);
  label(file, "rate");
  fprintf(file, "%.3g events/s in %.3g s\n", (double)e->events / run->event_seconds,
          run->event_seconds);
  label(file, "memory");
  fprintf(file, "%.3g MiB at most\n", peak_bytes() / (1 << 20));
  label(file, "calls for them");
  fprintf(file, "%" PRIu64 "\n", e->calls);
  print_share(file, "event efficiency", e->efficiency, "events per point tried");
  print_share(file, "partial efficiency", e->partial, "mean of min(1, |w|/w_max)");
  print_share(file, "cut efficiency", e->cut, "points with a weight that is not 0");
  for (int i = 0; i < NIS_W_MAX_RULES; i++)
    print_share(file, i ? "" : "mean |w| / w_max",
                (nis_share){e->rules[i].efficiency, e->rules[i].error}, rules[i]);
  print_weights(file, run);
}

static void print_histograms(FILE *file, const struct run *run)
{
  char path[PATH_MAX];
  if (!run->histograms || nis_histogram_count(run->histograms->h[0]) == 0) return;
  histograms_path(run->arguments, path, sizeof path);
  label(file, "histograms");
  fprintf(file, "%zu in %s\n", run->histograms->n, path);
}

/* The w_max of the events, or else that of the estimate's efficiency */
static void draw_pictures(FILE *file, const struct run *run)
{
  const nis_unweighting *rule = &run->events.rules[run->arguments->event_options.w_max];
  double efficiency = run->has_events ? rule->efficiency : run->result.efficiency;
  weight_picture_draw(file, &run->weights, 1 / efficiency);
  error_picture_draw(file, &run->history);
}

void report_text(FILE *file, const struct run *run)
{
  if (run->progress.rows) fputc('\n', file);
  print_problem(file, run);
  if (isnan(run->result.value)) {
    fputs("integral             unknown: stopped before the integration\n", file);
    print_calls(file, run);
  } else {
    print_value(file, run);
    print_exact(file, run);
    print_chi2(file, &run->result);
    print_calls(file, run);
    print_threads(file, &run->result);
    print_search(file, &run->result);
    print_unseen(file, &run->result);
    print_quality(file, &run->result);
    channels_print(file, &run->channels);
  }
  if (run->has_events) print_events(file, run);
  print_histograms(file, run);
  if (!run->arguments->quiet && pictures_fit(file)) draw_pictures(file, run);
  label(file, "time");
  fprintf(file, "%.3g s\n", run->seconds);
}

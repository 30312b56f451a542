/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report.h"

#include "explain.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "ranks.h"
#include "values.h"

#include <limits.h>
#include <math.h>

static void parameters(struct json *json, const struct run *run)
{
  const double *value = run->arguments->values;
  json_object(json, "parameters");
  for (const struct parameter *p = run->row->parameters; p->name; p++, value++) {
    char text[VALUE_TEXT];
    value_format(text, p, *value);
    if (p->choices)
      json_text(json, p->name, text);
    else
      json_real(json, p->name, *value);
  }
  json_end(json);
}

static void problem(struct json *json, const struct run *run)
{
  json_text(json, "name", run->row->name);
  json_whole(json, "dim", run->options.dim);
  parameters(json, run);
  json_whole(json, "seed", run->options.seed);
}

/* In the order of the bits of nis_doubt */
static void doubts(struct json *json, int suspect)
{
  static const char *const names[] = {"heavy_tail", "large_chi2", "few_weights", "late_peak"};
  json_object(json, "doubts");
  for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
    json_int(json, names[i], suspect >> i & 1);
  json_end(json);
}

static void estimate(struct json *json, const struct run *run)
{
  const nis_result *r = &run->result;
  json_text(json, "status", status_name(run->status));
  json_int(json, "status_code", run->status);
  json_text(json, "message", run->message);
  json_real(json, "value", r->value);
  json_real(json, "error", r->error);
  json_real(json, "relative_error", r->error / fabs(r->value));
  json_text(json, "value_unit", run->row->unit);
  json_real(json, "exact", run->has_exact ? run->exact : NAN);
  json_real(json, "chi2", r->chi2);
  json_int(json, "dof", r->dof);
  json_real(json, "p_value", r->p_value);
  json_real(json, "khat", r->khat);
  json_real(json, "max_weight_share", r->max_weight_share);
  doubts(json, r->suspect);
}

static void calls(struct json *json, const struct run *run)
{
  const nis_result *r = &run->result;
  json_whole(json, "calls", r->calls);
  json_whole(json, "train_calls", r->train_calls);
  json_int(json, "peaks_found", r->peaks_found);
  json_int(json, "late_peaks", r->late_peaks);
  json_whole(json, "search_calls", r->search_calls);
  json_real(json, "unseen_volume", r->unseen_volume);
  json_real(json, "blurred_volume", r->blurred_volume);
  json_whole(json, "bad_calls", r->bad_calls);
  json_whole(json, "zero_calls", r->zero_calls);
  json_int(json, "serialized", r->serialized);
  json_real(json, "call_seconds", r->call_seconds);
  json_real(json, "efficiency", r->efficiency);
  json_real(json, "efficiency_max", r->efficiency_max);
  json_real(json, "efficiency_median", r->efficiency_median);
  json_real(json, "max_weight", r->max_weight);
  json_real(json, "ess", r->ess);
  json_int(json, "ranks", ranks_world() ? ranks_world()->size : 1);
  json_real(json, "seconds", run->seconds);
}

static void share(struct json *json, const char *name, nis_share share)
{
  char error[64];
  snprintf(error, sizeof error, "%s_error", name);
  json_real(json, name, share.value);
  json_real(json, error, share.error);
}

static void unweighting(struct json *json, const nis_unweighting *rules)
{
  json_object(json, "unweighting");
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    char name[VALUE_TEXT];
    event_option_word(name, "w_max", i);
    json_object(json, name);
    json_real(json, "w_max", rules[i].w_max);
    share(json, "efficiency", (nis_share){rules[i].efficiency, rules[i].error});
    json_end(json);
  }
  json_end(json);
}

static void events(struct json *json, const struct run *run)
{
  const nis_event_summary *e = &run->events;
  json_text(json, "output", run->arguments->event_options.path);
  json_whole(json, "events", e->events);
  json_whole(json, "event_calls", e->calls);
  json_whole(json, "trials", e->trials);
  json_whole(json, "overweights", e->overweights);
  json_whole(json, "negatives", e->negatives);
  json_real(json, "overweight_share", e->overweight_share);
  json_real(json, "sum_weights", e->sum_weights);
  json_real(json, "sum_squares", e->sum_squares);
  json_real(json, "w_max", e->w_max);
  json_real(json, "unit", e->unit);
  share(json, "event_efficiency", e->efficiency);
  share(json, "partial_efficiency", e->partial);
  share(json, "cut_efficiency", e->cut);
  unweighting(json, e->rules);
  json_real(json, "event_seconds", run->event_seconds);
  json_real(json, "peak_bytes", peak_bytes());
}

static void histograms(struct json *json, const struct run *run)
{
  char path[PATH_MAX];
  histograms_path(run->arguments, path, sizeof path);
  json_text(json, "histogram_file", path);
  json_array(json, "histograms");
  for (size_t i = 0; i < run->histograms->n; i++)
    json_text(json, NULL, nis_histogram_name(run->histograms->h[i]));
  json_end(json);
}

void report_json(FILE *file, const struct run *run)
{
  struct json json = {.file = file};
  json_object(&json, NULL);
  problem(&json, run);
  options_json(&json, run->arguments);
  if (run->arguments->explain) explain_json(&json, run->arguments);
  estimate(&json, run);
  calls(&json, run);
  channels_json(&json, &run->channels);
  if (run->arguments->command == EVENTS) events(&json, run);
  if (run->histograms) histograms(&json, run);
  history_json(&json, &run->history);
  json_end(&json);
}

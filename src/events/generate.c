/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "generate.h"

#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"
#include "formats/event_file.h"
#include "formats/merge.h"
#include "options.h"
#include "spool.h"

#include <stdio.h>

/* With the defaults; what takes more than one option is not checked yet. */
static int complete(const nis_event_options *given, nis_event_options *o)
{
  *o = *given;
  return nis_option_check(&nis_event_option_table, o);
}

static int check(const nis_event_options *given, nis_event_options *o)
{
  NIS_TRY(complete(given, o));
  if (o->events == 0 && o->calls == 0)
    return nis_fail(NIS_INVALID, "events and calls are both 0: one of them says how many events");
  if (!o->sink && !o->path)
    return nis_fail(NIS_INVALID, "events need a sink or the path of a file");
  if (o->path && !*o->path) return nis_fail(NIS_INVALID, "path must not be empty");
  return NIS_OK;
}

int nis_generate_check(const nis_event_options *given)
{
  nis_event_options o;
  struct spool spool = {0};
  NIS_TRY(check(given, &o));
  if (o.path) NIS_TRY(nis_event_file_check(&o));
  if (o.whole_run) NIS_TRY(nis_spool_open(&spool, 1));
  nis_spool_close(&spool);
  return NIS_OK;
}

int nis_generate_check_format(nis_event_format format)
{
  return nis_event_format_check(format);
}

int nis_generate_merge(const char *const *paths, size_t n, const char *path, int force)
{
  return nis_event_files_merge(paths, n, path, force);
}

/* Where events go */
struct receivers {
  const nis_event_options *options;
  struct event_file file;
  struct monitor *monitor;
  const nis_event_summary *summary;
};

struct delivery {
  const nis_event_options *options;
  const nis_event_block *block;
};

static int call_sink(void *context, const struct callback *self)
{
  const struct delivery *d = context;
  (void)self;
  return d->options->sink(d->block, d->options->sink_params);
}

static int hand_over(struct receivers *r, const nis_event_block *block, size_t *taken)
{
  *taken = block->n;
  if (r->options->path) NIS_TRY(nis_event_file_write(&r->file, block, taken));
  struct delivery delivery = {r->options, block};
  if (r->options->sink && nis_host_call(call_sink, &delivery, 0) != 0)
    return nis_fail(NIS_STOPPED, "the event sink asked to stop after %llu events",
                    (unsigned long long)(r->summary->events + block->n));
  return NIS_OK;
}

static int receive(const nis_event_block *block, size_t *taken, void *params)
{
  struct receivers *r = params;
  *taken = block->n;
  int status = nis_monitor_is_silent(r->monitor) ? NIS_OK : hand_over(r, block, taken);
  return nis_monitor_agree(r->monitor, status);
}

/* What came before an error is still good; without an event the file goes away. */
static int close_file(struct receivers *r, int status, nis_event_summary *summary)
{
  char sentence[512];
  snprintf(sentence, sizeof sentence, "%s", nis_last_error());
  int closed = nis_event_file_close(&r->file);
  unsigned long long events = r->file.events;
  if (!r->options->sink) summary->events = events;
  if (status >= NIS_OK && closed != NIS_OK) return closed;
  if (status == NIS_NO_FILE && closed == NIS_OK && events > 0)
    return nis_fail(status, "%s; %llu events are in it", sentence, events);
  return status == NIS_OK ? NIS_OK : nis_fail(status, "%s", sentence);
}

static int compare_with_goal(const nis_event_options *o, const nis_event_summary *summary)
{
  unsigned long long events = summary->events, wanted = o->events, calls = o->calls;
  if (events == 0) return nis_fail(NIS_NO_EVENTS, "no event in %llu calls", calls);
  if (events >= wanted) return NIS_OK;
  return nis_fail(NIS_GOAL_MISSED, "%llu calls gave %llu of %llu events", calls, events, wanted);
}

static int run(struct generator *g, struct sampler *s, struct receivers *r,
               const struct event_plan *plan, const struct event_run *about,
               nis_event_summary *summary)
{
  const nis_event_options *o = r->options;
  nis_monitor_begin(&s->monitor, NIS_GENERATING, o->events ? o->events : o->calls);
  int writes = o->path && !nis_monitor_is_silent(&s->monitor);
  if (writes) NIS_TRY(nis_event_file_open(&r->file, o, about));
  int status = nis_unweight(s, &g->trials, plan, &g->weights, summary);
  if (writes) status = close_file(r, status, summary);
  return status == NIS_OK ? compare_with_goal(o, summary) : status;
}

static struct w_max_rule rule_of(const nis_event_options *o)
{
  return (struct w_max_rule){o->w_max, o->tail, o->quantile};
}

int nis_generate(struct generator *g, struct sampler *s, const struct weights *seen,
                 struct estimate estimate, const nis_event_options *given,
                 nis_event_summary *wanted)
{
  nis_event_summary unused, *summary = wanted ? wanted : &unused;
  nis_event_options o;
  NIS_TRY(check(given, &o));
  struct receivers receivers = {.options = &o, .monitor = &s->monitor, .summary = summary};
  const struct event_plan plan = {.events = o.events ? o.events : UINT64_MAX,
                                  .calls = o.calls ? o.calls : UINT64_MAX,
                                  .rule = rule_of(&o),
                                  .whole_run = o.whole_run,
                                  .unit_weights = o.unit_weights,
                                  .brief = !wanted,
                                  .weights = seen,
                                  .take = receive,
                                  .take_params = &receivers};
  const struct event_run about = {.dim = s->mixture.dim,
                                  .extra = s->integrand.extra,
                                  .channels = s->integrand.channels,
                                  .seed = s->seed,
                                  .calls = s->integrand.calls,
                                  .value = estimate.value,
                                  .error = estimate.error,
                                  .summary = summary,
                                  .weights = &g->weights,
                                  .threads = s->threads,
                                  .serial = s->integrand.threads == 1,
                                  .monitor = &s->monitor};
  if (!g->weights.bins) NIS_TRY(nis_weights_init(&g->weights));
  nis_trials_skip(&g->trials, o.skip);
  return run(g, s, &receivers, &plan, &about, summary);
}

/* ---- one event at a time -------------------------------------------------------------- */

static int check_next(const nis_event_options *o)
{
  if (o->sink || o->path)
    return nis_fail(NIS_INVALID, "nis_next_event hands the event to its caller: sink and path must "
                                 "be NULL");
  if (o->whole_run)
    return nis_fail(NIS_INVALID, "whole_run must be 0 for nis_next_event: events that were handed "
                                 "out cannot be thinned out later");
  return NIS_OK;
}

static int same_rule(const struct w_max_rule *a, const struct w_max_rule *b)
{
  return a->rule == b->rule && a->tail == b->tail && a->quantile == b->quantile;
}

/* The histogram is asked only when the rule or the estimate is another than before. */
static void know_acceptance(struct generator *g, const struct weights *seen,
                            const nis_event_options *o)
{
  struct w_max_rule rule = rule_of(o);
  if (g->known == seen->n && same_rule(&g->rule, &rule) && g->how.unit_weights == o->unit_weights)
    return;
  double w_max = nis_weights_w_max(seen, &rule);
  g->how = nis_acceptance(seen, w_max, o->unit_weights);
  g->rule = rule;
  g->known = seen->n;
}

int nis_generate_next(struct generator *g, struct sampler *s, const struct weights *seen,
                      const nis_event_options *given, nis_pulled_event *event)
{
  static const nis_event_options none = {0};
  nis_event_options o;
  NIS_TRY(complete(given ? given : &none, &o));
  NIS_TRY(check_next(&o));
  if (!g->x) g->x = NIS_NEW(double, s->mixture.dim + s->integrand.extra);
  if (!g->x) return nis_no_memory();
  know_acceptance(g, seen, &o);
  return nis_unweight_next(s, &g->trials, &g->how, o.calls ? o.calls : UINT64_MAX, g->x, event);
}

/* ---- between two calls ------------------------------------------------------------------- */

void nis_generator_forget(struct generator *g)
{
  nis_trials_forget(&g->trials);
  g->known = 0;
}

void nis_generator_clear(struct generator *g)
{
  nis_trials_clear(&g->trials);
  nis_weights_clear(&g->weights);
  free(g->x);
  *g = (struct generator){0};
}

/* The weights and how events are accepted follow from the estimate. */
void nis_generator_archive(struct archive *a, struct generator *g, const struct sampler *s,
                           size_t extra)
{
  nis_trials_archive(a, &g->trials, s, extra);
}

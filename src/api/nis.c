/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The public functions: check arguments, own the handle, call down. Each struct that grows comes
 * and goes through sized.h, and inside it is this version's.
 */
#include "nis_events.h"

#include "estimation/combine.h"
#include "base/error.h"
#include "base/host.h"
#include "estimation/estimate.h"
#include "goal.h"
#include "handle.h"
#include "options.h"
#include "estimation/tally.h"
#include "events/options.h"
#include "base/memory.h"
#include "estimation/pace.h"
#include "save.h"
#include "settings.h"
#include "sized.h"
#include "estimation/trust.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { LEAST_PACED = 10 };          /* calls that max_seconds takes a pace for */
static const double most_off = 0.1; /* relative error of a denominator */

static int need(const void *pointer, const char *name)
{
  return pointer ? NIS_OK : nis_fail(NIS_INVALID, "%s must not be NULL", name);
}

/* What the user's callbacks did with the library inside a call that went well is no news of it. */
static int leave(int status)
{
  if (status == NIS_OK) nis_clear_error();
  return status;
}

static int take_options(nis_options *own, const nis_options *theirs, size_t size)
{
  NIS_TRY(need(theirs, "options"));
  return nis_sized_take("nis_options", own, sizeof *own, theirs, size);
}

int nis_complete_options_sized(const nis_options *given, nis_options *complete, size_t size)
{
  NIS_ENTER();
  nis_options o, all;
  NIS_TRY(need(complete, "complete"));
  NIS_TRY(take_options(&o, given, size));
  NIS_TRY(nis_settings_resolve(&o, &all));
  nis_sized_give(complete, size, &all, sizeof all);
  return NIS_OK;
}

int nis_options_set_sized(nis_options *options, const char *name, const char *value, size_t size)
{
  NIS_ENTER();
  nis_options o;
  NIS_TRY(take_options(&o, options, size));
  NIS_TRY(nis_option_set(&nis_option_table, &o, name, value));
  nis_sized_give(options, size, &o, sizeof o);
  return NIS_OK;
}

int nis_create_sized(nis **out, nis_integrand *f, const nis_options *options, size_t size)
{
  NIS_ENTER();
  nis_options o;
  if (!out) return nis_fail(NIS_INVALID, "out must not be NULL");
  *out = NULL;
  NIS_TRY(take_options(&o, options, size));
  NIS_TRY(nis_handle_create(out, f, &o));
  int status = nis_handle_begin_checkpoint(*out);
  if (status != NIS_OK) nis_handle_free(*out), *out = NULL;
  return status;
}

/* ---- many processes ------------------------------------------------------------------------- */

static int check_ranks(const nis_ranks *ranks)
{
  if (ranks->size < 1 || ranks->rank < 0 || ranks->rank >= ranks->size)
    return nis_fail(NIS_INVALID, "rank must be between 0 and size - 1, got %d of %d", ranks->rank,
                    ranks->size);
  NIS_TRY(need((const void *)(uintptr_t)ranks->claim, "claim"));
  return need((const void *)(uintptr_t)ranks->gather, "gather");
}

int nis_set_ranks(nis *s, const nis_ranks *ranks)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  if (ranks) NIS_TRY(check_ranks(ranks));
  if (ranks && ranks->rank > 0 && s->journal.name)
    return nis_fail(NIS_INVALID,
                    "options.checkpoint is rank 0's, and must be NULL for rank %d: "
                    "nis_resume_shared sees to that",
                    ranks->rank);
  struct monitor *monitor = &s->sampler.monitor;
  nis_ranks_clear(&s->ranks);
  monitor->ranks = NULL;
  if (!ranks || ranks->size == 1) return NIS_OK;
  NIS_TRY(nis_ranks_init(&s->ranks, ranks, nis_monitor_wait, monitor));
  monitor->ranks = &s->ranks;
  return NIS_OK;
}

/* What all ranks must have in common when they begin a call */
static uint64_t stamp_of(nis *s, const char *function, const double *arguments, size_t n)
{
  const nis_options *o = &s->options;
  const double state[] = {(double)o->dim,
                          (double)o->seed,
                          (double)o->calls,
                          (double)s->trained,
                          (double)s->estimated,
                          (double)s->sampled,
                          (double)s->sampler.integrand.calls,
                          (double)nis_handle_fingerprint(s),
                          o->rel_error,
                          o->abs_error,
                          o->sink != NULL};
  const char *kernels = s->sampler.mixture.flow.kernels->name;
  uint64_t stamp = nis_stamp_numbers(0, sizeof state / sizeof *state, state);
  for (const char *c = function; *c; c++) stamp = stamp * 31 + (unsigned char)*c;
  for (const char *c = kernels; *c; c++) stamp = stamp * 31 + (unsigned char)*c;
  return nis_stamp_numbers(stamp, n, arguments);
}

/* A call that shares its points begins, with these arguments, ... */
static int enter(nis *s, const char *function, const double *arguments, size_t n)
{
  if (!s->sampler.monitor.ranks) return NIS_OK;
  nis_integrand_tell(&s->sampler.integrand, &s->ranks);
  s->ranks.own.threads = (uint64_t)s->sampler.threads;
  return nis_ranks_enter(&s->ranks, stamp_of(s, function, arguments, n));
}

/* ... and ends with a status, which may have become another's. */
static int leave_together(nis *s, int status)
{
  return s->sampler.monitor.ranks ? nis_ranks_leave(&s->ranks, status) : status;
}

void nis_free(nis *s)
{
  nis_handle_free(s);
}

static int need_count(uint64_t n, const char *name, uint64_t least)
{
  if (n >= least && n <= (uint64_t)1 << 62) return NIS_OK;
  return nis_fail(NIS_INVALID, "%s must be between %llu and 2^62, got %llu", name,
                  (unsigned long long)least, (unsigned long long)n);
}

/* Between equal limits the integral is 0, without a call. */
static int is_empty(const nis *s)
{
  return s->sampler.integrand.domain.empty;
}

static int nothing(const nis *s, nis_result *r)
{
  *r = (nis_result){.seed = s->options.seed, .p_value = NAN, .khat = NAN};
  return r->status;
}

static int train_flow(nis *s, uint64_t calls, const nis_options *o)
{
  uint64_t before = s->sampler.integrand.calls;
  int status = nis_train_flow(&s->sampler, s->trained, calls, o, &s->training);
  uint64_t spent = s->sampler.integrand.calls - before;
  s->trained += spent;
  s->train_calls += spent;
  if (status == NIS_OK) nis_handle_drop_estimate(s);
  return status;
}

int nis_train(nis *s, uint64_t calls)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need_count(calls, "calls", 1));
  if (is_empty(s)) return NIS_OK;
  NIS_TRY(enter(s, "train", (double[]){(double)calls}, 1));
  nis_seen_reset(&s->seen);
  return leave(leave_together(s, train_flow(s, calls, &s->options)));
}

/* `plan` says what to do. */
static int estimate(nis *s, struct integration *plan, nis_result *result)
{
  uint64_t used;
  plan->tally = &s->tally;
  plan->components = &s->components;
  plan->channels = &s->channels;
  plan->first_point = s->estimated;
  plan->options = &s->options;
  plan->replicates = s->options.points == NIS_POINTS_NETS;
  int status = nis_estimate_flow(&s->sampler, plan, &used);
  s->estimated += used;
  int added = nis_handle_add_span(s, (struct span){s->options.seed, plan->from, plan->to});
  if (status == NIS_OK) status = added;
  nis_handle_result(s, status, result);
  if (status == NIS_OK) result->stop = plan->stop;
  return result->status;
}

static int give_result(nis_result *theirs, size_t size, const nis_result *r)
{
  if (theirs) nis_sized_give(theirs, size, r, sizeof *r);
  return r->status;
}

static int estimate_as_planned(nis *s, struct integration plan, nis_result *theirs, size_t size)
{
  nis_result r;
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need_count(plan.calls, "calls", 2));
  plan.likely = plan.calls;
  if (is_empty(s)) {
    nothing(s, &r);
  } else {
    const double arguments[] = {(double)plan.calls, plan.part, plan.parts};
    int entered = enter(s, "estimate", arguments, 3);
    if (entered != NIS_OK) {
      nis_handle_result(s, entered, &r);
    } else {
      estimate(s, &plan, &r);
      r.status = leave_together(s, nis_handle_judge(s, &r));
    }
  }
  return give_result(theirs, size, &r);
}

int nis_estimate_sized(nis *s, uint64_t calls, nis_result *result, size_t size)
{
  NIS_ENTER();
  return estimate_as_planned(s, (struct integration){.calls = calls}, result, size);
}

int nis_estimate_part_sized(nis *s, uint64_t calls, int part, int parts, nis_result *result,
                            size_t size)
{
  NIS_ENTER();
  if (parts < 1 || part < 1 || part > parts)
    return nis_fail(NIS_INVALID, "part must be between 1 and parts, got %d of %d", part, parts);
  return estimate_as_planned(s, (struct integration){.calls = calls, .part = part, .parts = parts},
                             result, size);
}

/* What must be the same for two estimates to be of one integral with one flow */
static int check_alike(nis *s, nis *other)
{
  const nis_options *a = &s->options, *b = &other->options;
  const char *names[] = {a->name ? a->name : "", b->name ? b->name : ""};
  if (strcmp(names[0], names[1]) != 0)
    return nis_fail(NIS_INVALID, "estimates of '%s' and of '%s' cannot be merged", names[0],
                    names[1]);
  if (s->components.n != other->components.n ||
      s->components.with_covariance != other->components.with_covariance)
    return nis_fail(NIS_INVALID,
                    "estimates of %zu and of %zu values, or with and without "
                    "covariance, cannot be merged",
                    a->ncomp, b->ncomp);
  if (nis_handle_fingerprint(s) != nis_handle_fingerprint(other))
    return nis_fail(NIS_INVALID, "the flows differ: only estimates of one training can be merged");
  return NIS_OK;
}

int nis_merge(nis *s, nis *other)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(other, "the other handle"));
  NIS_TRY(check_alike(s, other));
  size_t before = s->spans.n;
  struct span last = before > 0 ? s->spans.span[before - 1] : (struct span){0};
  int status = NIS_OK;
  for (size_t i = 0; status == NIS_OK && i < other->spans.n; i++)
    status = nis_handle_add_span(s, other->spans.span[i]);
  if (status == NIS_OK) status = nis_tally_merge(&s->tally, &other->tally);
  if (status != NIS_OK) {
    s->spans.n = before;
    if (before > 0) s->spans.span[before - 1] = last;
    return status;
  }
  nis_components_merge(&s->components, &other->components);
  nis_channels_merge(&s->channels, &other->channels);
  s->sampler.integrand.calls += other->tally.weights.n;
  s->sampler.integrand.bad_calls += other->tally.bad;
  if (s->options.seed == other->options.seed && other->estimated > s->estimated)
    s->estimated = other->estimated;
  return NIS_OK;
}

static int need_room(const struct domain *d)
{
  return d->empty ? nis_fail(NIS_INVALID, "there are no points between equal limits") : NIS_OK;
}

/* ---- of channels ----------------------------------------------------------------------------- */

int nis_channel_sized(nis *s, size_t channel, nis_channel_result *result, size_t size)
{
  NIS_ENTER();
  nis_channel_result r = {0};
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(result, "result"));
  if (s->channels.n == 0)
    return nis_fail(NIS_INVALID, "there are no channels: options.channels was 0");
  if (channel >= s->channels.n)
    return nis_fail(NIS_INVALID, "channel must be between 0 and %zu, got %zu", s->channels.n - 1,
                    channel);
  if (!is_empty(s)) nis_channels_result(&s->channels, channel, nis_tally_factor(&s->tally), &r);
  nis_sized_give(result, size, &r, sizeof r);
  return NIS_OK;
}

/* ---- of the weights -------------------------------------------------------------------------- */

static int check_edges(size_t n, const double *edges)
{
  if (n < 1) return nis_fail(NIS_INVALID, "n must be 1 or more edges, got 0");
  for (size_t i = 0; i < n; i++) {
    double before = i > 0 ? edges[i - 1] : 0;
    if (!(edges[i] > before && edges[i] < HUGE_VAL))
      return nis_fail(NIS_INVALID, "edges[%zu] must be finite and above %g, got %g", i, before,
                      edges[i]);
  }
  return NIS_OK;
}

int nis_weights(nis *s, size_t n, const double *edges, uint64_t *counts)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(edges, "edges"));
  NIS_TRY(need(counts, "counts"));
  NIS_TRY(check_edges(n, edges));
  nis_weights_counts(&s->tally.weights, n, edges, counts);
  return NIS_OK;
}

/* ---- of several components ------------------------------------------------------------------- */

int nis_values(nis *s, double *values, double *errors)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  nis_handle_components(s, values, errors, NULL);
  return NIS_OK;
}

static int need_covariance(const nis *s)
{
  if (s->components.n == 0 || s->components.with_covariance) return NIS_OK;
  return nis_fail(NIS_INVALID,
                  "ncomp = %zu: the covariance of more than %d components is kept only with "
                  "options.covariance",
                  s->components.n, NIS_MOST_CORRELATED);
}

int nis_covariance(nis *s, double *covariance)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(covariance, "covariance"));
  NIS_TRY(need_covariance(s));
  nis_handle_components(s, NULL, NULL, covariance);
  return NIS_OK;
}

static int can_combine(const nis *s)
{
  if (is_empty(s)) return need_room(&s->sampler.integrand.domain);
  if (s->tally.all.n == 0)
    return nis_fail(NIS_INVALID, "no estimate yet: nis_estimate or nis_run comes first");
  return need_covariance(s);
}

static int need_component(const nis *s, const char *name, size_t a)
{
  if (a < s->options.ncomp) return NIS_OK;
  return nis_fail(NIS_INVALID, "%s must be between 0 and %zu, got %zu", name, s->options.ncomp - 1,
                  a);
}

int nis_combine(nis *s, const double *coefficients, double *value, double *error)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(coefficients, "coefficients"));
  NIS_TRY(need(value, "value"));
  NIS_TRY(need(error, "error"));
  for (size_t k = 0; k < s->options.ncomp; k++)
    if (!isfinite(coefficients[k]))
      return nis_fail(NIS_INVALID, "coefficients[%zu] must be finite, got %g", k, coefficients[k]);
  *value = *error = 0;
  if (is_empty(s)) return NIS_OK;
  NIS_TRY(can_combine(s));
  struct estimate sum = nis_components_sum(&s->tally, &s->components, coefficients);
  *value = sum.value;
  *error = sum.error;
  return NIS_OK;
}

int nis_ratio(nis *s, size_t i, size_t j, double *value, double *error)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(value, "value"));
  NIS_TRY(need(error, "error"));
  NIS_TRY(need_component(s, "i", i));
  NIS_TRY(need_component(s, "j", j));
  NIS_TRY(can_combine(s));
  struct estimate ratio = nis_components_ratio(&s->tally, &s->components, i, j),
                  below = nis_component(&s->tally, &s->components, j);
  *value = ratio.value;
  *error = ratio.error;
  if (below.value != 0 && below.error <= most_off * fabs(below.value)) return NIS_OK;
  return nis_fail(NIS_SUSPECT,
                  "component %zu is %g +- %g, no good denominator: its error must be at most %g of "
                  "it",
                  j, below.value, below.error, most_off);
}

int nis_sample(nis *s, size_t n, double *x, double *log_q, double *weight)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(x, "x"));
  struct points p;
  struct domain *domain = &s->sampler.integrand.domain;
  NIS_TRY(need_room(domain));
  if (weight) NIS_TRY(enter(s, "sample", (double[]){(double)n}, 1));
  int status = nis_points_init(&p, n < BLOCK_POINTS ? n + 1 : BLOCK_POINTS, domain->dim);
  nis_monitor_begin(&s->sampler.monitor, NIS_SAMPLING, n);
  for (size_t i = 0; weight && i < n; i++) weight[i] = NAN;
  for (size_t done = 0; status == NIS_OK && done < n; done += p.n, s->sampled += p.n) {
    size_t left = n - done;
    nis_sampler_draw(&s->sampler, STREAM_SAMPLE, s->sampled, left < p.capacity ? left : p.capacity,
                     &p);
    if (weight) status = nis_sampler_evaluate(&s->sampler, &p);
    for (size_t i = 0; i < p.n; i++) {
      nis_domain_out(domain, p.x + i * domain->dim, x + (done + i) * domain->dim);
      if (log_q)
        log_q[done + i] = p.log_q[i] - nis_domain_log_jacobian(domain, p.x + i * domain->dim);
      if (weight) weight[done + i] = nis_point_weight(&p, i);
    }
  }
  nis_points_clear(&p);
  return leave(weight ? leave_together(s, status) : status);
}

static int check_points(const struct domain *d, size_t n, const double *x)
{
  for (size_t i = 0; i < n; i++) NIS_TRY(nis_domain_check_point(d, "point", i, x + i * d->dim));
  return NIS_OK;
}

/* n <= BLOCK_POINTS; cube[n][dim] is scratch. */
static void block_density(nis *s, size_t n, const double *x, double *cube, double *log_q)
{
  struct domain *domain = &s->sampler.integrand.domain;
  size_t dim = domain->dim;
  for (size_t i = 0; i < n; i++) nis_domain_in(domain, x + i * dim, cube + i * dim);
  nis_sampler_density(&s->sampler, NULL, n, cube, log_q, NULL);
  for (size_t i = 0; i < n; i++) log_q[i] -= nis_domain_log_jacobian(domain, cube + i * dim);
}

int nis_density(nis *s, size_t n, const double *x, double *log_q)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(x, "x"));
  NIS_TRY(need(log_q, "log_q"));
  struct domain *domain = &s->sampler.integrand.domain;
  NIS_TRY(need_room(domain));
  NIS_TRY(check_points(domain, n, x));
  double *cube = NIS_RAW(double, BLOCK_POINTS * domain->dim);
  if (!cube) return nis_no_memory();
  for (size_t done = 0; done < n; done += BLOCK_POINTS)
    block_density(s, n - done < BLOCK_POINTS ? n - done : BLOCK_POINTS, x + done * domain->dim,
                  cube, log_q + done);
  free(cube);
  return NIS_OK;
}

/* ---- events -------------------------------------------------------------------------------- */

static int take_event_options(nis_event_options *own, const nis_event_options *theirs, size_t size)
{
  NIS_TRY(need(theirs, "options"));
  return nis_sized_take("nis_event_options", own, sizeof *own, theirs, size);
}

int nis_event_options_set_sized(nis_event_options *options, const char *name, const char *value,
                                size_t size)
{
  NIS_ENTER();
  nis_event_options o;
  NIS_TRY(take_event_options(&o, options, size));
  NIS_TRY(nis_option_set(&nis_event_option_table, &o, name, value));
  nis_sized_give(options, size, &o, sizeof o);
  return NIS_OK;
}

int nis_check_events_sized(const nis_event_options *options, size_t size)
{
  NIS_ENTER();
  nis_event_options o;
  NIS_TRY(take_event_options(&o, options, size));
  return nis_generate_check(&o);
}

int nis_check_format(nis_event_format format)
{
  NIS_ENTER();
  return nis_generate_check_format(format);
}

int nis_merge_events(const char *const *paths, size_t n, const char *path, int force)
{
  NIS_ENTER();
  NIS_TRY(need(paths, "paths"));
  NIS_TRY(need(path, "path"));
  if (n < 1) return nis_fail(NIS_INVALID, "n must be at least 1, got 0");
  for (size_t i = 0; i < n; i++) NIS_TRY(need(paths[i], "each of the paths"));
  return nis_generate_merge(paths, n, path, force);
}

static int can_generate(const nis *s)
{
  if (is_empty(s))
    return nis_fail(NIS_NO_EVENTS, "no events: lower and upper are equal in a coordinate");
  if (s->tally.all.n == 0)
    return nis_fail(NIS_INVALID, "no weights seen yet: nis_estimate comes before events");
  if (s->tally.weights.absolute == 0)
    return nis_fail(NIS_NO_EVENTS, "no events: the integrand was 0 at all %llu points",
                    (unsigned long long)s->tally.all.n);
  return NIS_OK;
}

int nis_events_sized(nis *s, const nis_event_options *options, nis_event_summary *theirs,
                     size_t options_size, size_t summary_size)
{
  NIS_ENTER();
  nis_event_options o;
  nis_event_summary summary = {.status = NIS_INVALID};
  if (theirs) nis_sized_give(theirs, summary_size, &summary, sizeof summary);
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(take_event_options(&o, options, options_size));
  const double arguments[] = {(double)o.events, (double)o.calls, (double)o.skip, o.whole_run,
                              o.w_max};
  int status = can_generate(s);
  if (status == NIS_OK) status = enter(s, "events", arguments, 5);
  if (status == NIS_OK)
    status = leave_together(s, nis_generate(&s->generator, &s->sampler, &s->tally.weights,
                                            nis_tally_estimate(&s->tally), &o,
                                            theirs ? &summary : NULL));
  leave(status);
  summary.status = status;
  if (theirs) nis_sized_give(theirs, summary_size, &summary, sizeof summary);
  return status;
}

int nis_next_event_sized(nis *s, const nis_event_options *options, nis_pulled_event *theirs,
                         size_t options_size, size_t event_size)
{
  NIS_ENTER();
  nis_event_options o = {0};
  nis_pulled_event event = {0};
  NIS_TRY(need(theirs, "event"));
  nis_sized_give(theirs, event_size, &event, sizeof event);
  NIS_TRY(need(s, "the handle"));
  if (options) NIS_TRY(take_event_options(&o, options, options_size));
  NIS_TRY(can_generate(s));
  NIS_TRY(enter(s, "next_event", NULL, 0));
  int status = nis_generate_next(&s->generator, &s->sampler, &s->tally.weights, &o, &event);
  status = leave_together(s, status);
  nis_sized_give(theirs, event_size, &event, sizeof event);
  return leave(status);
}

/* ---- all in one ----------------------------------------------------------------------------- */

/* One run on a handle that may have done much before */
struct run {
  nis *s;
  nis_result *result;
  uint64_t before; /* calls */
  double per_call; /* seconds, where there is a limit; 0: unknown */
};

static uint64_t calls_of(const struct run *run)
{
  return run->s->sampler.integrand.calls - run->before;
}

/* A few calls at most where there are few */
static int pace(struct run *run)
{
  nis *s = run->s;
  struct pace pace = {s->options.max_seconds, s->options.calls, s->options.ncomp,
                      nis_seen_add,           &s->seen,         0};
  if (s->options.calls < LEAST_PACED) return NIS_OK;
  int status = nis_pace(&s->sampler, &pace);
  s->train_calls += calls_of(run);
  run->per_call = pace.per_call;
  return status;
}

/* What of the calls that are left fits into the time, about */
static uint64_t likely_calls(const struct run *run)
{
  const double usable = 0.9; /* the rest is for the flow */
  double left = (double)(run->s->options.calls - calls_of(run));
  double seconds = run->s->sampler.monitor.deadline - nis_monitor_clock(&run->s->sampler.monitor);
  if (run->per_call > 0) left = fmin(left, usable * seconds / run->per_call);
  return (uint64_t)fmax(left, 2);
}

static struct integration goals(nis *s)
{
  const nis_options *o = &s->options;
  return (struct integration){.tally = &s->tally,
                              .components = &s->components,
                              .rel_error = o->rel_error,
                              .abs_error = o->abs_error,
                              .all = o->goal_of == NIS_GOAL_ALL};
}

/* With max_seconds the estimate gets what the training has left of the calls, and as much time as
 * there is; else both are planned beforehand. */
static int train_and_estimate(struct run *run)
{
  nis *s = run->s;
  const nis_options *o = &s->options;
  int timed = o->max_seconds > 0, nets = o->points == NIS_POINTS_NETS;
  uint64_t calls = timed ? likely_calls(run) : o->calls;
  uint64_t train = (uint64_t)(o->train_share * (double)calls), rest = calls - train;
  uint64_t left = rest - nis_estimate_calls(rest, nets);
  if (left <= train / 4) train += left;
  int status = train > 0 ? train_flow(s, train, &s->options) : NIS_OK;
  if (status != NIS_OK) return nis_handle_result(s, status, run->result);
  struct integration plan = goals(s);
  plan.calls = timed ? o->calls - calls_of(run) : rest;
  plan.likely = timed ? likely_calls(run) : rest;
  return estimate(s, &plan, run->result);
}

static int is_goal(const nis_options *o)
{
  return o->rel_error > 0 || o->abs_error > 0;
}

static int train_on_the_way(struct run *run, struct way *way)
{
  uint64_t before = calls_of(run);
  int status = nis_way_try_calls(way);
  uint64_t rehearsed = calls_of(run) - before;
  run->s->train_calls += rehearsed;
  run->s->call_seconds = way->call_seconds;
  way->next -= rehearsed < way->next ? rehearsed : way->next;
  nis_options o = nis_way_training_options(way);
  if (status == NIS_OK && way->next > 0) status = train_flow(run->s, way->next, &o);
  way->spent = calls_of(run);
  return status;
}

/* Trainings and estimates take turns until the goal is met or the calls are spent. An estimate that
 * is given up belongs to the training. */
static int shortest_way(struct run *run)
{
  nis *s = run->s;
  struct way way = {.s = &s->sampler,
                    .given = &s->given,
                    .o = &s->options,
                    .training = &s->training,
                    .call_seconds = s->options.call_seconds};
  uint64_t left_calls = 0; /* of the latest estimate, which was given up */
  nis_handle_drop_estimate(s);
  nis_training_begin_uniform(&s->training, &s->sampler.mixture);
  if (!nis_way_begins_with_training(&way)) way.next = 0;
  for (;;) {
    int status = train_on_the_way(run, &way);
    if (status != NIS_OK) return nis_handle_result(s, status, run->result);
    s->train_calls += left_calls;
    struct watcher watcher = nis_way_watcher(&way);
    struct integration plan = goals(s);
    plan.calls = s->options.calls - calls_of(run);
    plan.watcher = &watcher;
    status = estimate(s, &plan, run->result);
    if (status != NIS_OK || plan.stop != NIS_STOP_LEFT) return status;
    left_calls = s->tally.all.n;
  }
}

/* By the component that is furthest from its goal */
static int miss_goal(const struct run *run)
{
  const nis_options *o = &run->s->options;
  struct integration plan = goals(run->s);
  struct aim aim = nis_estimate_aim(&plan);
  char of[32] = "";
  if (o->ncomp > 1) snprintf(of, sizeof of, " of component %zu", aim.component);
  return nis_fail_too(
      NIS_GOAL_MISSED,
      "%llu calls gave an error%s of %.3g; rel_error %g and abs_error %g were asked for",
      (unsigned long long)calls_of(run), of, aim.error, o->rel_error, o->abs_error);
}

/* The estimate went as planned: by what was that less than what was asked for? */
static void compare_with_goals(const struct run *run)
{
  const nis_options *o = &run->s->options;
  nis_result *r = run->result;
  if (r->stop == NIS_STOP_TIME)
    r->status = nis_fail_too(NIS_TIME_LIMIT, "max_seconds = %g were enough for %llu of %llu calls",
                             o->max_seconds, (unsigned long long)calls_of(run),
                             (unsigned long long)o->calls);
  else if (r->stop == NIS_STOP_CALLS && is_goal(o))
    r->status = miss_goal(run);
}

static int train_and_integrate(nis *s, nis_result *r)
{
  if (is_empty(s)) return nothing(s, r);
  struct run run = {.s = s, .result = r, .before = s->sampler.integrand.calls};
  double seconds = s->options.max_seconds;
  int entered = enter(s, "run", &seconds, 1);
  if (entered != NIS_OK) return nis_handle_result(s, entered, r);
  if (seconds > 0) s->sampler.monitor.deadline = nis_monitor_clock(&s->sampler.monitor) + seconds;
  nis_seen_reset(&s->seen);
  int status = seconds > 0 ? pace(&run) : NIS_OK;
  s->call_seconds = 0;
  if (status == NIS_OK && is_goal(&s->options) && seconds == 0)
    status = shortest_way(&run);
  else
    status = status == NIS_OK ? train_and_estimate(&run) : nis_handle_result(s, status, r);
  s->sampler.monitor.deadline = 0;
  if (status == NIS_OK) compare_with_goals(&run);
  return r->status = leave_together(s, nis_handle_judge(s, r));
}

int nis_run_sized(nis *s, nis_result *result, size_t size)
{
  NIS_ENTER();
  nis_result r;
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(result, "result"));
  train_and_integrate(s, &r);
  return give_result(result, size, &r);
}

int nis_integrate_sized(nis_integrand *f, const nis_options *options, nis_result *result,
                        size_t options_size, size_t result_size)
{
  NIS_ENTER();
  nis *s;
  NIS_TRY(need(result, "result"));
  int status = nis_create_sized(&s, f, options, options_size);
  nis_result r = {.status = status, .value = NAN, .error = NAN, .unseen_volume = 1};
  if (status == NIS_OK) {
    r.seed = s->options.seed;
    train_and_integrate(s, &r);
    nis_free(s);
  }
  return give_result(result, result_size, &r);
}

/* ---- files --------------------------------------------------------------------------------- */

int nis_save(nis *s, const char *path)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(path, "path"));
  return nis_handle_save(s, path);
}

int nis_load_sized(nis **out, const char *path, nis_integrand *f, const nis_options *options,
                   size_t size)
{
  NIS_ENTER();
  nis_options o;
  NIS_TRY(need(out, "out"));
  *out = NULL;
  NIS_TRY(need(path, "path"));
  if (options) NIS_TRY(take_options(&o, options, size));
  return nis_handle_load(out, path, f, options ? &o : NULL);
}

int nis_current_sized(nis *s, nis_result *result, size_t size)
{
  NIS_ENTER();
  nis_result r;
  NIS_TRY(need(s, "the handle"));
  NIS_TRY(need(result, "result"));
  if (is_empty(s)) {
    nothing(s, &r);
  } else {
    nis_handle_result(s, NIS_OK, &r);
    nis_handle_judge(s, &r);
  }
  return give_result(result, size, &r);
}

int nis_drop_estimate(nis *s)
{
  NIS_ENTER();
  NIS_TRY(need(s, "the handle"));
  nis_handle_drop_estimate(s);
  return NIS_OK;
}

/* Stands for the integrand of a handle that is only looked at. */
static int never_called(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                        void *params)
{
  (void)n, (void)dim, (void)x, (void)ncomp, (void)f, (void)params;
  return 1;
}

/* Of the members behind the name each is where the caller's sizes of those before put it. */
static void describe(const nis *s, nis_saved *saved, size_t options_size, size_t result_size)
{
  nis_options o = s->options;
  nis_result r;
  char *theirs = (char *)saved + offsetof(nis_saved, options);
  memset(saved->name, 0, sizeof saved->name);
  if (o.name) memcpy(saved->name, o.name, strlen(o.name));
  saved->stored = s->training.replay.count;
  for (size_t i = 0; i < nis_option_table.n; i++) {
    const nis_option *row = &nis_option_table.rows[i];
    if (row->type == NIS_OPTION_POINTER) memset((char *)&o + row->offset, 0, row->size);
  }
  nis_sized_give(theirs, options_size, &o, sizeof o);
  nis_handle_result(s, NIS_OK, &r);
  nis_handle_judge(s, &r);
  nis_sized_give(theirs + options_size, result_size, &r, sizeof r);
}

int nis_inspect_sized(const char *path, nis_saved *saved, size_t options_size, size_t result_size)
{
  NIS_ENTER();
  nis *s;
  NIS_TRY(need(path, "path"));
  NIS_TRY(need(saved, "saved"));
  NIS_TRY(nis_handle_load(&s, path, NULL, &(nis_options){.batch = never_called}));
  describe(s, saved, options_size, result_size);
  nis_handle_free(s);
  nis_clear_error();
  return NIS_OK;
}

static int resume(nis **out, nis_integrand *f, const nis_options *o, int owner)
{
  if (access(o->checkpoint, F_OK) == 0) return nis_handle_resume(out, f, o, owner);
  return nis_create_sized(out, f, o, sizeof *o);
}

int nis_resume_sized(nis **out, nis_integrand *f, const nis_options *options, size_t size)
{
  NIS_ENTER();
  nis_options o;
  NIS_TRY(need(out, "out"));
  *out = NULL;
  NIS_TRY(take_options(&o, options, size));
  NIS_TRY(need(o.checkpoint, "options.checkpoint"));
  return resume(out, f, &o, 1);
}

static int never(void *context)
{
  (void)context;
  return 0;
}

/* Rank 0 makes the file, or finds it there, before the others look into it. */
static int resume_in_turn(nis **out, nis_integrand *f, const nis_options *o, struct ranks *r)
{
  int first = r->link.rank == 0, status = first ? resume(out, f, o, 1) : NIS_OK;
  r->over = 0;
  NIS_TRY(nis_ranks_meet(r, status));
  return nis_ranks_meet(r, first ? NIS_OK : nis_handle_resume(out, f, o, 0));
}

int nis_resume_shared_sized(nis **out, nis_integrand *f, const nis_options *options,
                            const nis_ranks *ranks, size_t size)
{
  NIS_ENTER();
  nis_options o;
  struct ranks r;
  NIS_TRY(need(out, "out"));
  *out = NULL;
  NIS_TRY(take_options(&o, options, size));
  NIS_TRY(need(o.checkpoint, "options.checkpoint"));
  NIS_TRY(need(ranks, "ranks"));
  NIS_TRY(check_ranks(ranks));
  int status = nis_ranks_init(&r, ranks, never, NULL);
  if (status == NIS_OK) status = resume_in_turn(out, f, &o, &r);
  if (status != NIS_OK) nis_handle_free(*out), *out = NULL;
  nis_ranks_clear(&r);
  return status;
}

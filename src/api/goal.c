/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "goal.h"

#include "base/error.h"
#include "integrand/safety.h"
#include "settings.h"

#include <math.h>

enum {
  FIRST_LOOK = 1024, /* points; later a share of what has been spent */
  LEAST_TRIED = 64,  /* points; fewer tell no time */
  MOST_TRIED = 4096,
  LEAST_CHECKED = 2000 /* calls in all */
};
static const double look_share = 0.25;  /* of what has been spent */
static const double tried_share = 0.02; /* likewise */
static const double exponent = 1.5;     /* the variance of nets falls as n^-1.5, about */
static const double least_exponent = 1, most_exponent = 2.5;
static const double most_gain = 30; /* what training may make of the spread of the weights */

/* ---- costs ----------------------------------------------------------------------------------- */

static const double flops = 6e10;            /* of the nets, a second */
static const double point_seconds = 3e-7;    /* to draw a point and count it, without nets */
static const double training_seconds = 5e-3; /* for any training */
static const double timed = 1e-3;            /* seconds that one thread calls alone */
static const double least_seconds = 1e-7, most_seconds = 1e-2; /* a measured call */

static double cost(const struct way *way, double calls, double work)
{
  return isinf(way->call_seconds) ? calls : calls * way->call_seconds + work;
}

/* Both flows there and back, two operations for each parameter of theirs, and as many again for
 * each slope */
static double point_work(const struct way *way)
{
  const struct mixture *m = &way->s->mixture;
  double flows = (m->share[CHANNEL_FLOW] > 0) + (m->share[CHANNEL_TWIN] > 0);
  return point_seconds + 2 * flows * (double)m->flow.nparameters / flops;
}

static double gradient_work(const struct way *way, double samples)
{
  return 12 * samples * (double)way->s->mixture.flow.nparameters / flops;
}

static double training_work(const struct way *way)
{
  double samples = nis_way_training_options(way).replay * (double)way->next;
  return training_seconds + gradient_work(way, samples) +
         4 * (double)way->next * (double)way->s->mixture.flow.nparameters / flops;
}

/* The last training, of all that is meant for it, takes as many steps as if it were the only one.
 * Where calls are cheap a quarter of the usual gradient samples for each teaches almost as much:
 * gaussian in 4 dimensions, 7,000 calls, an error of 3e-4 instead of 8e-4. */
nis_options nis_way_training_options(const struct way *way)
{
  const double least_replay = 0.25, balance = 8;
  nis_options o = *way->o;
  double next = (double)way->next, all = next + (double)way->spent;
  if (way->next == 0) return o;
  int last = all >= o.train_share * (double)o.calls;
  nis_settings_for_training(way->given, last ? all : next, &o);
  if (way->given->replay > 0) return o;
  double affordable = balance * way->call_seconds / gradient_work(way, o.replay);
  o.replay *= fmin(fmax(affordable, least_replay), 1) * (last ? all / next : 1);
  return o;
}

/* ---- what comes next ------------------------------------------------------------------------- */

static uint64_t most_training(const struct way *way)
{
  return (uint64_t)(way->o->train_share * (double)way->o->calls);
}

/* As many calls as have been spent, within train_share of all; 0 where that would add little */
static uint64_t next_training(const struct way *way, uint64_t spent)
{
  uint64_t most = most_training(way);
  uint64_t next = spent > FIRST_LOOK ? spent : FIRST_LOOK;
  if (most <= spent + spent / 4) return 0;
  return most - spent < next + next / 2 ? most - spent : next;
}

/* The last training takes all that is meant for it, and what no nets are made of. */
static uint64_t longest_training(const struct way *way, uint64_t spent)
{
  uint64_t most = most_training(way);
  uint64_t rest = way->o->calls - most;
  uint64_t left = rest - nis_estimate_calls(rest, way->o->points == NIS_POINTS_NETS);
  if (most <= spent + spent / 4) return 0;
  return most - spent + (left <= most / 4 ? left : 0);
}

static uint64_t first_look(uint64_t spent)
{
  return (uint64_t)fmax(look_share * (double)spent, FIRST_LOOK);
}

int nis_way_begins_with_training(struct way *way)
{
  int few = next_training(way, FIRST_LOOK) < FIRST_LOOK;
  if (!few && way->o->nhints == 0) return 0;
  way->next = few ? longest_training(way, 0) : next_training(way, 0);
  return way->next > 0;
}

/* How many points more than now the goal takes. The variance of nets falls by the usual exponent,
 * until two looks tell another. */
static double points_missing(const struct way *way, const struct look *now)
{
  const struct look *last = &way->last;
  double power = exponent, n = (double)now->points;
  double times = now->error <= now->goal ? 1 : now->error / now->goal;
  if (last->points > 0 && last->error > 0 && now->error > 0)
    power += log(last->error / now->error) / log(n / (double)last->points) - power / 2;
  power = fmin(fmax(power, least_exponent), most_exponent);
  if (way->o->points != NIS_POINTS_NETS) power = 1;
  return fmax(now->least, n * pow(times, 2 / power)) - n;
}

/* Beyond the reach of all calls, whatever the training gains */
static int hopeless(const struct way *way, const struct look *now)
{
  double times = (double)way->o->calls / (double)now->points;
  return !(now->error <= now->goal * most_gain * times);
}

static int leave(void *context, const struct look *now)
{
  struct way *way = context;
  double missing = points_missing(way, now);
  uint64_t spent = way->spent + now->points;
  way->last = *now;
  way->next = hopeless(way, now) ? 0 : next_training(way, spent);
  if (way->next + spent >= most_training(way) || way->next == 0)
    way->next = longest_training(way, spent);
  if (way->next == 0) return 0;
  if (way->training->late_peaks > 0) return 1;
  if (now->error <= now->goal && now->least <= (double)now->points) return 0;
  double look = (double)first_look(spent + way->next);
  return cost(way, missing, missing * point_work(way)) >
         cost(way, (double)way->next + look, training_work(way) + look * point_work(way));
}

/* What an estimate that is given up has seen is learnt from. */
static int see(void *context, const struct points *p)
{
  struct way *way = context;
  const nis_options *o = way->o;
  int norm = o->ncomp > 1 && o->follow == NIS_FOLLOW_NORM;
  if (o->features > 0) return NIS_OK; /* outputs have not been kept */
  if (norm && (!p->components || nis_training_components(o) == 0)) return NIS_OK;
  if (way->spent + p->n > most_training(way)) return NIS_OK;
  return nis_training_remember(way->training, p, &way->s->integrand, o);
}

struct watcher nis_way_watcher(struct way *way)
{
  way->last = (struct look){0};
  return (struct watcher){leave, see, way, first_look(way->spent)};
}

/* ---- the first calls ------------------------------------------------------------------------- */

static double rounded(double seconds)
{
  return pow(10, round(log10(fmin(fmax(seconds, least_seconds), most_seconds))));
}

/* Of one thread, in blocks that double until one takes long enough; the rest of p by all threads */
static int time_calls(struct way *way, struct points *p)
{
  struct integrand_call *f = &way->s->integrand;
  const struct ranks *ranks = way->s->monitor.ranks;
  size_t at = 0, block = 1, dim = way->o->dim;
  int threads = f->threads, status = NIS_OK;
  double took = 0;
  for (; status == NIS_OK && at < p->n && took < timed; block *= 2) {
    struct points part = nis_points_part(p, at, block < p->n - at ? block : p->n - at, dim);
    double start = nis_monitor_clock(&way->s->monitor);
    f->threads = 1;
    status = nis_sampler_evaluate(way->s, &part);
    f->threads = threads;
    took = nis_monitor_clock(&way->s->monitor) - start;
    way->call_seconds = rounded(ranks ? nis_ranks_seconds(ranks) : took / (double)part.n);
    at += part.n;
  }
  if (status != NIS_OK || at == p->n) return status;
  struct points rest = nis_points_part(p, at, p->n - at, dim);
  return nis_sampler_evaluate(way->s, &rest);
}

int nis_way_try_calls(struct way *way)
{
  struct points p;
  struct sampler *s = way->s;
  double n = fmin(fmax(tried_share * (double)way->spent, LEAST_TRIED), MOST_TRIED);
  if (way->o->calls < LEAST_CHECKED) {
    if (way->call_seconds == 0) way->call_seconds = HUGE_VAL;
    return NIS_OK;
  }
  NIS_TRY(nis_points_init(&p, (size_t)n, way->o->dim));
  nis_monitor_begin(&s->monitor, NIS_TRAINING, 2 * p.capacity);
  nis_sampler_draw(s, STREAM_PACE, way->spent, (size_t)n, &p);
  int status = way->call_seconds > 0 ? nis_sampler_evaluate(s, &p) : time_calls(way, &p);
  if (status == NIS_OK) status = nis_safety_check(&s->integrand, p.n, p.n, p.x, p.f, &s->monitor);
  if (status == NIS_OK) status = see(way, &p);
  nis_points_clear(&p);
  return status;
}

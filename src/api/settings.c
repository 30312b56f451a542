/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options checked and completed: the table (options.c) knows the ranges and the plain defaults,
 * here are the defaults that follow from other options, and what is checked of several at once.
 */
#include "settings.h"

#include "base/error.h"
#include "base/team.h"
#include "integrand/domain.h"
#include "numerics/sobol.h"
#include "options.h"

#include <string.h>

_Static_assert(MOST_SOBOL_DIM + 1 == SOBOL_MOST_DIM,
               "a coordinate more for the choice of the channel");

/* The last coordinate counts the channels. */
static int is_discrete(const nis_options *o, size_t j)
{
  return (o->channels > 0 && j == o->dim - 1) || (o->discrete && o->discrete[j] > 0);
}

static size_t continuous(const nis_options *o)
{
  size_t n = 0;
  for (size_t j = 0; j < o->dim; j++) n += !is_discrete(o, j);
  return n;
}

static int default_layers(size_t dim)
{
  int digits = 0;
  while (((size_t)1 << digits) < dim) digits++;
  int layers = LAYERS_A_DIGIT * digits;
  return dim <= 1 ? 1 : layers < LEAST_LAYERS ? LEAST_LAYERS : layers;
}

/* The steps of a default, by what they follow */
#define FIRST(first) double value = first;
#define FROM_BOUND(next, bound)                                                                    \
  if (by >= (bound)) value = next;

/* 2 x 32 with 8 bins learns as much as 2 x 64 with 16 at 1e5 calls (sigma_1 of twisted 0.40 instead
 * of 0.95, corner_peak 0.056 and 0.079, ee4j 0.51 and 0.57, breit_wigner 0.064 and 0.066) in a
 * fifth of the time; in many dimensions the cost goes into the last layer. */
static int default_width(double by)
{
  HIDDEN_WIDTH(FIRST, FROM_BOUND)
  return (int)value;
}

static int default_minibatch(double by)
{
  MINIBATCH(FIRST, FROM_BOUND)
  return (int)value;
}

static double default_learning_rate(double by)
{
  LEARNING_RATE(FIRST, FROM_BOUND)
  return value;
}

/* Weights of all nets, about */
static double net_parameters(const nis_options *o)
{
  double half = (double)o->dim / 2, width = o->hidden_width;
  double outputs = half * (3 * o->bins + 1);
  return o->layers * width * (half + (o->hidden_layers - 1) * width + outputs);
}

/* Few calls are replayed more often, so that there are enough steps, but not so often that a small
 * run takes long: at 1,000 calls 30 or 760 gradient samples a call gave the same errors, at 10,000
 * calls 80 or 240 (10 integrands in 1 to 4 dimensions). Large nets less, for the time. */
static double default_replay(const nis_options *o, double train_calls)
{
  const double affordable = 1.3e5;
  double replay = REPLAY * sqrt(fmax(1, REPLAY_CALLS / fmax(train_calls, 1)));
  if (o->dim <= 3) replay *= 2;
  replay = fmin(replay, fmax(LEAST_TOP_REPLAY, fmin(train_calls / 100, MOST_TOP_REPLAY)));
  replay *= fmin(1, affordable / net_parameters(o));
  return fmax(0.5, fmin(o->effort * fmax(replay, 2), MOST_REPLAY));
}

/* Nets end where they are whole, not where the time is over. */
static nis_point_set default_points(const nis_options *o)
{
  return o->dim <= MOST_SOBOL_DIM && !(o->max_seconds > 0) ? NIS_POINTS_NETS : NIS_POINTS_RANDOM;
}

/* In an order in which each follows from those before it */
static void fill_defaults(nis_options *o)
{
  if (o->threads == 0) o->threads = (int)fmin(nis_default_threads(), MOST_THREADS);
  if (o->train_share == 0) o->train_share = fmin(TRAIN_SHARE, MOST_TRAIN_CALLS / (double)o->calls);
  double dim = (double)o->dim, train_calls = o->train_share * (double)o->calls;
  if (o->layers == 0) o->layers = default_layers(continuous(o));
  if (o->hidden_width == 0) o->hidden_width = default_width(dim);
  if (o->minibatch == 0) o->minibatch = default_minibatch(train_calls);
  if (o->replay == 0) o->replay = default_replay(o, train_calls);
  if (o->learning_rate == 0) o->learning_rate = default_learning_rate(dim);
  if (o->points == NIS_POINTS_DEFAULT) o->points = default_points(o);
}

/* A logistic map has roots or poles at the ends, which are no special points of a circle. */
static int check_periodic(const nis_options *o)
{
  for (size_t j = 0; o->periodic && j < o->dim; j++) {
    double a = o->lower ? o->lower[j] : 0, b = o->upper ? o->upper[j] : 1;
    if (o->periodic[j] != 0 && o->periodic[j] != 1)
      return nis_fail(NIS_INVALID, "periodic[%zu] must be 0 or 1, got %d", j, o->periodic[j]);
    if (o->periodic[j] && (isinf(a) || isinf(b)))
      return nis_fail(
          NIS_INVALID,
          "coordinate %zu is periodic, so lower and upper must be finite, got %g and %g", j, a, b);
    if (o->periodic[j] && o->coupling == NIS_AFFINE)
      return nis_fail(NIS_INVALID,
                      "coordinate %zu is periodic, which needs a coupling with bins, got affine",
                      j);
  }
  return NIS_OK;
}

static int check_discrete(const nis_options *o)
{
  for (size_t j = 0; o->discrete && j < o->dim; j++) {
    int n = o->discrete[j];
    double a = o->lower ? o->lower[j] : 0, b = o->upper ? o->upper[j] : 1;
    if (n != 0 && (n < 2 || n > NIS_MOST_VALUES))
      return nis_fail(NIS_INVALID, "discrete[%zu] must be 0 or between 2 and %d, got %d", j,
                      NIS_MOST_VALUES, n);
    if (n != 0 && (a != 0 || b != 1))
      return nis_fail(
          NIS_INVALID,
          "coordinate %zu is discrete, so lower and upper must be 0 and 1, got %g and %g", j, a, b);
    if (n != 0 && o->periodic && o->periodic[j])
      return nis_fail(NIS_INVALID, "coordinate %zu cannot be both discrete and periodic", j);
  }
  return NIS_OK;
}

void nis_settings_for_training(const nis_options *given, double calls, nis_options *o)
{
  if (given->minibatch == 0) o->minibatch = default_minibatch(calls);
  if (given->replay == 0) o->replay = default_replay(o, calls);
}

static int check_domain(const nis_options *o)
{
  struct domain d;
  int status = nis_domain_init(&d, o->dim, o->lower, o->upper);
  if (status == NIS_OK) status = check_periodic(o);
  if (status == NIS_OK) status = check_discrete(o);
  if (status == NIS_OK) nis_domain_set_discrete(&d, o->discrete);
  for (size_t i = 0; status == NIS_OK && i < o->nhints; i++)
    status = nis_domain_check_point(&d, "hint", i, o->hints + i * o->dim);
  nis_domain_clear(&d);
  return status;
}

/* A run is repeated by its options and values alone. */
static int check_checkpoint(const nis_options *o)
{
  if (!o->checkpoint) return NIS_OK;
  if (!*o->checkpoint) return nis_fail(NIS_INVALID, "checkpoint must not be empty");
  if (o->max_seconds > 0)
    return nis_fail(NIS_INVALID,
                    "max_seconds must be 0 with a checkpoint, got %g: a run that "
                    "follows the clock cannot be repeated",
                    o->max_seconds);
  if ((o->rel_error > 0 || o->abs_error > 0) && o->call_seconds == 0)
    return nis_fail(NIS_INVALID, "call_seconds must be given with a goal and a checkpoint: a "
                                 "measured one cannot be repeated");
  return NIS_OK;
}

static int check_weights(const nis_options *o)
{
  size_t least = o->channels + o->features;
  if (!o->channel_weights && o->features > 0)
    return nis_fail(NIS_INVALID, "features = %zu need channel_weights = 1", o->features);
  if (!o->channel_weights) return NIS_OK;
  if (o->channels == 0)
    return nis_fail(NIS_INVALID, "channel_weights need channels of at least 2, got 0");
  if (o->extra < least)
    return nis_fail(
        NIS_INVALID,
        "extra must be at least channels + features = %zu with channel_weights, got %zu", least,
        o->extra);
  return NIS_OK;
}

/* What takes more than one option, or the numbers behind a pointer */
static int check_together(const nis_options *o)
{
  if (o->nhints > 0 && !o->hints)
    return nis_fail(NIS_INVALID, "hints must not be NULL when nhints is %zu", o->nhints);
  if (o->name && strlen(o->name) > MOST_NAME)
    return nis_fail(NIS_INVALID, "name must be at most %d bytes long, got %zu", MOST_NAME,
                    strlen(o->name));
  NIS_TRY(check_checkpoint(o));
  NIS_TRY(check_domain(o));
  NIS_TRY(check_weights(o));
  for (size_t k = 0; o->scales && k < o->ncomp; k++)
    if (!(o->scales[k] > 0 && isfinite(o->scales[k])))
      return nis_fail(NIS_INVALID, "scales[%zu] must be finite and above 0, got %g", k,
                      o->scales[k]);
  if (o->points == NIS_POINTS_NETS && o->dim > MOST_SOBOL_DIM)
    return nis_fail(NIS_INVALID, "points = NIS_POINTS_NETS needs dim <= %d, got %zu",
                    MOST_SOBOL_DIM, o->dim);
  return NIS_OK;
}

int nis_settings_check_integrand(const nis_options *o, nis_integrand *f)
{
  if (!f && !o->batch)
    return nis_fail(NIS_INVALID, "an integrand is needed: f and options.batch are both NULL");
  if (f && o->ncomp > 1)
    return nis_fail(NIS_INVALID, "ncomp = %zu needs a batch integrand; f has one value", o->ncomp);
  if (f && o->batch)
    return nis_fail(NIS_INVALID, "two integrands given: f must be NULL when batch is set");
  return NIS_OK;
}

int nis_settings_resolve(const nis_options *given, nis_options *settings)
{
  if (!given) return nis_fail(NIS_INVALID, "options must not be NULL");
  *settings = *given;
  NIS_TRY(nis_option_check(&nis_option_table, settings));
  NIS_TRY(check_together(settings));
  fill_defaults(settings);
  return NIS_OK;
}

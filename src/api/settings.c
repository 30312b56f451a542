/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

#include "integrand/domain.h"
#include "base/error.h"
#include "base/team.h"
#include "numerics/sobol.h"

#include <math.h>

/* One row an integer option: a zero is replaced by its default, then the range is checked. */
struct integer_row {
  const char *name;
  int *value;
  int initial, low, high;
};

static int check_integer(struct integer_row row)
{
  if (*row.value == 0) *row.value = row.initial;
  if (*row.value < row.low || *row.value > row.high)
    return nis_fail(NIS_INVALID, "%s must be between %d and %d (0: default), got %d", row.name,
                    row.low, row.high, *row.value);
  return NIS_OK;
}

static int default_layers(size_t dim)
{
  int digits = 0;
  while (((size_t)1 << digits) < dim) digits++;
  return dim == 1 ? 1 : dim == 2 ? 4 : 2 * digits;
}

/* Wide nets learn correlations; in many dimensions their cost goes into the last layer, and narrow
 * ones gave the same spread of the weights. */
static int default_width(size_t dim)
{
  return dim < 6 ? 32 : dim <= 12 ? 64 : dim < 48 ? 32 : 16;
}

static double train_calls(const nis_options *o)
{
  return o->train_share * (double)o->calls;
}

static int default_minibatch(const nis_options *o)
{
  double calls = train_calls(o);
  return calls < 20000 ? 256 : calls < 200000 ? 512 : 1024;
}

/* Weights of all nets, about */
static double net_weights(const nis_options *o)
{
  double half = (double)o->dim / 2, width = o->hidden_width;
  double outputs = half * (3 * o->bins + 1);
  return o->layers * width * (half + (o->hidden_layers - 1) * width + outputs);
}

/* Few calls are replayed more often, so that there are enough steps; large nets less, for the time.
 * The total is what half a minute of one AVX-512 core does. */
static double default_replay(const nis_options *o)
{
  const double usual = 12, at_calls = 4e5, affordable = 1.3e5;
  double replay = usual * sqrt(fmax(1, at_calls / fmax(train_calls(o), 1)));
  if (o->dim <= 3) replay *= 2;
  replay *= fmin(1, affordable / net_weights(o));
  return fmax(0.5, fmin(o->effort * fmax(replay, 2), 1000));
}

static int check_integers(nis_options *o)
{
  int coupling = (int)o->coupling, loss = (int)o->loss, signs = (int)o->signs;
  int points = (int)o->points, follow = (int)o->follow;
  const struct integer_row rows[] = {
      {"threads", &o->threads, nis_default_threads(), 1, 1024},
      {"serial", &o->serial, 0, 0, 1},
      {"layers", &o->layers, default_layers(o->dim), 1, 64},
      {"hidden_layers", &o->hidden_layers, 2, 1, 8},
      {"hidden_width", &o->hidden_width, default_width(o->dim), 1, 1024},
      {"bins", &o->bins, 16, 2, 128},
      {"minibatch", &o->minibatch, default_minibatch(o), 64, 1048576},
      {"coupling", &coupling, NIS_RATIONAL_QUADRATIC, NIS_RATIONAL_QUADRATIC, NIS_AFFINE},
      {"loss", &loss, NIS_LOSS_DEFAULT, NIS_LOSS_DEFAULT, NIS_LOSS_FORWARD_CHI2},
      {"follow", &follow, NIS_FOLLOW_FIRST, NIS_FOLLOW_FIRST, NIS_FOLLOW_NORM},
      {"points", &points, NIS_POINTS_DEFAULT, NIS_POINTS_DEFAULT, NIS_POINTS_NETS},
      {"signs", &signs, NIS_SIGNS_APART, NIS_SIGNS_APART, NIS_SIGNS_TOGETHER},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) NIS_TRY(check_integer(rows[i]));
  return NIS_OK;
}

/* value in (0, high], or [0, high] and no default */
static int check_real(const char *name, double *value, double initial, double high)
{
  if (*value == 0) *value = initial;
  if (!(*value >= 0 && *value <= high))
    return nis_fail(NIS_INVALID, "%s must be between 0 and %g, got %g", name, high, *value);
  return NIS_OK;
}

/* Two fifths of the calls, but more than two million teach these nets little. */
static double default_train_share(uint64_t calls)
{
  return fmin(0.4, 2e6 / (double)calls);
}

static int check_goals(nis_options *o)
{
  const double below_one = nextafter(1, 0);
  NIS_TRY(check_real("rel_error", &o->rel_error, 0, below_one));
  NIS_TRY(check_real("abs_error", &o->abs_error, 0, HUGE_VAL));
  NIS_TRY(check_real("max_seconds", &o->max_seconds, 0, HUGE_VAL));
  return check_real("train_share", &o->train_share, default_train_share(o->calls), below_one);
}

/* After the integers, which the replay depends on */
static int check_training(nis_options *o)
{
  NIS_TRY(check_real("effort", &o->effort, 1, 1000));
  NIS_TRY(check_real("replay", &o->replay, default_replay(o), 1000));
  return check_real("learning_rate", &o->learning_rate, o->dim < 6 ? 4e-3 : 2e-3, 1);
}

static int check_hints(const nis_options *o)
{
  if (o->nhints > NIS_MOST_HINTS)
    return nis_fail(NIS_INVALID, "nhints must be between 0 and %d, got %zu", NIS_MOST_HINTS,
                    o->nhints);
  if (o->nhints > 0 && !o->hints)
    return nis_fail(NIS_INVALID, "hints must not be NULL when nhints is %zu", o->nhints);
  return NIS_OK;
}

static int check_domain(const nis_options *o)
{
  struct domain d;
  int status = nis_domain_init(&d, o->dim, o->lower, o->upper);
  for (size_t i = 0; status == NIS_OK && i < o->nhints; i++)
    status = nis_domain_check_point(&d, "hint", i, o->hints + i * o->dim);
  nis_domain_clear(&d);
  return status;
}

static int check_batch(nis_options *o)
{
  if (o->ncomp > NIS_MOST_COMPONENTS)
    return nis_fail(NIS_INVALID, "ncomp must be between 0 and %d, got %zu", NIS_MOST_COMPONENTS,
                    o->ncomp);
  for (size_t k = 0; o->scales && k < o->ncomp; k++)
    if (!(o->scales[k] > 0 && isfinite(o->scales[k])))
      return nis_fail(NIS_INVALID, "scales[%zu] must be finite and above 0, got %g", k,
                      o->scales[k]);
  if (o->batch_points > 1048576)
    return nis_fail(NIS_INVALID, "batch_points must be between 1 and 1048576, got %zu",
                    o->batch_points);
  if (o->batch_points == 0) o->batch_points = 1024;
  if (o->ncomp == 0) o->ncomp = 1;
  return NIS_OK;
}

/* Nets end where they are whole, not where a goal is met or the time is over. */
static int check_points(nis_options *o)
{
  int most = NET_MOST_DIM - 1, any_end = o->rel_error > 0 || o->abs_error > 0 || o->max_seconds > 0;
  if (o->points == NIS_POINTS_NETS && o->dim > (size_t)most)
    return nis_fail(NIS_INVALID, "points = NIS_POINTS_NETS needs dim <= %d, got %zu", most, o->dim);
  if (o->points == NIS_POINTS_DEFAULT)
    o->points = o->dim <= (size_t)most && !any_end ? NIS_POINTS_NETS : NIS_POINTS_RANDOM;
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
  if (given->dim < 1 || given->dim > 256)
    return nis_fail(NIS_INVALID, "dim must be between 1 and 256, got %zu", given->dim);
  if (settings->calls == 0) settings->calls = 1000000;
  if (settings->calls > (uint64_t)1 << 62)
    return nis_fail(NIS_INVALID, "calls must be between 1 and 2^62, got %llu",
                    (unsigned long long)settings->calls);
  NIS_TRY(check_goals(settings));
  NIS_TRY(check_integers(settings));
  NIS_TRY(check_training(settings));
  NIS_TRY(check_hints(given));
  NIS_TRY(check_domain(given));
  NIS_TRY(check_batch(settings));
  NIS_TRY(check_points(settings));
  if (settings->replay_bytes == 0) settings->replay_bytes = (size_t)1 << 30;
  return NIS_OK;
}

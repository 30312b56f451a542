/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Learned channel weights: gradients, what they gain, files, merges, threads, errors. */
#include "mixture/weighting.h"
#include "nis_events.h"
#include "alarm.h"
#include "noise.h"
#include "slopes.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>

/* ---- the net -------------------------------------------------------------------------------- */

enum { CHANNELS_OF_NET = 3, FEATURES = 2, OUTPUTS = CHANNELS_OF_NET + FEATURES };

static double noise(void)
{
  static uint64_t state = 1;
  return 2 * next_uniform(&state) - 1;
}

struct machine {
  struct weighting w;
  struct weighting_scratch scratch;
  double outputs[LANES][OUTPUTS];
};

static void fill(struct machine *m)
{
  ck_assert_int_eq(nis_weighting_init(&m->w, CHANNELS_OF_NET, FEATURES, 3), NIS_OK);
  ck_assert_int_eq(nis_weighting_scratch_init(&m->scratch, &m->w), NIS_OK);
  for (int l = 0; l < LANES; l++)
    for (int i = 0; i < OUTPUTS; i++)
      m->outputs[l][i] = i < CHANNELS_OF_NET ? 1 + noise() : noise();
  m->outputs[5][1] = 0;
}

static void clear(struct machine *m)
{
  nis_weighting_scratch_clear(&m->scratch);
  nis_weighting_clear(&m->w);
}

static void look(struct machine *m)
{
  for (size_t l = 0; l < LANES; l++) nis_weighting_put(&m->w, &m->scratch, l, m->outputs[l]);
  nis_weighting_tile(&m->w, &m->scratch);
}

static void standardise(struct machine *m)
{
  float view[LANES * OUTPUTS];
  double f[LANES];
  for (int l = 0; l < LANES; l++) {
    nis_weighting_see(&m->w, m->outputs[l], view + l * OUTPUTS);
    f[l] = 1;
  }
  ck_assert(!nis_weighting_is_standardised(&m->w));
  nis_weighting_standardise(&m->w, LANES, f, view);
  ck_assert(nis_weighting_is_standardised(&m->w));
}

/* Untrained they are the prior; trained they add up to 1, and stored points have the same. */
START_TEST(weights_of_points)
{
  struct machine m;
  fill(&m);
  for (int trained = 0; trained < 2; trained++) {
    if (trained) standardise(&m);
    for (size_t i = 0; trained && i < m.w.nparameters; i++)
      m.w.parameters[i] += (float)(0.3 * noise());
    look(&m);
    double alpha[CHANNELS_OF_NET * LANES];
    memcpy(alpha, m.scratch.alpha, sizeof alpha);
    for (size_t l = 0; l < LANES; l++) {
      double sum = 0, prior = 0;
      float view[OUTPUTS];
      for (int k = 0; k < CHANNELS_OF_NET; k++) prior += m.outputs[l][k];
      for (int k = 0; k < CHANNELS_OF_NET; k++) {
        sum += alpha[k * LANES + l];
        if (!trained) ck_assert_double_eq_tol(alpha[k * LANES + l], m.outputs[l][k] / prior, 1e-14);
      }
      ck_assert_double_eq_tol(sum, 1, 1e-14);
      nis_weighting_see(&m.w, m.outputs[l], view);
      nis_weighting_put_view(&m.w, &m.scratch, l, view);
    }
    ck_assert_double_eq(alpha[LANES + 5], 0);
    nis_weighting_tile(&m.w, &m.scratch);
    for (int i = 0; i < CHANNELS_OF_NET * LANES; i++)
      ck_assert_double_eq_tol(m.scratch.alpha[i], alpha[i], 1e-6);
  }
  clear(&m);
}
END_TEST

START_TEST(priors_that_are_none)
{
  const double wrong[][CHANNELS_OF_NET] = {{0, 0, 0}, {1, -1e-9, 1}, {NAN, 1, 1}, {INFINITY, 1, 1}};
  struct machine m;
  fill(&m);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    memcpy(m.outputs[i], wrong[i], sizeof *wrong);
  look(&m);
  for (int i = 0; i < CHANNELS_OF_NET * LANES; i++)
    ck_assert(!isnan(m.scratch.alpha[i]) == (i % LANES >= 4));
  clear(&m);
}
END_TEST

/* Points of a net in the lanes where d is not 0, and what their log alpha counts */
struct tile {
  struct machine *m;
  size_t channel[LANES];
  float d[LANES];
};

static double sum_log_alpha(void *context)
{
  const struct tile *t = context;
  double sum = 0;
  look(t->m);
  for (size_t l = 0; l < LANES; l++)
    if (t->d[l] != 0) sum += t->d[l] * log(t->m->scratch.alpha[t->channel[l] * LANES + l]);
  return sum;
}

/* In steps that cross few kinks of the units */
START_TEST(gradients_are_those_of_differences)
{
  struct machine m;
  struct tile tile = {.m = &m};
  fill(&m);
  standardise(&m);
  size_t n = m.w.nparameters;
  float *gradient = calloc(n, sizeof *gradient);
  for (size_t i = 0; i < n; i++) m.w.parameters[i] += (float)(0.3 * noise());
  for (size_t l = 0; l < LANES; l++) {
    tile.channel[l] = l % CHANNELS_OF_NET;
    tile.d[l] = l > 60 || l == 5 ? 0 : (float)noise();
  }
  sum_log_alpha(&tile);
  nis_weighting_backward(&m.w, tile.d, tile.channel, gradient, &m.scratch);
  check_slopes(n, m.w.parameters, gradient, 2e-4, sum_log_alpha, &tile, noise);
  free(gradient);
  clear(&m);
}
END_TEST

/* ---- two resonances -------------------------------------------------------------------------- */

/* Two ridges on the unit square, across each other: L(y_0) + L(s), s = (y_0 + y_1) / 2, where L(z)
 * = 1 / (1 + t^2), t = (z - 1/2) / width. The map of each channel takes one of them away: z comes
 * from tan, and the other coordinate is uniform. Of three channels the last holds nothing. */
struct toy {
  double width;
  int channels, exact; /* the prior: the maps' densities, else all alike */
  int logs;            /* features are logarithms of the densities, else y_0 and y_1 */
  int bad;             /* the prior is none where y_0 > 0.9 */
};

static double resonance(const struct toy *toy, double z)
{
  return 1 / (1 + pow((z - 0.5) / toy->width, 2));
}

/* Of y_0 - y_1 on the line of one s */
static double line(double s)
{
  return 4 * fmin(s, 1 - s);
}

static double toy_value(const struct toy *toy)
{
  double w = toy->width, angle = atan(0.5 / w);
  return 2 * w * angle + 4 * w * angle - 4 * w * w * log(1 + 0.25 / (w * w));
}

static double toy_function(double *x, size_t dim, void *params)
{
  const struct toy *toy = params;
  double angle = atan(0.5 / toy->width), norm = 2 * toy->width * angle, *extra = nis_extra();
  int channel = (int)x[dim - 1];
  double y[2] = {x[0], x[1]}, z = 0.5 + toy->width * tan((2 * x[0] - 1) * angle);
  if (channel == 0) y[0] = z;
  if (channel == 1) y[0] = z + (x[1] - 0.5) * line(z) / 2, y[1] = 2 * z - y[0];
  double s = (y[0] + y[1]) / 2;
  double g[3] = {resonance(toy, y[0]) / norm, resonance(toy, s) / norm / line(s), 1};
  for (int k = 0; k < toy->channels; k++) extra[k] = k == 2 ? 0 : toy->exact ? g[k] : 1;
  for (int j = 0; j < 2; j++) extra[toy->channels + j] = toy->logs ? log(g[j]) : y[j];
  if (toy->bad && y[0] > 0.9) extra[0] = -1;
  return (resonance(toy, y[0]) + resonance(toy, s)) / g[channel];
}

static nis_options toy_options(struct toy *toy, size_t features, uint64_t seed)
{
  return (nis_options){.dim = 3,
                       .params = toy,
                       .channels = (size_t)toy->channels,
                       .channel_weights = 1,
                       .features = features,
                       .extra = (size_t)toy->channels + 2,
                       .calls = 50000,
                       .effort = 0.5,
                       .seed = seed,
                       .threads = 2};
}

static nis_result run_toy(struct toy *toy, size_t features, uint64_t seed)
{
  nis_options o = toy_options(toy, features, seed);
  return nis_integrate_with(toy_function, &o);
}

/* Geometric mean over seeds of the relative error */
static double mean_error(struct toy *toy, size_t features, int seeds)
{
  double sum = 0;
  for (int seed = 1; seed <= seeds; seed++) {
    nis_result r = run_toy(toy, features, (uint64_t)seed);
    sum += log(r.error / r.value) / seeds;
    if (!toy->exact && features == 0)
      continue; /* a poor prior loses part of it, and that its error */
    double most = alarm_errors_of_nets(4 * seeds, r.dof) * r.error, exact = toy_value(toy);
    check_between(r.value, exact - most, exact + most, "value");
  }
  return exp(sum);
}

/* Of 50,000 calls, as geometric mean over 3 seeds: error 6.7e-3 with the flat prior, 5.9e-4 with
 * what is learnt of logarithms, 1.1e-3 of y; 1.3e-4 with the best prior, learnt or not. */
START_TEST(what_it_gains)
{
  struct toy flat = {.width = 0.003, .channels = 2, .logs = 1}, best = flat;
  best.exact = 1;
  double prior = mean_error(&flat, 0, 2), learnt = mean_error(&flat, 2, 2);
  check_between(learnt / prior, 0, 0.4, "gain of a poor prior");
  prior = mean_error(&best, 0, 2), learnt = mean_error(&best, 2, 2);
  check_between(learnt / prior, 0, 1.3, "loss of the best prior");
}
END_TEST

/* The third one's weight is 0 everywhere. */
START_TEST(a_channel_that_holds_nothing)
{
  struct toy toy = {.width = 0.02, .channels = 3, .logs = 1};
  nis_options o = toy_options(&toy, 2, 3);
  nis_channel_result c;
  nis_result r;
  nis *s;
  double sum = 0;
  ck_assert_int_eq(nis_create(&s, toy_function, &o), NIS_OK);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  double most = alarm_errors_of_nets(1, r.dof) * r.error, exact = toy_value(&toy);
  check_between(r.value, exact - most, exact + most, "value");
  for (size_t k = 0; k < 3; k++, sum += c.value) ck_assert_int_eq(nis_channel(s, k, &c), NIS_OK);
  ck_assert_double_eq(c.value, 0);
  check_between(sum / r.value, 1 - 1e-2, 1 + 1e-2, "sum of the channels");
  nis_free(s);
}
END_TEST

/* ---- bits ------------------------------------------------------------------------------------ */

static nis_options short_options(struct toy *toy)
{
  nis_options o = toy_options(toy, 2, 7);
  o.calls = 20000;
  return o;
}

static int same(const nis_result *a, const nis_result *b)
{
  return a->value == b->value && a->error == b->error && a->calls == b->calls;
}

START_TEST(same_bits_for_threads)
{
  struct toy toy = {.width = 0.01, .channels = 2, .logs = 1};
  nis_options o = short_options(&toy);
  nis_result two = nis_integrate_with(toy_function, &o);
  o.threads = 1;
  nis_result one = nis_integrate_with(toy_function, &o);
  o.threads = 3;
  nis_result three = nis_integrate_with(toy_function, &o);
  ck_assert(same(&one, &two) && same(&one, &three));
}
END_TEST

/* What is stored has the weights of the file: a second training goes on to the same bits. Another
 * training gives other weights, and its estimates are not merged. */
START_TEST(files_and_merges)
{
  static const char path[] = "weighting.nis";
  struct toy toy = {.width = 0.01, .channels = 2, .logs = 1};
  nis_options o = short_options(&toy), none = {.params = &toy}, other = {.params = &toy, .seed = 9};
  nis_result before, after;
  nis *s, *t, *u;
  ck_assert_int_eq(nis_create(&s, toy_function, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 8000), NIS_OK);
  ck_assert_int_eq(nis_save(s, path), NIS_OK);
  ck_assert_int_eq(nis_load(&t, path, toy_function, &none), NIS_OK);
  ck_assert_int_eq(nis_load(&u, path, toy_function, &other), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 8192, &before), NIS_OK);
  ck_assert_int_ge(nis_estimate(t, 8192, &after), NIS_OK);
  ck_assert(same(&before, &after));
  ck_assert_int_ge(nis_estimate(u, 8192, NULL), NIS_OK);
  ck_assert_int_eq(nis_merge(s, u), NIS_OK);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(nis_train(i ? s : t, 8000), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 8192, &before), NIS_OK);
  ck_assert_int_ge(nis_estimate(t, 8192, &after), NIS_OK);
  ck_assert(before.value == after.value && before.error == after.error);
  nis_drop_estimate(u);
  ck_assert_int_eq(nis_train(u, 8000), NIS_OK);
  ck_assert_int_ge(nis_estimate(u, 8192, NULL), NIS_OK);
  ck_assert_int_eq(nis_merge(s, u), NIS_INVALID);
  nis_free(s), nis_free(t), nis_free(u);
  remove(path);
}
END_TEST

/* ---- points and components ------------------------------------------------------------------- */

/* The weight is that with alpha, and the outputs are as they were given. */
static int check_block(const nis_point_block *points, void *params)
{
  const struct toy *toy = params;
  for (size_t i = 0; i < points->n; i++) {
    const double *prior = points->outputs + i * points->extra;
    double x[3], extra[4], alpha, f;
    memcpy(x, points->x + i * 3, sizeof x);
    int k = (int)x[2];
    double angle = atan(0.5 / toy->width), z = 0.5 + toy->width * tan((2 * x[0] - 1) * angle);
    double y = k == 0 ? z : z + (x[1] - 0.5) * line(z) / 2, w = k == 0 ? x[1] : 2 * z - y;
    extra[2] = y, extra[3] = w;
    extra[0] = resonance(toy, y) / (2 * toy->width * angle);
    extra[1] = resonance(toy, (y + w) / 2) / (2 * toy->width * angle) / line((y + w) / 2);
    for (int j = 0; j < 4; j++) require(fabs(prior[j] / extra[j] - 1) < 1e-9, "output %d", j);
    alpha = extra[k] / (extra[0] + extra[1]);
    f = (resonance(toy, y) + resonance(toy, (y + w) / 2)) / extra[k];
    double expected = alpha * f * exp(-points->log_q[i]);
    require(fabs(points->weight[i] / expected - 1) < 1e-9, "weight %g", points->weight[i]);
  }
  return 0;
}

START_TEST(weights_of_sinks)
{
  struct toy toy = {.width = 0.05, .channels = 2, .exact = 1};
  nis_options o = toy_options(&toy, 0, 2);
  o.calls = 5000, o.sink = check_block, o.sink_params = &toy;
  nis_result r = nis_integrate_with(toy_function, &o);
  ck_assert_int_eq(r.status, NIS_OK);
}
END_TEST

/* The toy and twice that, at many points: rows of 2 values and 4 outputs */
static int toy_batch(size_t n, size_t dim, const double *x, size_t row, double *f, void *params)
{
  const struct toy *toy = params;
  double angle = atan(0.5 / toy->width), norm = 2 * toy->width * angle;
  for (size_t i = 0; i < n; i++, x += dim, f += row) {
    int k = (int)x[2];
    double z = 0.5 + toy->width * tan((2 * x[0] - 1) * angle);
    double y = k == 0 ? z : z + (x[1] - 0.5) * line(z) / 2, w = k == 0 ? x[1] : 2 * z - y;
    double s = (y + w) / 2, g[] = {resonance(toy, y) / norm, resonance(toy, s) / norm / line(s)};
    f[0] = (resonance(toy, y) + resonance(toy, s)) / g[k];
    f[1] = 2 * f[0];
    f[2] = f[3] = 1;
    f[4] = log(g[0]), f[5] = log(g[1]);
  }
  return 0;
}

START_TEST(of_all_components)
{
  struct toy toy = {.width = 0.01, .channels = 2};
  nis_options o = short_options(&toy);
  nis_result r;
  nis *s;
  double values[2], errors[2], exact = toy_value(&toy);
  o.batch = toy_batch, o.ncomp = 2;
  ck_assert_int_eq(nis_create(&s, NULL, &o), NIS_OK);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  ck_assert_int_eq(nis_values(s, values, errors), NIS_OK);
  for (int c = 0; c < 2; c++) {
    double most = alarm_errors_of_nets(2, r.dof) * errors[c];
    check_between(values[c] / (c + 1), exact - most, exact + most, "value");
  }
  nis_free(s);
}
END_TEST

/* A goal takes turns between trainings and estimates. */
START_TEST(with_a_goal)
{
  struct toy toy = {.width = 0.02, .channels = 2, .logs = 1};
  nis_options o = toy_options(&toy, 2, 4);
  o.rel_error = 2e-3, o.calls = 400000, o.call_seconds = 1e-5;
  nis_result r = nis_integrate_with(toy_function, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  double most = alarm_errors_of_nets(1, r.dof) * r.error, exact = toy_value(&toy);
  check_between(r.value, exact - most, exact + most, "value");
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

static void check_refused(const nis_options *o, const char *part)
{
  nis_result r = nis_integrate_with(toy_function, o);
  ck_assert_int_eq(r.status, NIS_INVALID);
  ck_assert_msg(strstr(nis_last_error(), part) != NULL, "%s", nis_last_error());
}

START_TEST(refused)
{
  struct toy toy = {.width = 0.02, .channels = 2};
  nis_options o = toy_options(&toy, 2, 1);
  o.extra = 3, check_refused(&o, "extra must be at least channels + features = 4");
  o = toy_options(&toy, 2, 1), o.channels = 0, check_refused(&o, "channel_weights need channels");
  o = toy_options(&toy, 2, 1), o.channel_weights = 0, check_refused(&o, "features = 2 need");
  o = toy_options(&toy, 2, 1), o.channel_weights = 2, check_refused(&o, "channel_weights must be");
  o = toy_options(&toy, 65, 1), o.extra = 100, check_refused(&o, "features must be");
}
END_TEST

/* A prior of -1 in a part of the domain: these points are left out, and counted. */
START_TEST(bad_priors)
{
  struct toy toy = {.width = 0.05, .channels = 2, .bad = 1};
  for (size_t features = 0; features <= 2; features += 2) {
    nis_result r = run_toy(&toy, features, 1);
    ck_assert_uint_gt(r.bad_calls, 100);
    ck_assert(r.status == NIS_OK || r.status == NIS_BAD_VALUES);
    ck_assert(isfinite(r.value) && isfinite(r.error));
    ck_assert_double_lt(r.value, toy_value(&toy));
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("weighting");
  TCase *net = tcase_create("net"), *runs = tcase_create("runs");
  tcase_set_timeout(net, 60);
  tcase_set_timeout(runs, 240);
  tcase_add_test(net, weights_of_points);
  tcase_add_test(net, priors_that_are_none);
  tcase_add_test(net, gradients_are_those_of_differences);
  add_full_test(runs, what_it_gains);
  add_full_test(runs, a_channel_that_holds_nothing);
  add_full_test(runs, same_bits_for_threads);
  tcase_add_test(runs, files_and_merges);
  tcase_add_test(runs, weights_of_sinks);
  tcase_add_test(runs, of_all_components);
  tcase_add_test(runs, with_a_goal);
  tcase_add_test(runs, refused);
  add_full_test(runs, bad_priors);
  suite_add_tcase(suite, net);
  suite_add_tcase(suite, runs);
  return run_suite(suite);
}

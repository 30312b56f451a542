/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The training losses and their gradient.
 *
 * Oracles: phi as nis.h writes it; differences of it, and of the objective L = (1/n) sum of
 * (q/p)/s (phi(t) + c) along directions in the space of weights. All random numbers are fixed.
 */
#include "quadrature.h"
#include "api/settings.h"
#include "gradient.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static uint64_t noise_state = 1;

/* uniform in (-1, 1) */
static double noise(void)
{
  noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
  return 2 * ((double)(noise_state >> 12) + 0.5) * 0x1p-52 - 1;
}

/* ---- the formulas of nis.h ----------------------------------------------------------- */

static double phi(nis_loss_kind kind, double t)
{
  switch (kind) {
  case NIS_LOSS_KL: return t * log(t);
  case NIS_LOSS_VARIANCE: return pow(t - 1, 2);
  case NIS_LOSS_EXPONENTIAL: return t * pow(log(t), 2);
  case NIS_LOSS_HELLINGER: return pow(1 - sqrt(t), 2);
  case NIS_LOSS_JEFFREYS: return (t - 1) * log(t);
  case NIS_LOSS_FORWARD_CHI2: return pow(t - 1, 2) / t;
  default: return NAN;
  }
}

/* t phi'(t) - phi(t) */
static double slope(nis_loss_kind kind, double t)
{
  double step = 1e-5 * t;
  return t * (phi(kind, t + step) - phi(kind, t - step)) / (2 * step) - phi(kind, t);
}

static const double ts[] = {7e-3, 0.05, 0.3, 0.9, 1, 1.1, 2, 3.7, 5};

START_TEST(slopes_are_those_of_phi)
{
  nis_loss_kind kind = (nis_loss_kind)_i;
  loss_slope *g = nis_loss(kind, 0);
  for (size_t i = 0; i < LENGTH(ts); i++) {
    double expected = slope(kind, ts[i]) - slope(kind, 1), value = g(log(ts[i]), 1);
    require(fabs(value - expected) < 1e-6 * (1 + fabs(expected)), "g(%g) = %g, not %g", ts[i],
            value, expected);
  }
  ck_assert_double_eq_tol(g(0, 1), 0, 1e-15);
}
END_TEST

/* Whatever it is, points where q is too small pull it up; phi is not convex for all losses. */
START_TEST(the_baseline_is_a_constant)
{
  loss_slope *g = nis_loss((nis_loss_kind)_i, 0);
  double constant = g(0, 0.25) - g(0, 1);
  ck_assert(constant == 0 || constant == 0.75);
  for (size_t i = 0; i < LENGTH(ts); i++) {
    double t = ts[i], log_t = log(t);
    require(fabs(g(log_t, 0.25) - g(log_t, 1) - constant) < 1e-12, "at t = %g", t);
    require(t == 1 || g(log_t, 1) * (t - 1) > 1e-3 * fabs(t - 1), "at t = %g", t);
  }
}
END_TEST

START_TEST(the_default_is_two_losses)
{
  ck_assert(nis_loss(NIS_LOSS_DEFAULT, 0) == nis_loss(NIS_LOSS_KL, 0));
  ck_assert(nis_loss(NIS_LOSS_DEFAULT, 1) == nis_loss(NIS_LOSS_VARIANCE, 0));
  for (int a = NIS_LOSS_KL; a <= NIS_LOSS_FORWARD_CHI2; a++) {
    ck_assert(nis_loss((nis_loss_kind)a, 1) == nis_loss((nis_loss_kind)a, 0));
    for (int b = NIS_LOSS_KL; b < a; b++)
      ck_assert(nis_loss((nis_loss_kind)a, 0) != nis_loss((nis_loss_kind)b, 0));
  }
}
END_TEST

/* ---- the gradient ----------------------------------------------------------------------- */

enum { DIM = 2, STORED = 1500 };

/* A small flow with random weights, and points of it with values near its density */
struct scene {
  struct sampler s;
  struct replay r;
  struct gradient g;
  size_t n, slot[STORED]; /* points that no clip touches */
  double x[STORED * DIM], log_q[STORED];
};

static double no_integrand(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1;
}

static void make_flow(struct scene *c, int threads)
{
  nis_options given = {.dim = DIM, .threads = threads, .bins = 6, .hidden_width = 12}, full;
  ck_assert_int_eq(nis_settings_resolve(&given, &full), NIS_OK);
  ck_assert_int_eq(nis_sampler_init(&c->s, no_integrand, &full), NIS_OK);
  noise_state = 5;
  for (size_t i = 0; i < c->s.mixture.flow.nparameters; i++)
    c->s.mixture.flow.parameters[i] = (float)(0.4 * noise());
  ck_assert_int_eq(nis_gradient_init(&c->g, &c->s.mixture.flow), NIS_OK);
}

/* f = q e^(spread noise), and densities p that differ from q; the mean of q/p is 1. */
static void make_points(struct scene *c, double spread)
{
  static double f[STORED], log_p[STORED];
  double sum = 0;
  for (size_t i = 0; i < STORED * DIM; i++) c->x[i] = (noise() + 1) / 2;
  nis_sampler_density(&c->s, NULL, STORED, c->x, c->log_q, NULL);
  for (size_t i = 0; i < STORED; i++) {
    f[i] = exp(c->log_q[i] + spread * noise()) * (noise() < 0 ? -1 : 1);
    log_p[i] = c->log_q[i] + 0.7 * noise();
    sum += exp(c->log_q[i] - log_p[i]);
  }
  for (size_t i = 0; i < STORED; i++) log_p[i] += log(sum / STORED);
  struct points p = {.capacity = STORED, .n = STORED, .x = c->x, .log_q = log_p, .f = f};
  ck_assert_int_eq(nis_replay_init(&c->r, DIM, STORED), NIS_OK);
  nis_replay_store(&c->r, &p);
}

static struct scene *make_scene(int threads, double spread, double beta)
{
  struct scene *c = calloc(1, sizeof *c);
  ck_assert_ptr_nonnull(c);
  make_flow(c, threads);
  make_points(c, spread);
  ck_assert_int_eq(nis_replay_prepare(&c->r, STORED, beta), 1);
  return c;
}

static void clear_scene(struct scene *c)
{
  nis_gradient_clear(&c->g);
  nis_replay_clear(&c->r);
  nis_sampler_clear(&c->s);
  free(c);
}

/* t of stored point i, and the part (q/p)/s of the integral over q that it stands for */
static double ratio_at(const struct scene *c, size_t i)
{
  return exp(c->r.beta * c->r.log_f[i] - c->r.log_z[PART_ALL] - c->log_q[i]);
}

static double part_at(const struct scene *c, size_t i)
{
  double a = exp(c->r.beta * c->r.log_f[i] - c->r.log_z[PART_ALL] - c->r.log_p[i]);
  return exp(c->log_q[i] - c->r.log_p[i]) / ((a + 1) / 2);
}

static void keep_unclipped(struct scene *c, nis_loss_kind kind)
{
  double constant = slope(kind, 1);
  c->n = 0;
  for (size_t i = 0; i < STORED; i++) {
    double t = ratio_at(c, i), g = slope(kind, t) - constant;
    if (log(t) > -4.9 && log(t) < 1.5 && fabs(g + 1) * part_at(c, i) < 9) c->slot[c->n++] = i;
  }
  ck_assert_uint_gt(c->n, STORED / 2);
}

/* The constant c that belongs to a baseline b: t phi' - phi - c is to be g */
static double constant_of(nis_loss_kind kind, double baseline)
{
  if (kind == NIS_LOSS_EXPONENTIAL || kind == NIS_LOSS_FORWARD_CHI2) return slope(kind, 1);
  return slope(kind, 1) - (1 - baseline);
}

static double objective(struct scene *c, nis_loss_kind kind, double baseline)
{
  double constant = constant_of(kind, baseline), sum = 0;
  double *kept = malloc(sizeof c->log_q);
  memcpy(kept, c->log_q, sizeof c->log_q);
  nis_sampler_density(&c->s, NULL, STORED, c->x, c->log_q, NULL);
  for (size_t k = 0; k < c->n; k++) {
    size_t i = c->slot[k];
    sum += part_at(c, i) * (phi(kind, ratio_at(c, i)) + constant);
  }
  memcpy(c->log_q, kept, sizeof c->log_q);
  free(kept);
  return sum / (double)c->n;
}

static double objective_along(struct scene *c, nis_loss_kind kind, double baseline, double step,
                              const double *direction)
{
  size_t n = c->s.mixture.flow.nparameters;
  float *kept = malloc(n * sizeof *kept);
  memcpy(kept, c->s.mixture.flow.parameters, n * sizeof *kept);
  for (size_t i = 0; i < n; i++) c->s.mixture.flow.parameters[i] += (float)(step * direction[i]);
  double value = objective(c, kind, baseline);
  memcpy(c->s.mixture.flow.parameters, kept, n * sizeof *kept);
  free(kept);
  return value;
}

/* Along the gradient, and along half of it at random: one at random is almost at right angles to
 * it, where the floats' noise is louder. */
static double choose_direction(const struct gradient *g, double randomness, double *direction)
{
  double dot = 0, length = 0;
  for (size_t i = 0; i < g->flow->nparameters; i++) {
    direction[i] = g->values[i] * (1 + randomness * noise());
    length += direction[i] * direction[i];
  }
  for (size_t i = 0; i < g->flow->nparameters; i++)
    dot += g->values[i] * (direction[i] /= sqrt(length));
  return dot;
}

static void check_gradient(struct scene *c, nis_loss_kind kind, double baseline)
{
  const double step = 1e-3;
  double *direction = calloc(c->g.flow->nparameters, sizeof *direction);
  struct minibatch b = {c->n, c->slot, &c->r, nis_loss(kind, 0), baseline};
  compute_gradient(&c->g, &c->s, &b);
  for (int repeat = 0; repeat < 4; repeat++) {
    double dot = choose_direction(&c->g, 5 * repeat, direction);
    double up = objective_along(c, kind, baseline, step, direction);
    double down = objective_along(c, kind, baseline, -step, direction);
    double expected = (up - down) / (2 * step);
    require(fabs(dot - expected) < 0.01 * nis_gradient_norm(&c->g),
            "loss %d, baseline %g: slope %g, not %g", kind, baseline, dot, expected);
  }
  free(direction);
}

START_TEST(gradient_is_the_slope_of_the_loss)
{
  static const double beta[] = {1, 0.4}, baseline[] = {0, 0.3, 1};
  nis_loss_kind kind = (nis_loss_kind)_i;
  for (size_t i = 0; i < LENGTH(beta); i++) {
    struct scene *c = make_scene(2, 1.2, beta[i]);
    keep_unclipped(c, kind);
    for (size_t j = 0; j < LENGTH(baseline); j++) check_gradient(c, kind, baseline[j]);
    clear_scene(c);
  }
}
END_TEST

/* Norm of the gradient of one point */
static double norm_of(struct scene *c, nis_loss_kind kind, size_t slot, double baseline)
{
  struct minibatch b = {1, &slot, &c->r, nis_loss(kind, 0), baseline};
  return compute_gradient(&c->g, &c->s, &b);
}

START_TEST(where_the_flow_is_right_no_point_pulls)
{
  nis_loss_kind kind = (nis_loss_kind)_i;
  struct scene *right = make_scene(1, 0, 1), *wrong = make_scene(1, 0.5, 1);
  double least = HUGE_VAL, pull = 0;
  for (size_t i = 0; i < STORED; i += 10) {
    double norm = norm_of(right, kind, i, 1);
    require(norm < 1e-4, "loss %d: point %zu pulls with %g", kind, i, norm);
    least = fmin(least, norm_of(right, NIS_LOSS_KL, i, 0)); /* each would, without a baseline */
    pull = fmax(pull, norm_of(wrong, kind, i, 1));
  }
  ck_assert_double_gt(least, 0.01);
  ck_assert_double_gt(pull, 0.1);
  clear_scene(right), clear_scene(wrong);
}
END_TEST

/* ---- clips ------------------------------------------------------------------------------ */

/* A value of 0 pulls like one at the lower end of the range, and none more than 10 times as much as
 * dlog q itself, which is how Kullback-Leibler pulls without a baseline where t = 1. */
START_TEST(no_point_rules)
{
  enum { POINT = 3 };
  nis_loss_kind kind = (nis_loss_kind)_i;
  struct scene *c = make_scene(1, 1.2, 1);
  static const double log_t[] = {-5, -50, -HUGE_VAL, 1, 1.5, 3, 300};
  double values[LENGTH(log_t)], level = c->log_q[POINT] + c->r.log_z[PART_ALL];
  c->r.log_p[POINT] = c->log_q[POINT];
  c->r.log_f[POINT] = level;
  double unit = norm_of(c, NIS_LOSS_KL, POINT, 0);
  for (size_t i = 0; i < LENGTH(log_t); i++) {
    c->r.log_f[POINT] = level + log_t[i];
    values[i] = norm_of(c, kind, POINT, 1);
    require(values[i] <= 10.001 * unit, "log t = %g pulls with %g of %g", log_t[i], values[i],
            unit);
  }
  ck_assert_double_gt(values[0], 1e-3 * unit);
  ck_assert_relative(values[1], values[0], 0.01); /* but for the share it is drawn with */
  ck_assert_relative(values[2], values[1], 1e-6);
  if (kind == NIS_LOSS_KL || kind == NIS_LOSS_JEFFREYS) { /* what was lost goes on pulling */
    ck_assert_double_gt(values[5], values[4]);
    ck_assert_relative(values[6], 2 * unit, 1e-6);
  } else {
    ck_assert_double_lt(values[5], values[4]);
    ck_assert_double_lt(values[6], 1e-6 * unit); /* a point that is drawn all the time */
  }
  clear_scene(c);
}
END_TEST

/* ---- bits ----------------------------------------------------------------------------- */

START_TEST(bits_do_not_depend_on_threads)
{
  struct scene *one = make_scene(1, 1, 1), *three = make_scene(3, 1, 1);
  for (size_t i = 0; i < STORED; i++) one->slot[i] = three->slot[i] = i;
  loss_slope *loss = nis_loss((nis_loss_kind)_i, 0);
  struct minibatch first = {STORED - 7, one->slot, &one->r, loss, 0.5};
  struct minibatch second = {STORED - 7, three->slot, &three->r, loss, 0.5};
  compute_gradient(&one->g, &one->s, &first);
  compute_gradient(&three->g, &three->s, &second);
  ck_assert(memcmp(one->g.values, three->g.values, one->g.flow->nparameters * sizeof(float)) == 0);
  ck_assert(nis_gradient_norm(&one->g) == nis_gradient_norm(&three->g) &&
            nis_gradient_norm(&one->g) > 0);
  clear_scene(one), clear_scene(three);
}
END_TEST

int main(void)
{
  const int first = NIS_LOSS_KL, end = NIS_LOSS_FORWARD_CHI2 + 1;
  Suite *suite = suite_create("loss");
  TCase *tests = tcase_create("loss");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, slopes_are_those_of_phi, first, end);
  tcase_add_loop_test(tests, the_baseline_is_a_constant, first, end);
  tcase_add_test(tests, the_default_is_two_losses);
  tcase_add_loop_test(tests, gradient_is_the_slope_of_the_loss, first, end);
  tcase_add_loop_test(tests, where_the_flow_is_right_no_point_pulls, first, end);
  tcase_add_loop_test(tests, no_point_rules, first, end);
  tcase_add_loop_test(tests, bits_do_not_depend_on_threads, first, end);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}

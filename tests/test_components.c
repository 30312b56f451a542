/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several values a point: against sums in long double, and through the whole library. */
#include "alarm.h"
#include "estimation/components.h"

#include "events.h"
#include "nis.h"
#include "noise.h"
#include "suite.h"
#include "run_components.h"

#include <math.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

enum { COMPONENTS = 5, POINTS = 512, NET = 32 };

static uint64_t noise_state = 3;

/* in (0, 1) */
static double noise(void)
{
  return next_uniform(&noise_state);
}

/* Correlated; one is 0, one is huge, one tiny, and one grows by 40 powers of ten on the way. */
static void make_values(double values[POINTS][COMPONENTS])
{
  for (int i = 0; i < POINTS; i++) {
    double a = noise(), b = noise();
    const double row[COMPONENTS] = {a, 1e280 * (a - b), 0, 1e-290 * b,
                                    i < POINTS / 2 ? 1e-20 * a : 1e20 * (b - 3)};
    memcpy(values[i], row, sizeof row);
  }
}

/* Two passes over samples of `size` points */
static void naive(double values[POINTS][COMPONENTS], int size, long double *mean,
                  long double covariance[COMPONENTS][COMPONENTS])
{
  int samples = POINTS / size;
  long double sample[POINTS][COMPONENTS] = {{0}};
  memset(mean, 0, COMPONENTS * sizeof *mean);
  for (int i = 0; i < POINTS; i++)
    for (int k = 0; k < COMPONENTS; k++) sample[i / size][k] += (long double)values[i][k] / size;
  for (int s = 0; s < samples; s++)
    for (int k = 0; k < COMPONENTS; k++) mean[k] += sample[s][k] / samples;
  for (int a = 0; a < COMPONENTS; a++)
    for (int b = 0; b < COMPONENTS; b++) {
      covariance[a][b] = 0;
      for (int s = 0; s < samples; s++)
        covariance[a][b] += (sample[s][a] - mean[a]) * (sample[s][b] - mean[b]);
      covariance[a][b] /= (long double)samples * (samples - 1);
    }
}

static void check_against_naive(int size, int with_covariance)
{
  static double values[POINTS][COMPONENTS];
  double mean[COMPONENTS], error[COMPONENTS], covariance[COMPONENTS * COMPONENTS];
  long double exact[COMPONENTS], square[COMPONENTS][COMPONENTS];
  struct components c;
  make_values(values);
  naive(values, size, exact, square);
  ck_assert_int_eq(nis_components_init(&c, COMPONENTS, with_covariance), 0);
  for (int i = 0; i < POINTS; i++) {
    if (size == 1) nis_components_add(&c, values[i]);
    if (size > 1) nis_components_add_to_replicate(&c, values[i]);
    if (size > 1 && (i + 1) % size == 0) nis_components_end_replicate(&c);
  }
  nis_components_result(&c, 1, 0, mean, error, with_covariance ? covariance : NULL);
  for (int a = 0; a < COMPONENTS; a++) {
    long double sigma = sqrtl(square[a][a]);
    require(fabsl(mean[a] - exact[a]) <= 1e-13L * (fabsl(exact[a]) + sigma), "mean %d: %g", a,
            mean[a]);
    require(fabsl(error[a] - sigma) <= 1e-12L * sigma, "error %d: %g, not %Lg", a, error[a], sigma);
    for (int b = 0; b < COMPONENTS && with_covariance; b++) {
      long double most = sigma * sqrtl(square[b][b]), got = covariance[a * COMPONENTS + b];
      if (most < 1e-290L || most > 1e290L) continue; /* no double */
      require(fabsl(got - square[a][b]) <= 1e-12L * most, "covariance %d %d: %Lg, not %Lg", a, b,
              got, square[a][b]);
    }
  }
  nis_components_clear(&c);
}

START_TEST(as_in_long_double)
{
  check_against_naive(1, 0);
  check_against_naive(1, 1);
  check_against_naive(NET, 0);
  check_against_naive(NET, 1);
}
END_TEST

START_TEST(factor_and_few_samples)
{
  struct components c;
  const double first[] = {3, 5}, second[] = {5, 1};
  double mean[2], error[2], covariance[4];
  ck_assert_int_eq(nis_components_init(&c, 2, 1), 0);
  nis_components_result(&c, 1, 0, mean, error, covariance);
  ck_assert(isnan(mean[0]) && isinf(error[0]));
  nis_components_add(&c, first);
  nis_components_result(&c, 1, 0, mean, error, covariance);
  ck_assert(mean[1] == 5 && isinf(error[1]));
  nis_components_add(&c, second);
  nis_components_result(&c, 2, 0, mean, error, covariance);
  ck_assert(mean[0] == 4 && error[0] == 2 && error[1] == 4);
  ck_assert(covariance[0] == 4 && covariance[3] == 16 && covariance[1] == -8 &&
            covariance[2] == -8);
  nis_components_reset(&c);
  nis_components_result(&c, 1, 0, mean, NULL, NULL);
  ck_assert(isnan(mean[0]));
  nis_components_clear(&c);
}
END_TEST

/* ---- through the library ------------------------------------------------------------------ */

static double bell(const double *x, size_t dim, double centre, double width)
{
  double square = 0;
  for (size_t j = 0; j < dim; j++) square += (x[j] - centre) * (x[j] - centre);
  return exp(-square / (2 * width * width)) * pow(width * sqrt(2 * M_PI), -(double)dim);
}

/* A peak; the mean of x over it; nothing; 1e30 times the peak, wider; a peak elsewhere */
static int moments(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    double g = bell(x + i * dim, dim, 0.4, 0.07), *to = f + i * ncomp;
    to[0] = g;
    to[1] = x[i * dim] * g;
    to[2] = 0;
    to[3] = 1e30 * bell(x + i * dim, dim, 0.4, 0.1);
    to[4] = bell(x + i * dim, dim, 0.6, 0.07);
  }
  return 0;
}

static double inside(size_t dim, double centre, double width)
{
  double z = M_SQRT1_2 / width;
  return pow((erf((1 - centre) * z) + erf(centre * z)) / 2, (double)dim);
}

static void check_moments(const double *values, const double *errors, int dof)
{
  double most = alarm_errors_of_nets(COMPONENTS, dof);
  const double exact[] = {inside(3, 0.4, 0.07), 0.4 * inside(3, 0.4, 0.07), 0,
                          1e30 * inside(3, 0.4, 0.1), inside(3, 0.6, 0.07)};
  for (int k = 0; k < COMPONENTS; k++)
    require(fabs(values[k] - exact[k]) <= most * errors[k], "component %d: %g +- %g, not %g", k,
            values[k], errors[k], exact[k]);
}

static nis_options options(void)
{
  return (nis_options){
      .dim = 3, .calls = 60000, .seed = 4, .effort = 0.2, .batch = moments, .ncomp = COMPONENTS};
}

START_TEST(components_of_a_run)
{
  for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
    double values[COMPONENTS], errors[COMPONENTS], covariance[COMPONENTS * COMPONENTS];
    nis_options o = options();
    o.points = (nis_point_set)points;
    nis_result r = run_components(&o, values, errors, covariance);
    ck_assert_int_eq(r.status, NIS_OK);
    check_moments(values, errors, r.dof);
    ck_assert(values[0] == r.value && errors[0] == r.error && values[2] == 0 && errors[2] == 0);
    for (int a = 0; a < COMPONENTS; a++)
      for (int b = 0; b < COMPONENTS; b++) {
        double this = covariance[a * COMPONENTS + b];
        ck_assert_double_eq(this, covariance[b * COMPONENTS + a]);
        ck_assert_double_le(fabs(this), (1 + 1e-9) * errors[a] * errors[b]);
      }
    ck_assert_double_eq_tol(covariance[COMPONENTS + 1] / (errors[1] * errors[1]), 1, 1e-9);
  }
}
END_TEST

/* The others do not change what component 0 alone would give. */
static int first_alone(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  double all[64 * COMPONENTS];
  for (size_t i = 0; i < n; i += 64) {
    size_t m = n - i < 64 ? n - i : 64;
    moments(m, dim, x + i * dim, COMPONENTS, all, params);
    for (size_t k = 0; k < m; k++) f[(i + k) * ncomp] = all[k * COMPONENTS];
  }
  return 0;
}

START_TEST(the_first_is_as_if_alone)
{
  double value, error, square;
  nis_options o = options(), alone = options();
  o.follow = NIS_FOLLOW_FIRST;
  alone.batch = first_alone, alone.ncomp = 0;
  nis_result many = nis_integrate_with(NULL, &o);
  nis_result single = run_components(&alone, &value, &error, &square);
  ck_assert(many.value == single.value && many.error == single.error);
  ck_assert(value == single.value && error == single.error && square == error * error);
}
END_TEST

/* The peak elsewhere is all but lost for a flow that follows the first. */
START_TEST(following_the_norm)
{
  double values[COMPONENTS], errors[COMPONENTS], first[COMPONENTS];
  nis_options o = options();
  o.follow = NIS_FOLLOW_FIRST;
  run_components(&o, NULL, first, NULL);
  o.follow = NIS_FOLLOW_NORM;
  nis_result r = run_components(&o, values, errors, NULL);
  check_moments(values, errors, r.dof);
  ck_assert_double_lt(2 * errors[4], first[4]);
  const double scales[] = {1, 1, 1, 1e30, 1};
  o.scales = scales;
  r = run_components(&o, values, errors, NULL);
  check_moments(values, errors, r.dof);
  ck_assert_double_lt(2 * errors[4], first[4]);
}
END_TEST

enum { APART = 3 };

/* Nowhere do two of them matter, the widths are of 1e-3 .. 1e-6 of the volume, which the first
 * points miss, and the sizes are far apart. */
static int apart(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    f[i * ncomp] = bell(x + i * dim, dim, 0.3, 0.08);
    f[i * ncomp + 1] = 1e30 * bell(x + i * dim, dim, 0.5, 0.04);
    f[i * ncomp + 2] = -1e-30 * bell(x + i * dim, dim, 0.7, 0.02);
  }
  return 0;
}

/* A loop: the real part changes its sign on the line that the imaginary one peaks on. */
static int loop(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    double a = x[i * dim], b = x[i * dim + 1] * (1 - a), off = 1 - 6 * a * b - 0.25 * a * (1 - a);
    double square = off * off + 1e-4;
    f[i * ncomp] = (1 - a) * off / square;
    f[i * ncomp + 1] = (1 - a) * 0.01 / square;
  }
  return 0;
}

static double errors_apart(nis_batch_integrand *f, size_t dim, size_t ncomp, double *values,
                           double *errors)
{
  double least = HUGE_VAL, most = 0;
  nis_options o = {.dim = dim, .calls = 50000, .effort = 0.2, .batch = f, .ncomp = ncomp};
  nis_result r = run_components(&o, values, errors, NULL);
  ck_assert_int_eq(r.status, NIS_OK);
  for (size_t k = 0; k < ncomp; k++) {
    double relative = errors[k] / fabs(values[k]);
    least = fmin(least, relative), most = fmax(most, relative);
  }
  require(most < 0.01, "%g of the value", most);
  return most / least;
}

/* Three peaks apart from each other share the points: by the square of their weights, 0 or 3, none
 * can have less than sqrt(2/n) from n random points. */
START_TEST(all_are_followed)
{
  double values[APART], errors[APART];
  const double size[] = {1, 1e30, -1e-30};
  check_between(errors_apart(apart, 4, APART, values, errors), 1, 4, "errors apart");
  for (int k = 0; k < APART; k++)
    require(fabs(values[k] - size[k]) <= alarm_errors_of_nets(APART, 15) * errors[k],
            "component %d: %g +- %g", k, values[k], errors[k]);
  check_between(errors_apart(loop, 2, 2, values, errors), 1, 8, "errors apart");
}
END_TEST

/* All reach the goal, or the first one does; what is 0 everywhere is no hindrance, and what had no
 * value is one only where all count. */
START_TEST(goals_of_all)
{
  for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
    double values[COMPONENTS], errors[COMPONENTS];
    nis_options o = options();
    o.points = (nis_point_set)points, o.calls = 400000, o.rel_error = 0.02, o.call_seconds = 1e-4;
    nis_result r = run_components(&o, values, errors, NULL);
    ck_assert(r.status == NIS_OK && r.stop == NIS_STOP_GOAL);
    for (int k = 0; k < COMPONENTS; k++)
      require(errors[k] <= o.rel_error * fabs(values[k]), "component %d: %g +- %g", k, values[k],
              errors[k]);
    o.goal_of = NIS_GOAL_FIRST;
    nis_result first = nis_integrate_with(NULL, &o);
    ck_assert(first.status == NIS_OK && first.error <= o.rel_error * first.value);
    ck_assert_uint_le(first.calls, r.calls);
  }
}
END_TEST

/* 1, and what is not 0 in 2e-3 of the cube, or cancels to 0 */
static int rare(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++) {
    f[i * ncomp] = 1;
    f[i * ncomp + 1] = params ? x[i * dim] - 0.5 : x[i * dim] > 0.998 ? 1 : 0;
  }
  return 0;
}

START_TEST(goals_that_one_misses)
{
  int cancels = 1;
  nis_options o = {.dim = 2, .calls = 20000, .effort = 0.1, .batch = rare, .ncomp = 2};
  o.abs_error = 0.1, o.call_seconds = 1;
  nis_result few = nis_integrate_with(NULL, &o);
  o.goal_of = NIS_GOAL_FIRST;
  nis_result first = nis_integrate_with(NULL, &o);
  ck_assert_uint_lt(first.calls, few.calls);
  o.abs_error = 0, o.rel_error = 1e-3, o.params = &cancels;
  ck_assert_int_eq(nis_integrate_with(NULL, &o).status, NIS_OK);
  o.goal_of = NIS_GOAL_ALL;
  ck_assert_int_eq(nis_integrate_with(NULL, &o).status, NIS_GOAL_MISSED);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "an error of component 1 of "));
}
END_TEST

struct moment {
  double weights, sum, squares;
};

static int take_moment(const nis_event_block *events, void *params)
{
  struct moment *m = params;
  for (size_t i = 0; i < events->n; i++) {
    double off = events->x[i * events->dim] - 0.4;
    m->weights += events->weight[i];
    m->sum += events->weight[i] * off;
    m->squares += events->weight[i] * events->weight[i] * off * off;
  }
  return 0;
}

/* Whatever the flow follows; a third of the points are where the last component is. */
START_TEST(events_are_of_the_first)
{
  for (int follow = NIS_FOLLOW_NORM; follow <= NIS_FOLLOW_FIRST; follow++) {
    struct moment m = {0};
    nis_options o = options();
    nis_event_summary summary;
    nis_result r;
    nis *s;
    o.follow = (nis_follow)follow;
    ck_assert_int_eq(nis_create(&s, NULL, &o), NIS_OK);
    ck_assert_int_eq(nis_run(s, &r), NIS_OK);
    ck_assert_int_eq(events_of(s, 20000, take_moment, &m, &summary), NIS_OK);
    ck_assert_double_le(fabs(m.sum), alarm_errors(2) * sqrt(m.squares));
    check_between(sqrt(m.squares / summary.sum_squares), 0.067, 0.073, "width");
    check_between(r.efficiency, follow == NIS_FOLLOW_FIRST ? 0.8 : 0.2, 1, "efficiency");
    nis_free(s);
  }
}
END_TEST

static int bad_second(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    f[i * ncomp] = 1;
    f[i * ncomp + 1] = x[i * dim] < 0.02 ? NAN : 1;
  }
  return 0;
}

START_TEST(one_bad_component_is_a_bad_point)
{
  double values[2], errors[2];
  nis_options o = {.dim = 2, .calls = 20000, .batch = bad_second, .ncomp = 2};
  nis_result r = run_components(&o, values, errors, NULL);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_uint_gt(r.bad_calls, 0);
  for (int k = 0; k < 2; k++)
    ck_assert_double_le(fabs(values[k] - 0.98), alarm_errors_of_nets(2, r.dof) * errors[k]);
}
END_TEST

/* ---- ratios and sums ------------------------------------------------------------------------ */

static nis *estimated(nis_options *o, uint64_t calls)
{
  nis *s;
  ck_assert_int_eq(nis_create(&s, NULL, o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, calls, NULL), NIS_OK);
  return s;
}

/* By the covariance that the user may ask for, of components of all sizes */
START_TEST(as_the_covariance_has_it)
{
  static const double factors[][COMPONENTS] = {
      {1, 0, 0, 0, 0}, {1, -2.5, 3, 0, 1}, {0, 0, 0, 2, 0}, {3, 4, 5, 1e-30, -6}, {0, 0, 0, 0, 0}};
  double values[COMPONENTS], errors[COMPONENTS], cov[COMPONENTS][COMPONENTS], value, error;
  for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
    nis_options o = options();
    o.points = (nis_point_set)points;
    nis *s = estimated(&o, 20000);
    ck_assert_int_eq(nis_values(s, values, errors), NIS_OK);
    ck_assert_int_eq(nis_covariance(s, cov[0]), NIS_OK);
    for (size_t m = 0; m < LENGTH(factors); m++) {
      const double *by = factors[m];
      double sum = 0, square = 0;
      for (int a = 0; a < COMPONENTS; a++) sum += by[a] * values[a];
      for (int a = 0; a < COMPONENTS; a++)
        for (int b = 0; b < COMPONENTS; b++) square += by[a] * by[b] * cov[a][b];
      ck_assert_int_eq(nis_combine(s, by, &value, &error), NIS_OK);
      check_between(value, sum - 1e-12 * fabs(sum), sum + 1e-12 * fabs(sum), "sum");
      check_between(error, (1 - 1e-9) * sqrt(square), (1 + 1e-9) * sqrt(square), "error of it");
    }
    ck_assert_int_eq(nis_ratio(s, 3, 4, &value, &error), NIS_OK);
    double r = values[3] / values[4];
    double square = cov[3][3] - 2 * r * cov[3][4] + r * r * cov[4][4];
    ck_assert_double_eq(value, r);
    ck_assert_double_eq_tol(error * values[4] / sqrt(square), 1, 1e-9);
    ck_assert_int_eq(nis_ratio(s, 1, 1, &value, &error), NIS_OK);
    ck_assert(value == 1 && error < 1e-9);
    nis_free(s);
  }
}
END_TEST

enum { RUNS = 200 };

/* The mean of x over a peak, 0.4: numerator and denominator go up and down together, and the error
 * is below half of what it would be if they did not. */
static void pulls_of_a_ratio(nis_point_set points, uint64_t calls, int *within, double *squares)
{
  *within = 0, *squares = 0;
  for (uint64_t seed = 0; seed < RUNS; seed++) {
    double values[COMPONENTS], errors[COMPONENTS], value, error;
    nis_options o = options();
    o.seed = seed, o.points = points, o.threads = 1;
    nis *s = estimated(&o, calls);
    ck_assert_int_eq(nis_values(s, values, errors), NIS_OK);
    ck_assert_int_eq(nis_ratio(s, 1, 0, &value, &error), NIS_OK);
    double pull = (value - 0.4) / error;
    *within += fabs(pull) < 1;
    *squares += pull * pull;
    ck_assert_double_lt(2 * error, hypot(errors[1] / values[1], errors[0] / values[0]) * value);
    nis_free(s);
  }
}

/* With random points the sum of the squares is chi2 of as many degrees of freedom; with nets as
 * many are within one error as are of a normal distribution. */
START_TEST(pulls_of_ratios)
{
  int within;
  double squares, share = 2 * gsl_cdf_ugaussian_P(1) - 1, off = alarm_errors(2);
  pulls_of_a_ratio(NIS_POINTS_RANDOM, 30000, &within, &squares);
  check_between(squares, gsl_cdf_chisq_Pinv(ALARM_RATE / 4, RUNS),
                gsl_cdf_chisq_Qinv(ALARM_RATE / 4, RUNS), "sum of squared pulls");
  pulls_of_a_ratio(NIS_POINTS_NETS, 16384, &within, &squares);
  check_between(within, RUNS * share - off * sqrt(RUNS * share * (1 - share)),
                RUNS * share + off * sqrt(RUNS * share * (1 - share)), "pulls within one error");
}
END_TEST

static int many_ones(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)dim, (void)x, (void)params;
  for (size_t i = 0; i < n * ncomp; i++) f[i] = 1;
  return 0;
}

static void check_refused(int status, int wanted, const char *part)
{
  ck_assert_int_eq(status, wanted);
  ck_assert_msg(strstr(nis_last_error(), part) != NULL, "%s", nis_last_error());
}

START_TEST(no_ratio)
{
  static double cov[65 * 65];
  const double by[COMPONENTS] = {0, 1, 0, NAN, 0}, one[65] = {1}, end[1] = {0};
  double value, error;
  nis_options o = options();
  nis *s;
  ck_assert_int_eq(nis_create(&s, NULL, &o), NIS_OK);
  check_refused(nis_ratio(s, 0, 1, &value, &error), NIS_INVALID, "no estimate yet");
  nis_estimate(s, 100, NULL);
  check_refused(nis_ratio(s, 0, 5, &value, &error), NIS_INVALID,
                "j must be between 0 and 4, got 5");
  check_refused(nis_ratio(s, 7, 0, &value, &error), NIS_INVALID, "i must be");
  check_refused(nis_ratio(s, 0, 1, NULL, &error), NIS_INVALID, "value");
  check_refused(nis_ratio(NULL, 0, 1, &value, &error), NIS_INVALID, "handle");
  check_refused(nis_combine(s, by, &value, &error), NIS_INVALID, "coefficients[3]");
  check_refused(nis_combine(s, NULL, &value, &error), NIS_INVALID, "coefficients");
  check_refused(nis_ratio(s, 0, 2, &value, &error), NIS_SUSPECT, "component 2 is 0 +- 0");
  ck_assert(isnan(value) && isinf(error));
  check_refused(nis_ratio(s, 0, 1, &value, &error), NIS_SUSPECT, "at most 0.1 of it");
  ck_assert(isfinite(value) && isfinite(error));
  nis_free(s);
  o.ncomp = 65, o.batch = many_ones;
  s = estimated(&o, 100);
  check_refused(nis_combine(s, one, &value, &error), NIS_INVALID, "ncomp = 65");
  check_refused(nis_covariance(s, cov), NIS_INVALID, "ncomp = 65");
  nis_free(s);
  o.covariance = 1;
  s = estimated(&o, 100);
  ck_assert_int_eq(nis_covariance(s, cov), NIS_OK);
  ck_assert_int_eq(nis_combine(s, one, &value, &error), NIS_OK);
  nis_free(s);
  o.ncomp = 1;
  s = estimated(&o, 100);
  ck_assert_int_eq(nis_combine(s, one, &value, &error), NIS_OK);
  ck_assert(value == 1 && error < 1e-12);
  nis_free(s);
  o.dim = 1, o.lower = o.upper = end;
  ck_assert_int_eq(nis_create(&s, NULL, &o), NIS_OK);
  ck_assert_int_eq(nis_combine(s, one, &value, &error), NIS_OK);
  ck_assert(value == 0 && error == 0);
  value = error = cov[0] = 1;
  ck_assert_int_eq(nis_values(s, &value, &error), NIS_OK);
  ck_assert_int_eq(nis_covariance(s, cov), NIS_OK);
  ck_assert(value == 0 && error == 0 && cov[0] == 0);
  check_refused(nis_values(NULL, &value, &error), NIS_INVALID, "handle");
  check_refused(nis_covariance(s, NULL), NIS_INVALID, "covariance");
  check_refused(nis_ratio(s, 0, 0, &value, &error), NIS_INVALID, "equal limits");
  nis_free(s);
}
END_TEST

START_TEST(refused)
{
  const double zero[] = {1, 0};
  nis_options o = options();
  o.ncomp = NIS_MOST_COMPONENTS + 1;
  ck_assert_int_eq(nis_integrate_with(NULL, &o).status, NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "ncomp"));
  o.ncomp = 2, o.scales = zero;
  ck_assert_int_eq(nis_integrate_with(NULL, &o).status, NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "scales[1]"));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("components");
  TCase *sums = tcase_create("sums"), *runs = tcase_create("runs");
  tcase_set_timeout(runs, 120);
  tcase_add_test(sums, as_in_long_double);
  tcase_add_test(sums, factor_and_few_samples);
  tcase_add_test(runs, components_of_a_run);
  add_full_test(runs, the_first_is_as_if_alone);
  add_full_test(runs, following_the_norm);
  tcase_add_test(runs, all_are_followed);
  add_full_test(runs, events_are_of_the_first);
  tcase_add_test(runs, goals_of_all);
  tcase_add_test(runs, goals_that_one_misses);
  tcase_add_test(runs, one_bad_component_is_a_bad_point);
  tcase_add_test(runs, as_the_covariance_has_it);
  add_full_test(runs, pulls_of_ratios);
  tcase_add_test(runs, no_ratio);
  tcase_add_test(runs, refused);
  suite_add_tcase(suite, sums);
  suite_add_tcase(suite, runs);
  return run_suite(suite);
}

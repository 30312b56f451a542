/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Are the error bars true? The pulls (value - exact) / error of many runs are normal: with 1200 of
 * them their width is known to 2 %. One test finds error bars that are too small by a tenth nine
 * times in ten, and those too large by a tenth three times in four; that all of them miss it is a
 * chance of 1e-5 (false alarms: alarm.h).
 */
#include "alarm.h"
#include "nis.h"
#include "subject.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

enum { SEEDS = 1200, CHECKS = 5 /* of each test */ };

struct pulls {
  double sum, square, chi2;
  int seeds, inside1, inside2, dof;
  int early; /* seeds that did not need all calls */
};

/* Hardly trained: a flow that is not good makes its errors no less true, and costs less. */
static nis_options modest(size_t dim)
{
  return (nis_options){.dim = dim,
                       .calls = 6000,
                       .train_share = 0.1,
                       .threads = 1,
                       .layers = 2,
                       .hidden_layers = 1,
                       .hidden_width = 8,
                       .bins = 8,
                       .replay = 1,
                       .points = NIS_POINTS_RANDOM};
}

static void add_pull(struct pulls *p, double pull)
{
  p->seeds++;
  p->sum += pull;
  p->square += pull * pull;
  p->inside1 += fabs(pull) < 1;
  p->inside2 += fabs(pull) < 2;
}

/* The mean of few nets is off by Student's t times the spread of their means, and the error is that
 * spread times the t of one standard deviation: the normal variable of the same probability. */
static double normal_of_nets(double pull, int dof)
{
  double one_sigma = gsl_cdf_tdist_Pinv(gsl_cdf_ugaussian_P(1), dof);
  return gsl_cdf_ugaussian_Pinv(gsl_cdf_tdist_P(pull * one_sigma, dof));
}

static struct pulls collect(nis_integrand *f, const nis_options *given, double exact)
{
  struct pulls p = {0};
  for (int seed = 1; seed <= samples(SEEDS); seed++) {
    nis_options o = *given;
    o.seed = (uint64_t)seed;
    nis_result r = nis_integrate_with(f, &o);
    ck_assert_int_ge(r.status, NIS_OK);
    p.early += r.calls < o.calls;
    double pull = (r.value - exact) / r.error;
    add_pull(&p, o.points == NIS_POINTS_NETS ? normal_of_nets(pull, r.dof) : pull);
    p.chi2 += r.chi2;
    p.dof += r.dof;
  }
  return p;
}

static const double side = ALARM_RATE / CHECKS / 2; /* of one check */

/* Numbers of seeds inside k errors are binomial. */
static void check_coverage(int inside, int seeds, double probability, const char *what)
{
  double low = gsl_cdf_binomial_P((unsigned)inside, probability, (unsigned)seeds);
  double high = gsl_cdf_binomial_Q((unsigned)inside - 1, probability, (unsigned)seeds);
  ck_assert_msg(low > side && high > side, "%s: %d of %d seeds", what, inside, seeds);
}

/* Mean 0, width 1 */
static void check_distribution(const struct pulls *p)
{
  double mean = p->sum / p->seeds, error = 1 / sqrt(p->seeds);
  check_between(mean, -alarm_errors(CHECKS) * error, alarm_errors(CHECKS) * error, "mean pull");
  check_between(p->square, gsl_cdf_chisq_Pinv(side, p->seeds), gsl_cdf_chisq_Qinv(side, p->seeds),
                "sum of squared pulls");
  check_coverage(p->inside1, p->seeds, 0.6827, "one error");
  check_coverage(p->inside2, p->seeds, 0.9545, "two errors");
}

/* And the iterations of each run agree as their errors say. */
static void check_pulls(const struct pulls *p)
{
  check_distribution(p);
  check_between(p->chi2, gsl_cdf_chisq_Pinv(side, p->dof), gsl_cdf_chisq_Qinv(side, p->dof),
                "sum of chi2");
}

static void check_row_pulls(const char *name, size_t dim)
{
  struct subject s = subject(name, dim, NULL);
  nis_options o = modest(dim);
  o.params = s.state;
  struct pulls p = collect(s.row->f, &o, s.exact);
  check_pulls(&p);
  free(s.state);
}

START_TEST(pulls_of_a_gaussian)
{
  check_row_pulls("gaussian", 2);
}
END_TEST

START_TEST(pulls_of_a_camel)
{
  check_row_pulls("camel", 2);
}
END_TEST

/* Stopping when the error is small enough must not make it too small. */
START_TEST(pulls_with_a_goal)
{
  struct subject s = subject("gaussian", 2, NULL);
  nis_options o = modest(2);
  o.params = s.state, o.rel_error = 0.014;
  struct pulls p = collect(s.row->f, &o, s.exact);
  ck_assert_int_gt(p.early, p.seeds / 4);
  check_pulls(&p);
  free(s.state);
}
END_TEST

/* integral 1, negative on a third of the square */
static double wave(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 + 3 * sin(2 * M_PI * (x[0] + x[1]));
}

START_TEST(pulls_of_a_signed_integrand)
{
  nis_options o = modest(2);
  struct pulls p = collect(wave, &o, 1);
  check_pulls(&p);
}
END_TEST

/* a half of the points have weight 0 */
static double half_disc(double *x, size_t dim, void *params)
{
  double r2 = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) r2 += (x[j] - 0.5) * (x[j] - 0.5);
  return r2 < 0.16 && x[0] < x[1] ? 1 : 0;
}

START_TEST(pulls_of_an_integrand_with_cuts)
{
  nis_options o = modest(2);
  struct pulls p = collect(half_disc, &o, M_PI * 0.16 / 2);
  check_pulls(&p);
}
END_TEST

/* ---- nets ------------------------------------------------------------------------- */

/* What chi2 says of single points is too large a spread for nets. */
static void check_net_pulls(nis_integrand *f, size_t dim, void *params, double exact, double gain)
{
  nis_options o = modest(dim);
  o.points = NIS_POINTS_NETS, o.params = params;
  struct pulls p = collect(f, &o, exact);
  check_distribution(&p);
  ck_assert_double_lt(p.chi2, p.dof / (gain * gain));
}

START_TEST(pulls_of_nets)
{
  struct subject camel = subject("camel", 2, NULL), gaussian = subject("gaussian", 5, NULL);
  if (_i == 0) check_net_pulls(camel.row->f, 2, camel.state, camel.exact, 2);
  if (_i == 1) check_net_pulls(gaussian.row->f, 5, gaussian.state, gaussian.exact, 1.2);
  if (_i == 2) check_net_pulls(wave, 2, NULL, 1, 1.2);
  if (_i == 3) check_net_pulls(half_disc, 2, NULL, M_PI * 0.16 / 2, 1.2);
  free(camel.state), free(gaussian.state);
}
END_TEST

/* ---- one flow -------------------------------------------------------------------------- */

/* The flow is not trained by these points, so few of them are as honest as many. */
START_TEST(pulls_of_short_estimates)
{
  enum { SHORT = 2000 };
  struct subject s = subject("gaussian", 2, NULL);
  nis_options o = modest(2);
  o.params = s.state;
  struct pulls p = {0};
  nis *flow;
  ck_assert_int_eq(nis_create(&flow, s.row->f, &o), NIS_OK);
  ck_assert_int_eq(nis_train(flow, 8000), NIS_OK);
  for (int i = 0; i < samples(SEEDS); i++) {
    static double x[2 * SHORT], weight[SHORT];
    double sum = 0, square = 0;
    ck_assert_int_eq(nis_sample(flow, SHORT, x, NULL, weight), NIS_OK);
    for (int k = 0; k < SHORT; k++) sum += weight[k], square += weight[k] * weight[k];
    double mean = sum / SHORT, variance = (square / SHORT - mean * mean) / (SHORT - 1);
    add_pull(&p, (mean - s.exact) / sqrt(variance));
  }
  check_distribution(&p);
  nis_free(flow);
  free(s.state);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pulls");
  TCase *pulls = tcase_create("pulls");
  tcase_set_timeout(pulls, 300); /* sanitizers, busy machines */
  tcase_add_test(pulls, pulls_of_a_gaussian);
  tcase_add_test(pulls, pulls_of_a_camel);
  tcase_add_test(pulls, pulls_with_a_goal);
  tcase_add_test(pulls, pulls_of_a_signed_integrand);
  tcase_add_test(pulls, pulls_of_an_integrand_with_cuts);
  tcase_add_loop_test(pulls, pulls_of_nets, 0, 4);
  tcase_add_test(pulls, pulls_of_short_estimates);
  suite_add_tcase(suite, pulls);
  return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A handle after any history of calls: its counts are those of a model, a verdict rests on the estimate
 * alone, and what a call gives does not depend on the calls in between that have nothing to do with it. */
#include "nis_events.h"

#include "suite.h"

#include <math.h>
#include <string.h>

static nis_options small(size_t dim)
{
  return (nis_options){.dim = dim, .calls = 4000, .seed = 1, .effort = 0.1, .threads = 1};
}

static nis *make(nis_integrand *f, const nis_options *o)
{
  nis *s;
  ck_assert_msg(nis_create(&s, f, o) == NIS_OK, "%s", nis_last_error());
  return s;
}

static void check_says(const char *words)
{
  ck_assert_msg(strstr(nis_last_error(), words) != NULL, "'%s' lacks '%s'", nis_last_error(),
                words);
}

/* ---- integrands ----------------------------------------------------------------------------- */

static double peak(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.4) * (x[j] - 0.4);
  return exp(-square / (2 * 0.1 * 0.1)) / pow(0.1 * sqrt(2 * M_PI), (double)dim);
}

static double zero(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 0;
}

/* An integrable singularity whose square is not */
static double singular(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += x[j] * x[j];
  return pow(square, -0.95);
}

/* ---- verdicts rest on the estimate ------------------------------------------------------------ */

START_TEST(few_weights_after_a_second_training)
{
  nis_options o = small(2);
  nis_result r;
  nis *s = make(peak, &o);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(nis_train(s, 2000), NIS_OK);
    ck_assert_int_eq(nis_estimate(s, 20, &r), NIS_SUSPECT);
    ck_assert(r.suspect & NIS_FEW_WEIGHTS);
  }
  nis_free(s);
}
END_TEST

START_TEST(samples_settle_no_doubt)
{
  enum { SAMPLES = 300000 };
  double *x = malloc(2 * SAMPLES * sizeof *x), *weight = malloc(SAMPLES * sizeof *weight);
  nis_options o = small(2);
  nis_result before, after;
  nis *s = make(singular, &o);
  ck_assert_int_eq(nis_estimate(s, 20000, &before), NIS_SUSPECT);
  ck_assert_int_eq(nis_sample(s, SAMPLES, x, NULL, weight), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 2, &after), NIS_SUSPECT);
  ck_assert_int_eq(after.suspect, before.suspect);
  nis_free(s), free(x), free(weight);
}
END_TEST

START_TEST(nothing_but_zeros_meets_no_goal)
{
  nis_options o = small(2);
  o.rel_error = 0.1;
  for (int i = 0; i < 2; i++) {
    nis_result r = nis_integrate_with(zero, &o);
    ck_assert_int_eq(r.status, NIS_SUSPECT);
    ck_assert_int_eq(r.stop, NIS_STOP_CALLS);
    ck_assert_uint_eq(r.calls, 4000);
    ck_assert(r.value == 0 && (r.suspect & NIS_FEW_WEIGHTS));
    check_says("0 at all 2400");
    o.rel_error = 0, o.abs_error = 1;
  }
}
END_TEST

/* Nothing, a constant, and at a few points something */
static int three(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  int first = *(int *)params;
  for (size_t i = 0; i < n; i++) {
    double *to = f + i * ncomp, value[] = {0, 1, x[i * dim] < 0.002};
    for (int k = 0; k < 3; k++) to[k] = value[(first + k) % 3];
  }
  return 0;
}

START_TEST(a_component_that_is_zero)
{
  int first = 0;
  nis_options o = small(2);
  o.batch = three, o.ncomp = 3, o.params = &first;
  for (o.follow = NIS_FOLLOW_FIRST; o.follow <= NIS_FOLLOW_NORM; o.follow++) {
    first = 0;
    nis_result r = nis_integrate_with(NULL, &o);
    ck_assert_msg(r.status == NIS_OK && r.suspect == 0, "%s", nis_last_error());
    ck_assert(r.value == 0 && r.error == 0);
  }
  first = 2, o.follow = NIS_FOLLOW_FIRST;
  nis_result r;
  nis *s = make(NULL, &o);
  ck_assert_int_eq(nis_estimate(s, 4096, &r), NIS_SUSPECT);
  ck_assert_int_eq(r.suspect & NIS_FEW_WEIGHTS, NIS_FEW_WEIGHTS);
  nis_free(s);
}
END_TEST

/* ---- the sentence ---------------------------------------------------------------------------- */

/* Uses the library itself, wrongly. */
static double careless(double *x, size_t dim, void *params)
{
  nis_train(NULL, 1);
  return peak(x, dim, params);
}

static int careless_progress(const nis_progress *now, void *params)
{
  (void)now, (void)params;
  nis_train(NULL, 1);
  return 0;
}

static int careless_sink(const nis_event_block *events, void *params)
{
  (void)events, (void)params;
  nis_train(NULL, 1);
  return 0;
}

/* Refuses at once, and has left a sentence of its own by then. */
static int refuse(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)n, (void)dim, (void)x, (void)ncomp, (void)f, (void)params;
  return 1;
}

START_TEST(calls_inside_leave_no_sentence)
{
  double x[20], weight[10];
  nis_options o = small(2);
  o.progress = careless_progress;
  nis *s = make(careless, &o);
  ck_assert_int_eq(nis_train(s, 1000), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
  ck_assert_int_eq(nis_estimate(s, 1000, NULL), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
  ck_assert_int_eq(nis_sample(s, 10, x, NULL, weight), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
  nis_event_options events = {.events = 10, .sink = careless_sink};
  ck_assert_int_eq(nis_events(s, &events, NULL), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
  nis_free(s);
  ck_assert_int_eq(nis_integrate_with(careless, &o).status, NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
}
END_TEST

START_TEST(calls_inside_do_not_replace_the_sentence)
{
  nis_options o = small(2);
  o.progress = careless_progress, o.batch = refuse;
  nis *s = make(NULL, &o);
  ck_assert_int_eq(nis_estimate(s, 1000, NULL), NIS_CALLBACK);
  check_says("integrand ended the run");
  nis_free(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("histories");
  TCase *verdicts = tcase_create("verdicts");
  tcase_set_timeout(verdicts, 120);
  tcase_add_test(verdicts, few_weights_after_a_second_training);
  tcase_add_test(verdicts, samples_settle_no_doubt);
  tcase_add_test(verdicts, nothing_but_zeros_meets_no_goal);
  tcase_add_test(verdicts, a_component_that_is_zero);
  suite_add_tcase(suite, verdicts);
  TCase *sentences = tcase_create("sentences");
  tcase_add_test(sentences, calls_inside_leave_no_sentence);
  tcase_add_test(sentences, calls_inside_do_not_replace_the_sentence);
  suite_add_tcase(suite, sentences);
  return run_suite(suite);
}

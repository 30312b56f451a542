/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of integrands: its rows, its settings, the values of i-flow's functions. */
#include "integrands.h"
#include "quadrature.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

/* ---- the rows ------------------------------------------------------------------ */

static size_t choice_count(const struct parameter *p)
{
  size_t n = 1;
  for (const char *c = p->choices; *c; c++) n += *c == ',';
  return n;
}

static void check_parameter(const struct parameter *p)
{
  ck_assert_double_ge(p->initial, p->low);
  ck_assert_double_le(p->initial, p->high);
  ck_assert(p->help && *p->help);
  if (!p->choices) return;
  ck_assert_double_eq(p->low, 0);
  ck_assert_double_eq(p->high, (double)choice_count(p) - 1);
}

static void check_row(const struct integrand *row)
{
  ck_assert(row->name && *row->name);
  ck_assert(row->description && *row->description);
  ck_assert(row->source && *row->source);
  ck_assert_ptr_nonnull(row->unit);
  ck_assert_uint_ge(row->dim_min, 1);
  ck_assert_uint_le(row->dim_min, row->dim_default);
  ck_assert_uint_le(row->dim_default, row->dim_max);
  ck_assert_uint_le(row->dim_max, 256);
  ck_assert_uint_gt(row->state_size, 0);
  ck_assert(row->setup && row->f);
  int n = 0;
  for (; row->parameters[n].name; n++) check_parameter(&row->parameters[n]);
  ck_assert_int_le(n, INTEGRAND_MAX_PARAMETERS);
}

START_TEST(rows_are_complete)
{
  size_t n = 0;
  for (; integrand_table[n]; n++) check_row(integrand_table[n]);
  ck_assert_uint_ge(n, 3);
}
END_TEST

START_TEST(rows_are_found_by_name)
{
  for (size_t i = 0; integrand_table[i]; i++)
    ck_assert_ptr_eq(integrand_find(integrand_table[i]->name), integrand_table[i]);
  ck_assert_ptr_null(integrand_find("gauss"));
  ck_assert_ptr_null(integrand_find(""));
}
END_TEST

START_TEST(defaults_are_the_initial_values)
{
  for (size_t i = 0; integrand_table[i]; i++) {
    const struct integrand *row = integrand_table[i];
    double values[INTEGRAND_MAX_PARAMETERS];
    integrand_defaults(row, values);
    for (size_t k = 0; row->parameters[k].name; k++)
      ck_assert_double_eq(values[k], row->parameters[k].initial);
  }
}
END_TEST

/* ---- settings ------------------------------------------------------------------ */

/* Sets parameter k of the row to `text`, starting from the defaults. */
static int set_parameter(const struct integrand *row, size_t k, const char *text, double *value,
                         char message[256])
{
  char setting[128];
  double values[INTEGRAND_MAX_PARAMETERS];
  integrand_defaults(row, values);
  snprintf(setting, sizeof setting, "%s=%s", row->parameters[k].name, text);
  message[0] = '\0';
  int status = integrand_set(row, setting, values, message, 256);
  *value = values[k];
  return status;
}

static void check_accepted(const struct integrand *row, size_t k, const char *text, double expected)
{
  char message[256];
  double value;
  ck_assert_int_eq(set_parameter(row, k, text, &value, message), 0);
  ck_assert_double_eq(value, expected);
  ck_assert_str_eq(message, "");
}

static void check_refused(const struct integrand *row, size_t k, const char *text)
{
  char message[256], quoted[64];
  double value;
  ck_assert_msg(set_parameter(row, k, text, &value, message) == -1, "%s %s=%s", row->name,
                row->parameters[k].name, text);
  ck_assert_double_eq(value, row->parameters[k].initial);
  snprintf(quoted, sizeof quoted, "'%s'", text);
  ck_assert_msg(strstr(message, quoted) != NULL, "%s", message);
  ck_assert_msg(strstr(message, row->parameters[k].name) == message, "%s", message);
}

static void check_number(const struct integrand *row, size_t k)
{
  static const char *const bad[] = {"",   "abc", "1x",  "0.1 ", "1,5",
                                    "--", "inf", "nan", "-inf", "1e999"};
  const struct parameter *p = &row->parameters[k];
  const double good[] = {p->low, p->high, 0.5 * (p->low + p->high)};
  const double outside[] = {nextafter(p->low, -INFINITY), nextafter(p->high, INFINITY)};
  char text[64];
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    snprintf(text, sizeof text, "%.17g", good[i]);
    check_accepted(row, k, text, good[i]);
  }
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
    snprintf(text, sizeof text, "%.17g", outside[i]);
    check_refused(row, k, text);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) check_refused(row, k, bad[i]);
}

static void check_choices(const struct integrand *row, size_t k)
{
  char words[128], joined[160], *rest = words;
  snprintf(words, sizeof words, "%s", row->parameters[k].choices);
  for (int i = 0; rest; i++) {
    char *word = strsep(&rest, ",");
    check_accepted(row, k, word, i);
    snprintf(joined, sizeof joined, "%sx", word);
    check_refused(row, k, joined);
  }
  check_refused(row, k, "");
  check_refused(row, k, "0");
  check_refused(row, k, row->parameters[k].choices);
}

START_TEST(settings_are_taken_or_refused)
{
  for (size_t i = 0; integrand_table[i]; i++) {
    const struct integrand *row = integrand_table[i];
    for (size_t k = 0; row->parameters[k].name; k++)
      if (row->parameters[k].choices)
        check_choices(row, k);
      else
        check_number(row, k);
  }
}
END_TEST

static void check_sentence(const char *name, const char *setting, const char *sentence)
{
  const struct integrand *row = integrand_find(name);
  double values[INTEGRAND_MAX_PARAMETERS];
  char message[256] = "";
  integrand_defaults(row, values);
  ck_assert_int_eq(integrand_set(row, setting, values, message, sizeof message), -1);
  ck_assert_str_eq(message, sentence);
}

START_TEST(sentences_say_what_is_allowed)
{
  check_sentence("ee3j", "ycut=7", "ycut must be between 1e-09 and 0.333, got '7'");
  check_sentence("ee3j", "ycut=x", "ycut must be a number between 1e-09 and 0.333, got 'x'");
  check_sentence("ee3j", "quark=t", "quark must be one of u,d,s,c,b,all, got 't'");
  check_sentence("ee3j", "ycu=1",
                 "ee3j has no parameter 'ycu'; it has: sqrts, measure, ycut, quark, "
                 "alpha_s");
  check_sentence("camel", "alphabet=1", "camel has no parameter 'alphabet'; it has: alpha");
  check_sentence("camel", "alpha", "a parameter is set by key=value, got 'alpha'");
  check_sentence("camel", "", "a parameter is set by key=value, got ''");
}
END_TEST

START_TEST(message_buffer_is_not_overrun)
{
  double values[INTEGRAND_MAX_PARAMETERS];
  char message[8] = "......!";
  const struct integrand *row = integrand_find("ee3j");
  integrand_defaults(row, values);
  ck_assert_int_eq(integrand_set(row, "ycut=7", values, message, 5), -1);
  ck_assert_str_eq(message, "ycut");
  ck_assert_str_eq(message + 5, ".!");
}
END_TEST

/* ---- i-flow's Gaussian and camel ------------------------------------------------- */

static void *make(const char *name, size_t dim, double alpha)
{
  void *state = integrand_make(integrand_find(name), dim, &alpha);
  ck_assert_ptr_nonnull(state);
  return state;
}

static double exact_value(const char *name, size_t dim, double alpha)
{
  void *state = make(name, dim, alpha);
  double value = NAN;
  ck_assert_int_eq(integrand_find(name)->exact(state, dim, &value), 1);
  free(state);
  return value;
}

static double value_at(const char *name, size_t dim, double alpha, double *x)
{
  void *state = make(name, dim, alpha);
  double value = integrand_find(name)->f(x, dim, state);
  free(state);
  return value;
}

START_TEST(published_values)
{
  static const struct {
    size_t dim;
    double gaussian, camel;
  } row[] = {
      {2, 0.99918626157505, 0.98166031212523},
      {4, 0.99837318532033, 0.96365696840180},
      {8, 0.99674901716667, 0.92863475274936},
      {16, 0.99350860322272, 0.86236250401386},
  };
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    ck_assert_relative(exact_value("gaussian", row[i].dim, 0.2), row[i].gaussian, 1e-13);
    ck_assert_relative(exact_value("camel", row[i].dim, 0.2), row[i].camel, 1e-13);
  }
}
END_TEST

static double integrate_line(const struct integrand *row, void *state)
{
  struct rule rule = gauss_rule(128);
  double sum = 0;
  for (size_t i = 0; i < rule.n; i++) sum += rule.w[i] * row->f(&rule.x[i], 1, state);
  return sum;
}

static double integrate_square(const struct integrand *row, void *state)
{
  struct rule rule = gauss_rule(128);
  double sum = 0;
  for (size_t i = 0; i < rule.n; i++)
    for (size_t j = 0; j < rule.n; j++)
      sum += rule.w[i] * rule.w[j] * row->f((double[]){rule.x[i], rule.x[j]}, 2, state);
  return sum;
}

static void check_quadrature(const char *name, size_t dim, double alpha)
{
  const struct integrand *row = integrand_find(name);
  void *state = make(name, dim, alpha);
  double sum = dim == 1 ? integrate_line(row, state) : integrate_square(row, state);
  ck_assert_relative(exact_value(name, dim, alpha), sum, 1e-12);
  free(state);
}

START_TEST(exact_values_agree_with_quadrature)
{
  static const double alpha[] = {0.05, 0.2, 1};
  for (size_t i = 0; i < 3; i++)
    for (size_t dim = 1; dim <= 2; dim++) {
      check_quadrature("gaussian", dim, alpha[i]);
      check_quadrature("camel", dim, alpha[i]);
    }
}
END_TEST

/* A Gaussian of one coordinate, in the words of the paper. */
static double line_gaussian(double x, double centre, double alpha)
{
  return exp(-(x - centre) * (x - centre) / (alpha * alpha)) / (alpha * sqrt(M_PI));
}

START_TEST(peaks_are_products_over_coordinates)
{
  enum { DIM = 9 };
  double x[DIM], middle = 1, third = 1, two_thirds = 1;
  for (int i = 0; i < DIM; i++) {
    x[i] = fmod(0.35 + 0.618 * i, 1);
    middle *= line_gaussian(x[i], 0.5, 0.3);
    third *= line_gaussian(x[i], 1.0 / 3, 0.3);
    two_thirds *= line_gaussian(x[i], 2.0 / 3, 0.3);
  }
  ck_assert_relative(value_at("gaussian", DIM, 0.3, x), middle, 1e-13);
  ck_assert_relative(value_at("camel", DIM, 0.3, x), 0.5 * (third + two_thirds), 1e-13);
}
END_TEST

/* (alpha sqrt(pi))^256 = 1e-325 is below the range of double. */
START_TEST(norm_survives_high_dimension)
{
  enum { DIM = 256 };
  const double alpha = 0.03033;
  double x[DIM];
  for (int i = 0; i < DIM; i++) x[i] = 0.5 + 0.5 * alpha;
  double expected = exp(-DIM * (log(alpha * sqrt(M_PI)) + 0.25));
  ck_assert_double_eq(pow(alpha * sqrt(M_PI), DIM), 0);
  ck_assert(isfinite(expected) && expected > 0);
  ck_assert_relative(value_at("gaussian", DIM, alpha, x), expected, 1e-11);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("integrands");
  TCase *table = tcase_create("table"), *peaks = tcase_create("peaks");
  tcase_add_test(table, rows_are_complete);
  tcase_add_test(table, rows_are_found_by_name);
  tcase_add_test(table, defaults_are_the_initial_values);
  tcase_add_test(table, settings_are_taken_or_refused);
  tcase_add_test(table, sentences_say_what_is_allowed);
  tcase_add_test(table, message_buffer_is_not_overrun);
  tcase_add_test(peaks, published_values);
  tcase_add_test(peaks, exact_values_agree_with_quadrature);
  tcase_add_test(peaks, peaks_are_products_over_coordinates);
  tcase_add_test(peaks, norm_survives_high_dimension);
  suite_add_tcase(suite, table);
  suite_add_tcase(suite, peaks);
  return run_suite(suite);
}

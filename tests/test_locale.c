/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In a host with a decimal comma every file is the same byte for byte, and every number that is
 * given as text is read. */
#include "comma.h"
#include "integrands.h"
#include "matrix_element.h"
#include "nis_events.h"
#include "suite.h"

#include <unistd.h>

/* glibc's newlocale loses some bytes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:argz_add_sep\n";
}

static char folder[] = "/tmp/nis-test-XXXXXX";

static double bell(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += x[j];
  return 1.5 + sum;
}

static int particles(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)dim, (void)params;
  *event = (nis_event){.nparticles = 2, .scale = 0.5, .alpha_s = 0.118};
  for (int i = 0; i < 2; i++) event->particle[i].p[0] = x[i];
  return 0;
}

/* The file of a run, in memory; to be freed. NULL where the format needs HDF5 and there is none. */
static char *run(const char *ending, nis_event_format format, size_t *size)
{
  char path[64];
  nis *s;
  snprintf(path, sizeof path, "%s/events%s", folder, ending);
  const nis_options options = {.dim = 2, .calls = 2000, .threads = 2};
  const nis_event_options o = {.events = 500,
                               .path = path,
                               .format = format,
                               .particles = particles,
                               .tail = 0.0125,
                               .header = "alpha: 0.118\n"};
  if (nis_check_events(&o) == NIS_INVALID) return NULL;
  ck_assert_int_eq(nis_create(&s, bell, &options), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 1000, NULL), NIS_OK);
  ck_assert_int_eq(nis_events(s, &o, NULL), NIS_OK);
  nis_free(s);
  FILE *file = fopen(path, "rb");
  ck_assert_ptr_nonnull(file);
  char *text = NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  text = malloc(*size);
  ck_assert_uint_eq(fread(text, 1, *size, file), *size);
  fclose(file);
  remove(path);
  return text;
}

static const struct {
  const char *ending;
  nis_event_format format;
} formats[] = {{".lhe", NIS_FORMAT_LHE},     {".lhe.gz", NIS_FORMAT_LHE}, {".lhe", NIS_FORMAT_LHE3},
               {".lheh5", NIS_FORMAT_LHEH5}, {".h5", NIS_FORMAT_HDF5},    {".npy", NIS_FORMAT_NPY},
               {".txt", NIS_FORMAT_TEXT},    {".txt.gz", NIS_FORMAT_TEXT}};

START_TEST(files)
{
  size_t size, same;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  char *point = run(formats[_i].ending, formats[_i].format, &size);
  decimal_comma();
  char *comma = run(formats[_i].ending, formats[_i].format, &same);
  ck_assert_int_eq(point == NULL, comma == NULL);
  if (point) ck_assert_uint_eq(size, same);
  if (point) ck_assert_int_eq(memcmp(point, comma, size), 0);
  free(point);
  free(comma);
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* The host may also have set the locale for one of its threads only. */
START_TEST(files_of_a_thread)
{
  size_t size, same;
  ck_assert_ptr_nonnull(mkdtemp(folder));
  char *point = run(".lhe", NIS_FORMAT_LHE, &size);
  decimal_comma();
  locale_t comma = duplocale(LC_GLOBAL_LOCALE);
  setlocale(LC_ALL, "C");
  uselocale(comma);
  char *text = run(".lhe", NIS_FORMAT_LHE, &same);
  ck_assert_ptr_eq(uselocale(LC_GLOBAL_LOCALE), comma);
  freelocale(comma);
  ck_assert_uint_eq(size, same);
  ck_assert_int_eq(memcmp(point, text, size), 0);
  free(point);
  free(text);
  ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(matrix_element)
{
  static const double p[][4] = {
      {80, 0, 0, 80}, {80, 0, 0, -80}, {50, 30, 0, 40}, {50, 30, 0, -40}, {60, -60, 0, 0}};
  const char *setting = "alpha_s=0.125", *comma = "alpha_s=0,125", *large = "alpha_s=1.5";
  char sentence[256], with_comma[256];
  nis_matrix_element *m = nis_matrix_element_make("ee3j", &setting, 1, sentence, sizeof sentence);
  ck_assert_ptr_nonnull(m);
  double value = nis_matrix_element_value(m, p);
  nis_matrix_element_free(m);
  ck_assert_ptr_null(nis_matrix_element_make("ee3j", &large, 1, sentence, sizeof sentence));
  decimal_comma();
  m = nis_matrix_element_make("ee3j", &setting, 1, with_comma, sizeof with_comma);
  ck_assert_msg(m != NULL, "%s", with_comma);
  ck_assert_double_eq(nis_matrix_element_value(m, p), value);
  nis_matrix_element_free(m);
  ck_assert_ptr_null(nis_matrix_element_make("ee3j", &comma, 1, with_comma, sizeof with_comma));
  ck_assert_ptr_null(nis_matrix_element_make("ee3j", &large, 1, with_comma, sizeof with_comma));
  ck_assert_str_eq(sentence, with_comma);
  snprintf(sentence, sizeof sentence, "%.1f", 0.5);
  ck_assert_str_eq(sentence, "0,5"); /* the host's locale is still its own */
}
END_TEST

/* Every number that is a parameter of a built-in integrand */
START_TEST(parameters)
{
  char setting[128], sentence[256];
  decimal_comma();
  for (int i = 0; integrand_table[i]; i++) {
    const struct parameter *first = integrand_table[i]->parameters;
    for (const struct parameter *p = first; p->name; p++) {
      double values[INTEGRAND_MAX_PARAMETERS], number = p->low + 0.5 * (p->high - p->low);
      if (p->choices || !(number < 1e6)) continue;
      locale_t host = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
      snprintf(setting, sizeof setting, "%s=%.17g", p->name, number);
      uselocale(host);
      int bad = integrand_set(integrand_table[i], setting, values, sentence, sizeof sentence);
      ck_assert_msg(!bad, "%s", sentence);
      ck_assert_double_eq(values[p - first], number);
    }
  }
}
END_TEST

START_TEST(options_by_name)
{
  nis_options o = {0};
  decimal_comma();
  ck_assert_int_eq(nis_options_set(&o, "train_share", "0.25"), NIS_OK);
  ck_assert_double_eq(o.train_share, 0.25);
  ck_assert_int_eq(nis_options_set(&o, "train_share", "0,5"), NIS_INVALID);
  ck_assert_int_eq(nis_options_set(&o, "train_share", "1.5"), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "got '1.5'"));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("locale");
  TCase *tcase = tcase_create("locale");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, files, 0, sizeof formats / sizeof *formats);
  tcase_add_test(tcase, files_of_a_thread);
  tcase_add_test(tcase, matrix_element);
  tcase_add_test(tcase, parameters);
  tcase_add_test(tcase, options_by_name);
  suite_add_tcase(suite, tcase);
  make_comma();
  return remove_comma(run_suite(suite));
}

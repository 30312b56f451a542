/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cross sections of e+ e- -> four and five partons: the rows ee4j, ee5j, ee4q, ee4qg. Oracle: the
 * same squared matrix element, even in phase space (RAMBO), with cuts and identical partons counted
 * here. Events: conserved momenta, colour lines that begin and end, a point always the same event.
 */
#include "alarm.h"
#include "ee_four_quarks.h"
#include "ee_jets.h"
#include "jacobian.h"
#include "mean.h"
#include "noise.h"
#include "phase_space.h"
#include "rows.h"
#include "suite.h"

#include <math.h>

enum { MOST_DIMENSIONS = 12 };

static uint64_t state = 12;

static void any_point(double *x)
{
  for (int j = 0; j < MOST_DIMENSIONS; j++) x[j] = next_uniform(&state);
}

/* ---- cross sections ------------------------------------------------------------------------ */

/* The smallest y_ij by its definition, from energies and angles */
static double smallest(int n, double (*p)[4], double sqrts, int durham)
{
  double least = INFINITY;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) {
      double cosine =
          (p[i][1] * p[j][1] + p[i][2] * p[j][2] + p[i][3] * p[j][3]) / (p[i][0] * p[j][0]);
      double least_energy = fmin(p[i][0], p[j][0]);
      double scale = durham ? least_energy * least_energy : p[i][0] * p[j][0];
      least = fmin(least, 2 * scale * (1 - cosine) / (sqrts * sqrts));
    }
  return least;
}

struct process {
  const char *name, *settings;
  int partons;
  double sqrts, ycut, alpha_s;
  int durham, pdg[2]; /* pdg[1]: of the second quark pair, or 0 */
  double identical;   /* 1 / n! */
};

static const struct process processes[] = {
    {"ee4j", "", 4, 91.188, 0.01, 0.118, 0, {2, 0}, 1. / 2},
    {"ee4j",
     "measure=durham ycut=0.005 quark=b sqrts=1000",
     4,
     1000,
     0.005,
     0.118,
     1,
     {5, 0},
     1. / 2},
    {"ee5j", "alpha_s=0.2", 5, 91.188, 0.01, 0.2, 0, {2, 0}, 1. / 6},
    {"ee4q", "", 4, 91.188, 0.01, 0.118, 0, {2, 1}, 1},
    {"ee4q",
     "quark=s quark2=s measure=durham ycut=0.005",
     4,
     91.188,
     0.005,
     0.118,
     1,
     {3, 3},
     1. / 4},
    {"ee4qg", "quark=d quark2=u", 5, 91.188, 0.01, 0.118, 0, {1, 2}, 1},
    {"ee4qg", "quark=c quark2=c", 5, 91.188, 0.01, 0.118, 0, {4, 4}, 1. / 4},
};

struct amplitudes {
  struct ee_couplings couplings;
  struct ee_jets two;
  struct ee_four_quarks four;
};

static void prepare(const struct process *r, struct amplitudes *a)
{
  ee_couplings_set(&a->couplings, r->pdg[0], r->alpha_s);
  if (r->pdg[1])
    ee_four_quarks_set(&a->four, r->partons - 4, r->pdg, r->alpha_s);
  else
    ee_jets_set(&a->two, r->partons - 2);
}

static double matrix_element(const struct process *r, const struct amplitudes *a,
                             const double (*p)[4])
{
  return r->pdg[1] ? ee_four_quarks_squared(&a->four, p)
                   : ee_jets_squared(&a->two, &a->couplings, p);
}

/* Evenly in phase space; the flux is 1 / (2 s), (hbar c)^2 = 0.3893793656e9 pb GeV^2 */
static double even(const struct process *r, const struct amplitudes *a, const double *x)
{
  double p[7][4], e = r->sqrts / 2;
  const double beams[2][4] = {{e, 0, 0, e}, {e, 0, 0, -e}};
  memcpy(p, beams, sizeof beams);
  double weight = nis_rambo_on_diet(r->partons, r->sqrts, x, p + 2);
  if (smallest(r->partons, p + 2, r->sqrts, r->durham) <= r->ycut) return 0;
  return 0.3893793656e9 / (2 * r->sqrts * r->sqrts) * r->identical * weight *
         matrix_element(r, a, (const double(*)[4])p);
}

static void check_cross_section(const struct process *r, int points)
{
  struct mean ours = {0}, flat = {0};
  struct amplitudes amplitudes;
  double x[MOST_DIMENSIONS];
  prepare(r, &amplitudes);
  struct made made = make_usual(r->name, r->settings);
  for (int i = 0; i < points; i++) {
    any_point(x);
    mean_add(&ours, call(&made, x));
    mean_add(&flat, even(r, &amplitudes, x));
  }
  double off = mean_value(&ours) - mean_value(&flat),
         error = hypot(mean_error(&ours), mean_error(&flat));
  require(fabs(off) < alarm_errors(LENGTH(processes)) * error, "%s %s: %g +- %g and %g +- %g",
          r->name, r->settings, mean_value(&ours), mean_error(&ours), mean_value(&flat),
          mean_error(&flat));
  check_between(error / mean_value(&ours), 0, 0.08, "relative error");
  free(made.state);
}

START_TEST(cross_sections_are_those_of_even_points)
{
  for (size_t i = 0; i < LENGTH(processes); i++)
    check_cross_section(&processes[i], processes[i].partons == 5 ? 10000 : 20000);
}
END_TEST

static void check_power(const char *name, const double *x)
{
  double one = value_at(name, 12, "alpha_s=0.1 ycut=1e-4", x);
  double two = value_at(name, 12, "alpha_s=0.2 ycut=1e-4", x);
  require(fabs(two - 8 * one) <= 1e-12 * two, "%s: %g and %g", name, one, two);
}

/* alpha_s^3 of five partons */
START_TEST(strong_coupling_counts)
{
  double x[MOST_DIMENSIONS];
  for (int i = 0; i < 100; i++) {
    any_point(x);
    check_power("ee5j", x);
    check_power("ee4qg", x);
  }
}
END_TEST

/* Of the two quark pairs it does not matter which is first. */
START_TEST(quark_pairs_are_equal)
{
  struct mean mean[2] = {{0}};
  double x[MOST_DIMENSIONS];
  for (int order = 0; order < 2; order++) {
    struct made made = make_usual("ee4q", order ? "quark=d quark2=u" : "quark=u quark2=d");
    for (int i = 0; i < 100000; i++) {
      any_point(x);
      mean_add(&mean[order], call(&made, x));
    }
    free(made.state);
  }
  double off = mean_value(&mean[0]) - mean_value(&mean[1]);
  require(fabs(off) < alarm_errors(1) * hypot(mean_error(&mean[0]), mean_error(&mean[1])),
          "off by %g", off);
}
END_TEST

/* An event and its CP image are equally likely: half a turn of the second number. */
START_TEST(nothing_depends_on_the_second_number)
{
  static const char *const rows[][2] = {{"ee4j", "ycut=1e-3"},
                                        {"ee4q", "ycut=1e-3"},
                                        {"ee4q", "ycut=1e-3 quark2=u"},
                                        {"ee5j", "ycut=1e-4"},
                                        {"ee4qg", "ycut=1e-4"}};
  double x[MOST_DIMENSIONS];
  for (size_t r = 0; r < LENGTH(rows); r++) {
    struct made made = make_usual(rows[r][0], rows[r][1]);
    for (int i = 0; i < 200; i++) {
      any_point(x);
      double one = call(&made, x);
      x[1] = fmod(x[1] + 0.5, 1);
      double image = call(&made, x);
      x[1] = next_uniform(&state);
      double turned = call(&made, x);
      require(fabs(one - image) <= 1e-7 * one, "%s: %g and %g", rows[r][0], one, image);
      require(fabs(one - turned) <= 1e-7 * one, "%s: %g and %g", rows[r][0], one, turned);
    }
    free(made.state);
  }
}
END_TEST

/* quark=all has the flavour as one more coordinate: of each value f is that of the flavour, and so
 * are the particles. |M|^2 is the sum. */
static void check_flavours(const char *name, const char *settings)
{
  static const char *const words[] = {"u", "d", "s", "c", "b"};
  static const int pdg[] = {2, 1, 3, 4, 5};
  char text[128];
  double x[MOST_DIMENSIONS], p[8][4];
  snprintf(text, sizeof text, "%s quark=all", settings);
  size_t dim = integrand_find(name)->dim_default;
  struct made all = make_row(name, dim + 1, text);
  for (int i = 0; i < 100;) {
    double sum = 0;
    nis_event event = {0};
    any_point(x);
    if (call(&all, x) == 0) continue;
    i++;
    x[dim] = i % 5;
    all.row->particles(x, dim + 1, &event, all.state);
    ck_assert_int_eq(event.particle[2].pdg, pdg[i % 5]);
    ck_assert_int_eq(event.particle[3].pdg, -pdg[i % 5]);
    for (int j = 0; j < all.row->legs; j++) memcpy(p[j], event.particle[j].p, sizeof p[j]);
    for (int k = 0; k < 5; k++) {
      snprintf(text, sizeof text, "%s quark=%s", settings, words[k]);
      struct made one = make_usual(name, text);
      x[dim] = (k + 0.5) / 5;
      ck_assert_double_eq(call(&all, x), 5 * call(&one, x));
      sum += one.row->squared(one.state, (const double(*)[4])p);
      free(one.state);
    }
    check_between(sum / all.row->squared(all.state, (const double(*)[4])p) - 1, -1e-12, 1e-12,
                  "sum of |M|^2");
  }
  free(all.state);
}

START_TEST(flavours_are_summed)
{
  check_flavours("ee3j", "sqrts=200 ycut=1e-3");
  check_flavours("ee4j", "measure=durham ycut=1e-3");
}
END_TEST

/* One run for the sum of five integrals */
START_TEST(sum_over_flavours)
{
  static const char *const single[] = {"quark=u", "quark=d", "quark=s", "quark=c", "quark=b"};
  double exact = 0, together = exact_value("ee3j", 6, "quark=all");
  for (size_t k = 0; k < LENGTH(single); k++) exact += exact_value("ee3j", 5, single[k]);
  check_between(together / exact - 1, -1e-13, 1e-13, "value");
  struct made made = make_row("ee3j", 6, "quark=all");
  int discrete[6];
  ck_assert_uint_eq(integrand_discrete(made.row, made.state, 6, discrete), 0);
  ck_assert_int_eq(discrete[5], 5);
  nis_result r = nis_integrate(made.row->f, 6, .params = made.state, .discrete = discrete,
                               .calls = 20000, .effort = 0.3, .threads = 2);
  double most = alarm_errors_of_nets(1, r.dof) * r.error;
  check_between(r.value, exact - most, exact + most, "value");
  check_between(r.error / exact, 0, 2e-3, "relative error");
  free(made.state);
}
END_TEST

/* ---- events -------------------------------------------------------------------------------- */

static int count_lines(const nis_event *event, int which, int line)
{
  int n = 0;
  for (int i = 0; i < event->nparticles; i++) n += event->particle[i].colour[which] == line;
  return n;
}

/* Every colour line begins once and ends once; quarks and gluons have the right ones. */
static void check_colours(const nis_event *event)
{
  for (int i = 0; i < event->nparticles; i++) {
    const nis_particle *q = &event->particle[i];
    int coloured = abs(q->pdg) < 10 || q->pdg == 21;
    ck_assert_int_eq(q->colour[0] != 0, coloured && q->pdg > 0);
    ck_assert_int_eq(q->colour[1] != 0, coloured && (q->pdg < 0 || q->pdg == 21));
    for (int which = 0; which < 2; which++)
      if (q->colour[which]) {
        ck_assert_int_eq(count_lines(event, 0, q->colour[which]), 1);
        ck_assert_int_eq(count_lines(event, 1, q->colour[which]), 1);
      }
    ck_assert(q->colour[0] == 0 || q->colour[0] != q->colour[1]);
  }
}

static void check_event(const struct process *r, const nis_event *event)
{
  static const int gluon = 21;
  double p[7][4];
  int pdg[7] = {11, -11, r->pdg[0], -r->pdg[0], gluon, gluon, gluon};
  if (r->pdg[1]) pdg[4] = r->pdg[1], pdg[5] = -r->pdg[1];
  ck_assert_int_eq(event->nparticles, 2 + r->partons);
  for (int i = 0; i < event->nparticles; i++) {
    ck_assert_int_eq(event->particle[i].pdg, pdg[i]);
    ck_assert_int_eq(event->particle[i].status, i < 2 ? -1 : 1);
    memcpy(p[i], event->particle[i].p, sizeof p[i]);
  }
  check_momenta(r->partons, r->sqrts, p + 2, 1e-9);
  ck_assert_double_gt(smallest(r->partons, p + 2, r->sqrts, r->durham), r->ycut * (1 - 1e-9));
  check_colours(event);
}

/* Numbers the ways in which the quarks are joined and the gluons lie between them */
static int flow_of(const nis_event *event)
{
  int flow = 0;
  for (int i = 2; i < event->nparticles; i++)
    for (int j = 2; j < event->nparticles; j++) {
      int line = event->particle[i].colour[0];
      if (line && line == event->particle[j].colour[1]) flow = 8 * flow + j;
    }
  return flow;
}

static int find(int *list, int *n, int flow)
{
  int i = 0;
  while (i < *n && list[i] != flow) i++;
  if (i == *n) list[(*n)++] = flow;
  return i;
}

/* All flows turn up: n! orders of the gluons; q with Qbar or with qbar, and the gluon on either */
START_TEST(events_are_whole)
{
  static const int flows[] = {2, 2, 6, 2, 2, 4, 4};
  for (size_t i = 0; i < LENGTH(processes); i++) {
    const struct process *r = &processes[i];
    struct made made = make_usual(r->name, r->settings);
    double x[MOST_DIMENSIONS];
    int seen[64], nseen = 0;
    for (int found = 0; found < 300;) {
      nis_event event = {0}, again = {0};
      any_point(x);
      if (call(&made, x) == 0) continue;
      found++;
      integrand_point(made.row, made.state, made.dim, x);
      ck_assert_int_eq(made.row->particles(x, made.dim, &event, made.state), 0);
      ck_assert_int_eq(made.row->particles(x, made.dim, &again, made.state), 0);
      ck_assert_int_eq(flow_of(&event), flow_of(&again));
      check_event(r, &event);
      find(seen, &nseen, flow_of(&event));
    }
    ck_assert_int_eq(nseen, flows[i]);
    free(made.state);
  }
}
END_TEST

/* Two quark lines: that of colours N^2 times as strong joins different pairs. */
START_TEST(pairs_are_joined_across)
{
  struct made made = make_usual("ee4q", "");
  double x[MOST_DIMENSIONS];
  int across = 0, all = 0;
  while (all < 2000) {
    nis_event event = {0};
    any_point(x);
    if (call(&made, x) == 0) continue;
    integrand_point(made.row, made.state, made.dim, x);
    made.row->particles(x, made.dim, &event, made.state);
    across += event.particle[2].colour[0] == event.particle[5].colour[1];
    all++;
  }
  check_between((across - 1800) / 13.4, -alarm_errors(1), alarm_errors(1),
                "of 2000 with probability 9/10");
  free(made.state);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("multijets");
  TCase *all = tcase_create("multijets");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, cross_sections_are_those_of_even_points);
  tcase_add_test(all, strong_coupling_counts);
  tcase_add_test(all, quark_pairs_are_equal);
  tcase_add_test(all, nothing_depends_on_the_second_number);
  tcase_add_test(all, flavours_are_summed);
  tcase_add_test(all, sum_over_flavours);
  tcase_add_test(all, events_are_whole);
  tcase_add_test(all, pairs_are_joined_across);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}

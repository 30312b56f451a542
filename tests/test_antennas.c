/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase space along the poles of QCD. The weight of a single channel is known by numeric
 * derivatives; that of all channels by its volume inside a cut, which the even map of RAMBO has
 * too. The channels themselves: no pole is left, so that the squared matrix element times the
 * weight stays bounded near each.
 */
#include "alarm.h"
#include "antennas.h"
#include "jacobian.h"
#include "jet_cut.h"
#include "mean.h"
#include "noise.h"
#include "phase_space.h"
#include "suite.h"

#include <math.h>

enum { POINTS = 20, PROCESSES = 6 };

static const double sqrts = 91.188, s = 91.188 * 91.188;
static uint64_t state = 4;

static const char *const name[PROCESSES] = {"g g",     "g g g",     "u u d d",
                                            "u u u u", "u u d d g", "u u u u g"};

static int partons(int process)
{
  return process == 1 || process > 3 ? 5 : 4;
}

static void make(int process, double y, struct antennas *map)
{
  if (process < 2)
    antennas_of_gluons(map, 2 + process, s, y);
  else
    antennas_of_quarks(map, (process - 2) / 2, process % 2, s, y);
}

static void any_point(double *x, double low)
{
  for (int j = 0; j < MOST_DIM; j++) x[j] = low + (1 - 2 * low) * next_uniform(&state);
}

static double draw(int n, const double *x, double (*p)[4], const void *map)
{
  (void)n;
  return antennas_draw(map, x, p);
}

/* Of any channel; the weight is that of all of phase space. */
static double draw_any(const struct antennas *map, double *x, double (*p)[4])
{
  double *channel = x + 2 + 3 * map->steps;
  *channel = (int)(*channel * map->drawn);
  return map->drawn * antennas_draw(map, x, p);
}

/* ---- one channel -------------------------------------------------------------------------- */

static void check_channel(const struct antennas *all, int c)
{
  struct antennas one = *all;
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  int n = 2 + one.steps, found = 0;
  one.channels = one.drawn = 1;
  one.channel[0] = all->channel[c];
  while (found < POINTS) {
    any_point(x, 0.02);
    x[1] *= 0.5; /* else it is another channel's image */
    double weight = antennas_draw(&one, x, p) * 2;
    if (weight == 0) continue;
    found++;
    check_momenta(n, sqrts, p, 1e-9);
    double numeric = numeric_weight(&(struct map){draw, &one}, n, x);
    require(fabs(numeric / weight - 1) < 1e-3, "channel %d: %g and %g", c, weight, numeric);
  }
}

START_TEST(each_channel_has_its_weight)
{
  struct antennas map;
  for (int process = 0; process < PROCESSES; process++) {
    make(process, 1e-3, &map);
    for (int c = 0; c < map.channels; c++) check_channel(&map, c);
  }
}
END_TEST

/* Of n gluons n! orders of colour and n! of emission; of two pairs of quarks see antennas.c. All
 * are images of those that are drawn. */
START_TEST(channels_are_counted)
{
  static const int drawn[PROCESSES] = {1, 3, 2, 2, 12, 6}, all[PROCESSES] = {4, 36, 4, 8, 24, 48};
  struct antennas map;
  for (int process = 0; process < PROCESSES; process++) {
    make(process, 0.01, &map);
    ck_assert_int_eq(map.drawn, drawn[process]);
    ck_assert_int_eq(map.channels, all[process]);
    for (int c = 0; c < map.channels; c++)
      for (int d = 0; d < c; d++)
        ck_assert(memcmp(&map.channel[c], &map.channel[d], sizeof map.channel[c]) != 0);
  }
}
END_TEST

/* ---- all channels ------------------------------------------------------------------------- */

/* Means over the map and over even points, which share their random numbers */
static void check_volume(int process, const struct jet_cut *cut, int points)
{
  struct antennas map;
  struct mean ours = {0}, even = {0};
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  int n = partons(process);
  make(process, cut->y, &map);
  for (int i = 0; i < points; i++) {
    any_point(x, 0);
    double weight = draw_any(&map, x, p);
    mean_add(&ours, weight > 0 && jet_cut_passes(cut, n, p) ? weight : 0);
    weight = nis_rambo_on_diet(n, sqrts, x, p);
    mean_add(&even, jet_cut_passes(cut, n, p) ? weight : 0);
  }
  double off = mean_value(&ours) - mean_value(&even);
  double error = hypot(mean_error(&ours), mean_error(&even));
  require(fabs(off) < alarm_errors(2 * PROCESSES) * error, "%s: %g +- %g, %g", name[process],
          mean_value(&ours), error, mean_value(&even));
  require(error < 0.05 * mean_value(&even), "%s: error %g", name[process], error);
}

START_TEST(volumes_inside_a_cut)
{
  for (int process = 0; process < PROCESSES; process++) {
    check_volume(process, &(struct jet_cut){s, 0.01, JADE}, 100000);
    check_volume(process, &(struct jet_cut){s, 0.001, DURHAM}, 100000);
  }
}
END_TEST

static void exchange(double (*p)[4], int a, int b)
{
  double kept[4];
  memcpy(kept, p[a], sizeof kept);
  memcpy(p[a], p[b], sizeof kept);
  memcpy(p[b], kept, sizeof kept);
}

/* CP */
static void reverse(int process, double (*p)[4])
{
  exchange(p, 0, 1);
  if (process > 1) exchange(p, 2, 3);
  for (int i = 0; i < partons(process); i++)
    for (int m = 1; m < 4; m++) p[i][m] = -p[i][m];
}

/* Only a part of the channels is drawn: that is right only if the others are their images. */
START_TEST(density_has_the_symmetries)
{
  static const int pair[PROCESSES][2] = {{2, 3}, {2, 4}, {0, 0}, {0, 2}, {0, 0}, {0, 2}};
  struct antennas map;
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  for (int process = 0; process < PROCESSES; process++) {
    make(process, 1e-3, &map);
    for (int found = 0; found < 100;) {
      any_point(x, 0);
      double weight = draw_any(&map, x, p);
      if (weight == 0) continue;
      found++;
      exchange(p, pair[process][0], pair[process][1]);
      if (found % 2) reverse(process, p);
      double other = antennas_density(&map, (const double(*)[4])p) * weight;
      require(fabs(other - 1) < 1e-6, "%s: %g", name[process], other - 1);
    }
  }
}
END_TEST

/* Numbers at the ends of the cube, and the smallest cut */
START_TEST(ends_of_the_cube)
{
  struct antennas map;
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  for (int process = 0; process < PROCESSES; process++)
    for (int corner = 0; corner < 2000; corner++) {
      make(process, corner % 2 ? 1e-6 : 0.05, &map);
      for (int j = 0; j < MOST_DIM; j++) {
        double u = next_uniform(&state);
        x[j] = u < 0.2 ? 0x1p-53 : u < 0.4 ? 1 - 0x1p-53 : u;
      }
      double weight = draw_any(&map, x, p);
      require(weight >= 0 && isfinite(weight), "%s: weight %g", name[process], weight);
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("antennas");
  TCase *all = tcase_create("antennas");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, each_channel_has_its_weight);
  tcase_add_test(all, channels_are_counted);
  tcase_add_test(all, volumes_inside_a_cut);
  tcase_add_test(all, density_has_the_symmetries);
  tcase_add_test(all, ends_of_the_cube);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}

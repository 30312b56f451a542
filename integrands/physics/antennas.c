/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "antennas.h"

#include "momenta.h"

#include <string.h>

enum { PARTONS = ANTENNA_PARTONS };

/* ---- the triangle a, b, c = 1 - a - b > low ----------------------------------------------- */

/* The density in a and b is that of 1 / (a + soft), and of 1 / (b + soft) where a gluon is
 * emitted or even in b where it splits. */
struct triangle {
  double low, soft;
  int splits;
};

/* Only the last step knows that its three partons are above the cut. The steps before reach all of
 * their triangle, with poles softened the more, the more steps follow, as those need room; the
 * factors give about the smallest variance for y = 0.01 and 0.001. */
static struct triangle triangle_of(const struct antennas *map, int step, int splits, double s_pair)
{
  static const double soft[ANTENNA_STEPS] = {0, 6, 20};
  double cut = map->y * map->s / s_pair;
  int following = map->steps - 1 - step;
  return (struct triangle){following ? 0 : cut, soft[following] * cut, splits};
}

static double width_of_log(const struct triangle *t, double high)
{
  return log((high + t->soft) / (t->low + t->soft));
}

static double draw_pole(const struct triangle *t, double high, double x)
{
  double first = t->low + t->soft;
  return first * exp(x * width_of_log(t, high)) - t->soft;
}

static void draw_triangle(const struct triangle *t, const double x[2], double *a, double *b)
{
  *a = draw_pole(t, 1 - 2 * t->low, x[0]);
  double high = 1 - t->low - *a;
  *b = t->splits ? t->low + x[1] * (high - t->low) : draw_pole(t, high, x[1]);
}

static double triangle_density(const struct triangle *t, double a, double b)
{
  double high = 1 - t->low - a;
  if (!(a > t->low && b > t->low && b < high)) return 0;
  double density = 1 / ((a + t->soft) * width_of_log(t, 1 - 2 * t->low));
  return density / (t->splits ? high - t->low : (b + t->soft) * width_of_log(t, high));
}

/* ---- three partons and two --------------------------------------------------------------- */

/* In the rest frame of the three, I goes along x_i p_i - x_k p_k, x = 2 E / sqrt s_ijk: the
 * harder one keeps its direction. Where a gluon splits, k keeps it. */
static void recoil(int splits, double x_i, double x_k, double share[2])
{
  share[0] = splits ? 0 : x_i;
  share[1] = splits ? 1 : x_k;
}

/* i and k become I and K; returns s_ijk, a and b. */
static double cluster(const struct antenna *step, double (*p)[4], double *a, double *b)
{
  double *i = p[step->i], *k = p[step->k], whole[4], share[2];
  const double *j = p[step->j];
  double s_ij = 2 * product(i, j), s_jk = 2 * product(j, k), s_ik = 2 * product(i, k);
  double s = s_ij + s_jk + s_ik, x_i = (s_ij + s_ik) / s, x_k = (s_jk + s_ik) / s;
  recoil(step->splits, x_i, x_k, share);
  double difference = share[0] * x_i - share[1] * x_k;
  double scale = 1 / sqrt(difference * difference + 4 * share[0] * share[1] * s_ik / s);
  for (int m = 0; m < 4; m++) {
    whole[m] = i[m] + j[m] + k[m];
    double along = scale * (2 * (share[0] * i[m] - share[1] * k[m]) - difference * whole[m]);
    i[m] = 0.5 * (whole[m] + along);
    k[m] = 0.5 * (whole[m] - along);
  }
  *a = s_ij / s;
  *b = s_jk / s;
  return s;
}

static void unit_across(const double axis[3], const double towards[3], double across[3])
{
  double along = 0, length = 0;
  for (int m = 0; m < 3; m++) along += axis[m] * towards[m];
  for (int m = 0; m < 3; m++) across[m] = towards[m] - along * axis[m];
  for (int m = 0; m < 3; m++) length += across[m] * across[m];
  if (length < 1e-30) { /* parallel: any will do */
    const double other[3] = {fabs(axis[0]) < 0.5, fabs(axis[0]) >= 0.5, 0};
    unit_across(axis, other, across);
    return;
  }
  for (int m = 0; m < 3; m++) across[m] /= sqrt(length);
}

/* Directions in the rest frame of I and K: of I, across it in the plane of the beams, or of the
 * partons that recoil against the pair, and across both */
static void set_axes(const double *pair_i, const double whole[4], double mass, int first,
                     double axes[3][3])
{
  double back[4] = {whole[0], -whole[1], -whole[2], -whole[3]}, i[4], others[4] = {0, 0, 0, 1};
  memcpy(i, pair_i, sizeof i);
  boost_from_rest(back, mass, i);
  for (int m = 0; m < 3; m++) axes[0][m] = 2 * i[m + 1] / mass;
  for (int m = 0; m < 3 && !first; m++) others[m + 1] = back[m + 1];
  unit_across(axes[0], others + 1, axes[1]);
  for (int m = 0; m < 3; m++) {
    int n = (m + 1) % 3, o = (m + 2) % 3;
    axes[2][m] = axes[0][n] * axes[1][o] - axes[0][o] * axes[1][n];
  }
}

/* In units of mass / 2: (energy, along i, across it) of i, j, k, turned so that I is along the
 * first */
static void plane_momenta(int splits, double a, double b, double flat[3][3])
{
  double c = 1 - a - b, x_i = a + c, x_j = a + b, x_k = b + c, share[2];
  double across = 2 * sqrt(fmax(a * b * c, 0)) / x_i;
  const double straight[3][3] = {
      {x_i, x_i, 0}, {x_j, x_j - 2 * a / x_i, across}, {x_k, x_k - 2 * c / x_i, -across}};
  recoil(splits, x_i, x_k, share);
  double u = share[0] * x_i - share[1] * straight[2][1], v = share[1] * across;
  double length = hypot(u, v);
  for (int n = 0; n < 3; n++) {
    const double *p = straight[n];
    flat[n][0] = p[0];
    flat[n][1] = (u * p[1] + v * p[2]) / length;
    flat[n][2] = (u * p[2] - v * p[1]) / length;
  }
}

static void branch(const struct antenna *step, int first, double a, double b, double phi,
                   double (*p)[4])
{
  double whole[4], axes[3][3], flat[3][3];
  double *to[] = {p[step->i], p[step->j], p[step->k]};
  for (int m = 0; m < 4; m++) whole[m] = to[0][m] + to[2][m];
  double mass = sqrt(mass_squared(whole));
  set_axes(to[0], whole, mass, first, axes);
  plane_momenta(step->splits, a, b, flat);
  for (int n = 0; n < 3; n++) {
    to[n][0] = 0.5 * mass * flat[n][0];
    for (int m = 0; m < 3; m++) {
      double across = cos(phi) * axes[1][m] + sin(phi) * axes[2][m];
      to[n][m + 1] = 0.5 * mass * (flat[n][1] * axes[0][m] + flat[n][2] * across);
    }
    boost_from_rest(whole, mass, to[n]);
  }
}

/* ---- channels --------------------------------------------------------------------------- */

/* CP: particles become antiparticles, with the opposite momenta. The beams are their own image. */
static void mirror(const struct antennas *map, double (*p)[4])
{
  for (int pair = 0; pair < map->pairs; pair++)
    for (int m = 0; m < 4; m++) {
      double kept = p[2 * pair][m];
      p[2 * pair][m] = p[2 * pair + 1][m];
      p[2 * pair + 1][m] = kept;
    }
  for (int i = 0; i < 2 + map->steps; i++)
    for (int m = 1; m < 4; m++) p[i][m] = -p[i][m];
}

double antennas_draw(const struct antennas *map, const double *x, double (*p)[4])
{
  int c = map->drawn > 1 ? (int)x[2 + 3 * map->steps] : 0, image = x[1] >= 0.5;
  double a, b;
  set_back_to_back(0.5 * sqrt(map->s), (const double[]){x[0], 2 * x[1] - image},
                   p[map->channel[c].quark], p[map->channel[c].antiquark]);
  const double *next = x + 2;
  for (int n = 0; n < map->steps; n++, next += 3) {
    const struct antenna *step = &map->channel[c].step[n];
    double s_pair = 2 * product(p[step->i], p[step->k]);
    struct triangle t = triangle_of(map, n, step->splits, s_pair);
    if (!(3 * t.low < 1)) return 0;
    draw_triangle(&t, next, &a, &b);
    branch(step, n == 0, a, b, 2 * M_PI * next[2], p);
  }
  if (image) mirror(map, p);
  double density = antennas_density(map, (const double(*)[4])p);
  if (!(density > 0)) return 0; /* rounding can put a point right at the cut below it */
  return 1 / (map->drawn * density);
}

static double channel_density(const struct antennas *map, int c, const double (*given)[4])
{
  double p[PARTONS][4], density = 8 * M_PI, a, b;
  memcpy(p, given, (size_t)(2 + map->steps) * sizeof *p);
  for (int n = map->steps - 1; n >= 0 && density > 0; n--) {
    const struct antenna *step = &map->channel[c].step[n];
    double s_pair = cluster(step, p, &a, &b);
    struct triangle t = triangle_of(map, n, step->splits, s_pair);
    density *= 16 * M_PI * M_PI / s_pair * triangle_density(&t, a, b);
  }
  return density;
}

double antennas_density(const struct antennas *map, const double (*p)[4])
{
  double sum = 0;
  for (int c = 0; c < map->channels; c++) sum += channel_density(map, c, p);
  return sum / map->channels;
}

/* ---- the lists of channels -------------------------------------------------------------- */

static void add_channel(struct antennas *map, int quark, int antiquark, const struct antenna *step)
{
  int c = map->channels++;
  map->channel[c].quark = quark;
  map->channel[c].antiquark = antiquark;
  memcpy(map->channel[c].step, step, (size_t)map->steps * sizeof *step);
}

/* Channel c with other names of the partons */
static void add_image(struct antennas *map, int c, const int *name)
{
  struct antenna step[ANTENNA_STEPS];
  for (int n = 0; n < map->steps; n++) {
    const struct antenna *old = &map->channel[c].step[n];
    step[n] = (struct antenna){name[old->i], name[old->j], name[old->k], old->splits};
  }
  add_channel(map, name[map->channel[c].quark], name[map->channel[c].antiquark], step);
}

/* The channels so far are drawn; the others are these with the partons named in all ways that leave
 * the process as it is. The first way is the names that they have. */
static void add_images(struct antennas *map, int ways, const int (*name)[PARTONS])
{
  map->drawn = map->channels;
  for (int way = 1; way < ways; way++)
    for (int c = 0; c < map->drawn; c++) add_image(map, c, name[way]);
}

/* A channel in the making: the partons in the order of their colours, from quark to antiquark */
struct string {
  int length, parton[PARTONS];
};

static int place_of(const struct string *string, int parton)
{
  int place = 0;
  while (string->parton[place] != parton) place++;
  return place;
}

static void insert(struct string *string, int place, int parton)
{
  for (int i = string->length++; i > place; i--) string->parton[i] = string->parton[i - 1];
  string->parton[place] = parton;
}

/* Emits gluon j behind this place. */
static struct antenna emit(struct string *string, int place, int j)
{
  struct antenna step = {string->parton[place], j, string->parton[place + 1], 0};
  insert(string, place + 1, j);
  return step;
}

/* Gluon 3 on the antiquark's side of gluon 2 (CP gives the other), gluon 4 anywhere; of other names
 * of the gluons there are n!. */
void antennas_of_gluons(struct antennas *map, int gluons, double s, double y)
{
  static const int names[12][PARTONS] = {{0, 1, 2, 3, 4}, {1, 0, 2, 3, 4}, {0, 1, 3, 2, 4},
                                         {1, 0, 3, 2, 4}, {0, 1, 2, 4, 3}, {1, 0, 2, 4, 3},
                                         {0, 1, 4, 2, 3}, {1, 0, 4, 2, 3}, {0, 1, 3, 4, 2},
                                         {1, 0, 3, 4, 2}, {0, 1, 4, 3, 2}, {1, 0, 4, 3, 2}};
  *map = (struct antennas){.steps = gluons, .pairs = 1, .s = s, .y = y};
  for (int place = 0; place < (gluons == 2 ? 1 : 3); place++) {
    struct string string = {2, {0, 1}};
    struct antenna step[ANTENNA_STEPS];
    step[0] = emit(&string, 0, 2);
    step[1] = emit(&string, 1, 3);
    if (gluons == 3) step[2] = emit(&string, place, 4);
    add_channel(map, 0, 1, step);
  }
  add_images(map, gluons == 2 ? 4 : 12, names);
}

/* The quarks back to back, and those that a gluon splits into; that has the number of `split`. */
struct pairs {
  int quark, antiquark, split, split_too;
};

/* A gluon that splits while the quark recoils, and then perhaps one from either pair of
 * neighbours in colour */
static void add_early_splits(struct antennas *map, int gluons, const struct pairs *q)
{
  struct antenna step[ANTENNA_STEPS] = {{q->quark, q->split, q->antiquark, 0},
                                        {q->split, q->split_too, q->quark, 1}};
  for (int pair = 0; pair < (gluons ? 2 : 1); pair++) {
    step[2] = pair ? (struct antenna){2, 4, 1, 0} : (struct antenna){0, 4, 3, 0};
    add_channel(map, q->quark, q->antiquark, step);
  }
}

/* Two gluons, the second on the antiquark's side, then one of them splits. */
static void add_late_splits(struct antennas *map, const struct pairs *q)
{
  for (int first = 0; first < 2; first++)
    for (int side = -1; side <= 1; side += 2) {
      struct string string = {2, {q->quark, q->antiquark}};
      struct antenna step[ANTENNA_STEPS];
      step[0] = emit(&string, 0, first ? 4 : q->split);
      step[1] = emit(&string, 1, first ? q->split : 4);
      int spectator = string.parton[place_of(&string, q->split) + side];
      step[2] = (struct antenna){q->split, q->split_too, spectator, 1};
      add_channel(map, q->quark, q->antiquark, step);
    }
}

/* Quarks that are identical can be exchanged, and so can antiquarks; with both the second pair
 * becomes the first, so that the first is enough. Without a gluon it would be the only channel:
 * there both are drawn, so that all flavours have the same coordinates. */
void antennas_of_quarks(struct antennas *map, int gluons, int identical, double s, double y)
{
  static const struct pairs pairs[] = {{0, 1, 2, 3}, {2, 3, 0, 1}};
  static const int names[8][PARTONS] = {{0, 1, 2, 3, 4}, {1, 0, 3, 2, 4}, {2, 1, 0, 3, 4},
                                        {1, 2, 3, 0, 4}, {0, 3, 2, 1, 4}, {3, 0, 1, 2, 4},
                                        {2, 3, 0, 1, 4}, {3, 2, 1, 0, 4}};
  *map = (struct antennas){.steps = 2 + gluons, .pairs = 2, .s = s, .y = y};
  int drawn_pairs = identical && gluons ? 1 : 2;
  for (int i = 0; i < drawn_pairs; i++) {
    add_early_splits(map, gluons, &pairs[i]);
    if (gluons) add_late_splits(map, &pairs[i]);
  }
  add_images(map, identical ? 8 / drawn_pairs : 2, names);
}

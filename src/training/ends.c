/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ends.h"

#include "nis.h"

#include <math.h>

enum {
  LEAST_POINTS = 128,
  LEAST_NEAR = 64, /* points next to a face */
  SWEEPS = 3       /* over all faces: what the others explain is no noise */
};

static const double near_share = 1. / 16; /* of the points are next to a face */
static const double least_power = 0.05;   /* b that is worth a stretch */
/* Standard errors that make a power certain, in each sweep: the first ones tell the others what is
 * no noise. */
static const double sure[SWEEPS] = {2.5, 4, 5};
static const double lasting = 0.7;         /* of b in the nearer half: a peak's is half or less */
static const double most_power = 0.95;     /* of one look; the next sees the rest */
static const double least_flat = 1. / 512; /* 1 - a; the doubles end there */
static const double step = 0.05;           /* powers in nature are simple numbers */

/* A line through points (log t, r) */
struct line {
  double n, x, y, xx, xy, yy;
};

static void line_add(struct line *l, double x, double y)
{
  double dx = x - l->x, dy = y - l->y;
  l->n++;
  l->x += dx / l->n;
  l->y += dy / l->n;
  l->xx += dx * (x - l->x);
  l->xy += dx * (y - l->y);
  l->yy += dy * (y - l->y);
}

/* b = -slope, and its standard error */
static double line_power(const struct line *l, double *error)
{
  double b = -l->xy / l->xx, rest = fmax(l->yy - b * b * l->xx, 0);
  *error = sqrt(rest / (l->n - 2) / l->xx);
  return b;
}

static double distance(const struct points *p, size_t i, size_t dim, size_t face)
{
  double v = p->x[i * dim + face / 2];
  return face % 2 ? 1 - v : v;
}

/* b at a face and its error; r[n] is log |f| without what other faces explain of it. 0 where it is
 * not clear, or does not go on towards the face. */
static double power_at(const struct points *p, size_t dim, size_t face, const double *r,
                       double clear, double *error)
{
  struct line all = {0}, half = {0};
  double width = fmax(near_share, LEAST_NEAR / (double)p->n), half_error;
  for (size_t i = 0; i < p->n; i++) {
    double t = distance(p, i, dim, face);
    if (t >= width || isinf(r[i])) continue;
    line_add(&all, log(t), r[i]);
    if (t < width / 2) line_add(&half, log(t), r[i]);
  }
  if (half.n < LEAST_NEAR / 4) return 0;
  double b = line_power(&all, error), near = line_power(&half, &half_error);
  int real = b > least_power && b > clear * *error;
  return real && near + half_error > lasting * b ? fmin(b, most_power) : 0;
}

/* 1/(1-a) for f = u^-a in all, where f = v^-b is left of it after a stretch; simple where the error
 * allows it */
static double stretch_for(double before, double b, double error)
{
  double flat = (1 - b) / before, simple = step * round(flat / step);
  if (simple > 0 && fabs(simple - flat) < 2 * error / before + 1e-3) flat = simple;
  return 1 / fmin(fmax(flat, least_flat), 1);
}

int nis_ends_find(const struct points *p, size_t dim, const int *periodic, const int *discrete,
                  double *work, struct stretch *stretch)
{
  double power[2 * NIS_MOST_DIM] = {0}, error[2 * NIS_MOST_DIM];
  int changed = 0;
  if (p->n < LEAST_POINTS) return 0;
  for (size_t i = 0; i < p->n; i++) work[i] = log(fabs(p->f[i]));
  for (int sweep = 0; sweep < SWEEPS; sweep++)
    for (size_t face = 0; face < 2 * dim; face++) {
      if ((periodic && periodic[face / 2]) || (discrete && discrete[face / 2])) continue;
      double before = power[face];
      for (size_t i = 0; i < p->n && before > 0; i++)
        work[i] -= before * log(distance(p, i, dim, face));
      power[face] = power_at(p, dim, face, work, sure[sweep], &error[face]);
      for (size_t i = 0; i < p->n && power[face] > 0; i++)
        work[i] += power[face] * log(distance(p, i, dim, face));
    }
  for (size_t face = 0; face < 2 * dim; face++) {
    double *to = face % 2 ? &stretch[face / 2].high : &stretch[face / 2].low;
    if (power[face] == 0) continue;
    double before = *to;
    *to = stretch_for(before, power[face], error[face]);
    changed |= *to != before;
  }
  return changed;
}

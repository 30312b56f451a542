/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "observables.h"

#include "electroweak.h"
#include "jet_cut.h"

#include <math.h>
#include <string.h>

enum { MOST_PARTONS = 8 };

struct partons {
  int n;
  double p[MOST_PARTONS][4];
  double sqrts;
};

static struct partons partons_at(const struct integrand *row, const void *state, const double *x)
{
  struct partons all = {.n = row->legs - 2};
  row->momenta(state, x, all.p);
  for (int i = 0; i < all.n; i++) all.sqrts += all.p[i][0];
  return all;
}

/* ---- one function for each kind ------------------------------------------------------------- */

/* 2 E / sqrt s of the parton that is number `which` by energy */
static double energy(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  double e[MOST_PARTONS];
  for (int i = 0; i < all.n; i++) {
    int k = i;
    for (; k > 0 && e[k - 1] < all.p[i][0]; k--) e[k] = e[k - 1];
    e[k] = all.p[i][0];
  }
  return 2 * e[which - 1] / all.sqrts;
}

/* Of momenta that add up to 0 it is twice the largest |sum of some of them| over sum |p|: the
 * hemispheres of the best direction are such a choice, and no other choice gives more. */
double thrust_of(int partons, const double (*p)[4])
{
  double best = 0, all = 0;
  for (int i = 0; i < partons; i++) all += p[i][0];
  for (int chosen = 1; chosen < 1 << (partons - 1); chosen++) {
    double sum[4] = {0};
    for (int i = 0; i < partons; i++)
      for (int m = 1; m < 4 && chosen >> i & 1; m++) sum[m] += p[i][m];
    best = fmax(best, sum[1] * sum[1] + sum[2] * sum[2] + sum[3] * sum[3]);
  }
  return 2 * sqrt(best) / all;
}

static double thrust(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  (void)which;
  return thrust_of(all.n, (const double(*)[4])all.p);
}

/* Massive ones too, which joined partons are: by angles, as both papers have it */
static double resolution(int measure, const double a[4], const double b[4], double s)
{
  double dot = a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  double length =
      sqrt((a[1] * a[1] + a[2] * a[2] + a[3] * a[3]) * (b[1] * b[1] + b[2] * b[2] + b[3] * b[3]));
  double energies = measure == JADE ? a[0] * b[0] : pow(fmin(a[0], b[0]), 2);
  return length > 0 ? 2 * energies * (1 - dot / length) / s : 0;
}

double jet_rate(int measure, int partons, const double (*momenta)[4], int n)
{
  double p[MOST_PARTONS][4], total = 0, rate = 0;
  memcpy(p, momenta, (size_t)partons * sizeof *p);
  for (int i = 0; i < partons; i++) total += p[i][0];
  for (; partons > n; partons--) {
    int first = 0, second = 1;
    double least = INFINITY;
    for (int i = 0; i < partons; i++)
      for (int k = i + 1; k < partons; k++) {
        double y = resolution(measure, p[i], p[k], total * total);
        if (y < least) least = y, first = i, second = k;
      }
    rate = fmax(rate, least);
    for (int m = 0; m < 4; m++) p[first][m] += p[second][m];
    memcpy(p[second], p[partons - 1], sizeof *p);
  }
  return rate;
}

static double durham(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  return jet_rate(DURHAM, all.n, (const double(*)[4])all.p, which);
}

static double jade(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  return jet_rate(JADE, all.n, (const double(*)[4])all.p, which);
}

/* which: the numbers of both, as two digits */
static double mass(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  const double *a = all.p[which / 10 - 1], *b = all.p[which % 10 - 1];
  return sqrt(fmax(2 * product(a, b), 0));
}

static double cosine(const struct integrand *row, const void *state, const double *x, int which)
{
  struct partons all = partons_at(row, state, x);
  return all.p[which - 1][3] / all.p[which - 1][0];
}

/* ---- tables --------------------------------------------------------------------------------- */

#define ENERGY(i)                                                                                  \
  {                                                                                                \
    "energy" #i, "", "2 E / sqrt s of parton " #i " by energy, the largest first", 0, 1, energy, i \
  }
#define THRUST                                                                                     \
  {                                                                                                \
    "thrust", "", "thrust: max over n of sum |p.n| / sum |p|", 0.5, 1, thrust, 0                   \
  }
#define RATE(name, n, more, high)                                                                  \
  {"y" name, "", "Durham's y at which " #more " jets become " #n, 0, high, durham, n},             \
  {                                                                                                \
    "jade_y" name, "", "JADE's y at which " #more " jets become " #n, 0, high, jade, n             \
  }
#define MASS(i, j)                                                                                 \
  {                                                                                                \
    "m" #i #j, "GeV", "mass of partons " #i " and " #j, 0, Z_MASS, mass, 10 * i + j                \
  }
#define COSINE                                                                                     \
  {                                                                                                \
    "cos_theta", "", "cosine between the first parton and the electron", -1, 1, cosine, 1          \
  }
#define END                                                                                        \
  {                                                                                                \
    NULL, NULL, NULL, 0, 0, NULL, 0                                                                \
  }

const struct observable of_two_partons[] = {COSINE, END};
const struct observable of_three_partons[] = {
    ENERGY(1),  ENERGY(2),  ENERGY(3),  THRUST, RATE("23", 2, 3, 0.35),
    MASS(1, 2), MASS(1, 3), MASS(2, 3), COSINE, END};
const struct observable of_four_partons[] = {ENERGY(1),
                                             ENERGY(2),
                                             ENERGY(3),
                                             ENERGY(4),
                                             THRUST,
                                             RATE("23", 2, 3, 0.35),
                                             RATE("34", 3, 4, 0.2),
                                             MASS(1, 2),
                                             MASS(1, 3),
                                             MASS(1, 4),
                                             MASS(2, 3),
                                             MASS(2, 4),
                                             MASS(3, 4),
                                             COSINE,
                                             END};
const struct observable of_five_partons[] = {ENERGY(1),
                                             ENERGY(2),
                                             ENERGY(3),
                                             ENERGY(4),
                                             ENERGY(5),
                                             THRUST,
                                             RATE("23", 2, 3, 0.35),
                                             RATE("34", 3, 4, 0.2),
                                             RATE("45", 4, 5, 0.12),
                                             MASS(1, 2),
                                             MASS(1, 3),
                                             MASS(1, 4),
                                             MASS(1, 5),
                                             MASS(2, 3),
                                             MASS(2, 4),
                                             MASS(2, 5),
                                             MASS(3, 4),
                                             MASS(3, 5),
                                             MASS(4, 5),
                                             COSINE,
                                             END};

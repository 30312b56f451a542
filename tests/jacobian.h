/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The weight of a map from the unit cube to n massless momenta, by numeric derivatives. In the
 * coordinates p_0 ... p_(n-3) and the direction of p_(n-2) in the rest frame of the last two, phase
 * space is prod_(i < n-2) d^3 p_i / ((2 pi)^3 2 E_i) dOmega / (32 pi^2).
 */
#ifndef JACOBIAN_H
#define JACOBIAN_H

#include "momenta.h"
#include "suite.h"

#include <gsl/gsl_linalg.h>
#include <string.h>

enum { MOST_PARTICLES = 8, MOST_DIM = 3 * MOST_PARTICLES - 4 };

/* The momenta of x, and the weight */
typedef double phase_space_map(int n, const double *x, double (*p)[4], const void *params);

struct map {
  phase_space_map *f;
  const void *params;
};

static inline void coordinates(int n, double (*p)[4], double *c)
{
  double pair[4], back[4], last[4];
  for (int i = 0; i < n - 2; i++)
    for (int m = 0; m < 3; m++) c[3 * i + m] = p[i][m + 1];
  for (int m = 0; m < 4; m++) {
    pair[m] = p[n - 2][m] + p[n - 1][m];
    back[m] = m ? -pair[m] : pair[m];
    last[m] = p[n - 2][m];
  }
  boost_from_rest(back, sqrt(mass_squared(pair)), last);
  c[3 * n - 6] = last[3] / last[0];
  c[3 * n - 5] = atan2(last[2], last[1]);
}

/* d coordinates / d x_j */
static inline void differences(const struct map *map, int n, const double *x, int j, double *slope)
{
  double p[MOST_PARTICLES][4], y[MOST_DIM], c[2][MOST_DIM];
  const double h = 1e-6;
  for (int side = 0; side < 2; side++) {
    memcpy(y, x, sizeof y);
    y[j] += side ? h : -h;
    map->f(n, y, p, map->params);
    coordinates(n, p, c[side]);
  }
  double turn = c[1][3 * n - 5] - c[0][3 * n - 5];
  for (int i = 0; i < 3 * n - 4; i++) slope[i] = (c[1][i] - c[0][i]) / (2 * h);
  slope[3 * n - 5] = remainder(turn, 2 * M_PI) / (2 * h);
}

static inline double determinant(const struct map *map, int n, const double *x)
{
  int dim = 3 * n - 4, sign;
  double slope[MOST_DIM];
  gsl_matrix *matrix = gsl_matrix_alloc((size_t)dim, (size_t)dim);
  gsl_permutation *order = gsl_permutation_alloc((size_t)dim);
  for (int j = 0; j < dim; j++) {
    differences(map, n, x, j, slope);
    for (int i = 0; i < dim; i++) gsl_matrix_set(matrix, (size_t)i, (size_t)j, slope[i]);
  }
  gsl_linalg_LU_decomp(matrix, order, &sign);
  double value = gsl_linalg_LU_det(matrix, sign);
  gsl_matrix_free(matrix);
  gsl_permutation_free(order);
  return fabs(value);
}

static inline double numeric_weight(const struct map *map, int n, const double *x)
{
  double p[MOST_PARTICLES][4];
  double weight = determinant(map, n, x) / (32 * M_PI * M_PI);
  map->f(n, x, p, map->params);
  for (int i = 0; i < n - 2; i++) weight /= pow(2 * M_PI, 3) * 2 * p[i][0];
  return weight;
}

/* On shell, and at rest with this energy in all */
static inline void check_momenta(int n, double sqrts, double (*p)[4], double tolerance)
{
  double sum[4] = {-sqrts, 0, 0, 0};
  for (int i = 0; i < n; i++) {
    double length = hypot(hypot(p[i][1], p[i][2]), p[i][3]);
    require(p[i][0] > 0, "energy %g", p[i][0]);
    require(fabs(p[i][0] - length) < tolerance * sqrts, "mass of %g", p[i][0] - length);
    for (int m = 0; m < 4; m++) sum[m] += p[i][m];
  }
  for (int m = 0; m < 4; m++) require(fabs(sum[m]) < tolerance * sqrts, "%d: off by %g", m, sum[m]);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Infinite at ends of the cube, or where coordinates meet, with finite integrals:
 *
 *     power      prod_i x_i^-a
 *     log_root   prod_i log(x_i) / sqrt(x_i)
 *     arcsine    prod_i 1 / sqrt(1 - x_i^2)
 *     diagonal   |x - y|^-a
 *     coulomb    1 / |r - s|, r and s in the unit cube of three dimensions
 *     watson     1 / (1 - cos(pi x) cos(pi y) cos(pi z))
 *
 * Where doubles cannot tell a point from one of these places, the value is 0. */
#include "integrands.h"

#include <math.h>
#include <string.h>

static const struct parameter no_parameters[] = {
    {NULL, NULL, 0, 0, 0, NULL},
};
static const struct parameter a_parameter[] = {
    {"a", NULL, 0.5, 0, 0.99, "power, the integral is infinite from 1 on"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static void setup(void *state, size_t dim, const double *values)
{
  (void)dim;
  memcpy(state, values, sizeof *values);
}

static double power(double *x, size_t dim, void *state)
{
  double a = *(const double *)state, product = 1;
  for (size_t i = 0; i < dim; i++) product *= pow(x[i], -a);
  return product;
}

static int power_exact(const void *state, size_t dim, double *value)
{
  *value = pow(1 - *(const double *)state, -(double)dim);
  return 1;
}

static double log_root(double *x, size_t dim, void *state)
{
  double product = 1;
  (void)state;
  for (size_t i = 0; i < dim; i++) product *= log(x[i]) / sqrt(x[i]);
  return product;
}

static int log_root_exact(const void *state, size_t dim, double *value)
{
  (void)state;
  *value = pow(-4, (double)dim);
  return 1;
}

static double arcsine(double *x, size_t dim, void *state)
{
  double product = 1;
  (void)state;
  for (size_t i = 0; i < dim; i++) product *= 1 / sqrt((1 - x[i]) * (1 + x[i]));
  return product;
}

static int arcsine_exact(const void *state, size_t dim, double *value)
{
  (void)state;
  *value = pow(M_PI_2, (double)dim);
  return 1;
}

static double diagonal(double *x, size_t dim, void *state)
{
  double apart = fabs(x[0] - x[1]);
  (void)dim;
  return apart == 0 ? 0 : pow(apart, -*(const double *)state);
}

static int diagonal_exact(const void *state, size_t dim, double *value)
{
  double a = *(const double *)state;
  (void)dim;
  *value = 2 / ((1 - a) * (2 - a));
  return 1;
}

static double coulomb(double *x, size_t dim, void *state)
{
  double square = 0;
  (void)state;
  for (size_t i = 0; i < dim / 2; i++) square += (x[i] - x[i + 3]) * (x[i] - x[i + 3]);
  return square == 0 ? 0 : 1 / sqrt(square);
}

/* Ciftja, Eur. J. Phys. 31 (2010) 671: the self-energy of a uniformly charged cube */
static int coulomb_exact(const void *state, size_t dim, double *value)
{
  double r2 = M_SQRT2, r3 = sqrt(3);
  (void)state;
  (void)dim;
  *value = 0.4 * (1 + r2 - 2 * r3) - 2 * M_PI / 3 + 2 * log((1 + r2) * (2 + r3));
  return 1;
}

static double watson(double *x, size_t dim, void *state)
{
  double product = 1;
  (void)state;
  for (size_t i = 0; i < dim; i++) product *= cos(M_PI * x[i]);
  return product == 1 ? 0 : 1 / (1 - product);
}

/* Gamma(1/4)^4 / (4 pi^3) */
static int watson_exact(const void *state, size_t dim, double *value)
{
  (void)state;
  (void)dim;
  *value = pow(tgamma(0.25), 4) / (4 * M_PI * M_PI * M_PI);
  return 1;
}

const struct integrand power_integrand = {
    .name = "power",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 1,
    .parameters = a_parameter,
    .state_size = sizeof(double),
    .setup = setup,
    .f = power,
    .exact = power_exact,
    .unit = "",
    .source = "soft and collinear limits; 1/sqrt(x) in QUADPACK (Springer 1983), test 1",
    .description = "product of powers, infinite where a coordinate is 0",
};

const struct integrand log_root_integrand = {
    .name = "log_root",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 1,
    .parameters = no_parameters,
    .state_size = sizeof(double),
    .setup = setup,
    .f = log_root,
    .exact = log_root_exact,
    .unit = "",
    .source = "GSL's manual, chapter on numerical integration",
    .description = "product of log(x) / sqrt(x), infinite where a coordinate is 0",
};

const struct integrand arcsine_integrand = {
    .name = "arcsine",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 1,
    .parameters = no_parameters,
    .state_size = sizeof(double),
    .setup = setup,
    .f = arcsine,
    .exact = arcsine_exact,
    .unit = "",
    .source = "the density of the sine of a random angle",
    .description = "product of 1 / sqrt(1 - x^2), infinite where a coordinate is 1",
};

const struct integrand diagonal_integrand = {
    .name = "diagonal",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = a_parameter,
    .state_size = sizeof(double),
    .setup = setup,
    .f = diagonal,
    .exact = diagonal_exact,
    .unit = "",
    .source = "weakly singular kernels of integral equations",
    .description = "power of the distance of two coordinates, infinite where they are equal",
};

const struct integrand coulomb_integrand = {
    .name = "coulomb",
    .dim_min = 6,
    .dim_max = 6,
    .dim_default = 6,
    .parameters = no_parameters,
    .state_size = sizeof(double),
    .setup = setup,
    .f = coulomb,
    .exact = coulomb_exact,
    .unit = "",
    .source = "Ciftja, Eur. J. Phys. 31 (2010) 671",
    .description = "potential of two charges anywhere in a cube",
};

const struct integrand watson_integrand = {
    .name = "watson",
    .dim_min = 3,
    .dim_max = 3,
    .dim_default = 3,
    .parameters = no_parameters,
    .state_size = sizeof(double),
    .setup = setup,
    .f = watson,
    .exact = watson_exact,
    .unit = "",
    .source = "Watson, Quart. J. Math. 10 (1939) 266; GSL's manual, chapter on Monte Carlo",
    .description = "random walks on a lattice, infinite at four corners",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Genz's six families, with random u_i and a_i > 0, sum_i a_i = difficulty:
 *
 *     oscillatory     cos(2 pi u_1 + sum_i a_i x_i)
 *     product peak    product over i of 1 / (a_i^-2 + (x_i - u_i)^2)
 *     corner peak     (1 + sum_i a_i x_i)^-(d + 1)
 *     Gaussian        exp(-sum_i a_i^2 (x_i - u_i)^2)
 *     continuous      exp(-sum_i a_i |x_i - u_i|)
 *     discontinuous   exp(sum_i a_i x_i), and 0 where x_1 > u_1 or x_2 > u_2
 *
 * Genz takes h / d^e for the sum of the a_i, with (h, e) = (284.6, 3/2), (725, 2), (185, 2),
 * (70.3, 1), (2040, 2), (430, 2). The default difficulties are these sums for d = 10. */
#include "integrands.h"
#include "interval.h"
#include "splitmix.h"

#include <math.h>

enum { DIFFICULTY, SEED, MOST_DIM = 64 /* the values stay in double's range */ };

#define PARAMETERS(sum, low)                                                                       \
  {"difficulty", NULL, sum, low, 100, "sum of the a_i, in any dimension"},                         \
      {"seed", NULL, 1, 0, 1e9, "of u_i and a_i, rounded"}, {NULL, NULL, 0, 0, 0, NULL},

#define SOURCE(family)                                                                             \
  "Genz, Numerical Integration (Reidel 1987) 337, Tools, Methods and Languages for Scientific "    \
  "and Engineering Computation (1984) 81, " family

struct genz {
  double u[MOST_DIM], a[MOST_DIM];
  double all; /* sum of the a_i */
  size_t dim;
};

/* ---- coefficients -------------------------------------------------------------- */

/* Number `counter` of the sequence `seed`, in (0, 1): 52 bits of SplitMix64, started at seed
 * 2^32. No state, so a seed is the same integrand everywhere. */
static double uniform(uint64_t seed, uint64_t counter)
{
  uint64_t z = splitmix((seed << 32) + (counter + 1) * 0x9e3779b97f4a7c15);
  return ((double)(z >> 12) + 0.5) * 0x1p-52;
}

/* Coordinate i has u_i and, before they are scaled, a_i in common in all dimensions. */
static void setup(void *state, size_t dim, const double *values)
{
  struct genz *g = state;
  uint64_t seed = (uint64_t)round(values[SEED]);
  double sum = 0;
  for (size_t i = 0; i < dim; i++) {
    g->u[i] = uniform(seed, 2 * i);
    g->a[i] = uniform(seed, 2 * i + 1);
    sum += g->a[i];
  }
  for (size_t i = 0; i < dim; i++) g->a[i] *= values[DIFFICULTY] / sum;
  g->all = values[DIFFICULTY];
  g->dim = dim;
}

static double dot(const double *a, const double *x, size_t dim)
{
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += a[i] * x[i];
  return sum;
}

/* ---- oscillatory --------------------------------------------------------------- */

static const struct parameter oscillatory_parameters[] = {PARAMETERS(9, 0.1)};

static double oscillatory(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  return cos(2 * M_PI * g->u[0] + dot(g->a, x, dim));
}

/* The mean of exp(i a x) over one coordinate is exp(i a / 2) sin(a / 2) / (a / 2). */
static int oscillatory_exact(const void *state, size_t dim, double *value)
{
  const struct genz *g = state;
  *value = cos(2 * M_PI * g->u[0] + 0.5 * g->all);
  for (size_t i = 0; i < dim; i++) *value *= sin(0.5 * g->a[i]) / (0.5 * g->a[i]);
  return 1;
}

const struct integrand genz_oscillatory_integrand = {
    .name = "genz_oscillatory",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = oscillatory_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = oscillatory,
    .exact = oscillatory_exact,
    .unit = "",
    .source = SOURCE("oscillatory"),
    .description = "plane wave of both signs",
};

/* ---- product peak -------------------------------------------------------------- */

static const struct parameter product_peak_parameters[] = {PARAMETERS(7.25, 1)};

static double product_peak(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  double product = 1;
  for (size_t i = 0; i < dim; i++) {
    double z = g->a[i] * (x[i] - g->u[i]);
    product *= g->a[i] * g->a[i] / (1 + z * z);
  }
  return product;
}

static int product_peak_exact(const void *state, size_t dim, double *value)
{
  const struct genz *g = state;
  *value = 1;
  for (size_t i = 0; i < dim; i++)
    *value *= g->a[i] * (atan(g->a[i] * (1 - g->u[i])) + atan(g->a[i] * g->u[i]));
  return 1;
}

const struct integrand genz_product_peak_integrand = {
    .name = "genz_product_peak",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = product_peak_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = product_peak,
    .exact = product_peak_exact,
    .unit = "",
    .source = SOURCE("product peak"),
    .description = "product of Lorentz peaks, each of a width of its own",
};

/* ---- corner peak --------------------------------------------------------------- */

static const struct parameter corner_peak_parameters[] = {PARAMETERS(1.85, 0.1)};

static double corner_peak(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  return pow(1 + dot(g->a, x, dim), -(double)dim - 1);
}

/* With s^-(d + 1) = integral of t^d exp(-s t) dt / d! the coordinates come apart. The closed form,
 * an alternating sum over the corners, would lose all digits in many dimensions. */
static double laplace(double t, void *params)
{
  const struct genz *g = params;
  double d = (double)g->dim, log_product = -lgamma(d + 1) - t;
  for (size_t i = 0; i < g->dim; i++) log_product += log(-expm1(-g->a[i] * t) / g->a[i]);
  return exp(log_product);
}

/* Slope of the logarithm at t; it falls from +infinity to -1. */
static double laplace_slope(const struct genz *g, double t)
{
  double slope = -1;
  for (size_t i = 0; i < g->dim; i++) slope += g->a[i] / expm1(g->a[i] * t);
  return slope;
}

/* The top is in (0, d). Beyond it the slope is at most top / t - 1, so that 40 + 15 sqrt(d) further
 * on less than 1e-20 is left. */
static int corner_peak_exact(const void *state, size_t dim, double *value)
{
  struct genz g = *(const struct genz *)state;
  double low = 0, high = (double)dim;
  for (int i = 0; i < 30; i++) {
    double middle = 0.5 * (low + high);
    *(laplace_slope(&g, middle) > 0 ? &low : &high) = middle;
  }
  *value = integrate_interval(laplace, &g, 0, high) +
           integrate_interval(laplace, &g, high, high + 40 + 15 * sqrt((double)dim));
  return isfinite(*value);
}

const struct integrand genz_corner_peak_integrand = {
    .name = "genz_corner_peak",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = corner_peak_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = corner_peak,
    .exact = corner_peak_exact,
    .unit = "",
    .source = SOURCE("corner peak"),
    .description = "peak in the corner at 0, of another steepness in each coordinate",
};

/* ---- Gaussian ------------------------------------------------------------------ */

static const struct parameter gaussian_parameters[] = {PARAMETERS(7.03, 0.1)};

static double gaussian(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  double sum = 0;
  for (size_t i = 0; i < dim; i++) {
    double z = g->a[i] * (x[i] - g->u[i]);
    sum += z * z;
  }
  return exp(-sum);
}

static int gaussian_exact(const void *state, size_t dim, double *value)
{
  const struct genz *g = state;
  *value = 1;
  for (size_t i = 0; i < dim; i++)
    *value *= 0.5 * sqrt(M_PI) / g->a[i] * (erf(g->a[i] * (1 - g->u[i])) + erf(g->a[i] * g->u[i]));
  return 1;
}

const struct integrand genz_gaussian_integrand = {
    .name = "genz_gaussian",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = gaussian_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = gaussian,
    .exact = gaussian_exact,
    .unit = "",
    .source = SOURCE("Gaussian"),
    .description = "Gaussian peak of another width in each coordinate",
};

/* ---- continuous ---------------------------------------------------------------- */

static const struct parameter continuous_parameters[] = {PARAMETERS(20.4, 0.1)};

static double continuous(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += g->a[i] * fabs(x[i] - g->u[i]);
  return exp(-sum);
}

static int continuous_exact(const void *state, size_t dim, double *value)
{
  const struct genz *g = state;
  *value = 1;
  for (size_t i = 0; i < dim; i++)
    *value *= -(expm1(-g->a[i] * (1 - g->u[i])) + expm1(-g->a[i] * g->u[i])) / g->a[i];
  return 1;
}

const struct integrand genz_continuous_integrand = {
    .name = "genz_continuous",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = continuous_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = continuous,
    .exact = continuous_exact,
    .unit = "",
    .source = SOURCE("continuous"),
    .description = "peak with a kink in every coordinate",
};

/* ---- discontinuous ------------------------------------------------------------- */

enum { EDGES = 2 };

static const struct parameter discontinuous_parameters[] = {PARAMETERS(4.3, 0.1)};

static double discontinuous(double *x, size_t dim, void *state)
{
  const struct genz *g = state;
  for (size_t i = 0; i < dim && i < EDGES; i++)
    if (x[i] > g->u[i]) return 0;
  return exp(dot(g->a, x, dim));
}

static int discontinuous_exact(const void *state, size_t dim, double *value)
{
  const struct genz *g = state;
  *value = 1;
  for (size_t i = 0; i < dim; i++)
    *value *= expm1(i < EDGES ? g->a[i] * g->u[i] : g->a[i]) / g->a[i];
  return 1;
}

const struct integrand genz_discontinuous_integrand = {
    .name = "genz_discontinuous",
    .dim_min = 1,
    .dim_max = MOST_DIM,
    .dim_default = 10,
    .parameters = discontinuous_parameters,
    .state_size = sizeof(struct genz),
    .setup = setup,
    .f = discontinuous,
    .exact = discontinuous_exact,
    .unit = "",
    .source = SOURCE("discontinuous"),
    .description = "exponential growth that breaks off along the first two coordinates",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = exp(-(|x - 1/2| - radius)^2 / (2 width^2)) / (width sqrt(2 pi)) */
#include "integrands.h"
#include "interval.h"
#include "sphere.h"

static const struct parameter parameters[] = {
    {"radius", NULL, 0.35, 0.05, 0.5, "radius of the shell"},
    {"width", NULL, 0.01, 1e-4, 0.1, "standard deviation across the shell"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct shell {
  double radius, width;
  double norm;     /* 1 / (width sqrt(2 pi)) */
  double log_area; /* of the unit sphere */
  size_t dim;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct shell *s = state;
  s->radius = values[0];
  s->width = values[1];
  s->norm = 1 / (s->width * sqrt(2 * M_PI));
  s->log_area = log_sphere_area(dim);
  s->dim = dim;
}

static double profile(const struct shell *s, double rho)
{
  double z = (rho - s->radius) / s->width;
  return s->norm * exp(-0.5 * z * z);
}

static double evaluate(double *x, size_t dim, void *state)
{
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += (x[i] - 0.5) * (x[i] - 0.5);
  return profile(state, sqrt(sum));
}

static double sphere(double rho, void *params)
{
  const struct shell *s = params;
  return exp(s->log_area) * pow(rho, (double)s->dim - 1) * profile(s, rho);
}

/* Only for a shell inside the cube: beyond eight widths there is less than 1e-15 of it. */
static int exact(const void *state, size_t dim, double *value)
{
  struct shell s = *(const struct shell *)state;
  (void)dim;
  if (s.radius + 8 * s.width > 0.5) return 0;
  double low = fmax(s.radius - 12 * s.width, 0), high = s.radius + 12 * s.width;
  *value = integrate_interval(sphere, &s, low, s.radius) +
           integrate_interval(sphere, &s, s.radius, high);
  return isfinite(*value);
}

const struct integrand shell_integrand = {
    .name = "shell",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 5,
    .parameters = parameters,
    .state_size = sizeof(struct shell),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "Feroz, Hobson, Bridges (MultiNest), arXiv:0809.3437, Gaussian shells; one of them",
    .description = "thin spherical shell around the middle of the cube",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x, y) = g(x, y) + g(1 - x, 1 - y),
 * g(x, y) = y^3 exp(-|(x - 0.4)^2 + (y - 0.6)^2 - 0.25^2| / width)
 *
 * Two rings that cross, fading towards opposite sides. The second power is of 1 - y as a
 * whole: with 1 - y^3 in its place, as also found, the value is another one. */
#include "integrands.h"
#include "interval.h"

#include <gsl/gsl_sf_dawson.h>
#include <math.h>

static const double ring_x = 0.4, ring_y = 0.6, radius = 0.25;

static const struct parameter parameters[] = {
    {"width", NULL, 0.004, 5e-4, 1, "thickness of the rings, as a difference of squared radii"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct circles {
  double sharpness; /* 1 / width */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct circles *c = state;
  (void)dim;
  c->sharpness = 1 / values[0];
}

static double ring(const struct circles *c, double x, double y)
{
  double dx = x - ring_x, dy = y - ring_y;
  return y * y * y * exp(-c->sharpness * fabs(dx * dx + dy * dy - radius * radius));
}

static double evaluate(double *x, size_t dim, void *state)
{
  (void)dim;
  return ring(state, x[0], x[1]) + ring(state, 1 - x[0], 1 - x[1]);
}

/* ---- the value ----------------------------------------------------------------- */

/* The integral of exp(-w |t^2 - c|) from t = 0 to the end. */
static double half_line(double w, double c, double end)
{
  double root = sqrt(w), gauss = 0.5 * sqrt(M_PI) / root;
  if (c <= 0) return gauss * exp(w * c) * erf(root * end);
  if (end * end <= c) return exp(w * (end * end - c)) * gsl_sf_dawson(root * end) / root;
  return gsl_sf_dawson(sqrt(w * c)) / root +
         gauss * exp(w * c) * (erfc(sqrt(w * c)) - erfc(root * end));
}

static double ring_line(double y, void *params)
{
  const struct circles *c = params;
  double inside = radius * radius - (y - ring_y) * (y - ring_y);
  return y * y * y *
         (half_line(c->sharpness, inside, ring_x) + half_line(c->sharpness, inside, 1 - ring_x));
}

/* Both rings have the same value; the lines that touch a ring are the ends of pieces. */
static int exact(const void *state, size_t dim, double *value)
{
  const double ends[] = {0, ring_y - radius, ring_y, ring_y + radius, 1};
  struct circles c = *(const struct circles *)state;
  (void)dim;
  *value = 0;
  for (int i = 0; i < 4; i++) *value += 2 * integrate_interval(ring_line, &c, ends[i], ends[i + 1]);
  return isfinite(*value);
}

const struct integrand circles_integrand = {
    .name = "circles",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct circles),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "i-flow, arXiv:2001.05486, entangled circles",
    .description = "two thin rings in the plane that cross",
};

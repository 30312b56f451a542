/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x, y) = min(1, exp(-((|(x, y)| - radius) / sigma)^2) + exp(-((x - y) / sigma)^2))
 *
 * As the paper's text has it: the circle is around the origin, so a quarter of it is in the
 * square. (The authors' program has another one around the middle, clamped at 0.9.) */
#include "integrands.h"
#include "interval.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"radius", NULL, 0.3, 0.05, 1, "radius of the circle"},
    {"sigma", NULL, 0.1, 0.005, 1, "width of circle and slash: sqrt(2) standard deviations"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct slashed_circle {
  double radius, sigma;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct slashed_circle *s = state;
  (void)dim;
  s->radius = values[0];
  s->sigma = values[1];
}

static double bell(double z)
{
  return exp(-z * z);
}

static double circle(const struct slashed_circle *s, double rho)
{
  return bell((rho - s->radius) / s->sigma);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct slashed_circle *s = state;
  (void)dim;
  double slash = bell((x[0] - x[1]) / s->sigma);
  return fmin(1, circle(s, sqrt(x[0] * x[0] + x[1] * x[1])) + slash);
}

/* ---- the value ----------------------------------------------------------------- */

/* In u = x - y > 0 and v = x + y. On a line of constant u the slash is constant, and the
 * clamp holds where |rho - radius| < reach(u). */
struct line {
  const struct slashed_circle *s;
  double u, slash;
};

static double unclamped(double v, void *params)
{
  const struct line *line = params;
  return circle(line->s, sqrt(0.5 * (line->u * line->u + v * v))) + line->slash;
}

/* v at this distance from the origin, moved onto the part of the line in the square. */
static double line_point(const struct line *line, double rho)
{
  double square = rho > 0 ? 2 * rho * rho - line->u * line->u : 0;
  return fmin(fmax(sqrt(fmax(square, 0)), line->u), 2 - line->u);
}

static double piece(struct line *line, double low, double high)
{
  return low < high ? integrate_interval(unclamped, line, low, high) : 0;
}

static double integrate_line(double u, void *params)
{
  const struct slashed_circle *s = params;
  struct line line = {s, u, bell(u / s->sigma)};
  double reach = s->sigma * sqrt(-log1p(-line.slash));
  double low = line_point(&line, s->radius - reach), high = line_point(&line, s->radius + reach);
  return piece(&line, u, low) + (high - low) + piece(&line, high, 2 - u);
}

static int exact(const void *state, size_t dim, double *value)
{
  struct slashed_circle s = *(const struct slashed_circle *)state;
  (void)dim;
  *value = integrate_interval(integrate_line, &s, 0, 1); /* u < 0 the same, dx dy = du dv / 2 */
  return isfinite(*value);
}

const struct integrand slashed_circle_integrand = {
    .name = "slashed_circle",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct slashed_circle),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "ZuNIS, arXiv:2401.09069, slashed circle as in the text",
    .description = "a quarter circle and the diagonal, flat where they meet",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f = 12^2 (share R(p) + (1 - share) L(p)), p = 12 (x - 1/2, y - 1/2) in (-6, 6)^2,
 * R(p) = exp(-(|p| - radius)^2 / (2 width^2)) / A, with A such that R holds one in the plane,
 * L(p) = G((p_x - p_y) / sqrt(2); length) G((p_x + p_y) / sqrt(2); thickness), G the normalised
 * Gaussian of that standard deviation
 *
 * The factor in front is the Jacobian. Weights, norms and the direction of the line, which runs
 * through the corners (0, 1) and (1, 0) of the square, are those of the authors' program; the norm
 * of the ring is that of its code, its comment has another. */
#include "integrands.h"
#include "interval.h"

#include <math.h>

enum { RADIUS, WIDTH, LENGTH, THICKNESS, SHARE };

/* The ring stays inside the square, up to ten widths. */
static const struct parameter parameters[] = {
    {"radius", NULL, 1, 0.1, 5, "radius of the ring; the square is (-6, 6)^2"},
    {"width", NULL, 0.05, 1e-3, 0.1, "standard deviation across the ring"},
    {"length", NULL, 3, 0.1, 10, "standard deviation along the line"},
    {"thickness", NULL, 0.05, 1e-3, 1, "standard deviation across the line"},
    {"share", NULL, 0.5, 0, 1, "of the ring; the line has the rest"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static const double half_side = 6;

struct ring_line {
  double radius, width, length, thickness, share;
  double ring_height, line_height; /* Jacobian included */
};

static double ring_area(double radius, double width)
{
  double w = radius / (M_SQRT2 * width);
  return 2 * M_PI * width * (width * exp(-w * w) + sqrt(M_PI / 2) * radius * (1 + erf(w)));
}

static void setup(void *state, size_t dim, const double *values)
{
  struct ring_line *r = state;
  const double jacobian = 4 * half_side * half_side;
  (void)dim;
  r->radius = values[RADIUS];
  r->width = values[WIDTH];
  r->length = values[LENGTH];
  r->thickness = values[THICKNESS];
  r->share = values[SHARE];
  r->ring_height = jacobian * r->share / ring_area(r->radius, r->width);
  r->line_height = jacobian * (1 - r->share) / (2 * M_PI * r->length * r->thickness);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ring_line *r = state;
  double px = half_side * (2 * x[0] - 1), py = half_side * (2 * x[1] - 1);
  double ring = (sqrt(px * px + py * py) - r->radius) / r->width;
  double along = M_SQRT1_2 * (px - py) / r->length, across = M_SQRT1_2 * (px + py) / r->thickness;
  (void)dim;
  return r->ring_height * exp(-0.5 * ring * ring) +
         r->line_height * exp(-0.5 * (along * along + across * across));
}

/* At this distance from its middle the line reaches as far as the sides of the square. */
static double line_slice(double across, void *params)
{
  const struct ring_line *r = params;
  double z = across / r->thickness, reach = M_SQRT2 * half_side - across;
  return exp(-0.5 * z * z) / (r->thickness * sqrt(2 * M_PI)) * erf(reach / (M_SQRT2 * r->length));
}

static int exact(const void *state, size_t dim, double *value)
{
  struct ring_line r = *(const struct ring_line *)state;
  double end = fmin(10 * r.thickness, M_SQRT2 * half_side);
  (void)dim;
  *value = r.share + (1 - r.share) * 2 * integrate_interval(line_slice, &r, 0, end);
  return isfinite(*value);
}

const struct integrand ring_line_integrand = {
    .name = "ring_line",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct ring_line),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "program of MadNIS, arXiv:2212.06172, toy of a ring and a line",
    .description = "a thin ring and a thin line across it, in a large square",
};

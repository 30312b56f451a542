/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The affine transform of RealNVP (Dinh, Sohl-Dickstein, Bengio, arXiv:1605.08803), carried to the
 * unit interval by the logistic function: logit u = s (logit x + t). With z = logit u:
 *   u  = 1/(1 + exp(-z))           u' = s u(1-u) / (x(1-x))
 * The slope is added up from logarithms, so it keeps its digits next to the ends; a position does
 * so next to 0 only, as the last double below 1 is 1 - 2^-53. Hence 1/2 < s < 32 and |t| < 8.
 */
#include "transform.h"

/* Raw rows, and what density leaves in them. */
enum { SCALE, SHIFT, RAW_ROWS };

/* Rows that the density direction leaves for the backward pass: logit x + t; u(1-u) and 1 - 2u;
 * 1/(x(1-x)) and 1 - 2x. */
enum kept { KEPT_ARGUMENT, KEPT_SPREAD, KEPT_TURN, KEPT_STRETCH, KEPT_TURN_X, KEPT_ROWS };

static const float least_scale = 0.5f, most_scale = 32, most_shift = 8;

/* exp(-|z|), no smaller than what keeps positions above 0 */
INLINE double exp_minus_abs(double z)
{
  double x = z < 0 ? z : -z;
  return exp_double(x < -700 ? -700 : x);
}

/* raw -> scale: a logistic function, 1 at 0; and shift: raw for small ones */
static void bounded(float *raw)
{
  const float range = most_scale - least_scale, ratio = range / (1 - least_scale) - 1;
  FOR_LANES () {
    float r = raw[SCALE * LANES + l], t = raw[SHIFT * LANES + l];
    float e = exp_negative(r < 0 ? r : -r), size = t < 0 ? -t : t;
    raw[SCALE * LANES + l] =
        least_scale + (r < 0 ? range * e / (e + ratio) : range / (1 + ratio * e));
    raw[SHIFT * LANES + l] = most_shift * t / (most_shift + size);
  }
}

static void density(int bins, float *raw, double *restrict x_to_u, double *restrict log_slope,
                    float *restrict kept)
{
  (void)bins;
  bounded(raw);
  FOR_LANES () {
    double x = x_to_u[l], s = raw[SCALE * LANES + l];
    double log_x = log_double(x), log_rest = log_double(1 - x);
    double argument = log_x - log_rest + raw[SHIFT * LANES + l], z = s * argument;
    double e = exp_minus_abs(z), one = 1 / (1 + e);
    x_to_u[l] = below_one(z < 0 ? e * one : one);
    log_slope[l] += log_double(s * one * one) - (z < 0 ? -z : z) - log_x - log_rest;
    kept[KEPT_ARGUMENT * LANES + l] = (float)argument;
    kept[KEPT_SPREAD * LANES + l] = (float)(e * one * one);
    kept[KEPT_TURN * LANES + l] = (float)((z < 0 ? 1 - e : e - 1) * one);
    kept[KEPT_STRETCH * LANES + l] = (float)(1 / (x < 1e-16 ? 1e-16 : x * (1 - x)));
    kept[KEPT_TURN_X * LANES + l] = (float)(1 - 2 * x);
  }
}

static void sample(int bins, float *raw, double *restrict u_to_x, double *restrict log_slope)
{
  (void)bins;
  bounded(raw);
  FOR_LANES () {
    double u = u_to_x[l], s = raw[SCALE * LANES + l];
    double log_u = log_double(u), log_rest = log_double(1 - u);
    double y = (log_u - log_rest) / s - raw[SHIFT * LANES + l];
    double e = exp_minus_abs(y), one = 1 / (1 + e);
    u_to_x[l] = below_one(y < 0 ? e * one : one);
    log_slope[l] += log_double(s * (1 + e) * (1 + e)) + (y < 0 ? -y : y) + log_u + log_rest;
  }
}

/* dL/dscale and dL/dshift -> dL/draw: the bounds differentiated, in terms of their results */
INLINE void bounded_backward(float *restrict scale, float *restrict shift, float dscale,
                             float dshift)
{
  float size = 1 - (*shift < 0 ? -*shift : *shift) / most_shift;
  *scale = dscale * (*scale - least_scale) * (most_scale - *scale) / (most_scale - least_scale);
  *shift = dshift * size * size;
}

static void backward(int bins, float *restrict raw, const float *restrict kept,
                     const float *restrict dlog, float *restrict adjoint)
{
  (void)bins;
  FOR_LANES () {
    float s = raw[SCALE * LANES + l], dL = dlog[l];
    float dz = adjoint[l] * kept[KEPT_SPREAD * LANES + l] + dL * kept[KEPT_TURN * LANES + l];
    float dscale = dz * kept[KEPT_ARGUMENT * LANES + l] + dL / s;
    adjoint[l] = (dz * s - dL * kept[KEPT_TURN_X * LANES + l]) * kept[KEPT_STRETCH * LANES + l];
    bounded_backward(&raw[SCALE * LANES + l], &raw[SHIFT * LANES + l], dscale, dz * s);
  }
}

const struct transform KERNEL(affine) = {
    .name = "affine",
    .other_rows = RAW_ROWS,
    .kept_rows = KEPT_ROWS,
    .density = density,
    .sample = sample,
    .backward = backward,
};

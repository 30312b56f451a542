/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The piecewise-linear transform of Müller, McWilliams, Rousselle, Gross, Novák,
 * arXiv:1808.03856, section 4.1: `bins` bins of equal width, whose heights are the parameters. With
 * xi = bins x - k in bin k, which is [y0, y0 + h] in u:
 *   u  = y0 + h xi             u' = h bins
 */
#include "transform.h"

/* Rows that the density direction leaves for the backward pass. */
enum kept { KEPT_BIN, KEPT_XI, KEPT_HEIGHT, KEPT_ROWS };

/* A lane's bin while the knots go by. */
struct bin {
  vec number, y0, y1;
};

/* One vector of lanes: the bin with this number or, for by_height, the last bin whose lower knot is
 * not above the key. */
INLINE struct bin search(int bins, const float *shares, vec key, int by_height)
{
  const float stretch = 1 - (float)bins * least;
  struct bin b = {0};
  vec y0 = {0};
  for (int k = 0; k < bins; k++) {
    vec number = (vec){0} + (float)k;
    vec y1 = k == bins - 1 ? (vec){0} + 1 : y0 + (least + stretch * load(shares + k * LANES));
    mask here = key >= (by_height ? y0 : number);
    b.number = choose(here, number, b.number);
    b.y0 = choose(here, y0, b.y0);
    b.y1 = choose(here, y1, b.y1);
    y0 = y1;
  }
  return b;
}

INLINE void find_bin(int bins, const float *shares, const float *key, int by_height,
                     float *restrict number, float *restrict y0, float *restrict y1)
{
  for (int l = 0; l < LANES; l += WIDTH) {
    struct bin b = search(bins, shares + l, load(key + l), by_height);
    store(number + l, b.number);
    store(y0 + l, b.y0);
    store(y1 + l, b.y1);
  }
}

static void density(int bins, float *raw, double *restrict x_to_u, double *restrict log_slope,
                    float *restrict kept)
{
  float key[LANES], y0[LANES], y1[LANES];
  softmax(bins, raw);
  FOR_LANES () key[l] = (float)(int)(x_to_u[l] * bins);
  find_bin(bins, raw, key, 0, kept + KEPT_BIN * LANES, y0, y1);
  FOR_LANES () {
    double h = (double)y1[l] - y0[l], xi = x_to_u[l] * bins - kept[KEPT_BIN * LANES + l];
    x_to_u[l] = below_one(y0[l] + h * xi);
    kept[KEPT_XI * LANES + l] = (float)xi;
    kept[KEPT_HEIGHT * LANES + l] = (float)h;
    log_slope[l] += log_double(h * bins);
  }
}

static void sample(int bins, float *raw, double *restrict u_to_x, double *restrict log_slope)
{
  float key[LANES], number[LANES], y0[LANES], y1[LANES];
  softmax(bins, raw);
  round_down(u_to_x, key);
  find_bin(bins, raw, key, 1, number, y0, y1);
  FOR_LANES () {
    double h = (double)y1[l] - y0[l];
    u_to_x[l] = below_one((number[l] + (u_to_x[l] - y0[l]) / h) / bins);
    log_slope[l] += log_double(h * bins);
  }
}

/* dL of a lane's y0 and height. adjoint: dL/du -> dL/dx */
static void bin_backward(int bins, const float *restrict kept, const float *restrict dlog,
                         float *restrict adjoint, float *restrict dy0, float *restrict dheight)
{
  FOR_LANES () {
    float h = kept[KEPT_HEIGHT * LANES + l];
    dy0[l] = adjoint[l];
    dheight[l] = adjoint[l] * kept[KEPT_XI * LANES + l] + dlog[l] / h;
    adjoint[l] *= h * (float)bins;
  }
}

static void backward(int bins, float *raw, const float *kept, const float *dlog, float *adjoint)
{
  float dy0[LANES], dheight[LANES];
  bin_backward(bins, kept, dlog, adjoint, dy0, dheight);
  softmax_backward(bins, raw, kept + KEPT_BIN * LANES, dy0, dheight);
}

const struct transform KERNEL(piecewise_linear) = {
    .name = "piecewise-linear",
    .bin_rows = 1,
    .kept_rows = KEPT_ROWS,
    .density = density,
    .sample = sample,
    .backward = backward,
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monotone rational-quadratic spline of Durkan, Bekasov, Murray, Papamakarios,
 * arXiv:1906.04032, on [0,1] with free end slopes. It maps a coordinate x to the latent u, so
 * that its slope is the density. Knots are floats; positions and log-slopes are doubles.
 *
 * In a bin [x0, x0 + w] x [y0, y0 + h] with end slopes d0, d1, mean slope s = h/w and
 * xi = (x - x0)/w:
 *   u    = y0 + h (s xi^2 + d0 xi(1-xi)) / D        D = s + (d1 + d0 - 2s) xi(1-xi)
 *   u'   = s^2 N / D^2                              N = d1 xi^2 + 2s xi(1-xi) + d0 (1-xi)^2
 */
#include "transform.h"

static const float ln2 = 0.69314718f;

/* Rows that the density direction leaves for the backward pass. */
enum kept {
  KEPT_BIN,
  KEPT_XI,
  KEPT_X0,
  KEPT_X1,
  KEPT_Y0,
  KEPT_Y1,
  KEPT_SLOPE0,
  KEPT_SLOPE1,
  KEPT_ROWS
};

/* log(1 + t), 0 <= t <= 1: 2 atanh(t / (2 + t)) */
INLINE float log1p_unit(float t)
{
  float s = t / (2 + t), z = s * s;
  float p = 1.f / 15;
  p = p * z + 1.f / 13;
  p = p * z + 1.f / 11;
  p = p * z + 1.f / 9;
  p = p * z + 1.f / 7;
  p = p * z + 1.f / 5;
  p = p * z + 1.f / 3;
  p = p * z + 1;
  return 2 * s * p;
}

INLINE float softplus(float r)
{
  float a = r < 0 ? r : -r;
  return (r > 0 ? r : 0) + log1p_unit(exp_negative(a));
}

/* A lane's bin while the knots go by: its number, and the rows of enum kept. */
struct bin {
  vec number, x0, x1, y0, y1, slope0, slope1;
};

INLINE void store_bin(const struct bin *b, float *kept)
{
  store(kept + KEPT_BIN * LANES, b->number);
  store(kept + KEPT_X0 * LANES, b->x0);
  store(kept + KEPT_X1 * LANES, b->x1);
  store(kept + KEPT_Y0 * LANES, b->y0);
  store(kept + KEPT_Y1 * LANES, b->y1);
  store(kept + KEPT_SLOPE0 * LANES, b->slope0);
  store(kept + KEPT_SLOPE1 * LANES, b->slope1);
}

/* One vector of lanes: the last bin whose lower knot is not above the key. */
INLINE struct bin search(int bins, const float *shares, vec key, int by_height)
{
  const float *heights = shares + bins * LANES, *slopes = heights + bins * LANES;
  const float stretch = 1 - (float)bins * least;
  struct bin b = {0};
  vec x0 = {0}, y0 = {0};
  for (int k = 0; k < bins; k++) {
    vec width = least + stretch * load(shares + k * LANES);
    vec height = least + stretch * load(heights + k * LANES);
    vec x1 = k == bins - 1 ? (vec){0} + 1 : x0 + width;
    vec y1 = k == bins - 1 ? (vec){0} + 1 : y0 + height;
    mask here = key >= (by_height ? y0 : x0);
    b.number = choose(here, (vec){0} + (float)k, b.number);
    b.x0 = choose(here, x0, b.x0);
    b.x1 = choose(here, x1, b.x1);
    b.y0 = choose(here, y0, b.y0);
    b.y1 = choose(here, y1, b.y1);
    b.slope0 = choose(here, load(slopes + k * LANES), b.slope0);
    b.slope1 = choose(here, load(slopes + (k + 1) * LANES), b.slope1);
    x0 = x1;
    y0 = y1;
  }
  return b;
}

/* The bin of each lane, kept[KEPT_ROWS][LANES] without xi; the key is x or, for by_height, u. The
 * slopes are still raw. */
INLINE void find_bin(int bins, const float *shares, const float *key, int by_height, float *kept)
{
  for (int l = 0; l < LANES; l += WIDTH) {
    struct bin b = search(bins, shares + l, load(key + l), by_height);
    store_bin(&b, kept + l);
  }
}

/* Two rows of raw slopes -> slopes; 0 gives 1 */
static void positive_slopes(float *restrict slope)
{
  for (int i = 0; i < 2 * LANES; i++) slope[i] = (least + softplus(slope[i])) / (least + ln2);
}

/* s^2 N / D^2 */
INLINE double spline_slope(double xi, double s, double d0, double d1)
{
  double rest = 1 - xi, both = xi * rest;
  double denominator = s + (d1 + d0 - 2 * s) * both;
  double numerator = d1 * xi * xi + 2 * s * both + d0 * rest * rest;
  double r = s / denominator;
  return r * r * numerator;
}

static void density(int bins, float *raw, double *restrict x_to_u, double *restrict log_slope,
                    float *restrict kept)
{
  float key[LANES];
  softmax(bins, raw);
  softmax(bins, raw + bins * LANES);
  round_down(x_to_u, key);
  find_bin(bins, raw, key, 0, kept);
  positive_slopes(kept + KEPT_SLOPE0 * LANES);
  FOR_LANES () {
    double x0 = kept[KEPT_X0 * LANES + l], w = kept[KEPT_X1 * LANES + l] - x0;
    double y0 = kept[KEPT_Y0 * LANES + l], h = kept[KEPT_Y1 * LANES + l] - y0;
    double d0 = kept[KEPT_SLOPE0 * LANES + l], d1 = kept[KEPT_SLOPE1 * LANES + l];
    double s = h / w, xi = (x_to_u[l] - x0) / w;
    double both = xi * (1 - xi);
    double fraction = (s * xi * xi + d0 * both) / (s + (d1 + d0 - 2 * s) * both);
    x_to_u[l] = below_one(y0 + h * fraction);
    kept[KEPT_XI * LANES + l] = (float)xi;
    log_slope[l] += log_double(spline_slope(xi, s, d0, d1));
  }
}

/* Solves u = F(x) in the bin. With eta = (u - y0)/h and b = d0 - eta (d0 + d1 - 2s) it is
 *   (s - b) xi^2 + b xi - s eta = 0,   discriminant (d0 - eta (d0 + d1))^2 + 4 s^2 eta (1 - eta),
 * written as a sum, and the root in the form that adds, so that nothing cancels. */
static void sample(int bins, float *raw, double *restrict u_to_x, double *restrict log_slope)
{
  float key[LANES], kept[KEPT_ROWS * LANES] __attribute__((aligned(TILE_ALIGN)));
  softmax(bins, raw);
  softmax(bins, raw + bins * LANES);
  round_down(u_to_x, key);
  find_bin(bins, raw, key, 1, kept);
  positive_slopes(kept + KEPT_SLOPE0 * LANES);
  FOR_LANES () {
    double x0 = kept[KEPT_X0 * LANES + l], w = kept[KEPT_X1 * LANES + l] - x0;
    double y0 = kept[KEPT_Y0 * LANES + l], h = kept[KEPT_Y1 * LANES + l] - y0;
    double d0 = kept[KEPT_SLOPE0 * LANES + l], d1 = kept[KEPT_SLOPE1 * LANES + l];
    double s = h / w, eta = (u_to_x[l] - y0) / h;
    double b = d0 - eta * (d1 + d0 - 2 * s), turn = d0 - eta * (d0 + d1);
    double root = __builtin_sqrt(turn * turn + 4 * s * s * eta * (1 - eta));
    double xi = (b > 0 ? 2 * s * eta : root - b) / (b > 0 ? root + b : 2 * (s - b));
    xi = xi < 1 ? xi : 1;
    u_to_x[l] = below_one(x0 + w * xi);
    log_slope[l] += log_double(spline_slope(xi, s, d0, d1));
  }
}

/* dL of the seven numbers that a bin is made of */
struct bin_adjoint {
  float x0[LANES], width[LANES], y0[LANES], height[LANES], slope0[LANES], slope1[LANES];
};

/* The formulas at the top of the file, differentiated in reverse order. adjoint: dL/du -> dL/dx */
static void bin_backward(const float *restrict kept, const float *restrict dlog,
                         float *restrict adjoint, struct bin_adjoint *restrict out)
{
  FOR_LANES () {
    float w = kept[KEPT_X1 * LANES + l] - kept[KEPT_X0 * LANES + l];
    float h = kept[KEPT_Y1 * LANES + l] - kept[KEPT_Y0 * LANES + l];
    float d0 = kept[KEPT_SLOPE0 * LANES + l], d1 = kept[KEPT_SLOPE1 * LANES + l];
    float xi = kept[KEPT_XI * LANES + l], rest = 1 - xi, both = xi * rest, turn = rest - xi;
    float s = h / w, bend = d1 + d0 - 2 * s;
    float M = s * xi * xi + d0 * both, D = s + bend * both;
    float N = d1 * xi * xi + 2 * s * both + d0 * rest * rest;
    float du = adjoint[l], dL = dlog[l];
    float dM = du * h / D, dN = dL / N, dD = -dM * M / D - 2 * dL / D;
    float ds = 2 * dL / s + dM * xi * xi + dD * (1 - 2 * both) + dN * 2 * both;
    float dxi = dM * (2 * s * xi + d0 * turn) + dD * bend * turn +
                2 * dN * (d1 * xi + s * turn - d0 * rest);
    out->slope0[l] = (dM + dD) * both + dN * rest * rest;
    out->slope1[l] = dD * both + dN * xi * xi;
    out->y0[l] = du;
    out->height[l] = du * M / D + ds / w;
    out->width[l] = -(ds * s + dxi * xi) / w;
    out->x0[l] = -dxi / w;
    adjoint[l] = dxi / w;
  }
}

/* dL/dslope -> dL/draw: softplus' = 1 - exp(-softplus) */
static void slope_backward(const float *restrict slope, float *restrict d)
{
  FOR_LANES () {
    float value = slope[l] * (least + ln2) - least;
    d[l] *= (1 - exp_negative(value > 0 ? -value : 0)) / (least + ln2);
  }
}

/* dL/draw of the slopes: only the two ends of the lane's bin have any. */
static void place_slopes(int bins, const float *bin_of, const float *d0_of, const float *d1_of,
                         float *slopes)
{
  const vec none = {0};
  for (int l = 0; l < LANES; l += WIDTH) {
    vec bin = load(bin_of + l), d0 = load(d0_of + l), d1 = load(d1_of + l);
    for (int k = 0; k <= bins; k++)
      store(slopes + k * LANES + l,
            choose(bin == (float)k, d0, choose(bin == (float)(k - 1), d1, none)));
  }
}

static void backward(int bins, float *raw, const float *kept, const float *dlog, float *adjoint)
{
  struct bin_adjoint d;
  const float *bin = kept + KEPT_BIN * LANES;
  bin_backward(kept, dlog, adjoint, &d);
  softmax_backward(bins, raw, bin, d.x0, d.width);
  softmax_backward(bins, raw + bins * LANES, bin, d.y0, d.height);
  slope_backward(kept + KEPT_SLOPE0 * LANES, d.slope0);
  slope_backward(kept + KEPT_SLOPE1 * LANES, d.slope1);
  place_slopes(bins, bin, d.slope0, d.slope1, raw + 2 * bins * LANES);
}

const struct transform KERNEL(rational_quadratic) = {
    .name = "rational-quadratic",
    .bin_rows = 3,
    .other_rows = 1,
    .kept_rows = KEPT_ROWS,
    .ends = 1,
    .density = density,
    .sample = sample,
    .backward = backward,
};

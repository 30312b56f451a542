/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The piecewise-quadratic transform of Müller, McWilliams, Rousselle, Gross, Novák,
 * arXiv:1808.03856: the density is a polygon, its parameters are the bins' widths and the vertices.
 * A small uniform share keeps it away from zero. Shares of the widths and vertices are floats; as
 * the area below a bin may be a million times that of the bin, sums are doubles.
 *
 * In a bin [x0, x0 + w] with densities v0, v1 at its ends, area y0 below it and xi = (x - x0)/w:
 *   u  = y0 + w xi (v0 + xi (v1 - v0)/2)            u' = v0 + xi (v1 - v0)
 *   v  = least + (1 - least) e/T,   e = exp(raw),   T = sum of w (e0 + e1)/2
 */
#include "transform.h"

/* Rows that the density direction leaves for the backward pass; e are unscaled vertices. */
enum kept { KEPT_BIN, KEPT_XI, KEPT_WIDTH, KEPT_E0, KEPT_E1, KEPT_TOTAL, KEPT_SHARE, KEPT_ROWS };

/* A vector of lanes: the bin while the knots go by. */
struct bin {
  wide number, x0, width, y0, v0, v1;
};

/* The same of all lanes. */
struct bins {
  double number[LANES], x0[LANES], width[LANES], y0[LANES], v0[LANES], v1[LANES], total[LANES];
};

INLINE wide bin_width(int bins, const float *shares, int k)
{
  return (double)least + (1 - bins * (double)least) * widen(shares + k * LANES);
}

/* The area under the vertices as they come. The last knot is 1, whatever the shares round to. */
INLINE wide area(int bins, const float *shares)
{
  const float *vertices = shares + bins * LANES;
  wide e0 = widen(vertices), x0 = {0}, sum = {0};
  for (int k = 0; k < bins; k++) {
    wide width = k == bins - 1 ? 1 - x0 : bin_width(bins, shares, k);
    wide e1 = widen(vertices + (k + 1) * LANES);
    sum += width * (e0 + e1);
    x0 += width;
    e0 = e1;
  }
  return 0.5 * sum;
}

/* The last bin whose lower knot is not above the key. */
INLINE struct bin search(int bins, const float *shares, wide scale, wide key, int by_height)
{
  const float *vertices = shares + bins * LANES;
  struct bin b = {0};
  wide v0 = (double)least + scale * widen(vertices), x0 = {0}, y0 = {0};
  for (int k = 0; k < bins; k++) {
    wide width = k == bins - 1 ? 1 - x0 : bin_width(bins, shares, k);
    wide v1 = (double)least + scale * widen(vertices + (k + 1) * LANES);
    wide_mask here = key >= (by_height ? y0 : x0);
    b.number = choose_wide(here, (wide){0} + (double)k, b.number);
    b.x0 = choose_wide(here, x0, b.x0);
    b.width = choose_wide(here, width, b.width);
    b.y0 = choose_wide(here, y0, b.y0);
    b.v0 = choose_wide(here, v0, b.v0);
    b.v1 = choose_wide(here, v1, b.v1);
    x0 += width;
    y0 += 0.5 * width * (v0 + v1);
    v0 = v1;
  }
  return b;
}

/* The key is x or, for by_height, u. */
INLINE void find_bins(int bins, const float *shares, const double *key, int by_height,
                      struct bins *out)
{
  for (int l = 0; l < LANES; l += WIDE_WIDTH) {
    wide total = area(bins, shares + l), scale = (1 - (double)least) / total;
    struct bin b = search(bins, shares + l, scale, load_wide(key + l), by_height);
    store_wide(out->number + l, b.number);
    store_wide(out->x0 + l, b.x0);
    store_wide(out->width + l, b.width);
    store_wide(out->y0 + l, b.y0);
    store_wide(out->v0 + l, b.v0);
    store_wide(out->v1 + l, b.v1);
    store_wide(out->total + l, total);
  }
}

/* Widths to shares, vertices to their exponentials: the largest is 1, which the area divides out.
 */
static void prepare(int bins, float *raw)
{
  float sum[LANES] = {0};
  softmax(bins, raw);
  exponentials(bins + 1, raw + bins * LANES, sum);
}

static void keep(const struct bins *b, const double *restrict x, const double *restrict u,
                 float *restrict kept)
{
  FOR_LANES () {
    double unscale = b->total[l] / (1 - (double)least);
    kept[KEPT_BIN * LANES + l] = (float)b->number[l];
    kept[KEPT_XI * LANES + l] = (float)((x[l] - b->x0[l]) / b->width[l]);
    kept[KEPT_WIDTH * LANES + l] = (float)b->width[l];
    kept[KEPT_E0 * LANES + l] = (float)((b->v0[l] - least) * unscale);
    kept[KEPT_E1 * LANES + l] = (float)((b->v1[l] - least) * unscale);
    kept[KEPT_TOTAL * LANES + l] = (float)b->total[l];
    kept[KEPT_SHARE * LANES + l] = (float)((u[l] - least * x[l]) / (1 - (double)least));
  }
}

static void density(int bins, float *raw, double *restrict x_to_u, double *restrict log_slope,
                    float *restrict kept)
{
  struct bins b;
  double u[LANES];
  prepare(bins, raw);
  find_bins(bins, raw, x_to_u, 0, &b);
  FOR_LANES () {
    double xi = (x_to_u[l] - b.x0[l]) / b.width[l], rise = xi * (b.v1[l] - b.v0[l]);
    u[l] = below_one(b.y0[l] + b.width[l] * xi * (b.v0[l] + 0.5 * rise));
    log_slope[l] += log_double(b.v0[l] + rise);
  }
  keep(&b, x_to_u, u, kept);
  memcpy(x_to_u, u, sizeof u);
}

/* With eta = (u - y0)/h, h = w (v0 + v1)/2, the slope is the root of (1 - eta) v0^2 + eta v1^2, and
 * xi = eta (v0 + v1)/(v0 + slope): sums only, nothing cancels. */
static void sample(int bins, float *raw, double *restrict u_to_x, double *restrict log_slope)
{
  struct bins b;
  prepare(bins, raw);
  find_bins(bins, raw, u_to_x, 1, &b);
  FOR_LANES () {
    double v0 = b.v0[l], v1 = b.v1[l], both = v0 + v1;
    double eta = (u_to_x[l] - b.y0[l]) / (0.5 * b.width[l] * both);
    eta = eta < 1 ? eta : 1;
    double slope = __builtin_sqrt((1 - eta) * v0 * v0 + eta * v1 * v1);
    u_to_x[l] = below_one(b.x0[l] + b.width[l] * (eta * both / (v0 + slope)));
    log_slope[l] += log_double(slope);
  }
}

/* dL of what a lane's bin is made of, and of the area below it and the total. */
struct bin_adjoint {
  float x0[LANES], width[LANES], e0[LANES], e1[LANES], below[LANES], total[LANES];
};

/* With p = e0 + xi (e1 - e0) and G the area up to x, u = least x + (1 - least) G/T and
 * u' = least + (1 - least) p/T. adjoint: dL/du -> dL/dx */
static void bin_backward(const float *restrict kept, const float *restrict dlog,
                         float *restrict adjoint, struct bin_adjoint *restrict out)
{
  FOR_LANES () {
    float xi = kept[KEPT_XI * LANES + l], w = kept[KEPT_WIDTH * LANES + l];
    float e0 = kept[KEPT_E0 * LANES + l], e1 = kept[KEPT_E1 * LANES + l];
    float scale = (1 - least) / kept[KEPT_TOTAL * LANES + l];
    float p = e0 + xi * (e1 - e0), slope = least + scale * p;
    float dG = adjoint[l] * scale, dp = dlog[l] * scale / slope;
    float dxi = dG * w * p + dp * (e1 - e0);
    out->below[l] = dG;
    out->total[l] = -(dG * kept[KEPT_SHARE * LANES + l] + dp * p / kept[KEPT_TOTAL * LANES + l]);
    out->x0[l] = -dxi / w;
    out->width[l] = dG * xi * (e0 + 0.5f * xi * (e1 - e0)) - dxi * xi / w;
    out->e0[l] = dG * w * xi * (1 - 0.5f * xi) + dp * (1 - xi);
    out->e1[l] = dG * w * 0.5f * xi * xi + dp * xi;
    adjoint[l] = adjoint[l] * slope + dp * (e1 - e0) / w;
  }
}

/* One vector of lanes of the above, and their bin. */
struct lane_adjoint {
  vec bin, x0, width, e0, e1, below, total;
};

INLINE struct lane_adjoint lanes_of(const struct bin_adjoint *d, const float *bin, int l)
{
  return (struct lane_adjoint){load(bin + l),     load(d->x0 + l), load(d->width + l),
                               load(d->e0 + l),   load(d->e1 + l), load(d->below + l),
                               load(d->total + l)};
}

/* dL/darea of bin k */
INLINE vec area_adjoint(const struct lane_adjoint *d, int k)
{
  return d->total + choose(d->bin > (float)k, d->below, (vec){0});
}

/* dL/dwidth of bin k: as a part of x0, of the lane's own bin, and of the area w (e0 + e1)/2 */
INLINE vec width_adjoint(const struct lane_adjoint *d, int k, vec e0, vec e1)
{
  return size_adjoint(d->bin, (float)k, d->x0, d->width) + 0.5f * (e0 + e1) * area_adjoint(d, k);
}

/* The mean of dL/dwidth over the shares, as in softmax_backward */
INLINE vec mean_adjoint(int bins, const struct lane_adjoint *d, const float *shares)
{
  const float *vertices = shares + bins * LANES;
  vec mean = {0}, e0 = load(vertices);
  for (int k = 0; k < bins; k++) {
    vec e1 = load(vertices + (k + 1) * LANES);
    mean += load(shares + k * LANES) * width_adjoint(d, k, e0, e1);
    e0 = e1;
  }
  return mean;
}

/* dL/dvertex number k but for the areas on its two sides */
INLINE vec vertex_adjoint(const struct lane_adjoint *d, int k)
{
  const vec none = {0};
  return choose(d->bin == (float)k, d->e0, choose(d->bin == (float)(k - 1), d->e1, none));
}

/* dL/draw of widths and vertices, in place */
INLINE void lanes_backward(int bins, const struct lane_adjoint *d, float *shares)
{
  const float stretch = 1 - (float)bins * least;
  float *vertices = shares + bins * LANES;
  vec mean = mean_adjoint(bins, d, shares), left = {0}, e0 = load(vertices);
  for (int k = 0; k < bins; k++) {
    vec share = load(shares + k * LANES), e1 = load(vertices + (k + 1) * LANES);
    vec right = 0.5f * (least + stretch * share) * area_adjoint(d, k);
    store(shares + k * LANES, stretch * share * (width_adjoint(d, k, e0, e1) - mean));
    store(vertices + k * LANES, e0 * (left + right + vertex_adjoint(d, k)));
    left = right;
    e0 = e1;
  }
  store(vertices + bins * LANES, e0 * (left + vertex_adjoint(d, bins)));
}

static void backward(int bins, float *raw, const float *kept, const float *dlog, float *adjoint)
{
  struct bin_adjoint d;
  bin_backward(kept, dlog, adjoint, &d);
  for (int l = 0; l < LANES; l += WIDTH) {
    struct lane_adjoint lanes = lanes_of(&d, kept + KEPT_BIN * LANES, l);
    lanes_backward(bins, &lanes, raw + l);
  }
}

const struct transform KERNEL(piecewise_quadratic) = {
    .name = "piecewise-quadratic",
    .bin_rows = 2,
    .other_rows = 1,
    .kept_rows = KEPT_ROWS,
    .ends = 1,
    .density = density,
    .sample = sample,
    .backward = backward,
};

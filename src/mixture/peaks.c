/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peaks.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

#include <gsl/gsl_cdf.h>
#include <float.h>
#include <limits.h>
#include <math.h>

static const double least_sigma = 1e-7;
static const double largest_sigma = 3; /* wider is flat, and its cut-off moments say nothing */
static const double least_share = 1e-4;

int nis_peaks_init(struct peaks *p, size_t dim, const int *periodic, int threads)
{
  size_t each = dim * (dim + 3);
  *p = (struct peaks){.dim = dim, .threads = threads, .kernels = nis_kernels()};
  p->block = NIS_NEW(double, PEAKS_MOST *each + dim);
  p->scratch = NIS_NEW(double, (size_t)threads * 2 * dim * LANES);
  if (periodic) p->circle = NIS_NEW(int, dim);
  if (!p->block || !p->scratch || (periodic && !p->circle)) return nis_no_memory();
  if (periodic) memcpy(p->circle, periodic, dim * sizeof *periodic);
  p->cut = p->block + PEAKS_MOST * each;
  for (int k = 0; k < PEAKS_MOST; k++) {
    double *from = p->block + (size_t)k * each;
    p->peak[k] = (struct peak){
        .mean = from, .sigma = from + dim, .log_cut = from + 2 * dim, .slope = from + 3 * dim};
  }
  return NIS_OK;
}

void nis_peaks_clear(struct peaks *p)
{
  free(p->circle);
  free(p->block);
  free(p->scratch);
  *p = (struct peaks){0};
}

/* A worker's tile [dim][LANES] of points */
static double *tile_of(const struct peaks *p, int worker)
{
  return p->scratch + (size_t)worker * 2 * p->dim * LANES;
}

/* A worker's delta[dim][LANES]: x_j - mean of x_j given those before it */
static double *delta_of(const struct peaks *p, int worker)
{
  return tile_of(p, worker) + p->dim * LANES;
}

static void copy_peak(size_t dim, struct peak *to, const struct peak *from)
{
  memcpy(to->mean, from->mean, dim * (dim + 3) * sizeof(double));
  to->share = from->share;
  to->young = from->young;
  to->log_norm = from->log_norm;
}

void nis_peaks_copy(struct peaks *to, const struct peaks *from)
{
  to->count = from->count;
  memcpy(to->cut, from->cut, from->dim * sizeof *to->cut);
  for (int k = 0; k < from->count; k++) copy_peak(from->dim, &to->peak[k], &from->peak[k]);
}

static void archive_peak(struct archive *a, size_t dim, struct peak *peak)
{
  nis_archive_real(a, "the share of a peak", &peak->share, 0, 1);
  nis_archive_whole(a, "the youth of a peak", &peak->young, 0, INT_MAX);
  nis_archive_real(a, "the norm of a peak", &peak->log_norm, -DBL_MAX, DBL_MAX);
  nis_archive_reals(a, "the mean of a peak", dim, peak->mean, -DBL_MAX, DBL_MAX);
  nis_archive_reals(a, "the width of a peak", dim, peak->sigma, DBL_MIN, DBL_MAX);
  nis_archive_reals(a, "the wall of a peak", dim, peak->log_cut, -DBL_MAX, DBL_MAX);
  nis_archive_reals(a, "the slope of a peak", dim * dim, peak->slope, -DBL_MAX, DBL_MAX);
}

void nis_peaks_archive(struct archive *a, struct peaks *p)
{
  nis_archive_whole(a, "the number of peaks", &p->count, 0, PEAKS_MOST);
  nis_archive_reals(a, "the cut of a circle", p->dim, p->cut, 0, 1);
  for (int k = 0; k < p->count; k++) archive_peak(a, p->dim, &p->peak[k]);
}

/* ---- circles --------------------------------------------------------------------------- */

static double inside(double x)
{
  return fmax(0x1p-53, fmin(x, 1 - 0x1p-53));
}

static double round_circle(double x)
{
  return inside(x - floor(x));
}

/* Coordinate j of a point, of the cube and where the circles are cut open */
static double opened(const struct peaks *p, size_t j, double x)
{
  return p->circle && p->circle[j] ? round_circle(x - p->cut[j]) : x;
}

static double closed(const struct peaks *p, size_t j, double y)
{
  return p->circle && p->circle[j] ? round_circle(y + p->cut[j]) : y;
}

/* A tile x[dim][LANES] opened, in the worker's own if it has circles */
static const double *open_tile(const struct peaks *p, int worker, const double *x)
{
  double *tile = tile_of(p, worker);
  if (!p->circle) return x;
  for (size_t j = 0; j < p->dim; j++)
    for (size_t i = j * LANES; i < (j + 1) * LANES; i++) tile[i] = opened(p, j, x[i]);
  return tile;
}

/* ---- density and sampling ------------------------------------------------------------ */

/* P(z < a), and P(a < z < b), for a normal z, without cancellation in the tails */
static double normal_below(double a)
{
  return 0.5 * erfc(-a * M_SQRT1_2);
}

static double normal_between(double a, double b)
{
  return a > 0 ? normal_below(-a) - normal_below(-b) : normal_below(b) - normal_below(a);
}

/* Farther behind a wall, in sigma, next to nothing of a normal distribution is inside. */
static const double outside = 5;

/* Past this many sigma a wall cuts off less than a rounding error, of a mean `outside` too */
static const double far = 10.5;

/* log of what is left between the walls, at one mean */
static double log_cut(double mean, double sigma)
{
  return log(normal_between(-mean / sigma, (1 - mean) / sigma));
}

/* 2P of what is between walls below and above the means, in sigma sqrt(2); the difference is taken
 * in the smaller tail. */
static void between_walls(const struct kernels *kernels, const double *below, const double *above,
                          double *twice)
{
  double rest[LANES];
  for (int l = 0; l < LANES; l++) {
    twice[l] = below[l] > 0 ? below[l] : -above[l];
    rest[l] = below[l] > 0 ? above[l] : -below[l];
  }
  kernels->erfc(LANES, twice, twice);
  kernels->erfc(LANES, rest, rest);
  for (int l = 0; l < LANES; l++) twice[l] -= rest[l];
}

/* Takes log_cut off sum[LANES] for the means of a tile. Mostly both walls are far from all of them,
 * or one is. */
static void subtract_log_cut(const struct kernels *kernels, const double *mean, double sigma,
                             double *sum)
{
  double below[LANES], above[LANES], cut[LANES], unit = M_SQRT1_2 / sigma;
  int near_low = 0, near_high = 0;
  for (int l = 0; l < LANES; l++) {
    near_low |= mean[l] < far * sigma;
    near_high |= mean[l] > 1 - far * sigma;
  }
  if (!near_low && !near_high) return;
  for (int l = 0; l < LANES; l++) {
    below[l] = -mean[l] * unit;
    above[l] = (1 - mean[l]) * unit;
    cut[l] = near_low ? below[l] : -above[l];
  }
  if (near_low && near_high)
    between_walls(kernels, below, above, cut);
  else
    kernels->erfc(LANES, cut, cut);
  for (int l = 0; l < LANES; l++) cut[l] *= 0.5;
  kernels->log(LANES, cut, cut);
  for (int l = 0; l < LANES; l++) sum[l] -= cut[l];
}

/* Means of coordinate i given those before it; whether it follows any of these */
static int conditional_means(const struct peak *k, size_t dim, size_t i, const double *delta,
                             double *mean)
{
  const double *slope = k->slope + i * dim;
  double most = outside * k->sigma[i];
  int follows = 0;
  for (int l = 0; l < LANES; l++) mean[l] = k->mean[i];
  for (size_t j = 0; j < i; j++) {
    if (slope[j] == 0) continue;
    follows = 1;
    for (int l = 0; l < LANES; l++) mean[l] += slope[j] * delta[j * LANES + (size_t)l];
  }
  for (int l = 0; l < LANES; l++) {
    mean[l] = mean[l] < -most ? -most : mean[l];
    mean[l] = mean[l] > 1 + most ? 1 + most : mean[l];
  }
  return follows;
}

/* One peak's log-density at the points of a tile x[dim][LANES] */
static void peak_tile(const struct peaks *p, const struct peak *k, const double *x, double *delta,
                      double *log_density)
{
  double mean[LANES];
  for (int l = 0; l < LANES; l++) log_density[l] = k->log_norm;
  for (size_t i = 0; i < p->dim; i++) {
    double *d = delta + i * LANES, unit = 1 / k->sigma[i];
    int follows = conditional_means(k, p->dim, i, delta, mean);
    for (int l = 0; l < LANES; l++) {
      d[l] = x[i * LANES + (size_t)l] - mean[l];
      double z = d[l] * unit;
      log_density[l] -= z * z / 2;
    }
    if (follows)
      subtract_log_cut(p->kernels, mean, k->sigma[i], log_density);
    else
      for (int l = 0; l < LANES; l++) log_density[l] -= k->log_cut[i];
  }
}

/* part[count][LANES] at opened points: each peak's density times its share, in units of the largest
 * one at a point, whose log is top[LANES] (0 where all are 0); and their sum[LANES] */
static void tile_parts(const struct peaks *p, int worker, const double *x, double *part,
                       double *top, double *sum)
{
  size_t count = (size_t)p->count;
  for (int l = 0; l < LANES; l++) top[l] = -HUGE_VAL, sum[l] = 0;
  for (size_t k = 0; k < count; k++) {
    double *to = part + k * LANES, share = p->peak[k].share;
    double log_share = share > 0 ? log(share) : -HUGE_VAL;
    peak_tile(p, &p->peak[k], x, delta_of(p, worker), to);
    for (int l = 0; l < LANES; l++) {
      to[l] += log_share;
      top[l] = to[l] > top[l] ? to[l] : top[l];
    }
  }
  for (int l = 0; l < LANES; l++) top[l] = top[l] > -HUGE_VAL ? top[l] : 0;
  for (size_t k = 0; k < count; k++)
    for (int l = 0; l < LANES; l++) part[k * LANES + (size_t)l] -= top[l];
  p->kernels->exp(count * LANES, part, part);
  for (size_t k = 0; k < count; k++)
    for (int l = 0; l < LANES; l++) sum[l] += part[k * LANES + (size_t)l];
}

void nis_peaks_tile(const struct peaks *p, int worker, const double *x, double *log_density)
{
  double part[PEAKS_MOST * LANES], top[LANES], sum[LANES];
  tile_parts(p, worker, open_tile(p, worker, x), part, top, sum);
  p->kernels->log(LANES, sum, log_density);
  for (int l = 0; l < LANES; l++) log_density[l] += top[l];
}

/* Points x[n][dim] of which each worker looks at a tile at a time */
struct look {
  const struct peaks *p;
  size_t n;
  const double *x;
  double *log_density; /* or what a fit makes of it, */
  double *resp;        /* [count][n] how much of each point belongs to a peak */
};

static size_t tiles(size_t n)
{
  return (n + LANES - 1) / LANES;
}

/* The points of tile number `item`, padded with the centre; returns how many they are. */
static size_t load_tile(const struct look *look, size_t item, double *tile)
{
  size_t dim = look->p->dim, at = item * LANES, n = look->n - at < LANES ? look->n - at : LANES;
  for (size_t j = 0; j < dim; j++)
    for (size_t l = 0; l < LANES; l++)
      tile[j * LANES + l] = l < n ? look->x[(at + l) * dim + j] : 0.5;
  return n;
}

static void density_tile(void *context, size_t item, int worker)
{
  const struct look *look = context;
  double log_density[LANES], *tile = tile_of(look->p, worker);
  size_t n = load_tile(look, item, tile);
  nis_peaks_tile(look->p, worker, tile, log_density);
  memcpy(look->log_density + item * LANES, log_density, n * sizeof *log_density);
}

void nis_peaks_log_densities(const struct peaks *p, size_t n, const double *x, double *log_density)
{
  struct look look = {.p = p, .n = n, .x = x, .log_density = log_density};
  nis_parallel_for(p->threads, tiles(n), density_tile, &look);
}

double nis_peaks_log_density(const struct peaks *p, const double *x)
{
  double log_density;
  nis_peaks_log_densities(p, 1, x, &log_density);
  return log_density;
}

/* The z in (a, b) below which a share u of that part of a normal distribution lies */
static double normal_quantile(double a, double b, double u)
{
  if (a > 0) return -normal_quantile(-b, -a, 1 - u);
  if (a < -far && b > far) return gsl_cdf_ugaussian_Pinv(u);
  double below = normal_below(a), z = gsl_cdf_ugaussian_Pinv(below + u * (normal_below(b) - below));
  return fmax(a, fmin(z, b));
}

void nis_peaks_sample(const struct peaks *p, int worker, int number, size_t stride, double *u_to_x)
{
  const struct peak *k = &p->peak[number];
  double *delta = delta_of(p, worker);
  for (size_t i = 0; i < p->dim; i++) {
    double *at = u_to_x + i * stride, sigma = k->sigma[i], mean = k->mean[i];
    for (size_t j = 0; j < i; j++) mean += k->slope[i * p->dim + j] * delta[j];
    mean = fmax(-outside * sigma, fmin(mean, 1 + outside * sigma));
    *at = inside(mean + sigma * normal_quantile(-mean / sigma, (1 - mean) / sigma, *at));
    delta[i] = *at - mean;
  }
  for (size_t i = 0; i < p->dim; i++) u_to_x[i * stride] = closed(p, i, u_to_x[i * stride]);
}

int nis_peaks_choose(const struct peaks *p, double u)
{
  for (int k = 0; k < p->count - 1; k++)
    if ((u -= p->peak[k].share) < 0) return k;
  return p->count - 1;
}

/* ---- changing them --------------------------------------------------------------------- */

/* What of the density depends on no point. A mean is held to what conditional_means allows. */
static void set_norm(struct peak *k, size_t dim)
{
  k->log_norm = 0;
  for (size_t i = 0; i < dim; i++) {
    double most = outside * k->sigma[i], mean = fmax(-most, fmin(k->mean[i], 1 + most));
    k->log_norm -= log(k->sigma[i] * sqrt(2 * M_PI));
    k->log_cut[i] = log_cut(mean, k->sigma[i]);
  }
}

static void normalise_shares(struct peaks *p)
{
  double sum = 0;
  for (int k = 0; k < p->count; k++) sum += p->peak[k].share;
  for (int k = 0; k < p->count; k++) p->peak[k].share /= sum;
}

static int smallest(const struct peaks *p)
{
  int least = 0;
  for (int k = 1; k < p->count; k++)
    if (p->peak[k].share < p->peak[least].share) least = k;
  return least;
}

static void remove_peak(struct peaks *p, int k)
{
  p->count--;
  if (k < p->count) copy_peak(p->dim, &p->peak[k], &p->peak[p->count]);
}

void nis_peaks_add(struct peaks *p, const double *mean, const double *sigma, double share,
                   int young)
{
  if (p->count == PEAKS_MOST) remove_peak(p, smallest(p));
  normalise_shares(p);
  struct peak *k = &p->peak[p->count++];
  memset(k->slope, 0, p->dim * p->dim * sizeof *k->slope);
  for (size_t i = 0; i < p->dim; i++) {
    k->mean[i] = opened(p, i, mean[i]);
    k->sigma[i] = fmax(least_sigma, fmin(sigma[i], largest_sigma));
  }
  k->young = young;
  k->share = p->count == 1 ? 1 : share / (1 - share);
  set_norm(k, p->dim);
  normalise_shares(p);
}

/* ---- expectation maximisation ------------------------------------------------------------ */

static void responsibilities(void *context, size_t item, int worker)
{
  const struct look *look = context;
  const struct peaks *p = look->p;
  double part[PEAKS_MOST * LANES], top[LANES], sum[LANES], *tile = tile_of(p, worker);
  size_t n = load_tile(look, item, tile);
  tile_parts(p, worker, tile, part, top, sum);
  for (int k = 0; k < p->count; k++)
    for (size_t l = 0; l < n; l++)
      look->resp[(size_t)k * look->n + item * LANES + l] =
          sum[l] > 0 ? part[(size_t)k * LANES + l] / sum[l] : 0;
}

/* Mean and variance of a normal distribution cut off at 0 and 1 */
static void cut_moments(double mean, double sigma, double *cut_mean, double *cut_variance)
{
  double a = -mean / sigma, b = (1 - mean) / sigma, mass = normal_between(a, b);
  double at_a = exp(-a * a / 2) / sqrt(2 * M_PI), at_b = exp(-b * b / 2) / sqrt(2 * M_PI);
  double shift = (at_a - at_b) / mass;
  *cut_mean = mean + sigma * shift;
  *cut_variance = sigma * sigma * (1 + (a * at_a - b * at_b) / mass - shift * shift);
}

/* Mean and sigma of the normal distribution whose cut-off moments are the seen ones: fixed-point
 * steps, kept where they make sense. */
static void undo_cut(double seen_mean, double seen_variance, double *mean, double *sigma)
{
  *mean = seen_mean;
  *sigma = sqrt(seen_variance);
  for (int i = 0; i < 20; i++) {
    double m, v, mean_before = *mean, sigma_before = *sigma;
    cut_moments(*mean, *sigma, &m, &v);
    if (!(v > 0) || !isfinite(m)) break;
    *mean = fmax(-0.5, fmin(*mean + seen_mean - m, 1.5));
    *sigma = fmin(*sigma * sqrt(fmin(seen_variance / v, 2)), largest_sigma);
    if (*mean == mean_before && *sigma == sigma_before) break;
  }
}

/* Kish's number of different points; copies of one follow each other. A few points that were copied
 * often would make a peak far too narrow. */
static double effective_points(size_t dim, size_t n, const double *x, const double *w, double sum)
{
  double squares = 0, copies = 0;
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && memcmp(x + i * dim, x + (i - 1) * dim, dim * sizeof *x) != 0) {
      squares += copies * copies;
      copies = 0;
    }
    copies += w[i];
  }
  return sum * sum / (squares + copies * copies);
}

/* A round's new shapes: the work is cut into peaks, or into rows of their covariances. */
struct fit {
  struct peaks *p;
  size_t n;
  const double *x, *resp;
  int distinct;
  double sum[PEAKS_MOST]; /* of resp; 0: too few points, its shape stays */
};

/* Share, and the mean of the points that belong to the peak */
static void weigh_peak(void *context, size_t item, int worker)
{
  struct fit *f = context;
  struct peak *k = &f->p->peak[item];
  const double *w = f->resp + item * f->n;
  size_t dim = f->p->dim;
  double sum = 0, least = (double)dim;
  (void)worker;
  for (size_t i = 0; i < f->n; i++) sum += w[i];
  double share = sum / (double)f->n;
  k->share = k->young > 0 ? fmax(k->share, share) : share;
  if (k->young > 0) k->young--;
  f->sum[item] = 0;
  if (sum < 4 * least) return;
  if (f->distinct && effective_points(dim, f->n, f->x, w, sum) < least) return;
  f->sum[item] = sum;
  memset(k->mean, 0, dim * sizeof *k->mean);
  for (size_t i = 0; i < f->n; i++)
    for (size_t j = 0; j < dim; j++) k->mean[j] += w[i] * f->x[i * dim + j];
  for (size_t j = 0; j < dim; j++) k->mean[j] /= sum;
}

/* One row of a covariance's lower triangle, where the slopes will stand. With too few points only
 * the diagonal is believed. */
static void covariance_row(void *context, size_t item, int worker)
{
  struct fit *f = context;
  size_t dim = f->p->dim, number = item / dim, row = item % dim;
  const struct peak *k = &f->p->peak[number];
  const double *w = f->resp + number * f->n;
  double sum = f->sum[number], *to = k->slope + row * dim;
  size_t from = sum < 10. * (double)dim ? row : 0;
  (void)worker;
  if (sum == 0) return;
  memset(to, 0, dim * sizeof *to);
  for (size_t i = 0; i < f->n; i++) {
    const double *x = f->x + i * dim;
    if (w[i] < 1e-12) continue;
    double off = w[i] / sum * (x[row] - k->mean[row]);
    for (size_t j = from; j <= row; j++) to[j] += off * (x[j] - k->mean[j]);
  }
}

/* Conditional slopes and sigmas in place of a covariance: its LDL' factors, of which the smallest
 * pivots are kept off zero. */
static void factorise(struct peak *k, size_t dim)
{
  double *pivot = k->sigma;
  for (size_t i = 0; i < dim; i++) {
    double *row = k->slope + i * dim, variance = row[i];
    pivot[i] = variance;
    for (size_t j = 0; j < i; j++) {
      for (size_t m = 0; m < j; m++) row[j] -= row[m] * k->slope[j * dim + m] * pivot[m];
      row[j] /= pivot[j];
    }
    for (size_t j = 0; j < i; j++) pivot[i] -= row[j] * row[j] * pivot[j];
    pivot[i] = fmax(pivot[i], 1e-6 * variance + least_sigma * least_sigma);
    row[i] = 0;
  }
  for (size_t i = 0; i < dim; i++) k->sigma[i] = sqrt(pivot[i]);
}

/* From the moments of the points to those of the uncut distribution, and to conditional ones */
static void shape_peak(void *context, size_t item, int worker)
{
  struct fit *f = context;
  struct peak *k = &f->p->peak[item];
  size_t dim = f->p->dim;
  double *scale = k->sigma;
  (void)worker;
  if (f->sum[item] == 0) return;
  for (size_t j = 0; j < dim; j++) {
    double seen = fmax(k->slope[j * dim + j], least_sigma * least_sigma), sigma;
    undo_cut(k->mean[j], seen, &k->mean[j], &sigma);
    scale[j] = sigma / sqrt(seen);
  }
  for (size_t j = 0; j < dim; j++)
    for (size_t i = 0; i <= j; i++) k->slope[j * dim + i] *= scale[j] * scale[i];
  factorise(k, dim);
  set_norm(k, dim);
}

static void drop_empty(struct peaks *p)
{
  for (int k = p->count - 1; k >= 0; k--)
    if (p->peak[k].share < least_share && p->count > 1) remove_peak(p, k);
  normalise_shares(p);
}

enum { CELLS = 16 }; /* of a circle; it is cut between two of them */

/* The cut goes where the points are fewest and farthest, unless they are hardly fewer there than
 * where it is; the peaks stay where they are on the circle. */
static void move_cut(struct peaks *p, size_t j, size_t n, const double *x)
{
  const double much = 2;
  double count[CELLS] = {0}, near[CELLS] = {0};
  size_t least = 0, now = (size_t)(p->cut[j] * CELLS);
  for (size_t i = 0; i < n; i++) count[(size_t)(x[i * p->dim + j] * CELLS)]++;
  for (size_t c = 0; c < CELLS; c++) {
    for (size_t k = 0; k < CELLS; k++)
      near[c] += count[k] * pow(cos(M_PI * ((double)k + 0.5 - (double)c) / CELLS), 8);
    if (near[c] < near[least]) least = c;
  }
  if (near[now] <= much * near[least]) return;
  for (int k = 0; k < p->count; k++) p->peak[k].mean[j] = closed(p, j, p->peak[k].mean[j]);
  p->cut[j] = (double)least / CELLS;
  for (int k = 0; k < p->count; k++) p->peak[k].mean[j] = opened(p, j, p->peak[k].mean[j]);
}

/* All points x[n][dim], in place, and the peaks with them */
static void open_circles(struct peaks *p, size_t n, double *x)
{
  for (size_t j = 0; p->circle && j < p->dim; j++) {
    if (!p->circle[j]) continue;
    move_cut(p, j, n, x);
    for (size_t i = 0; i < n; i++) x[i * p->dim + j] = opened(p, j, x[i * p->dim + j]);
  }
  for (int k = 0; p->circle && k < p->count; k++) set_norm(&p->peak[k], p->dim);
}

void nis_peaks_fit(struct peaks *p, size_t n, double *x, int distinct, int rounds, double *work)
{
  open_circles(p, n, x);
  struct look look = {.p = p, .n = n, .x = x, .resp = work};
  struct fit fit = {.p = p, .n = n, .x = x, .resp = work, .distinct = distinct};
  for (int round = 0; round < rounds && p->count > 0; round++) {
    size_t count = (size_t)p->count;
    nis_parallel_for(p->threads, tiles(n), responsibilities, &look);
    nis_parallel_for(p->threads, count, weigh_peak, &fit);
    nis_parallel_for(p->threads, count * p->dim, covariance_row, &fit);
    nis_parallel_for(p->threads, count, shape_peak, &fit);
    drop_empty(p);
  }
}

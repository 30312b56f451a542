/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peaks.h"

#include "base/error.h"
#include "base/memory.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

static const double least_sigma = 1e-7;
static const double largest_sigma = 3; /* wider is flat, and its cut-off moments say nothing */
static const double least_share = 1e-4;

int nis_peaks_init(struct peaks *p, size_t dim)
{
  size_t each = dim * (dim + 2);
  *p = (struct peaks){.dim = dim};
  p->block = NIS_NEW(double, PEAKS_MOST *each);
  if (!p->block) return nis_no_memory();
  for (int k = 0; k < PEAKS_MOST; k++) {
    double *from = p->block + (size_t)k * each;
    p->peak[k] = (struct peak){.mean = from, .sigma = from + dim, .slope = from + 2 * dim};
  }
  return NIS_OK;
}

void nis_peaks_clear(struct peaks *p)
{
  free(p->block);
  *p = (struct peaks){0};
}

static void copy_peak(size_t dim, struct peak *to, const struct peak *from)
{
  memcpy(to->mean, from->mean, dim * (dim + 2) * sizeof(double));
  to->share = from->share;
  to->young = from->young;
  to->log_norm = from->log_norm;
}

void nis_peaks_copy(struct peaks *to, const struct peaks *from)
{
  to->count = from->count;
  for (int k = 0; k < from->count; k++) copy_peak(from->dim, &to->peak[k], &from->peak[k]);
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

/* Mean of coordinate i given those before it, delta[j] = x_j - mean of x_j given its own */
static double conditional_mean(const struct peak *k, size_t dim, size_t i, const double *delta)
{
  const double *slope = k->slope + i * dim;
  double mean = k->mean[i];
  for (size_t j = 0; j < i; j++) mean += slope[j] * delta[j];
  double most = outside * k->sigma[i];
  return fmax(-most, fmin(mean, 1 + most));
}

/* Past this many sigma a wall cuts off less than a rounding error */
static const double far = 8.5;

static double cut_off_log(double mean, double sigma)
{
  double below = -mean / sigma, above = (1 - mean) / sigma;
  if (below < -far && above > far) return 0;
  return log(normal_between(below, above));
}

static double log_density(const struct peak *k, size_t dim, const double *x)
{
  double delta[dim], sum = k->log_norm;
  for (size_t i = 0; i < dim; i++) {
    double mean = conditional_mean(k, dim, i, delta);
    delta[i] = x[i] - mean;
    double z = delta[i] / k->sigma[i];
    sum -= z * z / 2 + cut_off_log(mean, k->sigma[i]);
  }
  return sum;
}

static double log_sum(int n, const double *log_term)
{
  double top = -HUGE_VAL, sum = 0;
  for (int k = 0; k < n; k++) top = fmax(top, log_term[k]);
  if (isinf(top)) return top;
  for (int k = 0; k < n; k++) sum += exp(log_term[k] - top);
  return top + log(sum);
}

double nis_peaks_log_density(const struct peaks *p, const double *x)
{
  double term[PEAKS_MOST];
  for (int k = 0; k < p->count; k++)
    term[k] = log(p->peak[k].share) + log_density(&p->peak[k], p->dim, x);
  return log_sum(p->count, term);
}

/* The z in (a, b) below which a share u of that part of a normal distribution lies */
static double normal_quantile(double a, double b, double u)
{
  if (a > 0) return -normal_quantile(-b, -a, 1 - u);
  double z = gsl_cdf_ugaussian_Pinv(normal_below(a) + u * normal_between(a, b));
  return fmax(a, fmin(z, b));
}

static double inside(double x)
{
  return fmax(0x1p-53, fmin(x, 1 - 0x1p-53));
}

void nis_peaks_sample(const struct peaks *p, int number, const double *u, double *x)
{
  const struct peak *k = &p->peak[number];
  double delta[p->dim];
  for (size_t i = 0; i < p->dim; i++) {
    double mean = conditional_mean(k, p->dim, i, delta), sigma = k->sigma[i];
    double z = normal_quantile(-mean / sigma, (1 - mean) / sigma, u[i]);
    x[i] = inside(mean + sigma * z);
    delta[i] = x[i] - mean;
  }
}

int nis_peaks_choose(const struct peaks *p, double u)
{
  for (int k = 0; k < p->count - 1; k++)
    if ((u -= p->peak[k].share) < 0) return k;
  return p->count - 1;
}

/* ---- changing them --------------------------------------------------------------------- */

static void set_norm(struct peak *k, size_t dim)
{
  k->log_norm = 0;
  for (size_t i = 0; i < dim; i++) k->log_norm -= log(k->sigma[i] * sqrt(2 * M_PI));
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
    k->mean[i] = mean[i];
    k->sigma[i] = fmax(least_sigma, fmin(sigma[i], largest_sigma));
  }
  k->young = young;
  k->share = p->count == 1 ? 1 : share / (1 - share);
  set_norm(k, p->dim);
  normalise_shares(p);
}

/* ---- expectation maximisation ------------------------------------------------------------ */

/* resp[k][n]: how much of each point belongs to peak k */
static void responsibilities(const struct peaks *p, size_t n, const double *x, double *resp)
{
  for (size_t i = 0; i < n; i++) {
    double term[PEAKS_MOST];
    for (int k = 0; k < p->count; k++)
      term[k] = log(p->peak[k].share) + log_density(&p->peak[k], p->dim, x + i * p->dim);
    double total = log_sum(p->count, term);
    for (int k = 0; k < p->count; k++)
      resp[(size_t)k * n + i] = isinf(total) ? 0 : exp(term[k] - total);
  }
}

static double weighted_mean(size_t dim, size_t n, const double *x, const double *w, double *mean)
{
  double sum = 0;
  memset(mean, 0, dim * sizeof *mean);
  for (size_t i = 0; i < n; i++) {
    sum += w[i];
    for (size_t j = 0; j < dim; j++) mean[j] += w[i] * x[i * dim + j];
  }
  for (size_t j = 0; j < dim; j++) mean[j] /= sum > 0 ? sum : 1;
  return sum;
}

/* Lower triangle of the covariance */
static void weighted_covariance(size_t dim, size_t n, const double *x, const double *w, double sum,
                                const double *mean, double *covariance)
{
  double delta[dim];
  memset(covariance, 0, dim * dim * sizeof *covariance);
  for (size_t i = 0; i < n; i++) {
    if (w[i] < 1e-12) continue;
    for (size_t j = 0; j < dim; j++) delta[j] = x[i * dim + j] - mean[j];
    for (size_t j = 0; j < dim; j++)
      for (size_t k = 0; k <= j; k++) covariance[j * dim + k] += w[i] / sum * delta[j] * delta[k];
  }
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
    double m, v;
    cut_moments(*mean, *sigma, &m, &v);
    if (!(v > 0) || !isfinite(m)) break;
    *mean = fmax(-0.5, fmin(*mean + seen_mean - m, 1.5));
    *sigma = fmin(*sigma * sqrt(fmin(seen_variance / v, 2)), largest_sigma);
  }
}

/* Conditional slopes and sigmas from a covariance: its LDL' factors, of which the smallest
 * pivots are kept off zero. */
static void factorise(size_t dim, const double *covariance, struct peak *k)
{
  double pivot[dim];
  memset(k->slope, 0, dim * dim * sizeof *k->slope);
  for (size_t i = 0; i < dim; i++) {
    double *row = k->slope + i * dim;
    pivot[i] = covariance[i * dim + i];
    for (size_t j = 0; j < i; j++) {
      row[j] = covariance[i * dim + j];
      for (size_t m = 0; m < j; m++) row[j] -= row[m] * k->slope[j * dim + m] * pivot[m];
      row[j] /= pivot[j];
    }
    for (size_t j = 0; j < i; j++) pivot[i] -= row[j] * row[j] * pivot[j];
    pivot[i] = fmax(pivot[i], 1e-6 * covariance[i * dim + i] + least_sigma * least_sigma);
    k->sigma[i] = sqrt(pivot[i]);
  }
  set_norm(k, dim);
}

/* Too few points for a full covariance: only its diagonal is believed. */
static void drop_correlations(size_t dim, double *covariance)
{
  for (size_t j = 0; j < dim; j++)
    for (size_t k = 0; k < j; k++) covariance[j * dim + k] = 0;
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

static void maximise(struct peak *k, size_t dim, size_t n, const double *x, const double *w,
                     int distinct)
{
  double mean[dim], scale[dim], *covariance = k->slope;
  double sum = weighted_mean(dim, n, x, w, mean);
  double share = sum / (double)n;
  k->share = k->young > 0 ? fmax(k->share, share) : share;
  if (k->young > 0) k->young--;
  double least = (double)dim;
  if (sum < 4 * least) return; /* its shape stays */
  if (distinct && effective_points(dim, n, x, w, sum) < least) return;
  weighted_covariance(dim, n, x, w, sum, mean, covariance);
  if (sum < 10. * (double)dim) drop_correlations(dim, covariance);
  for (size_t j = 0; j < dim; j++) {
    double seen = fmax(covariance[j * dim + j], least_sigma * least_sigma), sigma;
    undo_cut(mean[j], seen, &k->mean[j], &sigma);
    scale[j] = sigma / sqrt(seen);
  }
  double full[dim * dim];
  for (size_t j = 0; j < dim; j++)
    for (size_t i = 0; i <= j; i++)
      full[j * dim + i] = covariance[j * dim + i] * scale[j] * scale[i];
  factorise(dim, full, k);
}

static void drop_empty(struct peaks *p)
{
  for (int k = p->count - 1; k >= 0; k--)
    if (p->peak[k].share < least_share && p->count > 1) remove_peak(p, k);
  normalise_shares(p);
}

void nis_peaks_fit(struct peaks *p, size_t n, const double *x, int distinct, int rounds,
                   double *work)
{
  for (int round = 0; round < rounds && p->count > 0; round++) {
    responsibilities(p, n, x, work);
    for (int k = 0; k < p->count; k++)
      maximise(&p->peak[k], p->dim, n, x, work + (size_t)k * n, distinct);
    drop_empty(p);
  }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control.h"

#include <math.h>
#include <string.h>

/* The q_c/q add up to 1 with the shares as weights, so beta is not unique; a small ridge on
 * the correlations picks a small one. */
static const double ridge = 1e-8;
static const double worth = 0.02; /* least relative gain in variance */

/* Weighted sums over points: row 0 .. CHANNELS - 1 are the controls, the last is f/q. */
enum { ROWS = CHANNELS + 1 };

struct sums {
  double weight, mean[ROWS], square[ROWS][ROWS];
};

static void add(struct sums *s, double weight, const double *row)
{
  double off[ROWS];
  s->weight += weight;
  for (int a = 0; a < ROWS; a++) {
    off[a] = row[a] - s->mean[a];
    s->mean[a] += off[a] * weight / s->weight;
  }
  for (int a = 0; a < ROWS; a++)
    for (int b = 0; b <= a; b++) s->square[a][b] += weight * off[a] * (row[b] - s->mean[b]);
}

static double largest_value(size_t n, const double *f)
{
  double top = 0;
  for (size_t i = 0; i < n; i++) top = fmax(top, fabs(f[i]));
  return top;
}

/* One point, with what q of these shares is over the density that it was drawn from as its weight
 */
static void add_point(struct sums *s, double f_over_p, double log_p, const double *log_channel,
                      const double *share)
{
  double row[ROWS], q = 0;
  for (int c = 0; c < CHANNELS; c++) q += share[c] * (row[c] = exp(log_channel[c] - log_p));
  if (!(q > 0)) return;
  for (int c = 0; c < CHANNELS; c++) row[c] = share[c] > 0 ? row[c] / q - 1 : 0;
  row[CHANNELS] = f_over_p / q;
  add(s, q, row);
}

/* Solves the normal equations by Cholesky's decomposition of the matrix of correlations; returns
 * the share of the variance of f/q that is explained. */
static double solve(const struct sums *s, double *beta)
{
  double l[CHANNELS][CHANNELS] = {{0}}, z[CHANNELS], scale[ROWS], explained = 0;
  for (int a = 0; a < ROWS; a++) scale[a] = s->square[a][a] > 0 ? 1 / sqrt(s->square[a][a]) : 0;
  for (int a = 0; a < CHANNELS; a++) {
    for (int b = 0; b <= a; b++) {
      double sum = a == b ? 1 + ridge : s->square[a][b] * scale[a] * scale[b];
      for (int k = 0; k < b; k++) sum -= l[a][k] * l[b][k];
      l[a][b] = a == b ? sqrt(fmax(sum, ridge)) : sum / l[b][b];
    }
    z[a] = s->square[CHANNELS][a] * scale[a] * scale[CHANNELS];
    for (int k = 0; k < a; k++) z[a] -= l[a][k] * z[k];
    z[a] /= l[a][a];
    explained += z[a] * z[a];
  }
  for (int a = CHANNELS - 1; a >= 0; a--) {
    for (int k = a + 1; k < CHANNELS; k++) z[a] -= l[k][a] * z[k];
    z[a] /= l[a][a];
    beta[a] = scale[CHANNELS] > 0 ? z[a] * scale[a] / scale[CHANNELS] : 0;
  }
  return explained;
}

void nis_control_fit(size_t n, const double *f, const double *log_q, const double *log_channel,
                     const double *share, double *beta)
{
  struct sums sums = {0};
  double unit = largest_value(n, f);
  memset(beta, 0, CHANNELS * sizeof *beta);
  if (unit == 0) return;
  for (size_t i = 0; i < n; i++) {
    double f_over_p = f[i] == 0 ? 0 : f[i] / unit * exp(-log_q[i]);
    add_point(&sums, f_over_p, log_q[i], log_channel + i * CHANNELS, share);
  }
  double explained = solve(&sums, beta);
  for (int c = 0; c < CHANNELS; c++) beta[c] = explained > worth ? beta[c] * unit : 0;
}

void nis_control_values(size_t n, const double *f, const double *log_q, const double *log_channel,
                        const double *beta, const struct kernels *kernels, double *weight,
                        double *value)
{
  double ratio[LANES];
  for (size_t i = 0; i < n; i++) weight[i] = -log_q[i];
  kernels->exp(n, weight, weight);
  for (size_t i = 0; i < n; i++) value[i] = weight[i] = f[i] == 0 ? 0 : f[i] * weight[i];
  for (size_t c = 0; c < CHANNELS; c++) {
    if (beta[c] == 0) continue;
    for (size_t i = 0; i < n; i++) ratio[i] = log_channel[i * CHANNELS + c] - log_q[i];
    kernels->exp(n, ratio, ratio);
    for (size_t i = 0; i < n; i++) value[i] -= beta[c] * (ratio[i] - 1);
  }
}

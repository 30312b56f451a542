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

static double largest_value(const struct points *p)
{
  double top = 0;
  for (size_t i = 0; i < p->n; i++) top = fmax(top, fabs(p->f[i]));
  return top;
}

/* q of these shares over the density that point i was drawn from, and the channels' over it */
static double ratios(const struct points *p, size_t i, const double *share, double *ratio)
{
  double q = 0;
  for (int c = 0; c < CHANNELS; c++)
    q += share[c] * (ratio[c] = exp(p->log_channel[i * CHANNELS + c] - p->log_q[i]));
  return q;
}

static void add_points(struct sums *s, const struct points *p, const double *share, double unit)
{
  double row[ROWS];
  for (size_t i = 0; i < p->n; i++) {
    double q = ratios(p, i, share, row);
    if (!(q > 0)) continue;
    for (int c = 0; c < CHANNELS; c++) row[c] = share[c] > 0 ? row[c] / q - 1 : 0;
    row[CHANNELS] = p->f[i] == 0 ? 0 : p->f[i] / unit * exp(-p->log_q[i]) / q;
    add(s, q, row);
  }
}

/* Solves the normal equations by Cholesky's decomposition of the matrix of correlations; returns the
 * share of the variance of f/q that is explained. */
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

void nis_control_fit(const struct points *p, const double *share, double *beta)
{
  struct sums sums = {0};
  double unit = largest_value(p);
  memset(beta, 0, CHANNELS * sizeof *beta);
  if (unit == 0) return;
  add_points(&sums, p, share, unit);
  double explained = solve(&sums, beta);
  for (int c = 0; c < CHANNELS; c++) beta[c] = explained > worth ? beta[c] * unit : 0;
}

void nis_control_values(const struct points *p, size_t first, size_t n, const double *beta,
                        const struct kernels *kernels, double *weight, double *value)
{
  const double *log_q = p->log_q + first, *log_channel = p->log_channel + first * CHANNELS;
  double ratio[LANES];
  for (size_t i = 0; i < n; i++) weight[i] = -log_q[i];
  kernels->exp(n, weight, weight);
  for (size_t i = 0; i < n; i++)
    value[i] = weight[i] = p->f[first + i] == 0 ? 0 : p->f[first + i] * weight[i];
  for (size_t c = 0; c < CHANNELS; c++) {
    if (beta[c] == 0) continue;
    for (size_t i = 0; i < n; i++) ratio[i] = log_channel[i * CHANNELS + c] - log_q[i];
    kernels->exp(n, ratio, ratio);
    for (size_t i = 0; i < n; i++) value[i] -= beta[c] * (ratio[i] - 1);
  }
}

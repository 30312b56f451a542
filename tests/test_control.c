/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control variates, against sums written out. What they are good for: test_statistics.c */
#include "suite.h"

#include "mixture/control.h"
#include "sampler/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400 };

/* N points on a grid of (0,1) with channel densities 1, 2x, 2(1-x), drawn from the mixture
 * `from`. */
struct scene {
  double x[N], log_q[N], f[N], log_channel[N * CHANNELS];
  struct points p;
};

static double density(enum channel c, double x)
{
  return c == CHANNEL_UNIFORM ? 1 : c == CHANNEL_FLOW ? 2 * x : 2 * (1 - x);
}

static int present(enum channel c)
{
  return c == CHANNEL_UNIFORM || c == CHANNEL_FLOW || c == CHANNEL_TWIN;
}

static double mixture(const double *share, double x)
{
  double q = 0;
  for (int c = 0; c < CHANNELS; c++)
    if (present(c)) q += share[c] * density(c, x);
  return q;
}

static void fill(struct scene *s, const double *share)
{
  for (int i = 0; i < N; i++) {
    s->x[i] = (i + 0.5) / N;
    s->log_q[i] = log(mixture(share, s->x[i]));
    for (int c = 0; c < CHANNELS; c++)
      s->log_channel[i * CHANNELS + c] = present(c) ? log(density(c, s->x[i])) : -HUGE_VAL;
  }
  s->p = (struct points){.capacity = N, .n = N, .x = s->x, .log_q = s->log_q, .f = s->f};
  s->p.log_channel = s->log_channel;
}

static const double drawn[CHANNELS] = {
    [CHANNEL_UNIFORM] = 0.5, [CHANNEL_FLOW] = 0.25, [CHANNEL_TWIN] = 0.25};
static const double frozen[CHANNELS] = {
    [CHANNEL_UNIFORM] = 0.1, [CHANNEL_FLOW] = 0.5, [CHANNEL_TWIN] = 0.4};

static void values_of(const struct scene *s, const double *beta, double *weight, double *value)
{
  for (size_t i = 0; i < N; i += LANES)
    nis_control_values(N - i < LANES ? N - i : LANES, s->p.f + i, s->p.log_q + i,
                       s->p.log_channel + i * CHANNELS, beta, nis_kernels(), weight + i, value + i);
}

static void largest_off(struct scene *s, const double *beta, double mean, double *off)
{
  double weight[N], value[N];
  fill(s, frozen);
  values_of(s, beta, weight, value);
  *off = 0;
  for (int i = 0; i < N; i++) *off = fmax(*off, fabs(value[i] - mean));
}

/* Point by point: weights are f/q, values less what the controls add; 0 where f is, but for
 * these */
START_TEST(values_are_the_formula)
{
  static const double betas[][CHANNELS] = {{0}, {0, -2, 0.5}, {1e3, 1, 1, 0, 7}};
  struct scene s;
  double weight[N], value[N];
  for (int i = 0; i < N; i++) s.f[i] = i % 5 ? sin(20. * i / N) : 0;
  fill(&s, drawn);
  for (int k = 0; k < 3; k++) {
    values_of(&s, betas[k], weight, value);
    for (int i = 0; i < N; i++) {
      double q = mixture(drawn, s.x[i]), v = s.f[i] / q, size = fabs(v);
      require(fabs(weight[i] - v) <= 1e-14 * size, "weight %d is %g, not %g", i, weight[i], v);
      for (int c = 0; c < CHANNELS; c++) {
        double density_here = present(c) ? density(c, s.x[i]) : 0;
        v -= betas[k][c] * (density_here / q - 1);
        size += fabs(betas[k][c]) * (density_here / q + 1);
      }
      require(fabs(value[i] - v) <= 1e-14 * size, "value %d is %g, not %g", i, value[i], v);
    }
  }
}
END_TEST

/* f = 3 q_flow - 2 q_negative: every value is its integral, 1, at any scale of f. */
START_TEST(sums_of_channels_have_no_variance)
{
  static const double scale[] = {1, 1e300, 1e-300};
  struct scene s;
  double beta[CHANNELS], off;
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < N; i++)
      s.f[i] = scale[k] * (3 * 2 * ((i + 0.5) / N) - 2 * 2 * (1 - (i + 0.5) / N));
    fill(&s, drawn);
    nis_control_fit(s.p.n, s.p.f, s.p.log_q, s.p.log_channel, frozen, beta);
    largest_off(&s, beta, scale[k], &off);
    ck_assert_double_lt(off, 1e-5 * scale[k]);
  }
}
END_TEST

/* The least squares solution makes what is left orthogonal to every control, over the frozen q. */
START_TEST(what_is_left_is_orthogonal_to_the_controls)
{
  struct scene s;
  double beta[CHANNELS];
  for (int i = 0; i < N; i++) s.f[i] = cos(3 * (i + 0.5) / N) + 0.3;
  fill(&s, drawn);
  nis_control_fit(s.p.n, s.p.f, s.p.log_q, s.p.log_channel, frozen, beta);
  double mean = 0, norm = 0, raw = 0, left = 0;
  for (int i = 0; i < N; i++) {
    double q = mixture(frozen, s.x[i]), over = q / mixture(drawn, s.x[i]), v = s.f[i] / q;
    for (int c = 0; c < CHANNELS; c++)
      if (present(c)) v -= beta[c] * (density(c, s.x[i]) / q - 1);
    norm += over;
    mean += over * v;
  }
  mean /= norm;
  for (int c = 0; c < CHANNELS; c++) {
    double dot = 0, size = 0;
    if (!present(c)) continue;
    raw = left = 0;
    for (int i = 0; i < N; i++) {
      double q = mixture(frozen, s.x[i]), over = q / mixture(drawn, s.x[i]), v = s.f[i] / q;
      double h = density(c, s.x[i]) / q - 1;
      raw += over * v * v;
      for (int k = 0; k < CHANNELS; k++)
        if (present(k)) v -= beta[k] * (density(k, s.x[i]) / q - 1);
      left += over * (v - mean) * (v - mean);
      dot += over * (v - mean) * h;
      size += over * fabs(h);
    }
    ck_assert_double_lt(fabs(dot), 1e-4 * size);
  }
  ck_assert_double_lt(left, 0.5 * raw);
}
END_TEST

START_TEST(nothing_to_gain_changes_nothing)
{
  struct scene s;
  double beta[CHANNELS];
  const double alone[CHANNELS] = {[CHANNEL_FLOW] = 1};
  for (int i = 0; i < N; i++) s.f[i] = 1 + (i % 2 ? 1 : -1);
  fill(&s, drawn);
  nis_control_fit(s.p.n, s.p.f, s.p.log_q, s.p.log_channel, alone, beta);
  for (int c = 0; c < CHANNELS; c++) ck_assert_double_eq(beta[c], 0);
  memset(s.f, 0, sizeof s.f);
  nis_control_fit(s.p.n, s.p.f, s.p.log_q, s.p.log_channel, frozen, beta);
  for (int c = 0; c < CHANNELS; c++) ck_assert_double_eq(beta[c], 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("control");
  TCase *tcase = tcase_create("control");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, values_are_the_formula);
  tcase_add_test(tcase, sums_of_channels_have_no_variance);
  tcase_add_test(tcase, what_is_left_is_orthogonal_to_the_controls);
  tcase_add_test(tcase, nothing_to_gain_changes_nothing);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

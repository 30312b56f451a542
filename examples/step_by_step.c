/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handle: train, integrate with the frozen flow, look at weighted points, take events. */
#include <math.h>
#include <nis_events.h>
#include <stdio.h>

/* A resonance in x0, a forward peak in x1; many points at once. */
static int resonance(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    double mass = x[i * dim], angle = x[i * dim + 1];
    f[i * ncomp] = 1e-4 / (pow(mass - 91.2, 2) + 1.5) / (1.01 - angle);
  }
  return 0;
}

static int print_events(const nis_event_block *events, void *params)
{
  int *left = params;
  for (size_t i = 0; i<events->n && * left> 0; i++, --*left)
    printf("  event at (%.4f, %+.4f), weight %g\n", events->x[2 * i], events->x[2 * i + 1],
           events->weight[i]);
  return 0;
}

int main(void)
{
  const double lower[] = {10, -1}, upper[] = {200, 1};
  nis_options options = {.dim = 2, .batch = resonance, .lower = lower, .upper = upper, .seed = 1};
  nis *s;
  nis_result result;
  double x[2], log_q, weight;
  int to_print = 3;
  nis_event_options events = {.events = 1000, .sink = print_events, .sink_params = &to_print};

  int status = nis_create(&s, NULL, &options);
  if (status == NIS_OK) status = nis_train(s, 50000);
  if (status == NIS_OK) status = nis_estimate(s, 100000, &result);
  if (status == NIS_OK) status = nis_sample(s, 1, x, &log_q, &weight);
  if (status == NIS_OK) status = nis_events(s, &events, NULL);
  nis_free(s);

  if (status != NIS_OK) {
    fprintf(stderr, "%s\n", nis_last_error());
    return 1;
  }
  printf("integral %.6e +- %.1e, unweighting efficiency %.0f %%\n", result.value, result.error,
         100 * result.efficiency);
  printf("a point  (%.4f, %+.4f) with log q = %.3f and weight %.3e\n", x[0], x[1], log_q, weight);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events for a program that pulls: next() as a generator calls it. */
#include <math.h>
#include <nis_events.h>
#include <stdio.h>

static double peak(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 / (0.01 + pow(x[0] - x[1], 2));
}

int main(void)
{
  nis_options options = {.dim = 2, .calls = 50000, .seed = 1};
  nis_pulled_event event;
  nis_result result;
  nis *s;
  double sum = 0;
  const int n = 10000;

  int status = nis_create(&s, peak, &options);
  if (status == NIS_OK) status = nis_run(s, &result);
  for (int i = 0; i < n && status == NIS_OK; i++) {
    status = nis_next_event(s, NULL, &event);
    if (i < 3 && status == NIS_OK)
      printf("(%.4f, %.4f), weight %g\n", event.x[0], event.x[1], event.weight);
    sum += event.weight * event.unit;
  }
  nis_free(s);

  if (status != NIS_OK) {
    fprintf(stderr, "%s\n", nis_last_error());
    return 1;
  }
  printf("integral %.4f +- %.4f, mean of %d events %.4f\n", result.value, result.error, n, sum / n);
  return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis.h is all that a C11 program needs, alone and first. */
#include "nis.h"

static double one(double *x, size_t dim, void *params)
{
  (void)dim;
  (void)params;
  return x[0] > 0 ? 1 : 0;
}

static int ones(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)dim;
  (void)x;
  (void)params;
  for (size_t i = 0; i < n * ncomp; i++) f[i] = 1;
  return 0;
}

static int near_one(nis_result r, uint64_t calls)
{
  return r.status == NIS_OK && r.calls == calls && r.value > 0.9 && r.value < 1.1;
}

/* Compiled, but run with arguments only: a million calls on all cores. */
static int defaults(void)
{
  return near_one(nis_integrate(one, 1), 1000000);
}

int main(int argc, char **argv)
{
  nis_options options = {.dim = 2, .calls = 2000, .batch = ones, .threads = 1};
  (void)argv;
  return !((argc == 1 || defaults()) &&
           near_one(nis_integrate(one, 2, .calls = 2000, .seed = 7, .threads = 1), 2000) &&
           near_one(nis_integrate_with(NULL, &options), 2000));
}

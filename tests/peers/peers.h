/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of one integrator on one built-in integrand: libnis, or what GSL has. */
#ifndef PEERS_H
#define PEERS_H

#include "integrands.h"

#include <stdatomic.h>

struct problem {
  const struct integrand *row;
  size_t dim;
  double values[INTEGRAND_MAX_PARAMETERS];
  void *state;
  double spin;                /* seconds added to each call */
  atomic_uint_fast64_t calls; /* of problem_call so far */
};

/* params is the problem. It counts, so that no method is believed about its own calls. */
double problem_call(double *x, size_t dim, void *params);

/* The same on the unit cube, where the mean is the integral (integrand_point) */
double problem_cube(double *x, size_t dim, void *params);

struct plan {
  uint64_t calls, seed;
  double goal;    /* of nis: relative error; 0: none */
  double cost;    /* of nis: call_seconds; 0: measured */
  int threads;    /* of nis; 0: its default */
  double warmup;  /* of VEGAS: share of the calls before the grid is used */
  int iterations; /* of VEGAS, in the warm-up and again in the result */
};

struct outcome {
  double value, error, seconds;
  uint64_t points;                    /* in the result */
  double efficiency, efficiency_tail; /* nis: of unweighting, median of maxima; 1e-3 above w_max */
  double spread;                      /* nis: relative standard deviation of one weight */
  int suspect;                        /* it says itself that the error is not to be believed */
};

/* Prints what a call costs, and of it |M|^2 where the row has one: the means over random points. */
int print_cost(struct problem *problem, const struct plan *plan);

/* 0, or -1 with a sentence on stderr. */
typedef int method(struct problem *problem, const struct plan *plan, struct outcome *out);
method method_nis, method_nis_cube, method_vegas, method_vegas_channels, method_miser;

#endif

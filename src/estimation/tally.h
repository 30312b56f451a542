/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running totals of weights: moments, iterations or replicates and their chi2, the tail, the
 * histogram.
 */
#ifndef NIS_TALLY_H
#define NIS_TALLY_H

#include "nis.h"
#include "numerics/moments.h"
#include "numerics/tail.h"
#include "numerics/weights.h"

/* Squares of 1e300 would overflow: moments and chi2 are of w / unit, a power of two not far below
 * the largest weight. Everything else, and all that functions return, is in the weights' own unit.
 */
enum { MOST_GROWING = 64 };

struct tally {
  double unit;
  struct moments all, iteration; /* of controlled values */
  double square;                 /* sum (w / unit)^2 */
  struct moments *ended;         /* of each iteration, for others to be merged with; owned */
  size_t nended, room;           /* how many, and how many there is memory for */
  int forgotten;                 /* 1: it was too short to keep all of them */
  int iterations;                /* ended, with a positive error */
  struct moments spreading;      /* of their values */
  double within;                 /* sum over them of iteration.squares */
  int replicates;                /* ended iterations that were replicates, or 0: then all are */
  double replicate_origin;       /* mean of the first replicate */
  double
      replicate[4]; /* sum n_i^2 (mean_i - replicate_origin)^k over them, k = 0 .. 3; n_i points */
  struct moments
      growing[MOST_GROWING]; /* replicates or iterations that grow, as they are now ... */
  int growers;               /* ... and how many there are */
  double widening;           /* of the error of replicates, 0: none; see nis_tally_look */
  double blurred;            /* share of the mean |w| that the value may be off by, whatever the
                                points are: part of every error over all */
  uint64_t bad;              /* points where f is not finite, which count as 0 */
  double uniform;            /* points, times the uniform share that they came with */
  struct weights weights;
  struct tail tail;
};

int nis_tally_init(struct tally *t);
void nis_tally_clear(struct tally *t);
void nis_tally_reset(struct tally *t);

void nis_tally_add(struct tally *t, double w);

/* A weight, and the value with the same mean and less variance that counts for the integral */
void nis_tally_add_controlled(struct tally *t, double w, double value);

/* Memory for so many more iterations; without it one that ends may be lost for merging. */
int nis_tally_reserve(struct tally *t, size_t iterations);

/* Closes the current iteration: it joins `all` and chi2. */
struct estimate nis_tally_end_iteration(struct tally *t);

/* The same as an iteration for the points of one replicate, whose values are not independent: the
 * error is then that of the spread of the replicates' means, times Student's t for as many
 * replicates, and wider where these are skew. Of replicates of different sizes the large ones say
 * what the spread is: they count as n^2 / sum n_i^2 replicates. */
struct estimate nis_tally_end_replicate(struct tally *t);

/* The points since the last end or growth join number i < MOST_GROWING of those that grow. */
void nis_tally_grow(struct tally *t, int i);

/* Those that grow, as they are now, are all replicates (or iterations) that there are. Who ends a
 * run at the first look that shows a small error sees those errors that are small by chance:
 * `widening` is to make up for it. */
void nis_tally_look(struct tally *t, int replicates);

/* The iterations of another tally come after those of this one: value, error and chi2 are to the
 * bit those of one tally that has seen all points in this order; what is made of single weights is
 * so up to rounding. NIS_INVALID for replicates with random points. */
int nis_tally_merge(struct tally *t, const struct tally *other);

/* What an error is multiplied with: Student's t of the replicates and the widening, or 1. */
double nis_tally_factor(const struct tally *t);

/* The part of the error that `blurred` makes */
double nis_tally_blur(const struct tally *t);

/* Over all ended iterations. */
struct estimate nis_tally_estimate(const struct tally *t);

/* nis_result.chi2 and dof: both 0 below two iterations */
double nis_tally_chi2(const struct tally *t, int *dof);

/* nis_result.efficiency */
double nis_tally_efficiency(const struct tally *t);

/* value, error, chi2, dof, ess, efficiencies, zero_calls, max_weight; value NaN without a weight,
 * and an infinite error below two */
void nis_tally_result(const struct tally *t, nis_result *r);

/* Reading: into an empty one. Replicates that grow are not kept: their estimate has ended. */
void nis_tally_archive(struct archive *a, struct tally *t);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Normal distributions cut off at the walls of the unit cube, each with a share of a mixture. Every
 * coordinate is normal given those before it and is cut off by itself, so that density and
 * sampling are exact. A mixture of them follows isolated peaks better than any flow; adapted as in
 * population Monte Carlo (Cappe, Douc, Guillin, Marin, Robert, arXiv:0710.4242).
 *
 * The circle of a periodic coordinate is cut open where a fit finds few points, so that no wall
 * goes through a peak: inside, all is in coordinates y = x - cut, modulo 1.
 */
#ifndef NIS_PEAKS_H
#define NIS_PEAKS_H

#include "base/archive.h"
#include "kernels/kernels.h"

enum { PEAKS_MOST = 16 };

struct peak {
  double share;    /* of all peaks together */
  double *mean;    /* [dim] of the uncut distribution */
  double *sigma;   /* [dim] given the coordinates before */
  double *slope;   /* [dim][dim], below the diagonal: how the mean of one follows those before */
  double *log_cut; /* [dim] what the walls leave of a coordinate that follows none before it */
  int young;       /* rounds of fitting in which its share does not fall */
  double log_norm; /* of the density of the uncut distribution, -sum log(sigma sqrt(2 pi)) */
};

struct peaks {
  size_t dim;
  int count, threads;
  int *circle; /* [dim] 1: periodic; NULL: none is; owned */
  double *cut; /* [dim] in [0, 1); 0 where none is needed */
  struct peak peak[PEAKS_MOST];
  const struct kernels *kernels;
  double *block; /* owned; what the peaks point into */
  double
      *scratch; /* [threads] of two tiles: points, and how far they are from their means; owned */
};

/* For as many workers at once as `threads`; periodic[dim] may be NULL and is copied. */
int nis_peaks_init(struct peaks *p, size_t dim, const int *periodic, int threads);
void nis_peaks_clear(struct peaks *p);

/* log_density[LANES] of the mixture at the points of a tile x[dim][LANES]; -inf without peaks */
void nis_peaks_tile(const struct peaks *p, int worker, const double *x, double *log_density);

/* The same at n points x[n][dim], by all threads, and at one */
void nis_peaks_log_densities(const struct peaks *p, size_t n, const double *x, double *log_density);
double nis_peaks_log_density(const struct peaks *p, const double *x);

/* Numbers in (0,1) become the point of peak k that they stand for; coordinates are `stride` apart.
 */
void nis_peaks_sample(const struct peaks *p, int worker, int k, size_t stride, double *u_to_x);

/* The peak that `u` in (0,1) falls on */
int nis_peaks_choose(const struct peaks *p, double u);

/* Adds a peak with independent coordinates; the others give up `share` for it, which does not fall
 * in the first `young` rounds of fitting. A full mixture loses its smallest one. */
void nis_peaks_add(struct peaks *p, const double *mean, const double *sigma, double share,
                   int young);

/* Follows n equally weighted points x[n][dim]: `rounds` of expectation maximisation, from where
 * the peaks are. Copies of a point stand in a row; with `distinct` they are one point where a
 * shape needs many. x is spoilt, work holds n * PEAKS_MOST numbers. By all threads; the bits do not
 * depend on how many these are. */
void nis_peaks_fit(struct peaks *p, size_t n, double *x, int distinct, int rounds, double *work);

/* Copies shares, positions and widths. */
void nis_peaks_copy(struct peaks *to, const struct peaks *from);

void nis_peaks_archive(struct archive *a, struct peaks *p);

#endif

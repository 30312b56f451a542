/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Means, errors and covariances of an integrand of several components. Samples are single points,
 * or the means over replicates. Each component has its own unit, so that none of 1e30, or of 0,
 * disturbs the others.
 */
#ifndef NIS_COMPONENTS_H
#define NIS_COMPONENTS_H

#include "base/archive.h"

#include <stddef.h>
#include <stdint.h>

struct components {
  size_t n;            /* components; 0: nothing to do */
  int with_covariance; /* or only its diagonal */
  double *unit;        /* [n] powers of two; 0 before a value that is not 0 */
  double *replicate,
      *mean;       /* [n] of the replicate that is being filled; of all samples, by their points */
  double *centre;  /* [n] of all samples, by their weights */
  double *squares; /* [n][n], or [n]: sum weight (sample - centre) (sample - centre)' */
  double *off;     /* [n] scratch */
  double *count;   /* [n] points at which each is not 0 */
  double *growing; /* [most][n] means of replicates that grow, of so many points; or NULL */
  uint64_t *growing_points;
  int growers;
  uint64_t replicate_points, points, samples;
  uint64_t valued; /* points at which one of them is not 0 */
  double weight;   /* sum over samples of their points squared */
};

int nis_components_init(struct components *c, size_t n, int with_covariance);
void nis_components_clear(struct components *c);
void nis_components_reset(struct components *c);

/* Counts a point's values[n] that are not 0. */
void nis_components_count(struct components *c, const double *values);

/* A point's values[n], as a sample of its own ... */
void nis_components_add(struct components *c, const double *values);

/* ... or as part of a replicate, which is one sample when it ends. */
void nis_components_add_to_replicate(struct components *c, const double *values);
void nis_components_end_replicate(struct components *c);

/* The samples of another of as many components join, as if they had come after. */
void nis_components_merge(struct components *c, const struct components *other);

/* Room for replicates that grow. The points since the last end or growth join number i; and those
 * that grow, as they are now, are all samples that there are. */
int nis_components_begin_growth(struct components *c, int most);
void nis_components_grow(struct components *c, int i);
void nis_components_look(struct components *c);

/* Of one component, as the next function gives them */
double nis_components_value(const struct components *c, size_t a);
double nis_components_error(const struct components *c, size_t a, double factor, double blurred);

/* Of the errors of two; needs the covariance. 0 where one has no error */
double nis_components_correlation(const struct components *c, size_t a, size_t b, double factor,
                                  double blurred);

/* values[n], errors[n] and covariance[n][n] of the means, each of which may be NULL; errors are
 * those of independent samples, times `factor`, and the share `blurred` of the value, which all are
 * off by together. NaN without a sample, infinite with one. */
void nis_components_result(const struct components *c, double factor, double blurred,
                           double *values, double *errors, double *covariance);

/* Reading: into an empty one of as many components, which gets a covariance where the file's has
 * one. Replicates that grow are not kept: their estimate has ended. */
void nis_components_archive(struct archive *a, struct components *c);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's function, scalar or batch, called on points of the unit cube by many threads or
 * by one. Its values come back times dx/du, with non-finite ones made 0. */
#ifndef NIS_INTEGRAND_H
#define NIS_INTEGRAND_H

#include "domain.h"
#include "journal.h"
#include "base/monitor.h"

/* Multiplies f[n] and components[n][ncomp], which may be NULL, by what follows from the points
 * x[n][dim] of the cube and their outputs, a row of `step` numbers from one to the next; NaN in f
 * makes the point a bad one. Called by several workers at once. */
typedef void nis_weigher(void *context, int worker, size_t n, const double *x,
                         const double *outputs, size_t step, double *f, double *components);

struct integrand_call {
  nis_integrand *f; /* one of the two is NULL */
  nis_batch_integrand *batch;
  void *params;
  struct domain domain;
  int threads;    /* that may call it at once */
  int serialized; /* these were more until it turned out not to be thread-safe */
  size_t batch_points;
  double *room; /* of the batches that are being called; owned */
  size_t room_size;
  size_t ncomp, extra; /* values and outputs of a point, which it gives in a row */
  double *scale;       /* [ncomp], of the norm; owned */
  size_t channels;     /* that the last coordinate counts; 0: none */
  int norm;            /* f is sqrt(sum (f_c / scale_c)^2), else component 0 */
  size_t slice;        /* points between two looks at the clock */
  size_t rehearsal;    /* else this many, of which two threads take the halves at the same moment */
  uint64_t calls, bad_calls;
  double *bad_point; /* [dim], the first one, in the user's coordinates; owned */
  double bad_value;
  nis_weigher *weigh; /* with values before dx/du; NULL: they stay as they are */
  void *weigher;
  struct journal *journal; /* of its values, not owned; NULL: none */
};

int nis_integrand_init(struct integrand_call *c, nis_integrand *f, const nis_options *o);
void nis_integrand_clear(struct integrand_call *c);

/* f[i] and, unless they are NULL, components[i][ncomp], outputs[i][extra], which may be anything,
 * and bad[i], 1 where a value was not finite, for the points x[n][dim] of the unit cube. *done
 * counts the points that have a value, also when the status is NIS_STOPPED or NIS_CALLBACK, or
 * NIS_BAD_VALUES: all of the first 4096 were bad. */
int nis_integrand_evaluate(struct integrand_call *c, size_t n, const double *x, double *f,
                           double *components, double *outputs, char *bad, struct monitor *monitor,
                           size_t *done);

/* Into this rank's next greeting: how many points it takes at once, and whether values come out of
 * its journal. */
void nis_integrand_tell(const struct integrand_call *c, struct ranks *r);

/* sqrt(sum (f_c / scale_c)^2), finite where all components are */
double nis_integrand_norm(const struct integrand_call *c, const double *components);

/* Makes the scale of each component the mean of |f_c| over components[n][ncomp]; 1 where that is 0.
 */
void nis_integrand_scale(struct integrand_call *c, size_t n, const double *components);

/* NIS_BAD_VALUES when a share of more than a tenth was bad. Any bad call leaves a sentence with the
 * first point, or else an integrand that is not thread-safe one. */
int nis_integrand_verdict(const struct integrand_call *c, double share);

/* What calling it has shown, and the stretches of its domain */
void nis_integrand_archive(struct archive *a, struct integrand_call *c);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every integrand value of the training, kept with the density p that its point was drawn from. A
 * gradient step draws stored points with probability proportional to
 *   s = (a + 1) / 2,   a = |f|^beta / (Z p),   Z = mean of |f|^beta / p,
 * half by what they add to the target and half alike, so that neither a peak nor the empty
 * places around it are forgotten.
 */
#ifndef NIS_REPLAY_H
#define NIS_REPLAY_H

#include "kernels/kernels.h"
#include "sampler/sampler.h"

/* What a flow learns of f: all of |f|, or f where it is positive, or -f where it is negative. */
enum part { PART_ALL, PART_POSITIVE, PART_NEGATIVE, PARTS };

struct replay {
  size_t dim, capacity;
  size_t count;      /* stored */
  size_t next;       /* slot that is written next; the oldest when full */
  double *x;         /* [capacity][dim] */
  double *log_f;     /* log |f|, -inf where f is 0 */
  double *log_p;     /* density drawn from */
  char *negative;    /* 1 where f is */
  size_t ncomp;      /* components that f is the norm of, and that are stored, or 0 */
  double *weight;    /* [capacity][ncomp] |f_c| / p */
  size_t nview;      /* numbers of a view, or 0; else */
  float *view;       /* [capacity][nview] what the channel weight in f follows from, */
  double *log_alpha; /* [capacity] and its log */
  double *running;   /* [capacity + 1] running sum of s */
  size_t *guide;     /* where in it to look */
  size_t usable;     /* newest points that the running sum covers */
  double beta;       /* and what it was prepared with */
  double log_z[PARTS];
  const struct kernels *kernels;
};

int nis_replay_init(struct replay *r, size_t dim, size_t capacity);
void nis_replay_clear(struct replay *r);

/* Room for `capacity` points, the stored ones kept; r may be all zero. Unchanged where it fails. */
int nis_replay_grow(struct replay *r, size_t dim, size_t ncomp, size_t nview, size_t capacity);

/* Stores all points in place of the oldest, with components and views where r has some. */
void nis_replay_store(struct replay *r, const struct points *p);

/* The mean of each |f_c| / p over all that is stored; and |f| by the scales that the components
 * have now, for all points or the newest n */
void nis_replay_magnitudes(const struct replay *r, double *magnitude);
void nis_replay_norm(struct replay *r, size_t n, const struct integrand_call *c);

/* All that is stored gets the channel weights that the sampler has now; r is to be prepared anew.
 */
void nis_replay_weigh(struct replay *r, struct sampler *s);

/* Largest beta in [0, 1] for which the weights |f|^beta / p of the newest `points` stored have a
 * Kish effective fraction, of those that are not zero, of at least `fraction`. */
double nis_replay_temperature(const struct replay *r, size_t points, double fraction);

double nis_replay_kish(const struct replay *r, size_t points, double beta);

/* Share of the negative part in the sum of |f|^beta / p over the newest `points` */
double nis_replay_negative(const struct replay *r, size_t points, double beta);

/* Prepares drawing from the newest `points` at this beta; 0 if f is 0 at all of them. */
int nis_replay_prepare(struct replay *r, size_t points, double beta);

/* n slots drawn by systematic resampling, which u in (0,1) places. */
void nis_replay_draw(const struct replay *r, double u, size_t n, size_t *slot);

/* The same from the target alone, in proportion to a. */
void nis_replay_draw_target(const struct replay *r, double u, size_t n, size_t *slot);

/* The slots of the newest n points, oldest first. */
void nis_replay_newest(const struct replay *r, size_t n, size_t *slot);

/* log of the normalised target |f|^beta / Z, that of a part, and s */
double nis_replay_log_target(const struct replay *r, size_t slot);
double nis_replay_log_part(const struct replay *r, size_t slot, enum part part);
double nis_replay_share(const struct replay *r, size_t slot);

/* The stored points; reading: into one that is all zero */
void nis_replay_archive(struct archive *a, struct replay *r, size_t dim, size_t ncomp,
                        size_t nview);

#endif

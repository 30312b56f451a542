/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every integrand value of the training, kept with the density it was drawn from. A gradient step
 * draws stored points with probability proportional to |f|^beta / density, so that each
 * carries the same weight in the loss. Zeros are not stored: they have no gradient.
 */
#ifndef NIS_REPLAY_H
#define NIS_REPLAY_H

#include "kernels/kernels.h"
#include "sampler.h"

struct replay {
  size_t dim, capacity;
  size_t count;    /* stored */
  size_t next;     /* slot that is written next; the oldest when full */
  double *x;       /* [capacity][dim] */
  double *log_f;   /* log |f| */
  double *log_q;   /* density drawn from */
  double *running; /* [capacity + 1] running sum of the weights */
  size_t usable;   /* newest points that the running sum covers */
};

int nis_replay_init(struct replay *r, size_t dim, size_t capacity);
void nis_replay_clear(struct replay *r);

/* Stores the points with f != 0 in place of the oldest; returns how many they were. */
size_t nis_replay_store(struct replay *r, const struct points *p);

/* Largest beta in [0, 1] for which the weights |f|^beta / q of the newest `points` stored have a
 * Kish effective fraction of at least `fraction`. */
double nis_replay_temperature(const struct replay *r, size_t points, double fraction);

/* Prepares drawing from the newest `points` at this beta. */
void nis_replay_prepare(struct replay *r, size_t points, double beta);

/* n slots drawn by systematic resampling, which u in (0,1) places. */
void nis_replay_draw(const struct replay *r, double u, size_t n, size_t *slot);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Climbs of log|f| in the unit cube, several side by side. Each iteration probes f on both sides
 * along every axis, fits a parabola to each three values, and jumps to where these have their tops:
 * a smooth peak of independent coordinates is reached in a few iterations from anywhere in its
 * basin, and its widths are known then. Whatever f does, a climber only moves upwards.
 */
#ifndef NIS_CLIMB_H
#define NIS_CLIMB_H

#include "sampler/sampler.h"

enum { CLIMBERS = 16 };

struct climber {
  double log_f;
  double gain;               /* of log f up to the tops of the parabolas; infinite without tops */
  double *x, *before, *move; /* [dim] now, an iteration ago, and from now to the tops */
  double *step;              /* [dim] of the probes, 0.7 widths of the parabolas in the end */
  double *start;             /* [dim] */
  double best, *best_x;      /* log|f| of the best probe, or log_f, and where [dim] that is */
  int iterations;
};

struct climb {
  struct sampler *s;
  uint64_t *calls; /* counts them */
  uint64_t *point; /* next of the random stream */
  size_t dim;
  int n; /* climbers under way, the first ones */
  struct climber climber[CLIMBERS];
  struct points trial;
  double *block; /* owned; what the climbers and u point into */
  double *u;     /* [dim][LANES] normal numbers */
};

/* The counters stay the caller's. */
int nis_climb_init(struct climb *c, struct sampler *s, uint64_t *calls, uint64_t *point);
void nis_climb_clear(struct climb *c);

/* Calls of one climber's iteration */
uint64_t nis_climb_cost(size_t dim);

/* One more climber, n < CLIMBERS, from x where log|f| is log_f */
void nis_climb_start(struct climb *c, const double *x, double log_f);

/* Climber k is replaced by the last one. */
void nis_climb_drop(struct climb *c, int k);

/* The two halves of an iteration of all: after the first the parabolas are known, after the second
 * each is as high as before or higher. */
int nis_climb_probe(struct climb *c);
int nis_climb_jump(struct climb *c);

/* At the top, or no nearer to it by more iterations */
int nis_climb_ended(const struct climb *c, int k);

/* Along coordinate j; on a circle the short way */
double nis_climb_way(const struct climb *c, size_t j, double from, double to);

/* n <= LANES points of trial.x from a normal distribution, reflected at the walls that there are */
void nis_climb_surround(struct climb *c, const double *mean, const double *sigma, size_t n);

/* log|f| of the n points of trial.x into trial.log_q */
int nis_climb_look(struct climb *c, size_t n);

/* sigma[dim]: along each axis, the distance at which log f has fallen by 1/2 on average */
int nis_climb_widths(struct climb *c, const struct climber *top, double *sigma);
uint64_t nis_climb_width_calls(size_t dim);

#endif

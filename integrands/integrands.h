/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of built-in integrands. A family is one file; a row there and a line in
 * rows.inc are all that a new one needs. */
#ifndef INTEGRANDS_H
#define INTEGRANDS_H

#include "nis_events.h"

#include <stdio.h>

enum { INTEGRAND_MAX_PARAMETERS = 16 };

/* A parameter is a number in [low, high], or one of the words in `choices`, which is then
 * stored as its index. */
struct parameter {
  const char *name;
  const char *choices; /* "jade,durham", or NULL for a number */
  double initial;
  double low, high;
  const char *help; /* meaning and unit */
};

struct integrand;

/* A number that a point of the cube has, for histograms. Besides these every integrand has its
 * coordinates, x1, x2, ... */
struct observable {
  const char *name, *unit, *description;
  double low, high; /* where it lies, about, with default parameters: the range of a histogram */
  double (*f)(const struct integrand *row, const void *state, const double *x, int which);
  int which; /* of several that f knows */
};

struct integrand {
  const char *name;
  size_t dim_min, dim_max, dim_default;
  const struct parameter *parameters;   /* ends with a NULL name */
  size_t (*more)(const double *values); /* coordinates that parameters add to these, a flavour to
                                           sum over; NULL: none */
  size_t state_size;                    /* bytes that setup fills */

  /* Prepares what `f` needs from the parameter values, once. */
  void (*setup)(void *state, size_t dim, const double *values);
  nis_integrand *f; /* its params is the state */

  /* Writes the exact value and returns 1, or returns 0 where none is known. NULL: never. */
  int (*exact)(const void *state, size_t dim, double *value);

  /* Whether a coordinate is an angle, whose ends are one point; NULL: none is. */
  int (*periodic)(size_t coordinate);

  /* How many values a discrete coordinate has, which f gets as 0, 1 ..; 0: it is continuous. NULL:
   * all are. Where `channels` is 1 the last one counts channels. */
  int (*values)(const void *state, size_t coordinate);
  int channels;

  nis_particles *particles; /* its params is the state; NULL if the integrand has none */

  /* A matrix element: the number of momenta that it takes, and |M|^2 as matrix_element.h has it.
   * 0 and NULL for other integrands. */
  int legs;
  double (*squared)(const void *state, const double (*p)[4]);

  /* The momenta of the outgoing legs at a point of the cube, as `squared` has them; NULL: none */
  void (*momenta)(const void *state, const double *x, double (*p)[4]);

  const struct observable *observables; /* ends with a NULL name; NULL: none */

  const char *unit;        /* of the value: "pb", or "" */
  const char *source;      /* paper and equation */
  const char *description; /* one line */
};

extern const struct integrand *const integrand_table[]; /* ends with NULL */

const struct integrand *integrand_find(const char *name); /* NULL if there is none */

/* Parameter values: defaults, then "key=value" settings. integrand_set returns 0, or -1 with a
 * sentence that names the value and what is allowed in message[0..size). */
void integrand_defaults(const struct integrand *row, double values[INTEGRAND_MAX_PARAMETERS]);
int integrand_set(const struct integrand *row, const char *setting,
                  double values[INTEGRAND_MAX_PARAMETERS], char *message, size_t size);

/* dim_default, and what the values add */
size_t integrand_dim(const struct integrand *row, const double *values);

/* The state for these values, to be freed with free(); NULL when memory is short. */
void *integrand_make(const struct integrand *row, size_t dim, const double *values);

/* Fills discrete[dim] as nis_options has it; returns the number of channels, 0 for none. */
size_t integrand_discrete(const struct integrand *row, const void *state, size_t dim,
                          int *discrete);

/* Turns a point of the unit cube into one for f: a discrete coordinate becomes the value in whose
 * part of (0, 1) it lies. Returns what f is to be multiplied by for the mean over the cube to be
 * the integral: for integrators that know no sums. */
double integrand_point(const struct integrand *row, const void *state, size_t dim, double *x);

#endif

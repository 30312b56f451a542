/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libnis behind the argument list of GSL's VEGAS: a change of three letters.
 *
 *     gsl_monte_nis_state *s = gsl_monte_nis_alloc(dim);
 *     gsl_monte_nis_integrate(&f, xl, xu, dim, calls, rng, s, &value, &error);
 *     gsl_monte_nis_free(s);
 *
 * Errors go to GSL's handler, as all of GSL's do. A program that includes this links nis and gsl;
 * libnis itself knows nothing of it. nis.h does not include this.
 */
#ifndef NIS_GSL_H
#define NIS_GSL_H

#include <gsl/gsl_errno.h>
#include <gsl/gsl_monte.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nis.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  nis_options options;  /* to be changed before the first call: `serial` is 1, as VEGAS calls f from
                          one thread, and 0 is quicker for what is thread-safe. dim, calls, seed,
                          params, lower and upper are those of the call */
  nis_result result;    /* of the latest call, with the doubts about its error */
  nis *sampler;         /* what has been learnt, for nis_events and nis_save; NULL: nothing */
  gsl_monte_function f; /* of what */
  double *limits;       /* [2 dim] and where */
} gsl_monte_nis_state;

/* Forgets what was learnt, and puts the options back. */
static inline int gsl_monte_nis_init(gsl_monte_nis_state *state)
{
  size_t dim = state->options.dim;
  nis_free(state->sampler);
  state->sampler = NULL;
  memset(&state->options, 0, sizeof state->options);
  memset(&state->result, 0, sizeof state->result);
  state->options.dim = dim;
  state->options.serial = 1;
  return GSL_SUCCESS;
}

static inline void gsl_monte_nis_free(gsl_monte_nis_state *state)
{
  if (!state) return;
  nis_free(state->sampler);
  free(state->limits);
  free(state);
}

static inline gsl_monte_nis_state *gsl_monte_nis_alloc(size_t dim)
{
  if (dim < 1 || dim > NIS_MOST_DIM)
    GSL_ERROR_VAL("dim must be between 1 and 256", GSL_EINVAL, NULL);
  gsl_monte_nis_state *state = (gsl_monte_nis_state *)calloc(1, sizeof *state);
  if (state) state->limits = (double *)calloc(2 * dim, sizeof(double));
  if (!state || !state->limits) {
    gsl_monte_nis_free(state);
    GSL_ERROR_VAL("failed to allocate space for state struct", GSL_ENOMEM, NULL);
  }
  state->options.dim = dim;
  gsl_monte_nis_init(state);
  return state;
}

/* chi2 per degree of freedom of the latest call, at least 1: iterations of nets agree better than
 * points do, and programs go on until this is near 1. */
static inline double gsl_monte_nis_chisq(const gsl_monte_nis_state *state)
{
  return state->result.dof > 0 ? fmax(1, state->result.chi2 / state->result.dof) : 1;
}

/* The code that says to users of GSL what a status of nis.h means. A function that is 0 wherever it
 * is looked at has an integral of 0 there, and doubts about an error are in state->result. */
static inline int gsl_monte_nis_code(int status)
{
  if (status >= 0 || status == NIS_NO_EVENTS) return GSL_SUCCESS;
  if (status == NIS_INVALID) return GSL_EINVAL;
  if (status == NIS_NO_MEMORY) return GSL_ENOMEM;
  if (status == NIS_CALLBACK || status == NIS_BAD_VALUES) return GSL_EBADFUNC;
  return GSL_EFAILED;
}

/* Has this function been learnt between these limits? */
static inline int gsl_monte_nis_knows(const gsl_monte_nis_state *state, const gsl_monte_function *f,
                                      const double *xl, const double *xu)
{
  size_t dim = state->options.dim, bytes = dim * sizeof(double);
  return state->sampler && f->f == state->f.f && f->params == state->f.params &&
         !memcmp(state->limits, xl, bytes) && !memcmp(state->limits + dim, xu, bytes);
}

static inline int gsl_monte_nis_begin(gsl_monte_nis_state *state, const gsl_monte_function *f,
                                      const double *xl, const double *xu, size_t calls,
                                      gsl_rng *rng)
{
  size_t dim = state->options.dim;
  nis_options options = state->options;
  options.lower = xl;
  options.upper = xu;
  options.params = f->params;
  options.calls = calls;
  options.seed = (uint64_t)gsl_rng_get(rng) << 32;
  options.seed ^= gsl_rng_get(rng);
  state->f = *f;
  memcpy(state->limits, xl, dim * sizeof(double));
  memcpy(state->limits + dim, xu, dim * sizeof(double));
  nis_free(state->sampler);
  int status = nis_create(&state->sampler, f->f, &options);
  return status < 0 ? status : nis_run(state->sampler, &state->result);
}

/* Two fifths of the calls are for learning, as in nis_run. */
static inline int gsl_monte_nis_go_on(gsl_monte_nis_state *state, size_t calls)
{
  double share = state->options.train_share > 0 ? state->options.train_share : 0.4;
  size_t training = (size_t)(share * (double)calls);
  if (calls - training < 2) training = calls - 2;
  int status = training ? nis_train(state->sampler, training) : NIS_OK;
  if (status < 0 && status != NIS_NO_EVENTS) return status;
  nis_drop_estimate(state->sampler);
  return nis_estimate(state->sampler, calls - training, &state->result);
}

/* The integral of f from xl to xu (infinite limits are fine), by `calls` calls of it, at least 2.
 * The seed is drawn from the generator. A further call with the same function, params and limits
 * goes on from what was learnt, as VEGAS does with its grid, and its estimate is of points of its
 * own: behind the same pointer other params may lie meanwhile, and the value is right all the same.
 * A positive status of nis.h, such as a doubt about the error, is GSL_SUCCESS. */
static inline int gsl_monte_nis_integrate(gsl_monte_function *f, const double xl[],
                                          const double xu[], size_t dim, size_t calls, gsl_rng *rng,
                                          gsl_monte_nis_state *state, double *result,
                                          double *abserr)
{
  if (dim != state->options.dim || dim != f->dim)
    GSL_ERROR("number of dimensions must match allocated size", GSL_EINVAL);
  for (size_t j = 0; j < dim; j++)
    if (!(xl[j] < xu[j])) GSL_ERROR("xu must be greater than xl", GSL_EINVAL);
  if (calls < 2) GSL_ERROR("calls must be at least 2", GSL_EINVAL);

  int known = gsl_monte_nis_knows(state, f, xl, xu);
  memset(&state->result, 0, sizeof state->result);
  state->result.value = state->result.error = NAN; /* until it is known */
  int status =
      known ? gsl_monte_nis_go_on(state, calls) : gsl_monte_nis_begin(state, f, xl, xu, calls, rng);
  *result = state->result.value;
  *abserr = state->result.error;
  int code = gsl_monte_nis_code(status);
  if (code) GSL_ERROR(nis_last_error(), code);
  return GSL_SUCCESS;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each as its users run it. The integrands live on the unit cube. */
#include "peers.h"

#include "base/clock.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_monte_miser.h>
#include <gsl/gsl_monte_vegas.h>
#include <math.h>

enum { MAX_DIM = 256 };

int method_nis(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  int periodic[MAX_DIM];
  int (*is_periodic)(size_t) = problem->row->periodic;
  for (size_t j = 0; is_periodic && j < problem->dim; j++) periodic[j] = is_periodic(j);
  double start = nis_clock();
  nis_result r =
      nis_integrate(problem_call, problem->dim, .params = problem, .calls = plan->calls,
                    .seed = plan->seed, .threads = plan->threads, .rel_error = plan->goal,
                    .call_seconds = plan->cost, .periodic = is_periodic ? periodic : NULL);
  out->seconds = nis_clock() - start;
  out->value = r.value;
  out->error = r.error;
  out->points = r.calls - r.train_calls;
  out->efficiency = r.efficiency_median;
  out->efficiency_tail = r.efficiency;
  out->spread = sqrt(fmax((double)out->points / r.ess - 1, 0));
  out->suspect = r.suspect;
  /* A wrong value is a finding; only what kept the run from starting is an error. */
  if (r.status != NIS_INVALID && r.status != NIS_NO_MEMORY) return 0;
  fprintf(stderr, "peers: nis: %s\n", nis_last_error());
  return -1;
}

/* ---- GSL ----------------------------------------------------------------------------- */

struct cube {
  gsl_monte_function f;
  double lower[MAX_DIM], upper[MAX_DIM];
  gsl_rng *rng;
};

static void cube_open(struct cube *cube, struct problem *problem, uint64_t seed)
{
  cube->f = (gsl_monte_function){problem_call, problem->dim, problem};
  for (size_t j = 0; j < problem->dim; j++) cube->lower[j] = 0, cube->upper[j] = 1;
  cube->rng = gsl_rng_alloc(gsl_rng_mt19937);
  if (cube->rng) gsl_rng_set(cube->rng, seed);
}

static int finish(const char *name, int status)
{
  if (status) fprintf(stderr, "peers: %s: %s\n", name, gsl_strerror(status));
  return status ? -1 : 0;
}

static int vegas_iterations(struct cube *cube, gsl_monte_vegas_state *state, uint64_t n,
                            uint64_t calls, struct outcome *out)
{
  gsl_monte_vegas_params params;
  gsl_monte_vegas_params_get(state, &params);
  params.iterations = (size_t)n;
  gsl_monte_vegas_params_set(state, &params);
  return gsl_monte_vegas_integrate(&cube->f, cube->lower, cube->upper, cube->f.dim, calls,
                                   cube->rng, state, &out->value, &out->error);
}

/* Its boxes make VEGAS call up to a half less than it is given: what is left buys more iterations.
 * Stage 2 goes on with the same average. */
static int vegas_result(struct cube *cube, gsl_monte_vegas_state *state, uint64_t calls,
                        uint64_t most, struct outcome *out)
{
  struct problem *problem = cube->f.params;
  uint64_t before = problem->calls;
  int status = vegas_iterations(cube, state, 1, calls, out);
  uint64_t used = problem->calls - before;
  uint64_t more = used && most > problem->calls ? (most - problem->calls) / used : 0;
  state->stage = 2;
  if (status == GSL_SUCCESS && more) status = vegas_iterations(cube, state, more, calls, out);
  out->points = problem->calls - before;
  out->suspect = fabs(gsl_monte_vegas_chisq(state) - 1) > 0.5; /* as GSL's manual has it */
  return status;
}

/* After the warm-up the grid stays and a new average starts: stage 1, which is what GSL leaves. */
static int vegas_twice(struct cube *cube, gsl_monte_vegas_state *state, const struct plan *plan,
                       struct outcome *out)
{
  uint64_t n = (uint64_t)plan->iterations;
  uint64_t warm = (uint64_t)(plan->warmup * (double)plan->calls) / n;
  int status = warm >= 2 ? vegas_iterations(cube, state, n, warm, out) : GSL_SUCCESS;
  if (status) return status;
  return vegas_result(cube, state, plan->calls / n - warm, plan->calls, out);
}

int method_vegas(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  struct cube cube;
  cube_open(&cube, problem, plan->seed);
  gsl_monte_vegas_state *state = gsl_monte_vegas_alloc(problem->dim);
  double start = nis_clock();
  int status = cube.rng && state ? vegas_twice(&cube, state, plan, out) : GSL_ENOMEM;
  out->seconds = nis_clock() - start;
  if (state) gsl_monte_vegas_free(state);
  gsl_rng_free(cube.rng);
  return finish("vegas", status);
}

int method_miser(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  struct cube cube;
  cube_open(&cube, problem, plan->seed);
  gsl_monte_miser_state *state = gsl_monte_miser_alloc(problem->dim);
  double start = nis_clock();
  int status = cube.rng && state ? gsl_monte_miser_integrate(&cube.f, cube.lower, cube.upper,
                                                             problem->dim, plan->calls, cube.rng,
                                                             state, &out->value, &out->error)
                                 : GSL_ENOMEM;
  out->seconds = nis_clock() - start;
  out->points = problem->calls;
  if (state) gsl_monte_miser_free(state);
  gsl_rng_free(cube.rng);
  return finish("miser", status);
}

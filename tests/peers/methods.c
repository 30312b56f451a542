/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each as its users run it. The integrands live on the unit cube; for methods that know no sums a
 * discrete coordinate is a staircase. */
#include "peers.h"

#include "base/clock.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_monte_miser.h>
#include <gsl/gsl_monte_vegas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIM = 256 };

static int run_nis(nis_integrand *f, struct problem *problem, const struct plan *plan,
                   const int *discrete, size_t channels, struct outcome *out)
{
  int periodic[MAX_DIM];
  int (*is_periodic)(size_t) = problem->row->periodic;
  for (size_t j = 0; is_periodic && j < problem->dim; j++) periodic[j] = is_periodic(j);
  double start = nis_clock();
  nis_result r = nis_integrate(
      f, problem->dim, .params = problem, .calls = plan->calls, .seed = plan->seed,
      .threads = plan->threads, .rel_error = plan->goal, .call_seconds = plan->cost,
      .periodic = is_periodic ? periodic : NULL, .discrete = discrete, .channels = channels);
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

int method_nis(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  int discrete[MAX_DIM];
  size_t channels = integrand_discrete(problem->row, problem->state, problem->dim, discrete);
  return run_nis(problem_call, problem, plan, discrete, channels, out);
}

/* As if it knew no discrete coordinates */
int method_nis_cube(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  return run_nis(problem_cube, problem, plan, NULL, 0, out);
}

/* ---- GSL ----------------------------------------------------------------------------- */

struct cube {
  struct problem *problem;
  int channel, channels; /* channels > 0: this one of them alone */
  gsl_monte_function f;
  double lower[MAX_DIM], upper[MAX_DIM];
  gsl_rng *rng;
};

static double call_cube(double *x, size_t dim, void *params)
{
  const struct cube *cube = params;
  if (!cube->channels) return problem_cube(x, dim, cube->problem);
  double point[MAX_DIM];
  memcpy(point, x, dim * sizeof *x);
  point[dim] = (cube->channel + 0.5) / cube->channels;
  return problem_cube(point, dim + 1, cube->problem) / cube->channels;
}

static void cube_open(struct cube *cube, struct problem *problem, gsl_rng *rng)
{
  *cube = (struct cube){.problem = problem, .f = {call_cube, problem->dim, cube}, .rng = rng};
  for (size_t j = 0; j < problem->dim; j++) cube->upper[j] = 1;
}

static gsl_rng *make_rng(uint64_t seed)
{
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  if (rng) gsl_rng_set(rng, seed);
  return rng;
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
  if (cube->channels) params.alpha = 0.5; /* for 1.5 the points of one channel are too few */
  gsl_monte_vegas_params_set(state, &params);
  return gsl_monte_vegas_integrate(&cube->f, cube->lower, cube->upper, cube->f.dim, calls,
                                   cube->rng, state, &out->value, &out->error);
}

/* Its boxes make VEGAS call up to a half less than it is given: what is left buys more iterations.
 * Stage 2 goes on with the same average. */
static int vegas_result(struct cube *cube, gsl_monte_vegas_state *state, uint64_t calls,
                        uint64_t most, struct outcome *out)
{
  struct problem *problem = cube->problem;
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
  gsl_rng *rng = make_rng(plan->seed);
  gsl_monte_vegas_state *state = gsl_monte_vegas_alloc(problem->dim);
  cube_open(&cube, problem, rng);
  double start = nis_clock();
  int status = rng && state ? vegas_twice(&cube, state, plan, out) : GSL_ENOMEM;
  out->seconds = nis_clock() - start;
  if (state) gsl_monte_vegas_free(state);
  if (rng) gsl_rng_free(rng);
  return finish("vegas", status);
}

/* ---- VEGAS in each channel ----------------------------------------------------------- */

struct vegas_channel {
  struct cube cube;
  gsl_monte_vegas_state *state;
  double sigma; /* of one weight */
};

/* Iterations of as many calls, until `most` are spent: their mean. GSL's own, weighted by the
 * variances, is far too low where few of an iteration's points have a value. Returns a status of
 * GSL. */
static int average(struct vegas_channel *c, uint64_t calls, uint64_t most, struct outcome *mean)
{
  struct problem *problem = c->cube.problem;
  uint64_t before = problem->calls, used = 0;
  double sum = 0, variance = 0;
  int n = 0, status;
  do {
    struct outcome out;
    uint64_t start = problem->calls;
    status = vegas_iterations(&c->cube, c->state, 1, calls, &out);
    used = problem->calls - start;
    if (status) break;
    sum += out.value, variance += out.error * out.error, n++;
  } while (used && problem->calls + used <= most);
  mean->value = sum / n;
  mean->error = sqrt(variance) / n;
  mean->points = problem->calls - before;
  return status;
}

/* Equal calls in all channels */
static int survey(struct vegas_channel *channel, int channels, const struct plan *plan)
{
  uint64_t warm = (uint64_t)(plan->warmup * (double)plan->calls) / (uint64_t)channels;
  int status = GSL_SUCCESS;
  for (int k = 0; k < channels && !status; k++) {
    struct vegas_channel *c = &channel[k];
    struct outcome out;
    status = average(c, warm / (uint64_t)plan->iterations, c->cube.problem->calls + warm, &out);
    c->sigma = out.error * sqrt((double)out.points);
  }
  return status;
}

/* As Neyman shares them out: in proportion to sigma, but for a twentieth, which all share */
static int share_out(struct vegas_channel *channel, int channels, const struct plan *plan,
                     struct outcome *sum)
{
  struct problem *problem = channel->cube.problem;
  double left = (double)plan->calls - (double)problem->calls, sigmas = 0, variance = 0;
  int status = GSL_SUCCESS;
  for (int k = 0; k < channels; k++) sigmas += channel[k].sigma;
  for (int k = 0; k < channels && !status; k++) {
    struct outcome out;
    double share = (sigmas > 0 ? 0.95 * channel[k].sigma / sigmas : 0) + 0.05 / channels;
    uint64_t calls = (uint64_t)(share * left);
    status = average(&channel[k], calls / (uint64_t)plan->iterations, problem->calls + calls, &out);
    sum->value += out.value;
    sum->points += out.points;
    variance += out.error * out.error;
  }
  sum->error = sqrt(variance);
  return status;
}

/* What MadGraph does: a grid for each channel, and the calls where the spread is */
int method_vegas_channels(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  int discrete[MAX_DIM], status = GSL_SUCCESS;
  size_t channels = integrand_discrete(problem->row, problem->state, problem->dim, discrete);
  if (!channels) return method_vegas(problem, plan, out);
  gsl_rng *rng = make_rng(plan->seed);
  struct vegas_channel *channel = calloc(channels, sizeof *channel);
  if (!rng || !channel) status = GSL_ENOMEM;
  for (size_t k = 0; k < channels && !status; k++) {
    cube_open(&channel[k].cube, problem, rng);
    channel[k].cube.channel = (int)k, channel[k].cube.channels = (int)channels;
    channel[k].cube.f.dim--;
    channel[k].state = gsl_monte_vegas_alloc(problem->dim - 1);
    if (!channel[k].state) status = GSL_ENOMEM;
  }
  double start = nis_clock();
  if (!status) status = survey(channel, (int)channels, plan);
  if (!status) status = share_out(channel, (int)channels, plan, out);
  out->seconds = nis_clock() - start;
  for (size_t k = 0; channel && k < channels; k++)
    if (channel[k].state) gsl_monte_vegas_free(channel[k].state);
  free(channel);
  if (rng) gsl_rng_free(rng);
  return finish("vegas-channels", status);
}

/* ---- MISER --------------------------------------------------------------------------- */

int method_miser(struct problem *problem, const struct plan *plan, struct outcome *out)
{
  struct cube cube;
  gsl_rng *rng = make_rng(plan->seed);
  gsl_monte_miser_state *state = gsl_monte_miser_alloc(problem->dim);
  cube_open(&cube, problem, rng);
  double start = nis_clock();
  int status = rng && state
                   ? gsl_monte_miser_integrate(&cube.f, cube.lower, cube.upper, problem->dim,
                                               plan->calls, rng, state, &out->value, &out->error)
                   : GSL_ENOMEM;
  out->seconds = nis_clock() - start;
  out->points = problem->calls;
  if (state) gsl_monte_miser_free(state);
  if (rng) gsl_rng_free(rng);
  return finish("miser", status);
}

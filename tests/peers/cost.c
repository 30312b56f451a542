/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one call takes on one core */
#include "peers.h"

#include "base/clock.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EVENTS = 1000, MOST_LEGS = 8 };

/* Momenta of points whose f is not 0, for the matrix element alone */
struct momenta {
  int n;
  double p[MOST_EVENTS][MOST_LEGS][4];
};

static void keep(struct momenta *momenta, const struct problem *problem, const double *x)
{
  const struct integrand *row = problem->row;
  nis_event event = {0};
  if (!row->squared || !row->particles || row->legs > MOST_LEGS || momenta->n == MOST_EVENTS)
    return;
  row->particles(x, problem->dim, &event, problem->state);
  for (int i = 0; i < row->legs; i++)
    memcpy(momenta->p[momenta->n][i], event.particle[i].p, sizeof event.particle[i].p);
  momenta->n++;
}

/* Where values go, so that the compiler leaves none out */
static volatile double sink;

static double time_matrix_element(const struct problem *problem, const struct momenta *momenta,
                                  uint64_t calls)
{
  double start = nis_clock();
  for (uint64_t i = 0; i < calls; i++)
    sink = problem->row->squared(problem->state,
                                 (const double(*)[4])momenta->p[i % (uint64_t)momenta->n]);
  return (nis_clock() - start) / (double)calls;
}

/* Means over all points, and over those whose f is not 0 */
static void time_calls(struct problem *problem, const struct plan *plan, gsl_rng *rng,
                       struct momenta *momenta)
{
  double x[256], seconds = 0, seconds_passed = 0;
  uint64_t passed = 0;
  for (uint64_t i = 0; i < plan->calls; i++) {
    for (size_t j = 0; j < problem->dim; j++) x[j] = gsl_rng_uniform_pos(rng);
    integrand_point(problem->row, problem->state, problem->dim, x);
    double start = nis_clock(), f = problem_call(x, problem->dim, problem);
    double spent = nis_clock() - start;
    seconds += spent;
    if (f == 0) continue;
    seconds_passed += spent;
    passed++;
    keep(momenta, problem, x);
  }
  double n = (double)plan->calls, m = (double)passed;
  printf("call_us %.4g\ninside_us %.4g\ninside %.4g\n", 1e6 * seconds / n, 1e6 * seconds_passed / m,
         m / n);
}

int print_cost(struct problem *problem, const struct plan *plan)
{
  struct momenta *momenta = calloc(1, sizeof *momenta);
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  int bad = !momenta || !rng;
  if (!bad) time_calls(problem, plan, rng, momenta);
  if (!bad && momenta->n)
    printf("matrix_element_us %.4g\n", 1e6 * time_matrix_element(problem, momenta, plan->calls));
  free(momenta);
  if (rng) gsl_rng_free(rng);
  return bad ? -1 : 0;
}

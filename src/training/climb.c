/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "climb.h"

#include "base/error.h"
#include "base/memory.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

enum {
  ITERATIONS = 24,
  JUMPS = 4, /* that an iteration tries after its probes */
  WIDTH_ROUNDS = 4,
  ARRAYS = 6 /* of a climber */
};

static const double first_step = 0.02, least_step = 1e-6, largest_step = 0.2;
static const double fine = 0.7;   /* steps, in widths of the parabolas */
static const double at_top = 0.1; /* what log f can still gain there */

int nis_climb_init(struct climb *c, struct sampler *s, uint64_t *calls, uint64_t *point)
{
  size_t dim = s->mixture.dim;
  *c = (struct climb){.s = s, .calls = calls, .point = point, .dim = dim};
  NIS_TRY(nis_points_init(&c->trial, CLIMBERS * nis_climb_cost(dim), dim));
  c->block = NIS_NEW(double, dim *(ARRAYS * CLIMBERS + LANES));
  if (!c->block) return nis_no_memory();
  c->u = c->block + ARRAYS * CLIMBERS * dim;
  for (size_t k = 0; k < CLIMBERS; k++) {
    double *at = c->block + k * ARRAYS * dim;
    c->climber[k] = (struct climber){.x = at,
                                     .before = at + dim,
                                     .move = at + 2 * dim,
                                     .step = at + 3 * dim,
                                     .start = at + 4 * dim,
                                     .best_x = at + 5 * dim};
  }
  return NIS_OK;
}

void nis_climb_clear(struct climb *c)
{
  nis_points_clear(&c->trial);
  free(c->block);
  *c = (struct climb){0};
}

uint64_t nis_climb_cost(size_t dim)
{
  return 2 * dim + JUMPS;
}

void nis_climb_start(struct climb *c, const double *x, double log_f)
{
  struct climber *k = &c->climber[c->n++];
  k->log_f = log_f;
  k->gain = HUGE_VAL;
  k->iterations = 0;
  for (size_t j = 0; j < c->dim; j++) k->x[j] = k->before[j] = k->start[j] = x[j];
  for (size_t j = 0; j < c->dim; j++) k->step[j] = first_step;
}

void nis_climb_drop(struct climb *c, int k)
{
  struct climber dropped = c->climber[k];
  c->climber[k] = c->climber[--c->n];
  c->climber[c->n] = dropped;
}

int nis_climb_ended(const struct climb *c, int k)
{
  const struct climber *climber = &c->climber[k];
  double largest = 0;
  for (size_t j = 0; j < c->dim; j++) largest = fmax(largest, climber->step[j]);
  return climber->gain < at_top || climber->iterations == ITERATIONS || largest <= least_step;
}

static int is_circle(const struct climb *c, size_t j)
{
  const int *circle = c->s->mixture.peaks.circle;
  return circle && circle[j];
}

double nis_climb_way(const struct climb *c, size_t j, double from, double to)
{
  return is_circle(c, j) ? to - from - rint(to - from) : to - from;
}

/* Coordinate j inside the cube: on a circle it goes round, else it ends at the walls. */
static double inside(const struct climb *c, size_t j, double x)
{
  if (is_circle(c, j)) x -= floor(x);
  return fmax(1e-12, fmin(x, 1 - 1e-12));
}

static double log_f(const struct climb *c, size_t i)
{
  return log(fabs(c->trial.f[i]));
}

int nis_climb_look(struct climb *c, size_t n)
{
  c->trial.n = n;
  int status = nis_sampler_evaluate(c->s, &c->trial);
  *c->calls += c->trial.n;
  for (size_t i = 0; i < c->trial.n; i++) c->trial.log_q[i] = log_f(c, i);
  return status;
}

/* ---- probes along the axes ------------------------------------------------------------------ */

/* From x a step down and a step up, or, at a wall, one and two steps away from it */
static void probe_at(const struct climb *c, size_t j, double x, double step, double shift[2])
{
  shift[0] = x - step > 0 || is_circle(c, j) ? -step : 2 * step;
  shift[1] = x + step < 1 || is_circle(c, j) ? step : -2 * step;
}

static int probe(struct climb *c)
{
  double *x = c->trial.x;
  for (int k = 0; k < c->n; k++)
    for (size_t j = 0; j < c->dim; j++) {
      double shift[2];
      probe_at(c, j, c->climber[k].x[j], c->climber[k].step[j], shift);
      for (int side = 0; side < 2; side++, x += c->dim) {
        memcpy(x, c->climber[k].x, c->dim * sizeof *x);
        x[j] = inside(c, j, x[j] + shift[side]);
      }
    }
  return nis_climb_look(c, 2 * c->dim * (size_t)c->n);
}

/* Along axis j, where log f is `low` and `high` at the probes: how far to move, and the next step.
 * Returns what the move gains, infinite where the parabola has no top. */
static double fit_parabola(const struct climb *c, struct climber *k, size_t j, const double *probe)
{
  double shift[2], step = k->step[j];
  probe_at(c, j, k->x[j], step, shift);
  int higher = probe[1] > probe[0];
  k->move[j] = probe[higher] > k->log_f ? shift[higher] : 0;
  k->step[j] = step / 2;
  if (isinf(probe[0]) || isinf(probe[1]) || isinf(k->log_f)) return HUGE_VAL; /* at an edge */
  double rise0 = (probe[0] - k->log_f) / shift[0], rise1 = (probe[1] - k->log_f) / shift[1];
  double curvature = 2 * (rise1 - rise0) / (shift[1] - shift[0]);
  double slope = rise0 - curvature * shift[0] / 2;
  k->step[j] = 2 * step;
  if (curvature >= 0) return HUGE_VAL;
  k->move[j] = nis_climb_way(c, j, k->x[j], inside(c, j, k->x[j] - slope / curvature));
  k->step[j] = fmax(step / 4, fmin(fine / sqrt(-curvature), 4 * step));
  return slope * slope / (-2 * curvature);
}

/* The parabolas of climber k, whose probes are the trials from `first` on. The highest probe, if it
 * is higher than the climber, is where this would go without a jump. */
static void fit_parabolas(struct climb *c, struct climber *k, size_t first)
{
  const double *value = c->trial.log_q + first;
  k->gain = 0;
  k->best = k->log_f;
  for (size_t i = 0; i < 2 * c->dim; i++) {
    if (!(value[i] > k->best)) continue;
    k->best = value[i];
    memcpy(k->best_x, c->trial.x + (first + i) * c->dim, c->dim * sizeof *k->best_x);
  }
  for (size_t j = 0; j < c->dim; j++) k->gain += fit_parabola(c, k, j, value + 2 * j);
}

int nis_climb_probe(struct climb *c)
{
  NIS_TRY(probe(c));
  for (int k = 0; k < c->n; k++) fit_parabolas(c, &c->climber[k], 2 * c->dim * (size_t)k);
  return NIS_OK;
}

/* ---- jumps ---------------------------------------------------------------------------------- */

/* ... or comes back from these */
static double reflected(const struct climb *c, size_t j, double x)
{
  if (!is_circle(c, j)) x = fabs(x) > 1 ? 2 - fabs(x) : fabs(x);
  return inside(c, j, x);
}

static void draw_normals(struct climb *c)
{
  c->s->mixture.flow.kernels->uniforms(c->s->seed, STREAM_SEARCH, *c->point, c->dim, c->u);
  *c->point += LANES;
  for (size_t i = 0; i < c->dim * LANES; i++) c->u[i] = gsl_cdf_ugaussian_Pinv(c->u[i]);
}

void nis_climb_surround(struct climb *c, const double *mean, const double *sigma, size_t n)
{
  draw_normals(c);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < c->dim; j++)
      c->trial.x[i * c->dim + j] = reflected(c, j, mean[j] + sigma[j] * c->u[j * LANES + i]);
}

/* To the tops of all parabolas, a third of the way, on along the last two moves, which follows a
 * ridge, and at random */
static int jump(struct climb *c)
{
  double *x = c->trial.x;
  draw_normals(c);
  for (int l = 0; l < c->n; l++, x += JUMPS * c->dim) {
    const struct climber *k = &c->climber[l];
    for (size_t j = 0; j < c->dim; j++) {
      x[j] = inside(c, j, k->x[j] + k->move[j]);
      x[c->dim + j] = inside(c, j, k->x[j] + k->move[j] / 3);
      x[2 * c->dim + j] = inside(c, j, k->x[j] + 2 * nis_climb_way(c, j, k->before[j], k->x[j]));
      x[3 * c->dim + j] = reflected(c, j, k->x[j] + k->step[j] * c->u[j * LANES + (size_t)l]);
    }
  }
  return nis_climb_look(c, JUMPS * (size_t)c->n);
}

/* To the best of all probes and jumps, the latter being the trials from `first` on */
static void rise(struct climb *c, struct climber *k, size_t first)
{
  double before = k->log_f;
  memcpy(k->before, k->x, c->dim * sizeof *k->x);
  if (k->best > k->log_f) memcpy(k->x, k->best_x, c->dim * sizeof *k->x);
  k->log_f = k->best;
  for (size_t i = first; i < first + JUMPS; i++) {
    if (!(c->trial.log_q[i] > k->log_f)) continue;
    k->log_f = c->trial.log_q[i];
    memcpy(k->x, c->trial.x + i * c->dim, c->dim * sizeof *k->x);
  }
  k->iterations++;
  for (size_t j = 0; j < c->dim; j++) {
    if (!(k->log_f > before)) k->step[j] /= 3;
    k->step[j] = fmax(least_step, fmin(k->step[j], largest_step));
  }
}

int nis_climb_jump(struct climb *c)
{
  NIS_TRY(jump(c));
  for (int k = 0; k < c->n; k++) rise(c, &c->climber[k], JUMPS * (size_t)k);
  return NIS_OK;
}

/* ---- at the top ----------------------------------------------------------------------------- */

uint64_t nis_climb_width_calls(size_t dim)
{
  return WIDTH_ROUNDS * 2 * (uint64_t)dim;
}

int nis_climb_widths(struct climb *c, const struct climber *top, double *sigma)
{
  size_t dim = c->dim;
  /* Steps that shrank on a plateau or at an edge say nothing of widths. */
  for (size_t j = 0; j < dim; j++) sigma[j] = isinf(top->gain) ? first_step : top->step[j] / fine;
  for (int round = 0; round < WIDTH_ROUNDS; round++) {
    for (size_t i = 0; i < 2 * dim; i++) {
      double *x = c->trial.x + i * dim, shift = i % 2 ? sigma[i / 2] : -sigma[i / 2];
      memcpy(x, top->x, dim * sizeof *x);
      x[i / 2] = inside(c, i / 2, x[i / 2] + shift);
    }
    NIS_TRY(nis_climb_look(c, 2 * dim));
    for (size_t j = 0; j < dim; j++) {
      double two = (fabs(c->trial.f[2 * j]) + fabs(c->trial.f[2 * j + 1])) / 2;
      double fall = top->log_f - log(two);
      sigma[j] = fmin(sigma[j] * fmax(0.2, fmin(sqrt(0.5 / fmax(fall, 1e-3)), 5)), 0.5);
    }
  }
  return NIS_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay.h"

#include "error.h"
#include "memory.h"

#include <math.h>

int nis_replay_init(struct replay *r, size_t dim, size_t capacity)
{
  *r = (struct replay){.dim = dim, .capacity = capacity};
  r->x = NIS_NEW(double, capacity *dim);
  r->log_f = NIS_NEW(double, capacity);
  r->log_q = NIS_NEW(double, capacity);
  r->running = NIS_NEW(double, capacity + 1);
  return r->x && r->log_f && r->log_q && r->running ? NIS_OK : nis_no_memory();
}

void nis_replay_clear(struct replay *r)
{
  free(r->x);
  free(r->log_f);
  free(r->log_q);
  free(r->running);
  *r = (struct replay){0};
}

size_t nis_replay_store(struct replay *r, const struct points *p)
{
  size_t stored = 0;
  for (size_t i = 0; i < p->n; i++) {
    if (p->f[i] == 0) continue;
    memcpy(r->x + r->next * r->dim, p->x + i * r->dim, r->dim * sizeof *r->x);
    r->log_f[r->next] = log(fabs(p->f[i]));
    r->log_q[r->next] = p->log_q[i];
    r->next = (r->next + 1) % r->capacity;
    r->count += r->count < r->capacity;
    stored++;
  }
  return stored;
}

/* Slot of the i-th of the newest `points`, oldest first. */
static size_t slot_of(const struct replay *r, size_t points, size_t i)
{
  return (r->next + r->capacity - points + i) % r->capacity;
}

static double log_weight(const struct replay *r, size_t slot, double beta)
{
  return beta * r->log_f[slot] - r->log_q[slot];
}

static double largest_log_weight(const struct replay *r, size_t points, double beta)
{
  double largest = -HUGE_VAL;
  for (size_t i = 0; i < points; i++)
    largest = fmax(largest, log_weight(r, slot_of(r, points, i), beta));
  return largest;
}

/* (sum w)^2 / (n sum w^2) */
static double kish_fraction(const struct replay *r, size_t points, double beta)
{
  double top = largest_log_weight(r, points, beta), sum = 0, square = 0;
  for (size_t i = 0; i < points; i++) {
    double w = exp(log_weight(r, slot_of(r, points, i), beta) - top);
    sum += w;
    square += w * w;
  }
  return sum * sum / ((double)points * square);
}

double nis_replay_temperature(const struct replay *r, size_t points, double fraction)
{
  if (points == 0 || kish_fraction(r, points, 1) >= fraction) return 1;
  double low = 0, high = 1;
  for (int step = 0; step < 12; step++) {
    double middle = (low + high) / 2;
    if (kish_fraction(r, points, middle) >= fraction)
      low = middle;
    else
      high = middle;
  }
  return low;
}

void nis_replay_prepare(struct replay *r, size_t points, double beta)
{
  r->usable = points < r->count ? points : r->count;
  double top = largest_log_weight(r, r->usable, beta);
  r->running[0] = 0;
  for (size_t i = 0; i < r->usable; i++)
    r->running[i + 1] = r->running[i] + exp(log_weight(r, slot_of(r, r->usable, i), beta) - top);
}

/* The i for which running[i] <= target < running[i + 1], not below `from`. */
static size_t find(const struct replay *r, double target, size_t from)
{
  size_t low = from, high = r->usable - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (r->running[middle + 1] > target)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void nis_replay_draw(const struct replay *r, double u, size_t n, size_t *slot)
{
  double step = r->running[r->usable] / (double)n;
  size_t i = 0;
  for (size_t k = 0; k < n; k++) {
    i = find(r, ((double)k + u) * step, i);
    slot[k] = slot_of(r, r->usable, i);
  }
}

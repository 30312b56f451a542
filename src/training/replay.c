/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

enum { GUIDE = 4 }; /* points to a stretch of the guide, on the average */

static size_t guide_length(size_t points)
{
  return points / GUIDE + 1;
}

static int init(struct replay *r, size_t dim, size_t ncomp, size_t nview, size_t capacity)
{
  *r = (struct replay){
      .dim = dim, .ncomp = ncomp, .nview = nview, .capacity = capacity, .kernels = nis_kernels()};
  r->x = NIS_RAW(double, nis_product(capacity, dim));
  r->log_f = NIS_RAW(double, capacity);
  r->log_p = NIS_RAW(double, capacity);
  r->negative = NIS_RAW(char, capacity);
  r->running = NIS_RAW(double, capacity + 1);
  r->guide = NIS_RAW(size_t, guide_length(capacity));
  r->weight = NIS_RAW(double, nis_product(capacity, ncomp));
  r->view = NIS_RAW(float, nis_product(capacity, nview));
  r->log_alpha = NIS_RAW(double, nview > 0 ? capacity : 0);
  int complete = r->x && r->log_f && r->log_p && r->negative && r->running && r->guide && r->weight;
  return complete && r->view && r->log_alpha ? NIS_OK : nis_no_memory();
}

int nis_replay_init(struct replay *r, size_t dim, size_t capacity)
{
  return init(r, dim, 0, 0, capacity);
}

void nis_replay_clear(struct replay *r)
{
  free(r->x);
  free(r->log_f);
  free(r->log_p);
  free(r->negative);
  free(r->running);
  free(r->guide);
  free(r->weight);
  free(r->view);
  free(r->log_alpha);
  *r = (struct replay){0};
}

/* |f_c| / q; one that is not finite would spoil all means. */
static double magnitude(double component, double log_q)
{
  return component == 0 ? 0 : fmin(fabs(component) * exp(-log_q), DBL_MAX);
}

void nis_replay_store(struct replay *r, const struct points *p)
{
  for (size_t i = 0; i < p->n; i++) {
    memcpy(r->x + r->next * r->dim, p->x + i * r->dim, r->dim * sizeof *r->x);
    r->log_f[r->next] = p->f[i] == 0 ? -HUGE_VAL : log(fabs(p->f[i]));
    r->log_p[r->next] = p->log_q[i];
    r->negative[r->next] = p->f[i] < 0;
    for (size_t k = 0; k < r->ncomp; k++)
      r->weight[r->next * r->ncomp + k] = magnitude(p->components[i * r->ncomp + k], p->log_q[i]);
    if (r->nview > 0) {
      memcpy(r->view + r->next * r->nview, p->view + i * r->nview, r->nview * sizeof *r->view);
      r->log_alpha[r->next] = p->log_alpha[i];
    }
    r->next = (r->next + 1) % r->capacity;
    r->count += r->count < r->capacity;
  }
}

/* Slot of the i-th of the newest `points`, oldest first. */
static size_t slot_of(const struct replay *r, size_t points, size_t i)
{
  size_t slot = r->next + (r->capacity - points) + i;
  return slot < r->capacity ? slot : slot - r->capacity;
}

void nis_replay_magnitudes(const struct replay *r, double *magnitude)
{
  double share = 1 / (double)r->count; /* of each point: the sum might be no double */
  memset(magnitude, 0, r->ncomp * sizeof *magnitude);
  for (size_t i = 0; i < r->count; i++)
    for (size_t k = 0; k < r->ncomp; k++) magnitude[k] += r->weight[i * r->ncomp + k] * share;
}

/* log |f| = log (|f| / p) + log p, where the first is a norm as well */
void nis_replay_norm(struct replay *r, size_t n, const struct integrand_call *c)
{
  if (n > r->count) n = r->count;
  for (size_t i = 0; i < n; i++) {
    size_t slot = slot_of(r, n, i);
    double norm = nis_integrand_norm(c, r->weight + slot * r->ncomp);
    r->log_f[slot] = norm == 0 ? -HUGE_VAL : log(norm) + r->log_p[slot];
    r->negative[slot] = 0;
  }
}

/* The new ones wait where the running sum will be. */
void nis_replay_weigh(struct replay *r, struct sampler *s)
{
  double *now = r->running;
  r->usable = 0;
  nis_sampler_weigh(s, r->count, r->x, r->view, now);
  for (size_t i = 0; i < r->count; i++) {
    double rise = now[i] - r->log_alpha[i];
    r->log_alpha[i] = now[i];
    r->log_f[i] += rise;
    for (size_t k = 0; k < r->ncomp; k++) r->weight[i * r->ncomp + k] *= exp(rise);
  }
}

/* ---- weights ------------------------------------------------------------------------------ */

enum { BLOCK = 256 };

/* log of |f|^beta / p of up to BLOCK of the newest points from number i on, -inf where f is 0;
 * returns how many. */
static size_t log_weights(const struct replay *r, size_t points, size_t i, double beta,
                          double *log_weight)
{
  size_t n = points - i < BLOCK ? points - i : BLOCK, slot = slot_of(r, points, i);
  for (size_t k = 0; k < n; k++) {
    int zero = isinf(r->log_f[slot]);
    log_weight[k] = zero ? -HUGE_VAL : beta * r->log_f[slot] - r->log_p[slot];
    if (++slot == r->capacity) slot = 0;
  }
  return n;
}

/* |f|^beta / p of the same points, in units of exp(top) */
static size_t weights(const struct replay *r, size_t points, size_t i, double beta, double top,
                      double *weight)
{
  size_t n = log_weights(r, points, i, beta, weight);
  for (size_t k = 0; k < n; k++) weight[k] -= top;
  r->kernels->exp(n, weight, weight);
  return n;
}

static double largest_log_weight(const struct replay *r, size_t points, double beta)
{
  double log_weight[BLOCK], largest = -HUGE_VAL;
  for (size_t i = 0, n; i < points; i += n) {
    n = log_weights(r, points, i, beta, log_weight);
    for (size_t k = 0; k < n; k++) largest = log_weight[k] > largest ? log_weight[k] : largest;
  }
  return largest;
}

static size_t nonzero(const struct replay *r, size_t points)
{
  size_t n = 0;
  for (size_t i = 0; i < points; i++) n += !isinf(r->log_f[slot_of(r, points, i)]);
  return n;
}

/* (sum w)^2 / (n sum w^2) over the n weights that are not zero */
static double kish_fraction(const struct replay *r, size_t points, double beta)
{
  double w[BLOCK], top = largest_log_weight(r, points, beta), sum = 0, square = 0;
  if (isinf(top)) return 0;
  for (size_t i = 0, n; i < points; i += n) {
    n = weights(r, points, i, beta, top, w);
    for (size_t k = 0; k < n; k++) sum += w[k];
    for (size_t k = 0; k < n; k++) square += w[k] * w[k];
  }
  return sum * sum / ((double)nonzero(r, points) * square);
}

/* Between low, where the fraction is reached, and high, where it is not. */
static double refine(const struct replay *r, size_t points, double fraction, double low,
                     double high)
{
  for (int step = 0; step < 8; step++) {
    double middle = (low + high) / 2;
    if (kish_fraction(r, points, middle) >= fraction)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The effective fraction has its peak at the temperature that the flow has learnt, and need not
 * be large at 0: the search comes down from 1, in steps small against that peak's width. */
double nis_replay_temperature(const struct replay *r, size_t points, double fraction)
{
  const double step = exp2(-0.25);
  double best = 1, largest = 0;
  for (double beta = 1; beta > 1e-4; beta *= step) {
    double kish = kish_fraction(r, points, beta);
    if (kish >= fraction) return beta == 1 ? 1 : refine(r, points, fraction, beta, beta / step);
    if (kish > largest) largest = kish, best = beta;
  }
  return best;
}

double nis_replay_kish(const struct replay *r, size_t points, double beta)
{
  return (double)nonzero(r, points) / (double)points * kish_fraction(r, points, beta);
}

/* Sums of |f|^beta / p over the parts, in units of the largest one, whose log is *top; 0 if f is 0
 * at all points. */
static int sum_parts(const struct replay *r, size_t points, double beta, double *top, double *sum)
{
  double w[BLOCK];
  *top = largest_log_weight(r, points, beta);
  memset(sum, 0, PARTS * sizeof *sum);
  if (isinf(*top)) return 0;
  for (size_t i = 0, n; i < points; i += n) {
    n = weights(r, points, i, beta, *top, w);
    for (size_t k = 0; k < n; k++) {
      sum[PART_ALL] += w[k];
      sum[r->negative[slot_of(r, points, i + k)] ? PART_NEGATIVE : PART_POSITIVE] += w[k];
    }
  }
  return 1;
}

double nis_replay_negative(const struct replay *r, size_t points, double beta)
{
  double top, sum[PARTS];
  return sum_parts(r, points, beta, &top, sum) ? sum[PART_NEGATIVE] / sum[PART_ALL] : 0;
}

/* The number of the point on which each stretch of the running sum begins */
static void lay_guide(struct replay *r)
{
  size_t stretches = guide_length(r->usable), i = 0;
  double length = r->running[r->usable] / (double)stretches;
  for (size_t k = 0; k < stretches; k++) {
    while (i + 1 < r->usable && r->running[i + 1] <= (double)k * length) i++;
    r->guide[k] = i;
  }
}

int nis_replay_prepare(struct replay *r, size_t points, double beta)
{
  r->usable = points < r->count ? points : r->count;
  r->beta = beta;
  double top, sum[PARTS];
  if (!sum_parts(r, r->usable, beta, &top, sum)) return 0;
  for (int part = 0; part < PARTS; part++)
    r->log_z[part] = top + log(sum[part] / (double)r->usable);
  double a[BLOCK];
  r->running[0] = 0;
  for (size_t i = 0, n; i < r->usable; i += n) {
    n = weights(r, r->usable, i, beta, r->log_z[PART_ALL], a);
    for (size_t k = 0; k < n; k++) r->running[i + k + 1] = r->running[i + k] + (a[k] + 1) / 2;
  }
  lay_guide(r);
  return 1;
}

double nis_replay_log_part(const struct replay *r, size_t slot, enum part part)
{
  int other = part == (r->negative[slot] ? PART_POSITIVE : PART_NEGATIVE);
  return other || isinf(r->log_f[slot]) ? -HUGE_VAL : r->beta * r->log_f[slot] - r->log_z[part];
}

double nis_replay_log_target(const struct replay *r, size_t slot)
{
  return nis_replay_log_part(r, slot, PART_ALL);
}

double nis_replay_share(const struct replay *r, size_t slot)
{
  return (exp(nis_replay_log_target(r, slot) - r->log_p[slot]) + 1) / 2;
}

/* The i for which running[i] <= target < running[i + 1] is never far from where the guide points: a
 * stretch of GUIDE times the mean of s holds at most 2 GUIDE points, as each s is at least half of
 * it. */
void nis_replay_draw(const struct replay *r, double u, size_t n, size_t *slot)
{
  const double *running = r->running, step = running[r->usable] / (double)n;
  size_t stretches = guide_length(r->usable), last = r->usable - 1;
  for (size_t k = 0; k < n; k++) {
    double share = ((double)k + u) / (double)n, target = ((double)k + u) * step;
    size_t stretch = (size_t)(share * (double)stretches);
    size_t i = r->guide[stretch < stretches ? stretch : stretches - 1];
    while (i > 0 && running[i] > target) i--;
    while (i < last && running[i + 1] <= target) i++;
    slot[k] = slot_of(r, r->usable, i);
  }
}

void nis_replay_newest(const struct replay *r, size_t n, size_t *slot)
{
  for (size_t i = 0; i < n; i++) slot[i] = slot_of(r, n, i);
}

void nis_replay_draw_target(const struct replay *r, double u, size_t n, size_t *slot)
{
  double a[BLOCK], sum = 0, step = (double)r->usable / (double)n; /* the mean of a is 1 */
  size_t k = 0;
  for (size_t i = 0, points; i < r->usable && k < n; i += points) {
    points = weights(r, r->usable, i, r->beta, r->log_z[PART_ALL], a);
    for (size_t j = 0; j < points && k < n; j++) {
      sum += a[j];
      while (k < n && ((double)k + u) * step < sum) slot[k++] = slot_of(r, r->usable, i + j);
    }
  }
  for (; k < n; k++) slot[k] = k > 0 ? slot[k - 1] : slot_of(r, r->usable, 0); /* rounding */
}

int nis_replay_grow(struct replay *r, size_t dim, size_t ncomp, size_t nview, size_t capacity)
{
  struct replay larger;
  if (capacity <= r->capacity) return NIS_OK;
  int status = init(&larger, dim, ncomp, nview, capacity);
  if (status != NIS_OK) {
    nis_replay_clear(&larger);
    return status;
  }
  for (size_t i = 0; i < r->count; i++) {
    size_t slot = slot_of(r, r->count, i);
    memcpy(larger.x + i * dim, r->x + slot * dim, dim * sizeof *r->x);
    larger.log_f[i] = r->log_f[slot];
    larger.log_p[i] = r->log_p[slot];
    larger.negative[i] = r->negative[slot];
    memcpy(larger.weight + i * ncomp, r->weight + slot * ncomp, ncomp * sizeof *r->weight);
    memcpy(larger.view + i * nview, r->view + slot * nview, nview * sizeof *r->view);
    if (nview > 0) larger.log_alpha[i] = r->log_alpha[slot];
  }
  larger.count = larger.next = r->count;
  nis_replay_clear(r);
  *r = larger;
  return NIS_OK;
}

/* One that is full goes on with its oldest; any other is made larger before it goes on. */
static void make_room(struct archive *a, struct replay *r, size_t dim, size_t ncomp, size_t nview,
                      uint64_t count)
{
  if (!nis_archive_holds(a, "stored points", count, (dim + ncomp) * sizeof *r->x) || count == 0)
    return;
  int status = nis_replay_grow(r, dim, ncomp, nview, (size_t)count);
  if (status != NIS_OK) a->status = status;
  r->count = (size_t)count;
}

void nis_replay_archive(struct archive *a, struct replay *r, size_t dim, size_t ncomp, size_t nview)
{
  uint64_t count = r->count, next = count > 0 ? r->next % count : 0;
  nis_archive_count(a, "the number of stored points", &count, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "the oldest point's place", &next, count > 0 ? count - 1 : 0);
  if (nis_archive_is_reading(a)) {
    make_room(a, r, dim, ncomp, nview, count);
    if (a->status != NIS_OK || count == 0) return;
    r->next = (size_t)next;
  }
  nis_archive_reals(a, "a stored coordinate", r->count * dim, r->x, 0, 1);
  nis_archive_reals(a, "a stored log|f|", r->count, r->log_f, -HUGE_VAL, DBL_MAX);
  nis_archive_reals(a, "a stored density", r->count, r->log_p, -DBL_MAX, DBL_MAX);
  nis_archive_reals(a, "a stored component", r->count * ncomp, r->weight, 0, DBL_MAX);
  nis_archive_bytes(a, r->count, r->negative);
  for (size_t i = 0; i < r->count && nis_archive_is_reading(a); i++)
    if (r->negative[i] != 0 && r->negative[i] != 1) nis_archive_refuse(a, "a sign is neither");
  if (nview == 0) return;
  nis_archive_floats(a, "a stored view", r->count * nview, r->view, FLT_MAX);
  nis_archive_reals(a, "a stored channel weight", r->count, r->log_alpha, -DBL_MAX, 0);
}

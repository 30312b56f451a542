/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "search.h"

#include "base/error.h"
#include "base/memory.h"
#include "numerics/ranking.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

enum {
  CLIMBERS = 16,
  CANDIDATES = 65536, /* stored points that are ranked */
  TRIES = 1000,       /* candidates that may be too near to another */
  WIDTH_ROUNDS = 4,
  YOUNG_ROUNDS = 8, /* until points come that show what a new peak is worth */
  SEEN = 3          /* stored points on a peak: it was no secret */
};

static const double apart = 0.1;       /* of climbers at the start, times sqrt(dim) */
static const double first_step = 0.05; /* of a climb */
static const double least_step = 1e-6; /* of a climb */
static const double missed = 1.5;      /* log of f/(Z q) at the top of a missed peak */
static const double unlike = 0.3; /* log of f/(Z g) there for the density g of the peaks alone */
static const double same = 4;     /* tops this many widths apart are two */
static const double least_share = 0.02, largest_share = 0.5; /* of a new peak among the peaks */
static const double wide = 3; /* of a second peak: with heavy tails hardly anything is at the top */
static const double heavy_share = 1e-3; /* of the integral */

struct climber {
  double log_f, step;
  double *x, *sigma; /* [dim] */
};

struct team {
  const struct replay *replay; /* may be NULL */
  uint64_t limit;              /* of search->calls */
  struct sampler *s;
  struct search *search;
  size_t dim;
  int n;
  struct climber climber[CLIMBERS];
  struct points trial; /* [2 * dim + CLIMBERS] */
  double *u;           /* [dim][LANES] random numbers */
  double *wider;       /* [dim] */
  double *block;       /* owned; what the climbers and the last two point into */
};

/* ---- where to start ---------------------------------------------------------------------- */

static int is_circle(const struct team *t, size_t j)
{
  const int *circle = t->s->mixture.peaks.circle;
  return circle && circle[j];
}

/* Along coordinate j, on a circle the short way */
static double distance(const struct team *t, size_t j, const double *a, const double *b)
{
  double way = a[j] - b[j];
  return is_circle(t, j) ? way - rint(way) : way;
}

static double square_distance(const struct team *t, const double *a, const double *b)
{
  double sum = 0;
  for (size_t j = 0; j < t->dim; j++) sum += distance(t, j, a, b) * distance(t, j, a, b);
  return sum;
}

static int far_from_all(const struct team *t, const double *x)
{
  double least = apart * apart * (double)t->dim;
  for (int k = 0; k < t->n; k++)
    if (square_distance(t, t->climber[k].x, x) < least) return 0;
  return 1;
}

static void start(struct team *t, const double *x)
{
  memcpy(t->climber[t->n].x, x, t->dim * sizeof *x);
  t->n++;
}

/* Stored points that are looked at, with log |f| / q in `score`, and room to rank them in */
struct candidates {
  size_t n;
  size_t *slot, *order;
  double *x, *score;
};

static int candidates_init(struct candidates *c, const struct replay *r)
{
  size_t n = r->count < CANDIDATES ? r->count : CANDIDATES;
  *c = (struct candidates){.slot = NIS_RAW(size_t, 2 * n), .x = NIS_RAW(double, n *(r->dim + 1))};
  if (!c->slot || !c->x) return nis_no_memory();
  c->order = c->slot + n;
  c->score = c->x + n * r->dim;
  return NIS_OK;
}

static void candidates_clear(struct candidates *c)
{
  free(c->slot);
  free(c->x);
}

/* The newest ones with f != 0 that were drawn from a density below `most` */
static void gather(struct candidates *c, const struct replay *r, double most)
{
  double log_most = log(most);
  c->n = 0;
  for (size_t i = 0; i < r->count && c->n < CANDIDATES; i++) {
    size_t slot = (r->next + r->capacity - 1 - i) % r->capacity;
    if (isinf(r->log_f[slot]) || r->log_p[slot] > log_most) continue;
    memcpy(c->x + c->n * r->dim, r->x + slot * r->dim, r->dim * sizeof *c->x);
    c->slot[c->n++] = slot;
  }
}

/* Against the mixture without its uniform share */
static void score_mixture(struct candidates *c, struct sampler *s, const struct replay *r)
{
  double share[CHANNELS];
  memcpy(share, s->mixture.share, sizeof share);
  share[CHANNEL_UNIFORM] = 0;
  nis_sampler_density(s, share, c->n, c->x, c->score, NULL);
  for (size_t i = 0; i < c->n; i++) c->score[i] = r->log_f[c->slot[i]] - c->score[i];
}

/* Against the peaks, whose tails say more than a flow's where there are no points */
static void score_peaks(struct candidates *c, const struct sampler *s, const struct replay *r)
{
  nis_peaks_log_densities(&s->mixture.peaks, c->n, c->x, c->score);
  for (size_t i = 0; i < c->n; i++) c->score[i] = r->log_f[c->slot[i]] - c->score[i];
}

/* The best that are far from each other, until there are so many climbers; the newer of equal ones
 */
static void pick_starts(struct team *t, int climbers, const struct candidates *c)
{
  struct ranking best;
  nis_ranking_start(&best, c->n, c->score, c->order);
  for (int tries = 0; tries < TRIES && t->n < climbers && best.left > 0; tries++) {
    size_t i = nis_ranking_take(&best);
    if (isinf(c->score[i])) return;
    if (far_from_all(t, c->x + i * t->dim)) start(t, c->x + i * t->dim);
  }
}

/* ---- climbing ----------------------------------------------------------------------------- */

static int evaluate(struct team *t, size_t n)
{
  t->trial.n = n;
  int status = nis_sampler_evaluate(t->s, &t->trial);
  t->search->calls += t->trial.n;
  return status;
}

/* Coordinate j inside the cube: on a circle it goes round, else it ends at the walls. */
static double inside(const struct team *t, size_t j, double x)
{
  if (is_circle(t, j)) x -= floor(x);
  return fmax(1e-12, fmin(x, 1 - 1e-12));
}

static double reflected(double x)
{
  x = fabs(x);
  return x > 1 ? 2 - x : x;
}

/* A normal step for each climber, reflected at the walls that there are. */
static void propose(struct team *t)
{
  t->s->mixture.flow.kernels->uniforms(t->s->seed, STREAM_SEARCH, t->search->point, t->dim, t->u);
  t->search->point += LANES;
  for (int k = 0; k < t->n; k++)
    for (size_t j = 0; j < t->dim; j++) {
      double z = gsl_cdf_ugaussian_Pinv(t->u[j * LANES + (size_t)k]);
      double x = t->climber[k].x[j] + t->climber[k].step * z;
      t->trial.x[(size_t)k * t->dim + j] = inside(t, j, is_circle(t, j) ? x : reflected(x));
    }
}

/* The one-fifth rule of evolution strategies keeps about one step in five upwards. */
static void move(struct team *t)
{
  for (int k = 0; k < t->n; k++) {
    struct climber *c = &t->climber[k];
    double log_f = log(fabs(t->trial.f[k]));
    int up = log_f > c->log_f;
    if (up) memcpy(c->x, t->trial.x + (size_t)k * t->dim, t->dim * sizeof *c->x);
    if (up) c->log_f = log_f;
    c->step = fmax(least_step, fmin(c->step * (up ? 1.5 : 0.9), 0.5));
  }
}

static int look_up(struct team *t)
{
  for (int k = 0; k < t->n; k++)
    memcpy(t->trial.x + (size_t)k * t->dim, t->climber[k].x, t->dim * sizeof(double));
  NIS_TRY(evaluate(t, (size_t)t->n));
  for (int k = 0; k < t->n; k++) {
    t->climber[k].log_f = log(fabs(t->trial.f[k]));
    t->climber[k].step = first_step;
  }
  return NIS_OK;
}

static int climb(struct team *t, uint64_t steps)
{
  NIS_TRY(look_up(t));
  for (uint64_t i = 0; i < steps; i++) {
    propose(t);
    NIS_TRY(evaluate(t, (size_t)t->n));
    move(t);
  }
  return NIS_OK;
}

/* ---- at the top ------------------------------------------------------------------------------ */

static uint64_t width_calls(size_t dim)
{
  return WIDTH_ROUNDS * 2 * (uint64_t)dim;
}

/* Along each axis, the distance at which log f has fallen by 1/2 on average. */
static int measure_widths(struct team *t, struct climber *c)
{
  size_t dim = t->dim;
  for (size_t j = 0; j < dim; j++) c->sigma[j] = fmax(c->step, 1e-4) * sqrt((double)dim);
  for (int round = 0; round < WIDTH_ROUNDS; round++) {
    for (size_t i = 0; i < 2 * dim; i++) {
      double *x = t->trial.x + i * dim, shift = i % 2 ? c->sigma[i / 2] : -c->sigma[i / 2];
      memcpy(x, c->x, dim * sizeof *x);
      x[i / 2] = inside(t, i / 2, x[i / 2] + shift);
    }
    NIS_TRY(evaluate(t, 2 * dim));
    for (size_t j = 0; j < dim; j++) {
      double two = (fabs(t->trial.f[2 * j]) + fabs(t->trial.f[2 * j + 1])) / 2;
      double fall = c->log_f - log(two);
      c->sigma[j] = fmin(c->sigma[j] * fmax(0.2, fmin(sqrt(0.5 / fmax(fall, 1e-3)), 5)), 0.5);
    }
  }
  return NIS_OK;
}

static int near_top(const struct team *t, const struct climber *top, const double *x)
{
  double sum = 0, most = same * same * (double)t->dim;
  for (size_t j = 0; j < t->dim && sum < most; j++) {
    double z = distance(t, j, top->x, x) / top->sigma[j];
    sum += z * z;
  }
  return sum < most;
}

/* Share of the integral that a peak of this height and these widths would have */
static double peak_share(const struct climber *c, size_t dim, double log_z)
{
  double log_integral = c->log_f - log_z;
  for (size_t j = 0; j < dim; j++) log_integral += log(c->sigma[j] * sqrt(2 * M_PI));
  double ratio = exp(fmin(log_integral, 50));
  return ratio / (1 + ratio);
}

/* Stored points near the top that are as high as the bulk of a normal peak is, where log f is
 * dim/2 below the top on average and sqrt(dim/2) the spread; at most SEEN. */
static int points_on(const struct team *t, const struct climber *c)
{
  const struct replay *r = t->replay;
  double dim = (double)t->dim, bulk = c->log_f - dim / 2 - 2 * sqrt(dim / 2);
  int n = 0;
  for (size_t i = 0; r && i < r->count && n < SEEN; i++)
    n += r->log_f[i] > bulk && near_top(t, c, r->x + i * t->dim);
  return n;
}

/* The climber keeps its widths: others are compared with them. */
static void add_peaks(const struct team *t, const struct climber *c, double share)
{
  struct peaks *peaks = &t->s->mixture.peaks;
  int young = t->search->cold ? YOUNG_ROUNDS : 0;
  nis_peaks_add(peaks, c->x, c->sigma, fmax(least_share, fmin(share, largest_share)), young);
  for (size_t j = 0; j < t->dim; j++) t->wider[j] = wide * c->sigma[j];
  if (t->search->cold) nis_peaks_add(peaks, c->x, t->wider, least_share, young);
}

static void join_mixture(struct team *t, const struct climber *c, double log_z)
{
  struct sampler *s = t->s;
  double log_q, log_peaks = nis_peaks_log_density(&s->mixture.peaks, c->x);
  nis_sampler_density(s, NULL, 1, c->x, &log_q, NULL);
  double height = c->log_f - log_z, share = peak_share(c, t->dim, log_z);
  if (height - log_q > missed) t->search->found++;
  if (height - log_q > missed && share > heavy_share) t->search->unseen += points_on(t, c) < SEEN;
  if (height - log_peaks > unlike) add_peaks(t, c, share);
}

static int by_height(const void *a, const void *b)
{
  double x = ((const struct climber *)a)->log_f, y = ((const struct climber *)b)->log_f;
  return (x < y) - (x > y);
}

/* Each top that is not one of those before */
static int judge(struct team *t, double log_z)
{
  qsort(t->climber, (size_t)t->n, sizeof *t->climber, by_height);
  struct climber *top[CLIMBERS];
  int tops = 0;
  for (int k = 0; k < t->n; k++) {
    struct climber *c = &t->climber[k];
    int known = isinf(c->log_f);
    for (int i = 0; i < tops && !known; i++) known = near_top(t, top[i], c->x);
    if (known || t->search->calls + width_calls(t->dim) > t->limit) continue;
    NIS_TRY(measure_widths(t, c));
    join_mixture(t, c, log_z);
    top[tops++] = c;
  }
  return NIS_OK;
}

/* ---- all together ----------------------------------------------------------------------- */

static int team_init(struct team *t, struct search *search, struct sampler *s)
{
  size_t dim = s->mixture.flow.dim;
  *t = (struct team){.s = s, .search = search, .dim = dim};
  NIS_TRY(nis_points_init(&t->trial, 2 * dim + CLIMBERS, dim));
  t->block = NIS_NEW(double, dim *(2 * CLIMBERS + LANES + 1));
  if (!t->block) return nis_no_memory();
  t->u = t->block + 2 * dim * CLIMBERS;
  t->wider = t->u + dim * LANES;
  for (size_t k = 0; k < CLIMBERS; k++) {
    t->climber[k].x = t->block + 2 * k * dim;
    t->climber[k].sigma = t->climber[k].x + dim;
  }
  return NIS_OK;
}

static void team_clear(struct team *t)
{
  nis_points_clear(&t->trial);
  free(t->block);
}

/* A climb in d dimensions takes about 25 d steps; more climbers when there are calls for them. */
static int climbers_for(uint64_t calls, size_t dim)
{
  uint64_t n = calls / (25 * dim);
  return n < 1 ? 1 : n > CLIMBERS ? CLIMBERS : (int)n;
}

static int run(struct team *t, double log_z, uint64_t calls)
{
  if (t->n == 0 || calls < (uint64_t)t->n) return NIS_OK;
  uint64_t steps = calls / (uint64_t)t->n - 1, enough = 50 * t->dim;
  t->limit = t->search->calls + 2 * calls;
  NIS_TRY(climb(t, steps < enough ? steps : enough));
  return judge(t, log_z);
}

int nis_search_from(struct search *search, struct sampler *s, size_t n, const double *x,
                    double log_z, uint64_t calls)
{
  struct team t;
  int status = team_init(&t, search, s);
  for (size_t i = 0; status == NIS_OK && i < n && i < CLIMBERS; i++) start(&t, x + i * t.dim);
  if (status == NIS_OK) status = run(&t, log_z, calls);
  team_clear(&t);
  return status;
}

/* Half of the climbers start where the mixture is too small, half where the peaks are. */
static int search_team(struct team *t, const struct replay *r, double log_z, uint64_t calls)
{
  struct candidates c;
  int climbers = climbers_for(calls, t->dim);
  int status = candidates_init(&c, r);
  if (status == NIS_OK) {
    gather(&c, r, HUGE_VAL);
    score_mixture(&c, t->s, r);
    pick_starts(t, climbers / 2, &c);
    gather(&c, r, 1);
    score_peaks(&c, t->s, r);
    pick_starts(t, climbers, &c);
  }
  candidates_clear(&c);
  return status == NIS_OK ? run(t, log_z, calls) : status;
}

int nis_search_replay(struct search *search, struct sampler *s, const struct replay *r,
                      double log_z, uint64_t calls)
{
  struct team t;
  int status = team_init(&t, search, s);
  t.replay = r;
  if (status == NIS_OK) status = search_team(&t, r, log_z, calls);
  team_clear(&t);
  return status;
}

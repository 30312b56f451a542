/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "search.h"

#include "base/error.h"
#include "base/memory.h"
#include "numerics/ranking.h"

#include <math.h>

enum {
  CANDIDATES = 131072, /* stored points that are ranked */
  PROFILE = 64,        /* of them, that show what f is where the peaks have some density */
  MOST_STARTS = 256,
  MOST_TOPS = 16,
  TRIES = 10000,        /* candidates that may be too near to another start */
  USUAL_ITERATIONS = 6, /* of a climb */
  YOUNG_ROUNDS = 8,     /* until points come that show what a new peak is worth */
  BULK_POINTS = 4,      /* of a new peak */
  SEEN = 3              /* stored points on a peak: it was no secret */
};

static const double apart = 0.1;            /* of starts, times sqrt(dim) */
static const double apart_from_past = 0.03; /* of starts that led to known peaks, likewise */
static const double missed = 1.5;           /* log of f/(Z q) at the top of a missed peak */
static const double unlike = 0.3;   /* log of f/(Z g) there for the density g of the peaks alone */
static const double too_narrow = 1; /* peaks that are higher than f by this much */
static const double same = 4;       /* tops this many widths apart are two */
static const double least_share = 0.02, largest_share = 0.5; /* of a new peak among the peaks */
static const double wide = 3; /* of a second peak: with heavy tails hardly anything is at the top */
static const double tiny_share = 1e-6;  /* of the integral: not worth a peak */
static const double heavy_share = 1e-3; /* of the integral */

/* A top that has been reached, with its widths */
struct top {
  double log_f;
  double *x, *sigma; /* [dim] */
};

struct team {
  struct search *search;
  const struct replay *replay; /* may be NULL */
  struct sampler *s;
  double log_z;
  uint64_t limit; /* of search->calls for climbing ... */
  size_t dim;
  struct climb *climb;
  uint64_t most; /* ... and in all */
  int tops, starts, tries;
  struct top top[MOST_TOPS];
  double *start; /* [MOST_STARTS][dim] of this search */
  double *wider; /* [dim]; owned, with all arrays of the above */
};

/* ---- where to start ---------------------------------------------------------------------- */

static double square_distance(const struct team *t, const double *a, const double *b)
{
  double sum = 0;
  for (size_t j = 0; j < t->dim; j++) {
    double way = nis_climb_way(t->climb, j, a[j], b[j]);
    sum += way * way;
  }
  return sum;
}

static int far_from_all(const struct team *t, double apart, size_t n, const double *others,
                        const double *x)
{
  double least = apart * apart * (double)t->dim;
  for (size_t i = 0; i < n; i++)
    if (square_distance(t, others + i * t->dim, x) < least) return 0;
  return 1;
}

/* From where a known peak was reached no later search starts. */
static void remember(struct team *t, const double *start)
{
  struct search *search = t->search;
  memcpy(search->past + search->npast++ % SEARCH_PAST * t->dim, start, t->dim * sizeof *start);
}

/* Stored points that are looked at, and how much each stands out in two ways */
enum { BY_MIXTURE, BY_PEAKS, WAYS };
struct candidates {
  size_t n;
  size_t *slot;
  double *x, *score[WAYS];
  struct ranking best[WAYS];
  struct place {
    double log_g, log_f;
    size_t i;
  } * place;
};

static int candidates_init(struct candidates *c, const struct replay *r)
{
  size_t n = r->count < CANDIDATES ? r->count : CANDIDATES;
  *c = (struct candidates){.slot = NIS_RAW(size_t, (1 + WAYS) * n),
                           .x = NIS_RAW(double, n *(r->dim + WAYS)),
                           .place = NIS_RAW(struct place, n)};
  if (!c->slot || !c->x || !c->place) return nis_no_memory();
  for (int way = 0; way < WAYS; way++) c->score[way] = c->x + n * (r->dim + (size_t)way);
  return NIS_OK;
}

static void candidates_clear(struct candidates *c)
{
  free(c->slot);
  free(c->x);
  free(c->place);
}

/* The newest ones with f != 0 */
static void gather(struct candidates *c, const struct replay *r)
{
  for (size_t i = 0; i < r->count && c->n < CANDIDATES; i++) {
    size_t slot = (r->next + r->capacity - 1 - i) % r->capacity;
    if (isinf(r->log_f[slot])) continue;
    memcpy(c->x + c->n * r->dim, r->x + slot * r->dim, r->dim * sizeof *c->x);
    c->slot[c->n++] = slot;
  }
}

/* Against the mixture without its uniform share */
static void score_by_mixture(struct candidates *c, struct sampler *s, const struct replay *r)
{
  double share[CHANNELS], *score = c->score[BY_MIXTURE];
  memcpy(share, s->mixture.share, sizeof share);
  share[CHANNEL_UNIFORM] = 0;
  nis_sampler_density(s, share, c->n, c->x, score, NULL);
  for (size_t i = 0; i < c->n; i++) score[i] = r->log_f[c->slot[i]] - score[i];
}

static int by_density(const void *a, const void *b)
{
  const struct place *p = a, *q = b;
  if (p->log_g != q->log_g) return (p->log_g > q->log_g) - (p->log_g < q->log_g);
  return (p->i > q->i) - (p->i < q->i);
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* How far log f is above what it usually is, in units of how far from it it usually is (median and
 * median deviation) */
static void score_profile(struct candidates *c, size_t from, size_t n)
{
  double sorted[2 * PROFILE];
  for (size_t i = 0; i < n; i++) sorted[i] = c->place[from + i].log_f;
  qsort(sorted, n, sizeof *sorted, by_value);
  double usual = sorted[n / 2];
  for (size_t i = 0; i < n; i++) sorted[i] = fabs(sorted[i] - usual);
  qsort(sorted, n, sizeof *sorted, by_value);
  for (size_t i = 0; i < n; i++)
    c->score[BY_PEAKS][c->place[from + i].i] =
        (c->place[from + i].log_f - usual) / (sorted[n / 2] + 1);
}

/* Against others for which the peaks have the same density: tails of f are rarely those of normal
 * peaks, but what falls off in its own way stays on its own curve, and a point that is off belongs
 * to something else. Only points drawn from a density below 1 count. */
static void score_by_peaks(struct candidates *c, const struct sampler *s, const struct replay *r)
{
  double *log_g = c->score[BY_PEAKS];
  size_t n = 0;
  nis_peaks_log_densities(&s->mixture.peaks, c->n, c->x, log_g);
  for (size_t i = 0; i < c->n; i++) {
    if (r->log_p[c->slot[i]] <= 0)
      c->place[n++] = (struct place){log_g[i], r->log_f[c->slot[i]], i};
    log_g[i] = -HUGE_VAL;
  }
  qsort(c->place, n, sizeof *c->place, by_density);
  for (size_t from = 0; from < n;) {
    size_t left = n - from, here = left < 2 * PROFILE ? left : PROFILE;
    score_profile(c, from, here);
    from += here;
  }
}

static int rank(struct candidates *c, const struct team *t)
{
  NIS_TRY(candidates_init(c, t->replay));
  gather(c, t->replay);
  score_by_mixture(c, t->s, t->replay);
  score_by_peaks(c, t->s, t->replay);
  for (int way = 0; way < WAYS; way++)
    nis_ranking_start(&c->best[way], c->n, c->score[way], c->slot + (size_t)(1 + way) * c->n);
  return NIS_OK;
}

/* The best that is far from where others have started; 0: there is none */
static int next_start(struct team *t, struct candidates *c, int way)
{
  size_t past = t->search->npast < SEARCH_PAST ? t->search->npast : SEARCH_PAST;
  for (struct ranking *best = &c->best[way]; t->tries < TRIES && best->left > 0; t->tries++) {
    size_t i = nis_ranking_take(best);
    const double *x = c->x + i * t->dim;
    if (isinf(c->score[way][i])) break;
    if (!far_from_all(t, apart, (size_t)t->starts, t->start, x) ||
        !far_from_all(t, apart_from_past, past, t->search->past, x))
      continue;
    memcpy(t->start + (size_t)t->starts++ * t->dim, x, t->dim * sizeof *x);
    nis_climb_start(t->climb, x, t->replay->log_f[c->slot[i]]);
    return 1;
  }
  return 0;
}

uint64_t nis_search_climb_calls(size_t dim)
{
  return USUAL_ITERATIONS * nis_climb_cost(dim);
}

/* As many climbers as there are calls for */
static void fill(struct team *t, struct candidates *c)
{
  uint64_t spent = t->search->calls, left = spent < t->limit ? t->limit - spent : 0,
           one = nis_search_climb_calls(t->dim);
  while (t->climb->n < CLIMBERS && t->starts < MOST_STARTS &&
         ((t->climb->n == 0 && left > 0) || (uint64_t)t->climb->n < left / one)) {
    int way = t->starts % WAYS;
    if (!next_start(t, c, way) && !next_start(t, c, !way)) return;
  }
}

/* ---- at the top ------------------------------------------------------------------------------ */

static int near_top(const struct team *t, const struct top *top, const double *x)
{
  double sum = 0, most = same * same * (double)t->dim;
  for (size_t j = 0; j < t->dim && sum < most; j++) {
    double z = nis_climb_way(t->climb, j, top->x[j], x[j]) / top->sigma[j];
    sum += z * z;
  }
  return sum < most;
}

/* Share of the integral that a peak of this height and these widths would have */
static double peak_share(const struct top *top, size_t dim, double log_z)
{
  double log_integral = top->log_f - log_z;
  for (size_t j = 0; j < dim; j++) log_integral += log(top->sigma[j] * sqrt(2 * M_PI));
  double ratio = exp(fmin(log_integral, 50));
  return ratio / (1 + ratio);
}

/* Stored points near the top that are as high as the bulk of a normal peak is, where log f is
 * dim/2 below the top on average and sqrt(dim/2) the spread; at most SEEN. */
static int points_on(const struct team *t, const struct top *top)
{
  const struct replay *r = t->replay;
  double dim = (double)t->dim, bulk = top->log_f - dim / 2 - 2 * sqrt(dim / 2);
  int n = 0;
  for (size_t i = 0; r && i < r->count && n < SEEN; i++)
    n += r->log_f[i] > bulk && near_top(t, top, r->x + i * t->dim);
  return n;
}

static void add_peaks(const struct team *t, const struct top *top, double share)
{
  struct peaks *peaks = &t->s->mixture.peaks;
  int young = t->search->cold ? YOUNG_ROUNDS : 0;
  nis_peaks_add(peaks, top->x, top->sigma, fmax(least_share, fmin(share, largest_share)), young);
  for (size_t j = 0; j < t->dim; j++) t->wider[j] = wide * top->sigma[j];
  if (t->search->cold) nis_peaks_add(peaks, top->x, t->wider, least_share, young);
}

/* log of f/(Z g) for the density g of the peaks: at the top, or on the average over some points of
 * the bulk if that is more, for peaks that are too narrow are high at the top */
static int excess(struct team *t, const struct top *top, double *log_ratio)
{
  struct climb *c = t->climb;
  struct peaks *peaks = &t->s->mixture.peaks;
  double sum = 0;
  nis_climb_surround(c, top->x, top->sigma, BULK_POINTS);
  NIS_TRY(nis_climb_look(c, BULK_POINTS));
  for (size_t i = 0; i < BULK_POINTS; i++)
    sum += fmax(c->trial.log_q[i], top->log_f - t->dim) -
           nis_peaks_log_density(peaks, c->trial.x + i * t->dim);
  *log_ratio =
      fmax(top->log_f - nis_peaks_log_density(peaks, top->x), sum / BULK_POINTS) - t->log_z;
  return NIS_OK;
}

static int join_mixture(struct team *t, const struct top *top)
{
  struct sampler *s = t->s;
  double log_q, log_ratio;
  NIS_TRY(excess(t, top, &log_ratio));
  nis_sampler_density(s, NULL, 1, top->x, &log_q, NULL);
  double height = top->log_f - t->log_z, share = peak_share(top, t->dim, t->log_z);
  int secret = height - log_q > missed && points_on(t, top) < SEEN;
  t->search->found += secret;
  t->search->unseen += secret && share > heavy_share;
  if (log_ratio > unlike && share > tiny_share) add_peaks(t, top, share);
  return NIS_OK;
}

static int is_old(const struct team *t, const double *x)
{
  for (int i = 0; i < t->tops; i++)
    if (near_top(t, &t->top[i], x)) return 1;
  return 0;
}

/* Whether the climb leads to a top that was there before, or where the peaks are as high as f is:
 * far below that, too, where the parabolas show the top. */
static int is_known(const struct team *t, const struct climber *k)
{
  if (isinf(k->gain)) return 0;
  for (size_t j = 0; j < t->dim; j++) t->wider[j] = k->x[j] + k->move[j];
  if (is_old(t, t->wider)) return 1;
  double log_peaks = nis_peaks_log_density(&t->s->mixture.peaks, t->wider);
  double log_ratio = k->log_f + k->gain - t->log_z - log_peaks;
  return log_ratio < unlike && log_ratio > -too_narrow;
}

/* A top that is not one of those before */
static int judge(struct team *t, const struct climber *k)
{
  if (isinf(k->log_f) || t->tops == MOST_TOPS) return NIS_OK;
  if (is_old(t, k->x)) return NIS_OK;
  if (t->search->calls + nis_climb_width_calls(t->dim) + BULK_POINTS > t->most) return NIS_OK;
  struct top *top = &t->top[t->tops];
  top->log_f = k->log_f;
  memcpy(top->x, k->x, t->dim * sizeof *k->x);
  NIS_TRY(nis_climb_widths(t->climb, k, top->sigma));
  t->tops++;
  return join_mixture(t, top);
}

/* The climbers that have arrived, or all of them, the highest first */
static int settle(struct team *t, int all)
{
  struct climb *c = t->climb;
  for (;;) {
    int highest = -1;
    for (int k = 0; k < c->n; k++)
      if ((all || nis_climb_ended(c, k)) &&
          (highest < 0 || c->climber[k].log_f > c->climber[highest].log_f))
        highest = k;
    if (highest < 0) return NIS_OK;
    NIS_TRY(judge(t, &c->climber[highest]));
    nis_climb_drop(c, highest);
  }
}

static void drop_known(struct team *t)
{
  for (int k = t->climb->n - 1; k >= 0; k--) {
    if (!is_known(t, &t->climb->climber[k])) continue;
    remember(t, t->climb->climber[k].start);
    nis_climb_drop(t->climb, k);
  }
}

/* ---- all together ----------------------------------------------------------------------- */

static int team_init(struct team *t, struct search *search, struct sampler *s, double log_z,
                     uint64_t calls)
{
  size_t dim = s->mixture.flow.dim;
  *t = (struct team){.s = s, .search = search, .dim = dim, .log_z = log_z};
  t->limit = search->calls + calls;
  t->most = search->calls + 2 * calls;
  if (!search->past) search->past = NIS_NEW(double, SEARCH_PAST *dim);
  t->climb = &search->climb;
  if (!t->climb->block) NIS_TRY(nis_climb_init(t->climb, s, &search->calls, &search->point));
  t->wider = NIS_NEW(double, dim *(1 + MOST_STARTS + 2 * MOST_TOPS));
  if (!t->wider || !search->past) return nis_no_memory();
  t->start = t->wider + dim;
  for (size_t i = 0; i < MOST_TOPS; i++) {
    t->top[i].x = t->start + (MOST_STARTS + 2 * i) * dim;
    t->top[i].sigma = t->top[i].x + dim;
  }
  for (; t->starts < t->climb->n; t->starts++)
    memcpy(t->start + (size_t)t->starts * dim, t->climb->climber[t->starts].start,
           dim * sizeof *t->start);
  return NIS_OK;
}

static void team_clear(struct team *t)
{
  free(t->wider);
}

static int climb(struct team *t, struct candidates *c)
{
  for (;;) {
    if (c) fill(t, c);
    uint64_t cost = (uint64_t)t->climb->n * nis_climb_cost(t->dim);
    if (cost == 0 || t->search->calls + cost > t->limit) return NIS_OK;
    NIS_TRY(nis_climb_probe(t->climb));
    drop_known(t);
    if (t->climb->n > 0) NIS_TRY(nis_climb_jump(t->climb));
    NIS_TRY(settle(t, 0));
  }
}

void nis_search_clear(struct search *search)
{
  nis_climb_clear(&search->climb);
  free(search->past);
  search->past = NULL;
}

int nis_search_from(struct search *search, struct sampler *s, size_t n, const double *x,
                    double log_z, uint64_t calls)
{
  struct team t;
  int status = team_init(&t, search, s, log_z, calls);
  if (n > CLIMBERS) n = CLIMBERS;
  search->climb.n = 0; /* what the user knows goes first */
  if (status == NIS_OK && calls >= n) {
    memcpy(t.climb->trial.x, x, n * t.dim * sizeof *x);
    status = nis_climb_look(t.climb, n);
    for (size_t i = 0; status == NIS_OK && i < n; i++)
      nis_climb_start(t.climb, x + i * t.dim, t.climb->trial.log_q[i]);
    if (status == NIS_OK) status = climb(&t, NULL);
    if (status == NIS_OK) status = settle(&t, 1);
  }
  team_clear(&t);
  return status;
}

int nis_search_replay(struct search *search, struct sampler *s, const struct replay *r,
                      double log_z, uint64_t calls)
{
  struct team t;
  struct candidates c = {0};
  int status = team_init(&t, search, s, log_z, calls);
  t.replay = r;
  if (status == NIS_OK) status = rank(&c, &t);
  if (status == NIS_OK) status = climb(&t, &c);
  if (status == NIS_OK && search->last) status = settle(&t, 1);
  candidates_clear(&c);
  team_clear(&t);
  return status;
}

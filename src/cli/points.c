/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_POINTS = 1 << 17,
  MOST_NUMBERS = 1 << 22,
  MOST_DRAWN = 1 << 15,
  MOST_SORTED = 1 << 14,
  PAIR_BINS = 12
};

/* ---- taking them ---------------------------------------------------------------------------- */

/* Points of nets must not be thinned out by their last bits: each half of them is one half of the
 * cube. (splitmix64: Steele, Lea, Flood, OOPSLA 2014) */
static uint64_t hash(uint64_t n)
{
  n += 0x9e3779b97f4a7c15u;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9u;
  n = (n ^ (n >> 27)) * 0x94d049bb133111ebu;
  return n ^ (n >> 31);
}

static int stays(const struct cloud *cloud, uint64_t number)
{
  return (hash(number) & (cloud->one_in - 1)) == 0;
}

static int cloud_make(struct cloud *cloud, size_t dim)
{
  size_t room = MOST_NUMBERS / dim < MOST_POINTS ? MOST_NUMBERS / dim : MOST_POINTS;
  *cloud = (struct cloud){.dim = dim, .room = room, .one_in = 1};
  cloud->number = malloc(room * sizeof *cloud->number);
  cloud->x = malloc(room * dim * sizeof *cloud->x);
  cloud->weight = malloc(room * sizeof *cloud->weight);
  return cloud->number && cloud->x && cloud->weight;
}

static void cloud_free(struct cloud *cloud)
{
  free(cloud->number);
  free(cloud->x);
  free(cloud->weight);
}

static void cloud_empty(struct cloud *cloud)
{
  cloud->n = cloud->seen = 0;
  cloud->one_in = 1;
}

static void put(struct cloud *cloud, size_t place, uint64_t number, const double *x, double weight)
{
  cloud->number[place] = number;
  cloud->weight[place] = weight;
  memmove(cloud->x + place * cloud->dim, x, cloud->dim * sizeof *x);
}

static void thin_out(struct cloud *cloud)
{
  size_t n = 0;
  cloud->one_in *= 2;
  for (size_t i = 0; i < cloud->n; i++)
    if (stays(cloud, cloud->number[i]))
      put(cloud, n++, cloud->number[i], cloud->x + i * cloud->dim, cloud->weight[i]);
  cloud->n = n;
}

static void add(struct cloud *cloud, const double *x, double weight)
{
  uint64_t number = cloud->seen++;
  if (!stays(cloud, number)) return;
  if (cloud->n == cloud->room) thin_out(cloud);
  if (cloud->n < cloud->room && stays(cloud, number)) put(cloud, cloud->n++, number, x, weight);
}

struct points *points_make(size_t dim)
{
  struct points *points = calloc(1, sizeof *points);
  if (!points) return NULL;
  if (cloud_make(&points->drawn, dim) & cloud_make(&points->events, dim)) return points;
  points_free(points);
  return NULL;
}

void points_free(struct points *points)
{
  if (!points) return;
  cloud_free(&points->drawn);
  cloud_free(&points->events);
  free(points);
}

int points_take(const nis_point_block *block, void *params)
{
  struct points *points = params;
  if (block->before == 0) { /* what came before belongs to no estimate that is still there */
    cloud_empty(&points->drawn);
    points->negatives = 0;
  }
  points->weighted = 1;
  for (size_t i = 0; i < block->n; i++) {
    points->negatives += block->weight[i] < 0;
    add(&points->drawn, block->x + i * block->dim, fabs(block->weight[i]));
  }
  return NIS_OK;
}

int points_take_events(const nis_event_block *block, void *params)
{
  struct points *points = params;
  for (size_t i = 0; i < block->n; i++)
    add(&points->events, block->x + i * block->dim, fabs(block->weight[i]));
  return NIS_OK;
}

void points_draw(struct points *points, nis *s)
{
  struct cloud *cloud = &points->drawn;
  size_t n = cloud->room < MOST_DRAWN ? cloud->room : MOST_DRAWN;
  if (nis_sample(s, n, cloud->x, cloud->weight, NULL) == NIS_OK) cloud->n = cloud->seen = n;
}

void points_count(struct points *points, nis *s)
{
  static double edges[WEIGHT_EDGES]; /* 40 KiB */
  for (int i = 0; i < WEIGHT_EDGES; i++) edges[i] = weight_edge(i);
  nis_weights(s, WEIGHT_EDGES, edges, points->weights);
}

/* ---- one coordinate ------------------------------------------------------------------------- */

static const struct cloud *cloud_of(const struct points *points, int of_f)
{
  return of_f && !points->weighted ? &points->events : &points->drawn;
}

static double share_of(const struct cloud *cloud, int of_f, size_t i)
{
  return of_f ? cloud->weight[i] : 1;
}

struct placed {
  double x, share;
};

static int by_place(const void *a, const void *b)
{
  double x = ((const struct placed *)a)->x, y = ((const struct placed *)b)->x;
  return (x > y) - (x < y);
}

/* Where all but `outside` of |f|, or else of q, lies on both sides, as far as some thousands of
 * points tell; nothing without a point */
static void find_middle(const struct points *points, size_t coordinate, double outside, double *low,
                        double *high)
{
  int of_f = cloud_of(points, 1)->n > 0;
  const struct cloud *cloud = cloud_of(points, of_f);
  size_t n = 0, some = cloud->n < MOST_SORTED ? cloud->n : MOST_SORTED;
  struct placed *all = malloc((some + 1) * sizeof *all);
  double sum = 0, below = 0;
  for (size_t i = 0; all && i < some; i++) {
    double share = share_of(cloud, of_f, i);
    if (share > 0) all[n++] = (struct placed){cloud->x[i * cloud->dim + coordinate], share};
    sum += share;
  }
  if (n > 0) {
    qsort(all, n, sizeof *all, by_place);
    size_t first = 0, last = n - 1;
    for (; first < last && below + all[first].share < outside * sum; first++)
      below += all[first].share;
    for (below = 0; last > first && below + all[last].share < outside * sum; last--)
      below += all[last].share;
    *low = all[first].x;
    *high = all[last].x;
  }
  free(all);
}

/* As many as have a hundred points each */
static size_t fitting_bins(const struct points *points)
{
  size_t n = points->drawn.n / 100, of_f = cloud_of(points, 1)->n / 100;
  if (of_f > 0 && of_f < n) n = of_f;
  return n < 10 ? 10 : n > 50 ? 50 : n;
}

/* The number of values of a coordinate that has none but 0, 1 .. ; else 0 */
static size_t count_values(const struct cloud *cloud, size_t coordinate)
{
  double most = 0;
  for (size_t i = 0; i < cloud->n; i++) {
    double x = cloud->x[i * cloud->dim + coordinate];
    if (!(x >= 0 && x < NIS_MOST_VALUES && x == floor(x))) return 0;
    most = fmax(most, x);
  }
  return cloud->n ? (size_t)most + 1 : 0;
}

struct span points_span(const struct points *points, size_t coordinate, double low, double high)
{
  const double tail = 1e-3, far_tail = 1e-2, much = 0.5;
  size_t values = count_values(&points->drawn, coordinate);
  if (values) return (struct span){-0.5, (double)values - 0.5, values, 1, 0};
  struct span span = {low, high, fitting_bins(points), 0, 0};
  int finite = isfinite(low) && isfinite(high);
  double from = 0, to = 1;
  find_middle(points, coordinate, finite ? tail : far_tail, &from, &to);
  double margin = 0.1 * (to - from);
  if (!(margin > 0)) margin = finite ? 0.01 * (high - low) : fmax(fabs(to), 1);
  if (finite && to - from + 2 * margin > much * (high - low)) return span;
  span.low = fmax(low, from - margin);
  span.high = fmin(high, to + margin);
  span.zoomed = 1;
  return span;
}

void span_edges(const struct span *span, double *edges)
{
  for (size_t i = 0; i <= span->bins; i++)
    edges[i] = span->low + (span->high - span->low) * (double)i / (double)span->bins;
}

/* SIZE_MAX outside */
static size_t find_bin(const struct span *span, double x)
{
  double place = (x - span->low) / (span->high - span->low) * (double)span->bins;
  return place >= 0 && place < (double)span->bins ? (size_t)place : SIZE_MAX;
}

static void divide(double *density, size_t n, double by)
{
  for (size_t i = 0; i < n; i++) density[i] /= by;
}

int points_marginal(const struct points *points, int of_f, size_t coordinate,
                    const struct span *span, double *density)
{
  const struct cloud *cloud = cloud_of(points, of_f);
  double sum = 0, width = (span->high - span->low) / (double)span->bins;
  memset(density, 0, span->bins * sizeof *density);
  for (size_t i = 0; i < cloud->n; i++) {
    size_t bin = find_bin(span, cloud->x[i * cloud->dim + coordinate]);
    double share = share_of(cloud, of_f, i);
    sum += share;
    if (bin != SIZE_MAX) density[bin] += share;
  }
  if (sum > 0) divide(density, span->bins, sum * width);
  return sum > 0;
}

/* ---- two of them ---------------------------------------------------------------------------- */

int points_plane(const struct points *points, int of_f, const size_t coordinate[2],
                 const struct span span[2], double *density)
{
  const struct cloud *cloud = cloud_of(points, of_f);
  double sum = 0, area = 1;
  for (int k = 0; k < 2; k++) area *= (span[k].high - span[k].low) / (double)span[k].bins;
  memset(density, 0, span[0].bins * span[1].bins * sizeof *density);
  for (size_t i = 0; i < cloud->n; i++) {
    const double *x = cloud->x + i * cloud->dim;
    size_t a = find_bin(&span[0], x[coordinate[0]]), b = find_bin(&span[1], x[coordinate[1]]);
    double share = share_of(cloud, of_f, i);
    sum += share;
    if (a != SIZE_MAX && b != SIZE_MAX) density[b * span[0].bins + a] += share;
  }
  if (sum > 0) divide(density, span[0].bins * span[1].bins, sum * area);
  return sum > 0;
}

/* For the comparison of all pairs: fewer bins, and one more for what is outside */
static unsigned char *all_bins(const struct cloud *cloud, const struct span *span, size_t n,
                               size_t *bins)
{
  unsigned char *bin = malloc(n * cloud->dim + 1);
  for (size_t j = 0; bin && j < cloud->dim; j++) {
    struct span coarse = span[j];
    if (!coarse.discrete) coarse.bins = PAIR_BINS;
    bins[j] = coarse.bins + 1;
    for (size_t i = 0; i < n; i++) {
      size_t found = find_bin(&coarse, cloud->x[i * cloud->dim + j]);
      bin[j * n + i] = (unsigned char)(found < coarse.bins ? found : coarse.bins);
    }
  }
  return bin;
}

struct cell {
  double n, sum;
};

/* epsilon^2 of an analysis of variance: unlike the bare share it is about 0 where there is nothing,
 * however many cells there are. */
static double explained(const unsigned char *a, const unsigned char *b, size_t bins_a,
                        size_t bins_b, size_t n, const double *weight, struct cell *cell)
{
  double sum = 0, squares = 0, between = 0, used = 0;
  memset(cell, 0, bins_a * bins_b * sizeof *cell);
  for (size_t i = 0; i < n; i++) {
    struct cell *c = &cell[a[i] * bins_b + b[i]];
    c->n++;
    c->sum += weight[i];
    sum += weight[i];
    squares += weight[i] * weight[i];
  }
  double mean = sum / (double)n, total = squares - mean * sum;
  for (struct cell *c = cell; c < cell + bins_a * bins_b; c++) {
    if (c->n == 0) continue;
    used++;
    between += c->n * (c->sum / c->n - mean) * (c->sum / c->n - mean);
  }
  double noise = (used - 1) * (total - between) / ((double)n - used);
  return total > 0 && (double)n > used ? fmax((between - noise) / total, 0) : 0;
}

static void insert(struct pair *pair, size_t *found, size_t most, struct pair one)
{
  size_t place = *found < most ? (*found)++ : most;
  for (; place > 0 && pair[place - 1].explained < one.explained; place--)
    if (place < most) pair[place] = pair[place - 1];
  if (place < most) pair[place] = one;
}

size_t points_pairs(const struct points *points, const struct span *span, struct pair *pair,
                    size_t most)
{
  enum { MOST_WORK = 100000000, LEAST_POINTS = 200 };
  const struct cloud *cloud = &points->drawn;
  size_t dim = cloud->dim, pairs = dim * (dim - 1) / 2, found = 0, bins[NIS_MOST_DIM];
  if (!points->weighted || cloud->n < LEAST_POINTS || pairs == 0) return 0;
  size_t n = cloud->n < MOST_WORK / pairs ? cloud->n : MOST_WORK / pairs;
  unsigned char *bin = all_bins(cloud, span, n, bins);
  struct cell *cell = malloc((MOST_BINS + 1) * (MOST_BINS + 1) * sizeof *cell);
  for (size_t a = 0; bin && cell && a < dim; a++)
    for (size_t b = a + 1; b < dim; b++)
      insert(pair, &found, most,
             (struct pair){
                 {a, b},
                 explained(bin + a * n, bin + b * n, bins[a], bins[b], n, cloud->weight, cell)});
  free(cell);
  free(bin);
  return found;
}

/* ---- weights -------------------------------------------------------------------------------- */

double weight_edge(int i)
{
  return exp2((double)i / BINS_AN_OCTAVE - OCTAVES);
}

uint64_t points_weights(const struct points *points)
{
  uint64_t n = 0;
  for (int i = 1; i <= WEIGHT_EDGES; i++) n += points->weights[i];
  return n;
}

double points_quantile(const struct points *points, double share)
{
  double wanted = share * (double)points_weights(points), below = 0;
  for (int i = 1; i <= WEIGHT_EDGES; i++) {
    double inside = (double)points->weights[i];
    if (inside > 0 && below + inside >= wanted)
      return weight_edge(i - 1) * exp2((wanted - below) / inside / BINS_AN_OCTAVE);
    below += inside;
  }
  return NAN;
}

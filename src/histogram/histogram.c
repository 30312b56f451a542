/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "histogram.h"

#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"
#include "numerics/spread.h"

#include <math.h>

enum {
  BLOCK = 256,    /* points whose observables are asked for at a time */
  LEAST_NETS = 4, /* of equal size, as in an estimate; before that, the error of random points */
  MOST_NAME = 255
};

/* ---- making one --------------------------------------------------------------------------- */

static int set_text(char **out, const char *text, const char *what)
{
  if (!text) text = "";
  size_t n = strlen(text);
  if (n > MOST_NAME) return nis_fail(NIS_INVALID, "%s has more than %d bytes", what, MOST_NAME);
  for (const char *c = text; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 127)
      return nis_fail(NIS_INVALID, "%s must not hold control characters", what);
  *out = NIS_RAW(char, n + 1);
  if (!*out) return nis_no_memory();
  memcpy(*out, text, n + 1);
  return NIS_OK;
}

static int set_edges(struct axis *a, const nis_axis *given)
{
  double low = given->low, high = low == 0 && given->high == 0 ? 1 : given->high;
  size_t n = a->bins;
  if (!given->edges && !(isfinite(low) && isfinite(high) && low < high && isfinite(high - low)))
    return nis_fail(NIS_INVALID, "axis '%s' must have finite low < high, got %g and %g", a->name,
                    low, high);
  a->edges = NIS_RAW(double, n + 1);
  if (!a->edges) return nis_no_memory();
  for (size_t i = 0; i <= n; i++)
    a->edges[i] = given->edges ? given->edges[i] : low + (high - low) * ((double)i / (double)n);
  if (!given->edges) a->edges[n] = high;
  for (size_t i = 0; i <= n; i++)
    if (!isfinite(a->edges[i]) || (i > 0 && !(a->edges[i] > a->edges[i - 1])))
      return nis_fail(NIS_INVALID,
                      "axis '%s' must have finite edges, each above the one before, "
                      "but edge %zu is %g",
                      a->name, i, a->edges[i]);
  return NIS_OK;
}

static int set_axis(struct axis *a, const nis_axis *given)
{
  *a = (struct axis){given->observable, given->params, NULL, NULL, given->bins, NULL};
  NIS_TRY(set_text(&a->name, given->name, "the name of an axis"));
  NIS_TRY(set_text(&a->unit, given->unit, "the unit of an axis"));
  if (a->bins < 1 || a->bins > NIS_MOST_BINS)
    return nis_fail(NIS_INVALID, "axis '%s' must have 1 .. %d bins, got %zu", a->name,
                    NIS_MOST_BINS, a->bins);
  return set_edges(a, given);
}

static int set_up(struct nis_histogram *h, const char *name, const nis_axis *axes, size_t naxes)
{
  size_t bins = 1;
  NIS_TRY(set_text(&h->name, name, "the name of a histogram"));
  h->slots = 1;
  for (size_t k = 0; k < naxes; k++) {
    h->naxes++;
    NIS_TRY(set_axis(&h->axis[k], &axes[k]));
    h->slots *= nis_axis_slots(&h->axis[k]);
    bins *= h->axis[k].bins;
  }
  if (bins > NIS_MOST_BINS)
    return nis_fail(NIS_INVALID, "a histogram has at most %d bins, got %zu", NIS_MOST_BINS, bins);
  h->slots++;
  h->slot = NIS_NEW(struct sums, h->slots);
  return h->slot ? NIS_OK : nis_no_memory();
}

int nis_histogram_create(nis_histogram **out, const char *name, const nis_axis *axes, size_t naxes)
{
  NIS_ENTER();
  if (!out) return nis_fail(NIS_INVALID, "out must not be NULL");
  *out = NULL;
  if (!axes) return nis_fail(NIS_INVALID, "axes must not be NULL");
  if (naxes < 1 || naxes > MOST_AXES)
    return nis_fail(NIS_INVALID, "naxes must be 1 or 2, got %zu", naxes);
  struct nis_histogram *h = NIS_NEW(struct nis_histogram, 1);
  if (!h) return nis_no_memory();
  int status = set_up(h, name, axes, naxes);
  if (status == NIS_OK)
    *out = h;
  else
    nis_histogram_free(h);
  return status;
}

static void drop_nets(struct nis_histogram *h)
{
  for (size_t i = 0; i < h->nets; i++) free(h->net[i].sum_w);
  h->nets = 0;
}

void nis_histogram_free(nis_histogram *h)
{
  if (!h) return;
  drop_nets(h);
  for (size_t k = 0; k < h->naxes; k++) {
    free(h->axis[k].name);
    free(h->axis[k].unit);
    free(h->axis[k].edges);
  }
  free(h->net);
  free(h->slot);
  free(h->name);
  free(h);
}

static void reset(struct nis_histogram *h)
{
  drop_nets(h);
  memset(h->slot, 0, h->slots * sizeof *h->slot);
  h->points = 0;
}

static int need(const void *h)
{
  return h ? NIS_OK : nis_fail(NIS_INVALID, "the histogram must not be NULL");
}

int nis_histogram_reset(nis_histogram *h)
{
  NIS_ENTER();
  NIS_TRY(need(h));
  reset(h);
  return NIS_OK;
}

/* ---- filling it ---------------------------------------------------------------------------- */

/* How many edges are at or below the value: with equal bins, too, what the edges themselves say */
static size_t find_slot(const struct axis *a, double value)
{
  size_t low = 0, high = a->bins + 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (a->edges[middle] <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static size_t slot_of(const struct nis_histogram *h, const double *values)
{
  size_t slot = 0, stride = 1;
  for (size_t k = 0; k < h->naxes; k++) {
    if (isnan(values[k])) return h->slots - 1;
    slot += stride * find_slot(&h->axis[k], values[k]);
    stride *= nis_axis_slots(&h->axis[k]);
  }
  return slot;
}

static void add(struct nis_histogram *h, struct net *net, const double *values, double w)
{
  size_t slot = slot_of(h, values);
  struct sums *s = &h->slot[slot];
  h->points++;
  s->n++;
  s->w += w;
  s->w2 += w * w;
  if (net) net->n++, net->sum_w[slot] += w;
  if (slot == h->slots - 1 || w == 0) return;
  for (size_t k = 0; k < h->naxes; k++) {
    s->wx[k] += w * values[k];
    s->wx2[k] += w * values[k] * values[k];
  }
  if (h->naxes == 2) s->wxy += w * values[0] * values[1];
}

static int refuse_mixture(void)
{
  return nis_fail(NIS_INVALID, "points of nets and independent ones are not for one histogram");
}

/* Nets come one after the other, or in turn, so it is mostly the latest one. */
static struct net *find_net(struct nis_histogram *h, int number)
{
  for (size_t i = h->nets; i-- > 0;)
    if (h->net[i].number == number) return &h->net[i];
  return nis_histogram_add_net(h, number);
}

struct net *nis_histogram_add_net(struct nis_histogram *h, int number)
{
  if (h->nets == h->room) {
    size_t room = h->room ? 2 * h->room : 32;
    struct net *more = NIS_RAW(struct net, room);
    if (!more) return NULL;
    if (h->nets > 0) memcpy(more, h->net, h->nets * sizeof *more);
    free(h->net);
    h->net = more;
    h->room = room;
  }
  struct net *net = &h->net[h->nets];
  *net = (struct net){number, 0, NIS_NEW(double, h->slots)};
  if (!net->sum_w) return NULL;
  h->nets++;
  return net;
}

/* Points, or events, on their way in */
struct filling {
  const struct nis_histogram *h;
  size_t from, n, dim, extra;
  const double *x, *outputs;
  double values[BLOCK][MOST_AXES];
};

/* In the user's world */
static int observe(void *context, const struct callback *self)
{
  struct filling *f = context;
  (void)self;
  for (size_t i = 0; i < f->n; i++)
    for (size_t k = 0; k < f->h->naxes; k++) {
      const struct axis *a = &f->h->axis[k];
      const double *outputs = f->extra > 0 ? f->outputs + (f->from + i) * f->extra : NULL;
      f->values[i][k] =
          a->observable(f->x + (f->from + i) * f->dim, f->dim, outputs, f->extra, a->params);
    }
  return 0;
}

static int fill(struct nis_histogram *h, struct net *net, size_t n, struct filling *f,
                const double *weight, double unit)
{
  for (size_t k = 0; k < h->naxes; k++)
    if (!h->axis[k].observable)
      return nis_fail(NIS_INVALID, "axis '%s' has no observable", h->axis[k].name);
  for (f->from = 0; f->from < n; f->from += f->n) {
    f->n = n - f->from < BLOCK ? n - f->from : BLOCK;
    if (nis_host_call(observe, f, 0) != 0)
      return nis_fail(NIS_CALLBACK, "an observable of histogram '%s' ended the filling", h->name);
    for (size_t i = 0; i < f->n; i++) add(h, net, f->values[i], unit * weight[f->from + i]);
  }
  return NIS_OK;
}

int nis_histogram_points(const nis_point_block *p, void *histogram)
{
  NIS_ENTER();
  struct nis_histogram *h = histogram;
  struct net *net = NULL;
  NIS_TRY(need(h));
  if (!p) return nis_fail(NIS_INVALID, "points must not be NULL");
  if (p->before == 0) reset(h);
  if (h->points > 0 && p->nets != (h->nets > 0)) return refuse_mixture();
  if (p->nets && !(net = find_net(h, p->iteration))) return nis_no_memory();
  struct filling f = {.h = h, .dim = p->dim, .extra = p->extra, .x = p->x, .outputs = p->outputs};
  return fill(h, net, p->n, &f, p->weight, 1);
}

int nis_histogram_events(const nis_event_block *e, void *histogram)
{
  NIS_ENTER();
  struct nis_histogram *h = histogram;
  NIS_TRY(need(h));
  if (!e) return nis_fail(NIS_INVALID, "events must not be NULL");
  if (!isfinite(e->unit))
    return nis_fail(NIS_INVALID, "the unit of events must be finite, got %g", e->unit);
  if (h->nets > 0) return refuse_mixture();
  struct filling f = {.h = h, .dim = e->dim, .extra = e->extra, .x = e->x, .outputs = e->outputs};
  return fill(h, NULL, e->n, &f, e->weight, e->unit);
}

int nis_histogram_fill(nis_histogram *h, const double *values, double weight)
{
  NIS_ENTER();
  NIS_TRY(need(h));
  if (!values) return nis_fail(NIS_INVALID, "values must not be NULL");
  if (!isfinite(weight)) return nis_fail(NIS_INVALID, "weight must be finite, got %g", weight);
  if (h->nets > 0) return refuse_mixture();
  add(h, NULL, values, weight);
  return NIS_OK;
}

/* ---- merging ------------------------------------------------------------------------------- */

static int same_edges(const struct nis_histogram *a, const struct nis_histogram *b)
{
  if (a->naxes != b->naxes) return 0;
  for (size_t k = 0; k < a->naxes; k++) {
    const struct axis *x = &a->axis[k], *y = &b->axis[k];
    if (x->bins != y->bins) return 0;
    for (size_t i = 0; i <= x->bins; i++)
      if (x->edges[i] != y->edges[i]) return 0;
  }
  return 1;
}

static void add_sums(struct sums *into, const struct sums *from)
{
  into->n += from->n;
  into->w += from->w;
  into->w2 += from->w2;
  into->wxy += from->wxy;
  for (int k = 0; k < MOST_AXES; k++) {
    into->wx[k] += from->wx[k];
    into->wx2[k] += from->wx2[k];
  }
}

int nis_histogram_merge(nis_histogram *h, const nis_histogram *other)
{
  NIS_ENTER();
  NIS_TRY(need(h));
  NIS_TRY(need(other));
  if (h == other) return nis_fail(NIS_INVALID, "a histogram cannot be merged with itself");
  if (!same_edges(h, other))
    return nis_fail(NIS_INVALID, "the edges of histograms '%s' and '%s' differ", h->name,
                    other->name);
  if (other->points == 0) return NIS_OK;
  if (h->points > 0 && (h->nets > 0) != (other->nets > 0)) return refuse_mixture();
  size_t before = h->nets;
  for (size_t i = 0; i < other->nets; i++) {
    struct net *net = nis_histogram_add_net(h, -1);
    if (!net) {
      while (h->nets > before) free(h->net[--h->nets].sum_w);
      return nis_no_memory();
    }
    net->n = other->net[i].n;
    memcpy(net->sum_w, other->net[i].sum_w, h->slots * sizeof *net->sum_w);
  }
  for (size_t i = 0; i < h->slots; i++) add_sums(&h->slot[i], &other->slot[i]);
  h->points += other->points;
  return NIS_OK;
}

/* ---- bins ---------------------------------------------------------------------------------- */

double nis_axis_low(const struct axis *a, size_t slot)
{
  return slot == 0 ? -INFINITY : a->edges[slot - 1];
}

double nis_axis_high(const struct axis *a, size_t slot)
{
  return slot > a->bins ? INFINITY : a->edges[slot];
}

static double independent_error(const struct sums *s, double n)
{
  double mean = s->w / n;
  return n < 2 ? HUGE_VAL : sqrt(fmax(s->w2 / n - mean * mean, 0) / (n - 1));
}

/* Of a net the sum of w in one slot, or in all */
static double net_sum(const struct nis_histogram *h, const struct net *net, size_t slot)
{
  if (slot < h->slots) return net->sum_w[slot];
  double sum = 0;
  for (size_t i = 0; i < h->slots; i++) sum += net->sum_w[i];
  return sum;
}

/* As the estimate's (estimation/tally.c) */
static double net_error(const struct nis_histogram *h, size_t slot, double value, double equal)
{
  double unit = 0, square = 0, third = 0, size2 = 0, n = (double)h->points;
  for (size_t i = 0; i < h->nets; i++)
    unit = fmax(unit, fabs(net_sum(h, &h->net[i], slot) - value * (double)h->net[i].n));
  if (unit == 0) return 0;
  for (size_t i = 0; i < h->nets; i++) {
    double size = (double)h->net[i].n, off = net_sum(h, &h->net[i], slot) - value * size;
    off /= unit; /* lest cubes overflow */
    square += off * off;
    if (size > 0) third += off * off * off / size;
    size2 += size * size;
  }
  double factor = nis_spread_factor((int)h->nets, equal, square / size2, third / size2);
  return unit / n * sqrt(square * equal / (equal - 1)) * factor;
}

/* How many nets of equal size tell as much as these */
static double equal_nets(const struct nis_histogram *h)
{
  double sum = 0, square = 0;
  for (size_t i = 0; i < h->nets; i++) {
    double n = (double)h->net[i].n;
    sum += n;
    square += n * n;
  }
  return square > 0 ? sum * sum / square : 0;
}

/* `slot` says of which points s are the sums: slots for all */
static void set_bin(const struct nis_histogram *h, const struct sums *s, size_t slot, nis_bin *bin)
{
  double n = (double)h->points, equal = equal_nets(h);
  bin->value = n > 0 ? s->w / n : NAN;
  bin->error = n > 0 ? independent_error(s, n) : HUGE_VAL;
  if (equal > LEAST_NETS - 1e-6) bin->error = net_error(h, slot, bin->value, equal);
  bin->sum_w = s->w;
  bin->sum_w2 = s->w2;
  bin->entries = s->n;
  bin->effective = s->w2 > 0 ? s->w * s->w / s->w2 : 0;
}

static void set_range(nis_bin *bin, size_t axis, double low, double high)
{
  bin->low[axis] = low;
  bin->high[axis] = high;
  bin->width *= high - low;
}

void nis_histogram_fill_bin(const struct nis_histogram *h, size_t slot, nis_bin *bin)
{
  size_t at = slot;
  *bin = (nis_bin){.width = 1};
  for (size_t k = 0; k < h->naxes; k++) {
    const struct axis *a = &h->axis[k];
    size_t i = at % nis_axis_slots(a);
    at /= nis_axis_slots(a);
    if (slot == h->slots - 1)
      set_range(bin, k, NAN, NAN);
    else
      set_range(bin, k, nis_axis_low(a, i), nis_axis_high(a, i));
  }
  set_bin(h, &h->slot[slot], slot, bin);
}

int nis_histogram_bin(const nis_histogram *h, const size_t *slot, nis_bin *bin)
{
  NIS_ENTER();
  size_t at = 0, stride = 1;
  NIS_TRY(need(h));
  if (!slot || !bin) return nis_fail(NIS_INVALID, "%s must not be NULL", slot ? "bin" : "slot");
  for (size_t k = 0; k < h->naxes; k++) {
    size_t n = nis_axis_slots(&h->axis[k]);
    if (slot[k] >= n)
      return nis_fail(NIS_INVALID, "slot[%zu] must be at most %zu, got %zu", k, n - 1, slot[k]);
    at += stride * slot[k];
    stride *= n;
  }
  nis_histogram_fill_bin(h, at, bin);
  return NIS_OK;
}

int nis_histogram_total(const nis_histogram *h, nis_bin *all)
{
  NIS_ENTER();
  struct sums sums = {0};
  NIS_TRY(need(h));
  if (!all) return nis_fail(NIS_INVALID, "all must not be NULL");
  *all = (nis_bin){.width = 1};
  for (size_t k = 0; k < h->naxes; k++) set_range(all, k, -INFINITY, INFINITY);
  for (size_t i = 0; i < h->slots; i++) add_sums(&sums, &h->slot[i]);
  set_bin(h, &sums, h->slots, all);
  return NIS_OK;
}

int nis_histogram_nowhere(const nis_histogram *h, nis_bin *without)
{
  NIS_ENTER();
  NIS_TRY(need(h));
  if (!without) return nis_fail(NIS_INVALID, "without must not be NULL");
  nis_histogram_fill_bin(h, h->slots - 1, without);
  return NIS_OK;
}

int nis_histogram_axis(const nis_histogram *h, size_t axis, nis_axis *out)
{
  NIS_ENTER();
  NIS_TRY(need(h));
  if (!out) return nis_fail(NIS_INVALID, "out must not be NULL");
  if (axis >= h->naxes)
    return nis_fail(NIS_INVALID, "axis must be below %zu, got %zu", h->naxes, axis);
  const struct axis *a = &h->axis[axis];
  *out = (nis_axis){a->observable, a->params,   a->name,           a->unit,
                    a->bins,       a->edges[0], a->edges[a->bins], a->edges};
  return NIS_OK;
}

size_t nis_histogram_axes(const nis_histogram *h)
{
  return h ? h->naxes : 0;
}

const char *nis_histogram_name(const nis_histogram *h)
{
  return h ? h->name : "";
}

uint64_t nis_histogram_count(const nis_histogram *h)
{
  return h ? h->points : 0;
}

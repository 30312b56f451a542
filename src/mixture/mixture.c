/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mixture.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

int nis_mixture_init(struct mixture *m, const struct flow_shape *shape, uint64_t seed, int threads)
{
  struct flow_shape map = *shape;
  map.layers = 0;
  *m = (struct mixture){.dim = shape->dim, .share = {[CHANNEL_FLOW] = 1}};
  NIS_TRY(nis_flow_init(&m->flow, shape, seed));
  NIS_TRY(nis_flow_init(&m->twin, shape, ~seed));
  NIS_TRY(nis_flow_init(&m->map, &map, seed));
  return nis_peaks_init(&m->peaks, shape->dim, shape->periodic, threads);
}

void nis_mixture_clear(struct mixture *m)
{
  nis_flow_clear(&m->flow);
  nis_flow_clear(&m->twin);
  nis_flow_clear(&m->map);
  nis_peaks_clear(&m->peaks);
  nis_weighting_clear(&m->weighting);
}

int nis_workspace_init(struct workspace *w, const struct mixture *m, int worker)
{
  *w = (struct workspace){.worker = worker};
  NIS_TRY(nis_flow_scratch_init(&w->coupling, &m->flow));
  NIS_TRY(nis_flow_scratch_init(&w->map, &m->map));
  NIS_TRY(nis_weighting_scratch_init(&w->weighting, &m->weighting));
  w->tile = NIS_NEW(double, (m->dim + 1) * LANES);
  return w->tile ? NIS_OK : nis_no_memory();
}

void nis_workspace_clear(struct workspace *w)
{
  nis_flow_scratch_clear(&w->coupling);
  nis_flow_scratch_clear(&w->map);
  nis_weighting_scratch_clear(&w->weighting);
  free(w->tile);
}

struct flow_scratch *nis_workspace_scratch(struct workspace *w, const struct mixture *m,
                                           const struct flow *flow)
{
  return flow == &m->map ? &w->map : &w->coupling;
}

static const struct flow *flow_of(const struct mixture *m, enum channel c)
{
  switch (c) {
  case CHANNEL_FLOW: return &m->flow;
  case CHANNEL_TWIN: return &m->twin;
  case CHANNEL_MAP: return &m->map;
  default: return NULL;
  }
}

/* Up to LANES points of one block that a flow meets together */
struct lanes {
  int n;
  uint16_t point[LANES];
};

/* From x[dim] of these points to tile[dim][LANES]; lanes past the last are padding. */
static void gather(const struct lanes *lanes, size_t dim, const double *x, double *tile)
{
  for (int l = 0; l < lanes->n; l++)
    for (size_t j = 0; j < dim; j++) tile[j * LANES + (size_t)l] = x[lanes->point[l] * dim + j];
  for (size_t j = 0; j < dim; j++)
    for (int l = lanes->n; l < LANES; l++) tile[j * LANES + (size_t)l] = 0.5;
}

static void scatter(const struct lanes *lanes, size_t dim, const double *tile, double *x)
{
  for (int l = 0; l < lanes->n; l++)
    for (size_t j = 0; j < dim; j++) x[lanes->point[l] * dim + j] = tile[j * LANES + (size_t)l];
}

static void keep(const struct lanes *lanes, enum channel c, const double *log_density,
                 double *log_channel)
{
  for (int l = 0; l < lanes->n; l++) log_channel[lanes->point[l] * CHANNELS + c] = log_density[l];
}

/* The next points, from *i on, that were drawn from channel c, or from any other; 0: no more */
static int next_lanes(struct lanes *lanes, const uint8_t *from, enum channel c, int others,
                      size_t n, size_t *i)
{
  lanes->n = 0;
  for (; *i < n && lanes->n < LANES; ++*i)
    if ((from[*i] == c) != others) lanes->point[lanes->n++] = (uint16_t)*i;
  return lanes->n;
}

/* Where points come from that no channel has drawn */
static const uint8_t nobody[MIXTURE_BLOCK] = {[0 ... MIXTURE_BLOCK - 1] = CHANNELS};

/* Points of channel c in place of their uniform numbers, with its density at them */
static void draw_flow(const struct mixture *m, struct workspace *w, enum channel c, size_t n,
                      const uint8_t *from, double *x, double *log_channel)
{
  const struct flow *flow = flow_of(m, c);
  struct lanes lanes;
  double log_density[LANES];
  for (size_t i = 0; next_lanes(&lanes, from, c, 0, n, &i);) {
    gather(&lanes, m->dim, x, w->tile);
    nis_flow_sample(flow, w->tile, log_density, nis_workspace_scratch(w, m, flow));
    scatter(&lanes, m->dim, w->tile, x);
    keep(&lanes, c, log_density, log_channel);
  }
}

/* The density of channel c at the points that it did not tell of while drawing them: the peaks tell
 * of none. */
static void look_up(const struct mixture *m, struct workspace *w, enum channel c, size_t n,
                    const uint8_t *from, const double *x, double *log_channel)
{
  const struct flow *flow = flow_of(m, c);
  if (!flow) from = nobody;
  struct lanes lanes;
  double log_density[LANES];
  for (size_t i = 0; next_lanes(&lanes, from, c, 1, n, &i);) {
    gather(&lanes, m->dim, x, w->tile);
    if (flow)
      nis_flow_density(flow, w->tile, log_density, nis_workspace_scratch(w, m, flow));
    else
      nis_peaks_tile(&m->peaks, w->worker, w->tile, log_density);
    keep(&lanes, c, log_density, log_channel);
  }
}

static double mixture_log_density(const double *share, const double *log_channel)
{
  double top = -HUGE_VAL, sum = 0;
  for (int c = 0; c < CHANNELS; c++) top = fmax(top, log_channel[c]);
  if (isinf(top)) return top;
  for (int c = 0; c < CHANNELS; c++) sum += share[c] * exp(log_channel[c] - top);
  return top + log(sum);
}

/* What the pass that drew a point did not say: `from` is the channel that it came from. */
static void complete(const struct mixture *m, struct workspace *w, const double *share, size_t n,
                     const uint8_t *from, const double *x, double *log_channel, double *log_q)
{
  for (size_t i = 0; share[CHANNEL_UNIFORM] > 0 && i < n; i++)
    log_channel[i * CHANNELS + CHANNEL_UNIFORM] = 0;
  for (enum channel c = CHANNEL_UNIFORM + 1; c < CHANNELS; c++)
    if (share[c] > 0) look_up(m, w, c, n, from, x, log_channel);
  for (size_t i = 0; i < n; i++) log_q[i] = mixture_log_density(share, log_channel + i * CHANNELS);
}

static void forget(size_t n, double *log_channel)
{
  for (size_t i = 0; i < n * CHANNELS; i++) log_channel[i] = -HUGE_VAL;
}

int nis_mixture_has_choice(const struct mixture *m)
{
  for (int c = 0; c < CHANNELS; c++)
    if (m->share[c] == 1) return c == CHANNEL_PEAKS;
  return 1;
}

/* A number in (0,1) picks the channel; what is left of it is again uniform in (0,1). */
static enum channel choose(const double *share, double *u)
{
  for (enum channel c = 0; c < CHANNELS; c++) {
    if (*u < share[c]) {
      *u /= share[c];
      return c;
    }
    *u -= share[c];
  }
  enum channel largest = 0; /* only by rounding */
  for (enum channel c = 1; c < CHANNELS; c++)
    if (share[c] > share[largest]) largest = c;
  *u = 0.5;
  return largest;
}

void nis_mixture_draw(const struct mixture *m, struct workspace *w, size_t n, double *chooser,
                      double *x, double *log_channel, double *log_q)
{
  uint8_t from[MIXTURE_BLOCK];
  for (size_t i = 0; i < n; i++) from[i] = (uint8_t)choose(m->share, &chooser[i]);
  forget(n, log_channel);
  for (size_t i = 0; i < n; i++) {
    if (from[i] != CHANNEL_PEAKS) continue;
    int peak = nis_peaks_choose(&m->peaks, chooser[i]);
    nis_peaks_sample(&m->peaks, w->worker, peak, 1, x + i * m->dim);
  }
  for (enum channel c = 0; c < CHANNELS; c++)
    if (flow_of(m, c) && m->share[c] > 0) draw_flow(m, w, c, n, from, x, log_channel);
  complete(m, w, m->share, n, from, x, log_channel, log_q);
}

void nis_mixture_density(const struct mixture *m, struct workspace *w, const double *share,
                         size_t n, const double *x, double *log_channel, double *log_q)
{
  forget(n, log_channel);
  complete(m, w, share, n, nobody, x, log_channel, log_q);
}

void nis_mixture_archive(struct archive *a, struct mixture *m)
{
  double sum = 0;
  nis_flow_archive(a, &m->flow);
  nis_flow_archive(a, &m->twin);
  nis_flow_archive(a, &m->map);
  nis_peaks_archive(a, &m->peaks);
  nis_archive_reals(a, "the share of a channel", CHANNELS, m->share, 0, 1);
  nis_archive_reals(a, "a control variate", CHANNELS, m->beta, -DBL_MAX, DBL_MAX);
  nis_weighting_archive(a, &m->weighting);
  for (int c = 0; c < CHANNELS; c++) sum += m->share[c];
  if (!(fabs(sum - 1) < 1e-9)) nis_archive_refuse(a, "the shares add up to %g, not to 1", sum);
  if (m->share[CHANNEL_PEAKS] > 0 && m->peaks.count == 0)
    nis_archive_refuse(a, "there are no peaks for the points that come from them");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options that mean no good: the input is a list of (member, kind, value) that are put into the
 * structs of nis.h and nis_events.h; members that are pointers get arrays of the right size or
 * NULL. What nis_complete_options takes runs, in a few calls: with a status that nis.h knows, a
 * sentence where it is an error, and no more calls than were asked for.
 */
#include "nis_events.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MOST_DIM = 8, MOST_CALLS = 300, MOST_COMPONENTS = 4 };

/* ---- the input ---------------------------------------------------------------------------- */

struct input {
  const unsigned char *data;
  size_t left;
};

static unsigned take_byte(struct input *in)
{
  return in->left ? in->left--, *in->data++ : 0;
}

static uint64_t take_word(struct input *in)
{
  uint64_t word = 0;
  for (int i = 0; i < 8; i++) word = word << 8 | take_byte(in);
  return word;
}

static uint64_t take_whole(struct input *in)
{
  unsigned kind = take_byte(in);
  return kind < 192 ? kind : kind < 224 ? (uint64_t)take_byte(in) << 8 : take_word(in);
}

static double take_real(struct input *in)
{
  static const double special[] = {0,   -0.0, 1,        -1,        0.5, 1e-300, 1e300, 5e-324,
                                   NAN, 0.1,  INFINITY, -INFINITY, 2,   1e-9,   100,   1e9};
  unsigned kind = take_byte(in);
  double value;
  if (kind < 128) return special[kind % 16];
  if (kind < 192) return (double)take_byte(in) / 256;
  uint64_t word = take_word(in);
  memcpy(&value, &word, sizeof value);
  return value;
}

/* ---- the members --------------------------------------------------------------------------- */

enum type { WHOLE32, WHOLE64, REAL };

struct member {
  size_t offset;
  enum type type;
};

#define MEMBER(type, name)                                                                         \
  {                                                                                                \
    offsetof(CONTEXT, name), type                                                                  \
  }

#define CONTEXT nis_options
static const struct member option_members[] = {
    MEMBER(WHOLE64, dim),           MEMBER(WHOLE64, calls),        MEMBER(REAL, rel_error),
    MEMBER(REAL, abs_error),        MEMBER(REAL, max_seconds),     MEMBER(WHOLE64, seed),
    MEMBER(WHOLE32, threads),       MEMBER(WHOLE64, batch_points), MEMBER(WHOLE64, ncomp),
    MEMBER(WHOLE32, follow),        MEMBER(WHOLE32, serial),       MEMBER(REAL, train_share),
    MEMBER(REAL, effort),           MEMBER(WHOLE64, nhints),       MEMBER(WHOLE32, layers),
    MEMBER(WHOLE32, hidden_layers), MEMBER(WHOLE32, hidden_width), MEMBER(WHOLE32, bins),
    MEMBER(WHOLE32, minibatch),     MEMBER(REAL, replay),          MEMBER(WHOLE64, replay_bytes),
    MEMBER(REAL, learning_rate),    MEMBER(WHOLE32, coupling),     MEMBER(WHOLE32, loss),
    MEMBER(WHOLE32, signs),         MEMBER(WHOLE32, points),       MEMBER(WHOLE32, goal_of),
    MEMBER(WHOLE32, covariance),    MEMBER(WHOLE64, extra),        MEMBER(WHOLE64, channels)};
#undef CONTEXT
#define CONTEXT nis_event_options
static const struct member event_members[] = {
    MEMBER(WHOLE64, events), MEMBER(WHOLE64, calls),       MEMBER(WHOLE32, w_max),
    MEMBER(REAL, tail),      MEMBER(REAL, quantile),       MEMBER(WHOLE32, whole_run),
    MEMBER(WHOLE32, format), MEMBER(WHOLE32, unit_weights)};
#undef CONTEXT

static void fill(struct input *in, void *to, const struct member *members, size_t n)
{
  for (unsigned edits = take_byte(in) % 16; edits > 0; edits--) {
    const struct member *m = &members[take_byte(in) % n];
    char *place = (char *)to + m->offset;
    double real;
    uint64_t whole;
    uint32_t half;
    switch (m->type) {
    case REAL: real = take_real(in), memcpy(place, &real, sizeof real); break;
    case WHOLE64: whole = take_whole(in), memcpy(place, &whole, sizeof whole); break;
    case WHOLE32: half = (uint32_t)take_whole(in), memcpy(place, &half, sizeof half); break;
    }
  }
}

/* ---- a run --------------------------------------------------------------------------------- */

static struct {
  uint64_t calls;
  unsigned shape; /* of the integrand */
} now;

static double value_at(const double *x, size_t dim)
{
  double sum = 0;
  now.calls++;
  for (size_t j = 0; j < dim; j++) sum += x[j];
  switch (now.shape % 6) {
  case 0: return sum;
  case 1: return 0;
  case 2: return sin(9 * sum);
  case 3: return sum > 1 ? NAN : 1;
  case 4: return exp(-100 * sum * sum);
  default: return 1 / sum;
  }
}

static double scalar(double *x, size_t dim, void *params)
{
  (void)params;
  return value_at(x, dim);
}

static int batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < ncomp; c++) f[i * ncomp + c] = c == 0 ? value_at(x + i * dim, dim) : 1;
  return 0;
}

static int check(int status)
{
  if (status < NIS_NO_FILE || status > NIS_SUSPECT) abort();
  if (status < NIS_OK && !*nis_last_error()) abort();
  return status;
}

static int take_events(const nis_event_block *events, void *params)
{
  (void)params;
  for (size_t i = 0; i < events->n; i++)
    if (!(fabs(events->weight[i]) >= 1)) abort();
  return 0;
}

static void run_events(struct input *in, nis *s)
{
  nis_event_options how = {0};
  nis_event_summary summary;
  fill(in, &how, event_members, sizeof event_members / sizeof *event_members);
  how.sink = take_events;
  if (nis_check_events(&how) != NIS_OK) return;
  if (how.calls == 0 || how.calls > MOST_CALLS) how.calls = MOST_CALLS;
  if (check(nis_events(s, &how, &summary)) >= NIS_OK && summary.calls > MOST_CALLS) abort();
}

static int take_points(const nis_point_block *points, void *params)
{
  (void)params;
  for (size_t i = 0; i < points->n * points->dim; i++)
    if (isnan(points->x[i])) abort();
  for (size_t i = 0; i < points->n; i++)
    if (!isfinite(points->weight[i]) || isnan(points->log_q[i])) abort();
  return now.shape % 16 == 15;
}

static void run_handle(struct input *in, const nis_options *o)
{
  static double x[MOST_DIM * 10], log_q[10], weight[10];
  static double values[MOST_COMPONENTS], errors[MOST_COMPONENTS],
      covariance[MOST_COMPONENTS * MOST_COMPONENTS];
  nis_result r;
  nis *s;
  if (check(nis_create(&s, o->batch ? NULL : scalar, o)) != NIS_OK) return;
  for (unsigned step = take_byte(in) % 6; step > 0; step--) switch (take_byte(in) % 5) {
    case 0: check(nis_train(s, take_byte(in))); break;
    case 1:
      now.calls = 0;
      check(nis_estimate(s, take_byte(in), &r));
      if (now.calls > 255) abort();
      break;
    case 2:
      if (check(nis_sample(s, 10, x, log_q, weight)) == NIS_OK) check(nis_density(s, 10, x, log_q));
      break;
    case 3: run_events(in, s); break;
    default: check(nis_run(s, &r));
    }
  if (check(nis_values(s, values, errors)) != NIS_OK) abort();
  check(nis_covariance(s, covariance));
  nis_channel_result channel;
  check(nis_channel(s, take_byte(in), &channel));
  nis_free(s);
}

/* Large nets and samples are as valid as small ones, and take minutes. */
static int is_small(const nis_options *o)
{
  return o->dim <= MOST_DIM && o->calls <= MOST_CALLS && o->layers <= 8 && o->hidden_layers <= 2 &&
         o->hidden_width <= 32 && o->bins <= 32 && o->minibatch <= 1024 && o->replay <= 20 &&
         o->ncomp <= MOST_COMPONENTS && o->threads <= 2 && o->batch_points <= 4096 &&
         o->extra <= 64;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  static int discrete[256];
  static double lower[256], upper[256], hints[16 * 256], scales[1024];
  struct input in = {data, size};
  nis_options o = {.dim = 2,
                   .calls = 200,
                   .threads = 1,
                   .layers = 2,
                   .hidden_layers = 1,
                   .hidden_width = 8,
                   .bins = 4,
                   .replay = 1},
              complete;
  unsigned given = take_byte(&in);
  now.shape = take_byte(&in);
  fill(&in, &o, option_members, sizeof option_members / sizeof *option_members);
  for (int j = 0; j < 256; j++) lower[j] = 0, upper[j] = 1;
  for (int i = 0; i < 16 * 256; i++) hints[i] = 0.3;
  for (int c = 0; c < 1024; c++) scales[c] = 1;
  if (given & 1) o.lower = lower, lower[0] = take_real(&in);
  if (given & 2) o.upper = upper, upper[0] = take_real(&in);
  if (given & 4) o.hints = hints, hints[0] = take_real(&in);
  if (given & 8) o.batch = batch;
  if (given & 16) o.sink = take_points;
  if (given & 64) o.discrete = discrete, discrete[0] = (int)take_byte(&in) - 1, discrete[1] = 3;
  if (given & 32) o.scales = scales, scales[0] = take_real(&in);
  if (check(nis_complete_options(&o, &complete)) != NIS_OK || !is_small(&complete)) return 0;
  now.calls = 0;
  nis_result r = nis_integrate_with(o.batch ? NULL : scalar, &o);
  check(r.status);
  if (r.status >= NIS_OK && (r.calls > complete.calls || !(r.error >= 0))) abort();
  run_handle(&in, &o);
  return 0;
}

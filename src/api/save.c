/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A handle in a file. base/archive.h says what a file is made of; these are its sections, of
 * version 1, in their order. u8 is a byte; u64 has 8 bytes, i32 and f32 have 4, f64 has 8; [n] are
 * n in a row; nothing is between them. d is the number of dimensions, c that of components.
 *
 *   options   u64 n; n of { u8[32] name of a member of nis_options, with zeros behind it; u64 its
 *             value: a whole number, a word's number, or the bits of an f64 }: what the user asked
 *             for (0: the default), but the net's shape and `points` as they are, and no threads
 *             i32 1 where limits follow, else 0; f64[d] lower, f64[d] upper
 *             i32 1 where kinds follow; i32[d], 1 for a periodic coordinate, the number of values
 *             for a discrete one, else 0
 *             i32 1 where scales follow; f64[c]
 *             f64[nhints][d] hints
 *             u8[256] name, with zeros behind it
 *   mixture   f32[] parameters of the flow, of its twin and of the map (flow/coupling.h), all
 *             layers in their order
 *             i32 n peaks; f64[d] cut; n of { f64 share; i32 young; f64 log_norm; f64[d] mean,
 *             f64[d] sigma, f64[d] log_cut; f64[d][d] slope } (mixture/peaks.h)
 *             f64[5] shares of uniform, flow, twin, map, peaks; f64[5] beta (mixture/control.h)
 *             f32[] parameters of the net of channel weights, where there are features, of which
 *             f32[features] centre, f32[features] scale follow (mixture/weighting.h)
 *   calls     d of { f64 low, f64 high }, the stretches (integrand/domain.h); i32 serialized; u64
 *             calls, bad_calls; f64[d] bad_point; f64 bad_value; f64[c] scale
 *             u64 train_calls; f64 call_seconds; u64 points used of the streams of training,
 *             estimate and nis_sample
 *   training  i32 rounds; f64 beta; i32 two_signs; u64 window; u64[4] newest; u64 search_point; i32
 *             scaled, peaks_found, late_peaks; u64 search_calls; f64 uniform (training/train.h)
 *             moments value, bad; components (estimation/seen.h)
 *   estimate  u64 n; n of { u64 seed, to, from }: the points of it (api/handle.h)
 *             i32 forgotten; u64 n; n moments, of its iterations; f64 unit; moments all, iteration;
 *             f64 square; i32 iterations; moments spreading; f64 within; i32 replicates;
 *             f64 replicate_origin; f64[4] replicate; f64 widening, blurred; u64 bad; f64 uniform
 *             (estimation/tally.h)
 *             u64 n, zeros, negatives; f64 absolute, largest; i32 n bins in use; n of { i32 number;
 *             u64 count; f64 sum } (numerics/weights.h)
 *             u64 n; i32 kept; f64[kept] the largest weights (numerics/tail.h)
 *             components; with channels K, components of them and K histograms of weights as above
 *   events    u64 point, given, begun, first; u64 n; f64[n][d] x; f64[n] log_q; f64[n] f;
 *             f64[n][extra] outputs (events/trials.h)
 *   points    u64 n stored; u64 the oldest's place; f64[n][d] x; f64[n] log_f; f64[n] log_p;
 *             f64[n][c] |f_c| / p, where the flow follows the norm of up to 64; u8[n] 1 where f is
 *             negative; and where there are features f32[n][channels + features] views, f64[n] log
 *             alpha (training/replay.h)
 *
 *   moments     u64 n; f64 mean, squares (numerics/moments.h)
 *   components  u64 c, or 0 for one; i32 with_covariance; and unless c is 0: f64[c] unit,
 *               replicate, mean, centre; f64[c][c] squares, or f64[c] of them;
 *               f64[c] count; u64
 *               replicate_points, points, samples, valued; f64 weight (estimation/components.h)
 */
#include "save.h"

#include "base/archive.h"
#include "base/error.h"
#include "handle.h"
#include "options.h"
#include "settings.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Options as a file has them; the pointers of `o` are these arrays or NULL. */
struct kept_options {
  nis_options o;
  double lower[NIS_MOST_DIM], upper[NIS_MOST_DIM];
  int kinds[NIS_MOST_DIM], periodic[NIS_MOST_DIM], discrete[NIS_MOST_DIM];
  double scales[NIS_MOST_COMPONENTS], hints[NIS_MOST_HINTS * NIS_MOST_DIM];
  char name[MOST_NAME + 1];
};

/* ---- options: numbers ---------------------------------------------------------------------- */

/* What the net and the estimate are made by: a file fixes them. */
static int is_fixed(const nis_option *row)
{
  static const char *const fixed[] = {
      "dim",  "ncomp",    "points", "layers",   "hidden_layers",   "hidden_width",
      "bins", "coupling", "follow", "channels", "channel_weights", "features"};
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (strcmp(row->name, fixed[i]) == 0) return 1;
  return 0;
}

/* Threads are the machine's. */
static int is_kept(const nis_option *row)
{
  return row->type != NIS_OPTION_POINTER && strcmp(row->name, "threads") != 0;
}

static const nis_option *find_row(const char *name)
{
  for (size_t i = 0; i < nis_option_table.n; i++) {
    const nis_option *row = &nis_option_table.rows[i];
    if (is_kept(row) && strcmp(row->name, name) == 0) return row;
  }
  return NULL;
}

static uint64_t get(const nis_option *row, const nis_options *o)
{
  const char *member = (const char *)o + row->offset;
  uint64_t wide = 0;
  uint32_t narrow;
  if (row->size == sizeof wide) {
    memcpy(&wide, member, sizeof wide);
  } else {
    memcpy(&narrow, member, sizeof narrow);
    wide = narrow;
  }
  return wide;
}

static void set(const nis_option *row, nis_options *o, uint64_t wide)
{
  char *member = (char *)o + row->offset;
  uint32_t narrow = (uint32_t)wide;
  memcpy(member, row->size == sizeof wide ? (void *)&wide : &narrow, row->size);
}

enum { OPTION_NAME = 32 };

static void archive_numbers(struct archive *a, nis_options *o)
{
  uint64_t n = 0, value;
  for (size_t i = 0; i < nis_option_table.n; i++) n += (uint64_t)is_kept(&nis_option_table.rows[i]);
  nis_archive_count(a, "the number of options", &n, nis_option_table.n);
  const nis_option *next = nis_option_table.rows;
  for (uint64_t i = 0; i < n; i++, next++) {
    char name[OPTION_NAME] = "";
    if (!nis_archive_is_reading(a)) {
      while (!is_kept(next)) next++;
      memcpy(name, next->name, strnlen(next->name, sizeof name - 1));
    }
    value = nis_archive_is_reading(a) ? 0 : get(next, o);
    nis_archive_text(a, sizeof name, name);
    nis_archive_count(a, "an option", &value, UINT64_MAX);
    if (!nis_archive_is_reading(a)) continue;
    const nis_option *row = find_row(name);
    if (!row) nis_archive_refuse(a, "libnis %s has no option '%s'", nis_version(), name);
    if (row) set(row, o, value);
  }
}

/* ---- options: arrays (measured and then written, they are copies the second time) ----------- */

static void archive_array(struct archive *a, const char *what, size_t n, const double **from,
                          double *to, double low, double high)
{
  int is_there = *from != NULL;
  nis_archive_whole(a, what, &is_there, 0, 1);
  if (!is_there || a->status != NIS_OK) return;
  if (!nis_archive_is_reading(a)) memmove(to, *from, n * sizeof *to);
  nis_archive_reals(a, what, n, to, low, high);
  *from = to;
}

static void archive_kinds(struct archive *a, struct kept_options *kept)
{
  nis_options *o = &kept->o;
  int is_there = o->periodic || o->discrete;
  nis_archive_whole(a, "periodic", &is_there, 0, 1);
  if (!is_there || a->status != NIS_OK) return;
  for (size_t j = 0; !nis_archive_is_reading(a) && j < o->dim; j++)
    kept->kinds[j] = o->discrete && o->discrete[j] ? o->discrete[j] : o->periodic && o->periodic[j];
  nis_archive_wholes(a, "periodic", o->dim, kept->kinds, 0, NIS_MOST_VALUES);
  for (size_t j = 0; j < o->dim; j++) {
    kept->periodic[j] = kept->kinds[j] == 1;
    kept->discrete[j] = kept->kinds[j] > 1 ? kept->kinds[j] : 0;
  }
  o->periodic = kept->periodic, o->discrete = kept->discrete;
}

static void archive_hints(struct archive *a, struct kept_options *kept)
{
  nis_options *o = &kept->o;
  size_t n = o->nhints * o->dim;
  if (n == 0) return;
  if (!nis_archive_is_reading(a)) memmove(kept->hints, o->hints, n * sizeof *kept->hints);
  nis_archive_reals(a, "a hint", n, kept->hints, -DBL_MAX, DBL_MAX);
  o->hints = kept->hints;
}

/* The table says of the numbers whether they are sound, and so how long the arrays are. */
static void archive_options(struct archive *a, void *state)
{
  struct kept_options *kept = state;
  nis_options *o = &kept->o;
  archive_numbers(a, o);
  if (nis_archive_is_reading(a)) {
    nis_options checked = *o;
    if (a->status == NIS_OK && nis_option_check(&nis_option_table, &checked) != NIS_OK)
      nis_archive_refuse(a, "%s", nis_last_error());
    if (a->status != NIS_OK) return;
  }
  archive_array(a, "lower", o->dim, &o->lower, kept->lower, -HUGE_VAL, HUGE_VAL);
  archive_array(a, "upper", o->dim, &o->upper, kept->upper, -HUGE_VAL, HUGE_VAL);
  archive_kinds(a, kept);
  archive_array(a, "scales", o->ncomp > 1 ? o->ncomp : 1, &o->scales, kept->scales, 0, HUGE_VAL);
  archive_hints(a, kept);
  if (!nis_archive_is_reading(a) && o->name) memmove(kept->name, o->name, strlen(o->name) + 1);
  nis_archive_text(a, sizeof kept->name, kept->name);
  o->name = *kept->name ? kept->name : NULL;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void archive_mixture(struct archive *a, void *state)
{
  nis *s = state;
  nis_mixture_archive(a, &s->sampler.mixture);
}

static void archive_calls(struct archive *a, void *state)
{
  nis *s = state;
  uint64_t most = ARCHIVE_MOST_COUNT;
  nis_integrand_archive(a, &s->sampler.integrand);
  nis_archive_count(a, "the calls of the training", &s->train_calls, most);
  nis_archive_real(a, "the time of a call", &s->call_seconds, 0, HUGE_VAL);
  nis_archive_count(a, "the points of the training", &s->trained, most);
  nis_archive_count(a, "the points of the estimate", &s->estimated, most);
  nis_archive_count(a, "the points of samples", &s->sampled, most);
  s->sampler.monitor.now.calls = s->sampler.integrand.calls;
}

static void archive_training(struct archive *a, void *state)
{
  nis *s = state;
  nis_training_archive(a, &s->training);
  nis_seen_archive(a, &s->seen);
}

/* Those of a file do not meet. */
static void archive_spans(struct archive *a, nis *s)
{
  uint64_t n = s->spans.n;
  nis_archive_count(a, "the number of spans", &n, MOST_SPANS);
  if (!nis_archive_holds(a, "spans", n, sizeof(struct span))) return;
  for (uint64_t i = 0; i < n && a->status == NIS_OK; i++) {
    struct span span = nis_archive_is_reading(a) ? (struct span){0} : s->spans.span[i];
    nis_archive_count(a, "a seed", &span.seed, UINT64_MAX);
    nis_archive_count(a, "the end of a span", &span.to, ARCHIVE_MOST_COUNT);
    nis_archive_count(a, "the beginning of a span", &span.from, span.to);
    if (!nis_archive_is_reading(a) || a->status != NIS_OK) continue;
    int status = nis_handle_add_span(s, span);
    if (status == NIS_INVALID) nis_archive_refuse(a, "%s", nis_last_error());
    if (status != NIS_OK && a->status == NIS_OK) a->status = status;
  }
}

static void archive_estimate(struct archive *a, void *state)
{
  nis *s = state;
  archive_spans(a, s);
  nis_tally_archive(a, &s->tally);
  nis_components_archive(a, &s->components);
  nis_channels_archive(a, &s->channels);
}

/* The points of a file that wait have as many outputs as its options say. */
struct kept_events {
  nis *s;
  size_t extra;
};

static void archive_events(struct archive *a, void *state)
{
  struct kept_events *kept = state;
  nis_generator_archive(a, &kept->s->generator, &kept->s->sampler, kept->extra);
}

static void archive_points(struct archive *a, void *state)
{
  nis *s = state;
  nis_training_archive_points(a, &s->training, &s->options);
}

static void archive_handle(struct archive *a, nis *s, size_t extra)
{
  nis_archive_section(a, "mixture", archive_mixture, s);
  nis_archive_section(a, "calls", archive_calls, s);
  nis_archive_section(a, "training", archive_training, s);
  nis_archive_section(a, "estimate", archive_estimate, s);
  nis_archive_section(a, "events", archive_events, &(struct kept_events){s, extra});
  nis_archive_section(a, "points", archive_points, s);
}

static void archive_density(struct archive *a, void *state)
{
  nis *s = state;
  nis_mixture_archive(a, &s->sampler.mixture);
  nis_domain_archive(a, &s->sampler.integrand.domain);
  for (size_t j = 0; j < s->options.dim; j++) {
    double limits[] = {s->options.lower ? s->options.lower[j] : 0,
                       s->options.upper ? s->options.upper[j] : 1};
    nis_archive_any_reals(a, 2, limits);
  }
}

uint32_t nis_handle_fingerprint(nis *s)
{
  return nis_archive_sum(archive_density, s);
}

/* ---- saving -------------------------------------------------------------------------------- */

int nis_handle_save(nis *s, const char *path)
{
  struct archive a;
  struct kept_options *kept = calloc(1, sizeof *kept);
  if (!kept) return nis_no_memory();
  kept->o = s->given;
  for (size_t i = 0; i < nis_option_table.n; i++) {
    const nis_option *row = &nis_option_table.rows[i];
    if (is_fixed(row)) set(row, &kept->o, get(row, &s->options));
  }
  nis_archive_create(&a, path);
  nis_archive_section(&a, "options", archive_options, kept);
  archive_handle(&a, s, s->options.extra);
  free(kept);
  return nis_archive_close(&a);
}

/* ---- what a file and the caller want ------------------------------------------------------- */

static int differ(const char *path, const char *name, double kept, double wanted)
{
  return nis_fail(NIS_INVALID, "%s has %s = %.17g, options.%s is %.17g", path, name, kept, name,
                  wanted);
}

static double real_value(const nis_option *row, uint64_t bits)
{
  double value = (double)bits;
  if (row->type == NIS_OPTION_REAL) memcpy(&value, &bits, sizeof value);
  return value;
}

static int compare_number(const char *path, const nis_option *row, uint64_t kept, uint64_t wanted)
{
  char words[2][64];
  if (kept == wanted) return NIS_OK;
  if (row->type != NIS_OPTION_WORD)
    return differ(path, row->name, real_value(row, kept), real_value(row, wanted));
  nis_option_word(row, (int)kept, words[0], sizeof words[0]);
  nis_option_word(row, (int)wanted, words[1], sizeof words[1]);
  return nis_fail(NIS_INVALID, "%s has %s = %s, options.%s is %s", path, row->name, words[0],
                  row->name, words[1]);
}

static int compare_limits(const char *path, const char *name, size_t dim, const double *kept,
                          const double *wanted, double initial)
{
  char member[32];
  for (size_t j = 0; wanted && j < dim; j++) {
    double here = kept ? kept[j] : initial;
    snprintf(member, sizeof member, "%s[%zu]", name, j);
    if (here != wanted[j]) return differ(path, member, here, wanted[j]);
  }
  return NIS_OK;
}

static int compare_kinds(const char *path, const char *name, size_t dim, const int *kept,
                         const int *wanted)
{
  char member[32];
  for (size_t j = 0; wanted && j < dim; j++) {
    int here = kept ? kept[j] : 0;
    snprintf(member, sizeof member, "%s[%zu]", name, j);
    if (here != wanted[j]) return differ(path, member, here, wanted[j]);
  }
  return NIS_OK;
}

/* The first word, as the others are parameters; or all of them */
static int compare_names(const char *path, const char *kept, const char *wanted, int all)
{
  if (!kept || !wanted) return NIS_OK;
  if (all && strcmp(kept, wanted) != 0)
    return nis_fail(NIS_INVALID, "%s is of the integrand '%s', options.name is '%s'", path, kept,
                    wanted);
  size_t n = strcspn(kept, " "), m = strcspn(wanted, " ");
  if (n == m && strncmp(kept, wanted, n) == 0) return NIS_OK;
  return nis_fail(NIS_INVALID, "%s is of the integrand '%.*s', options.name is '%.*s'", path,
                  (int)n, kept, (int)m, wanted);
}

/* *o, the file's, gets what the caller wants; what is 0 there is as in the file. */
static int adopt(const char *path, const nis_options *wanted, int all_fixed, nis_options *o)
{
  for (size_t i = 0; i < nis_option_table.n; i++) {
    const nis_option *row = &nis_option_table.rows[i];
    uint64_t value = row->type == NIS_OPTION_POINTER ? 0 : get(row, wanted);
    if (value == 0) continue;
    int fixed = is_fixed(row) || (all_fixed && is_kept(row));
    if (fixed) NIS_TRY(compare_number(path, row, get(row, o), value));
    if (strcmp(row->name, "nhints") != 0) set(row, o, value);
  }
  NIS_TRY(compare_limits(path, "lower", o->dim, o->lower, wanted->lower, 0));
  NIS_TRY(compare_limits(path, "upper", o->dim, o->upper, wanted->upper, 1));
  NIS_TRY(compare_kinds(path, "periodic", o->dim, o->periodic, wanted->periodic));
  NIS_TRY(compare_kinds(path, "discrete", o->dim, o->discrete, wanted->discrete));
  NIS_TRY(compare_names(path, o->name, wanted->name, all_fixed));
  o->params = wanted->params;
  o->batch = wanted->batch;
  o->progress = wanted->progress, o->progress_params = wanted->progress_params;
  o->sink = wanted->sink, o->sink_params = wanted->sink_params;
  if (wanted->scales) o->scales = wanted->scales;
  if (wanted->hints) o->hints = wanted->hints, o->nhints = wanted->nhints;
  if (wanted->name) o->name = wanted->name;
  o->checkpoint = wanted->checkpoint;
  return NIS_OK;
}

/* ---- loading ------------------------------------------------------------------------------- */

/* Before there is memory for the flows: the file must be as large as they are. */
static void check_size(struct archive *a, const nis_options *o)
{
  size_t couplings, map;
  struct flow_shape shape = nis_sampler_shape(o);
  if (a->status == NIS_OK) a->status = nis_flow_count(&shape, &couplings);
  shape.layers = 0;
  if (a->status == NIS_OK) a->status = nis_flow_count(&shape, &map);
  if (a->status == NIS_OK && (2 * couplings + map) * sizeof(float) > a->file_left + a->filled)
    nis_archive_refuse(a, "such nets would not fit into the file");
}

/* Values of another f are no part of the estimate, and nothing to learn from. */
static void forget_values(nis *s)
{
  nis_handle_drop_estimate(s);
  nis_training_forget_points(&s->training);
  nis_seen_reset(&s->seen);
}

/* Points that wait were drawn with another seed. */
static void meet_caller(nis *s, const struct kept_options *kept)
{
  const char *before = kept->o.name, *now = s->options.name;
  if (s->options.seed != kept->o.seed) nis_generator_forget(&s->generator);
  if (before && now && strcmp(before, now) != 0) forget_values(s);
}

/* Options of the caller that make no sense are no fault of the file's. */
static int load(struct archive *a, struct kept_options *kept, nis **out, nis_integrand *f,
                const nis_options *wanted, int resumed)
{
  nis_archive_section(a, "options", archive_options, kept);
  if (a->status != NIS_OK) return a->status;
  nis_options o = kept->o, complete;
  if (wanted) NIS_TRY(adopt(a->name, wanted, resumed, &o));
  NIS_TRY(nis_settings_resolve(&o, &complete));
  check_size(a, &complete);
  if (a->status != NIS_OK) return a->status;
  NIS_TRY(nis_handle_create(out, f, &o));
  archive_handle(a, *out, kept->o.extra);
  if (a->status == NIS_OK) meet_caller(*out, kept);
  return a->status;
}

static int load_file(nis **out, const char *path, nis_integrand *f, const nis_options *options,
                     uint64_t *end)
{
  struct archive a;
  struct kept_options *kept = calloc(1, sizeof *kept);
  *out = NULL;
  if (!kept) return nis_no_memory();
  int status = end ? nis_archive_open_first(&a, path, end) : nis_archive_open(&a, path);
  if (status == NIS_OK) status = load(&a, kept, out, f, options, end != NULL);
  nis_archive_close(&a);
  free(kept);
  return status;
}

static int finish(nis **out, int status)
{
  if (status == NIS_OK) return NIS_OK;
  nis_handle_free(*out);
  *out = NULL;
  return status;
}

int nis_handle_load(nis **out, const char *path, nis_integrand *f, const nis_options *options)
{
  int status = load_file(out, path, f, options, NULL);
  if (status == NIS_OK) status = nis_handle_begin_checkpoint(*out);
  return finish(out, status);
}

/* ---- checkpoints --------------------------------------------------------------------------- */

static int open_journal(nis *s, uint64_t end)
{
  const nis_options *o = &s->options;
  size_t width = o->ncomp + o->extra;
  NIS_TRY(nis_journal_open(&s->journal, o->checkpoint, end, o->dim, width, o->checkpoint_seconds));
  s->sampler.integrand.journal = &s->journal;
  return NIS_OK;
}

static uint64_t file_size(const char *path)
{
  struct stat info;
  return stat(path, &info) ? 0 : (uint64_t)info.st_size;
}

int nis_handle_begin_checkpoint(nis *s)
{
  const char *path = s->options.checkpoint;
  if (!path) return NIS_OK;
  if (access(path, F_OK) == 0)
    return nis_fail(NIS_NO_FILE, "the checkpoint %s exists already: nis_resume goes on from it",
                    path);
  NIS_TRY(nis_handle_save(s, path));
  return open_journal(s, file_size(path));
}

int nis_handle_resume(nis **out, nis_integrand *f, const nis_options *options, int owner)
{
  uint64_t end;
  int status = load_file(out, options->checkpoint, f, options, &end);
  if (status == NIS_OK && owner) status = open_journal(*out, end);
  return finish(out, status);
}

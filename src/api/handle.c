/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "handle.h"

#include "base/error.h"
#include "base/memory.h"
#include "estimation/trust.h"
#include "settings.h"

#include <math.h>

/* In place of an array of the caller's, which may be gone when it is needed */
static int copy(nis *s, const void **array, size_t bytes)
{
  int i = 0;
  if (!*array) return NIS_OK;
  while (s->arrays[i]) i++;
  s->arrays[i] = NIS_RAW(char, bytes);
  if (!s->arrays[i]) return nis_no_memory();
  memcpy(s->arrays[i], *array, bytes);
  *array = s->arrays[i];
  return NIS_OK;
}

static int copy_arrays(nis *s)
{
  nis_options *o = &s->options;
  size_t number = sizeof(double);
  if (o->nhints == 0) o->hints = NULL;
  NIS_TRY(copy(s, (const void **)&o->hints, o->nhints * o->dim * number));
  NIS_TRY(copy(s, (const void **)&o->lower, o->dim * number));
  NIS_TRY(copy(s, (const void **)&o->upper, o->dim * number));
  NIS_TRY(copy(s, (const void **)&o->periodic, o->dim * sizeof *o->periodic));
  NIS_TRY(copy(s, (const void **)&o->discrete, o->dim * sizeof *o->discrete));
  NIS_TRY(copy(s, (const void **)&o->scales, o->ncomp * number));
  NIS_TRY(copy(s, (const void **)&o->name, o->name ? strlen(o->name) + 1 : 0));
  NIS_TRY(copy(s, (const void **)&o->checkpoint, o->checkpoint ? strlen(o->checkpoint) + 1 : 0));
  nis_options *given = &s->given;
  given->checkpoint = o->checkpoint;
  given->hints = o->hints, given->lower = o->lower, given->upper = o->upper;
  given->periodic = o->periodic, given->discrete = o->discrete, given->scales = o->scales,
  given->name = o->name;
  return NIS_OK;
}

static int init(nis *s, nis_integrand *f)
{
  const nis_options *o = &s->options;
  NIS_TRY(copy_arrays(s));
  NIS_TRY(nis_sampler_init(&s->sampler, f, o));
  NIS_TRY(nis_tally_init(&s->tally));
  NIS_TRY(nis_components_init(&s->components, o->ncomp > 1 ? o->ncomp : 0,
                              o->covariance || o->ncomp <= NIS_MOST_CORRELATED));
  NIS_TRY(nis_channels_init(&s->channels, o->channels));
  NIS_TRY(nis_seen_init(&s->seen, o->ncomp, s->components.with_covariance));
  nis_training_begin_uniform(&s->training, &s->sampler.mixture);
  s->training.see = nis_seen_add;
  s->training.context = &s->seen;
  return NIS_OK;
}

/* The last coordinate counts the channels. Numbers that are out of range are found later. */
static int set_channels(nis_options *o, int discrete[NIS_MOST_DIM])
{
  int in_range = o->dim >= 1 && o->dim <= NIS_MOST_DIM && o->channels <= NIS_MOST_VALUES;
  if (o->channels < 2 || !in_range) return NIS_OK;
  size_t last = o->dim - 1;
  for (size_t j = 0; j < o->dim; j++) discrete[j] = o->discrete ? o->discrete[j] : 0;
  if (discrete[last] != 0 && discrete[last] != (int)o->channels)
    return nis_fail(NIS_INVALID,
                    "the last coordinate counts the channels: discrete[%zu] must be 0 or channels "
                    "= %zu, got %d",
                    last, o->channels, discrete[last]);
  discrete[last] = (int)o->channels;
  o->discrete = discrete;
  return NIS_OK;
}

int nis_handle_create(nis **out, nis_integrand *f, const nis_options *options)
{
  *out = NULL;
  nis_options given = *options, complete;
  int discrete[NIS_MOST_DIM];
  NIS_TRY(set_channels(&given, discrete));
  NIS_TRY(nis_settings_resolve(&given, &complete));
  NIS_TRY(nis_settings_check_integrand(&complete, f));
  nis *s = NIS_NEW(nis, 1);
  if (!s) return nis_no_memory();
  s->options = complete;
  s->given = given;
  int status = init(s, f);
  if (status == NIS_OK)
    *out = s;
  else
    nis_handle_free(s);
  return status;
}

void nis_handle_free(nis *s)
{
  if (!s) return;
  nis_journal_close(&s->journal);
  nis_ranks_clear(&s->ranks);
  nis_sampler_clear(&s->sampler);
  for (int i = 0; i < HANDLE_ARRAYS; i++) free(s->arrays[i]);
  nis_tally_clear(&s->tally);
  nis_components_clear(&s->components);
  nis_channels_clear(&s->channels);
  free(s->spans.span);
  nis_generator_clear(&s->generator);
  nis_training_clear(&s->training);
  nis_seen_clear(&s->seen);
  free(s);
}

static int meet(const struct span *a, const struct span *b)
{
  return a->seed == b->seed && a->from < b->to && b->from < a->to;
}

int nis_handle_add_span(nis *s, struct span span)
{
  struct spans *spans = &s->spans;
  if (span.from == span.to) return NIS_OK;
  for (size_t i = 0; i < spans->n; i++)
    if (meet(&spans->span[i], &span))
      return nis_fail(
          NIS_INVALID,
          "points %llu to %llu of seed %llu are in both estimates: use other seeds, or "
          "other parts",
          (unsigned long long)(span.from > spans->span[i].from ? span.from : spans->span[i].from),
          (unsigned long long)(span.to < spans->span[i].to ? span.to : spans->span[i].to),
          (unsigned long long)span.seed);
  struct span *last = spans->n > 0 ? &spans->span[spans->n - 1] : NULL;
  if (last && last->seed == span.seed && last->to == span.from) {
    last->to = span.to;
    return NIS_OK;
  }
  if (spans->n == MOST_SPANS)
    return nis_fail(NIS_INVALID, "an estimate can be merged of at most %d parts", MOST_SPANS);
  struct span *larger = realloc(spans->span, (spans->n + 1) * sizeof *larger);
  if (!larger) return nis_no_memory();
  spans->span = larger;
  larger[spans->n++] = span;
  return NIS_OK;
}

void nis_handle_drop_estimate(nis *s)
{
  s->spans.n = 0;
  nis_tally_reset(&s->tally);
  nis_components_reset(&s->components);
  nis_channels_reset(&s->channels);
  nis_generator_forget(&s->generator);
}

/* The share of f's values that are no numbers, of the domain or of the points that the value rests
 * on */
static double bad_share(const nis *s)
{
  const struct tally *t = &s->tally;
  if (t->all.n == 0) return s->seen.bad.mean;
  return fmax(nis_seen_bad(&s->seen), (double)t->bad / (double)t->all.n);
}

static int trained_only(const nis *s)
{
  return s->tally.all.n == 0 && s->seen.value.n > 0;
}

static struct estimate estimate_so_far(const nis *s)
{
  struct estimate now = nis_tally_estimate(&s->tally);
  if (!trained_only(s)) return now;
  now.value = s->seen.value.mean;
  now.error = s->seen.value.n > 1 ? nis_moments_error(&s->seen.value) : HUGE_VAL;
  return now;
}

int nis_handle_result(const nis *s, int status, nis_result *r)
{
  *r = (nis_result){.seed = s->options.seed};
  nis_tally_result(&s->tally, r);
  struct estimate now = estimate_so_far(s);
  r->value = now.value;
  r->error = now.error;
  r->calls = s->sampler.integrand.calls;
  r->train_calls = s->train_calls;
  r->call_seconds = s->call_seconds;
  r->peaks_found = s->training.peaks_found;
  r->search_calls = s->training.search_calls;
  r->bad_calls = s->sampler.integrand.bad_calls;
  r->late_peaks = s->training.late_peaks;
  r->unseen_volume = nis_trust_unseen(s->training.uniform + s->tally.uniform);
  r->blurred_volume = s->tally.blurred;
  r->serialized = s->sampler.integrand.serialized;
  r->suspect = nis_trust_doubts(&s->tally, &s->components, r);
  r->stop = status == NIS_STOPPED || status == NIS_CALLBACK ? NIS_STOP_CALLBACK
            : status == NIS_TIME_LIMIT                      ? NIS_STOP_TIME
                                                            : NIS_STOP_CALLS;
  if (status == NIS_OK) nis_clear_error();
  if (status == NIS_OK) status = nis_integrand_verdict(&s->sampler.integrand, bad_share(s));
  return r->status = status;
}

int nis_handle_judge(const nis *s, nis_result *r)
{
  int ended = r->status == NIS_OK || r->status == NIS_GOAL_MISSED || r->status == NIS_TIME_LIMIT;
  if (ended && r->suspect) r->status = nis_trust_explain(&s->tally, &s->components, r);
  return r->status;
}

/* With one component the arrays hold the result itself. */
void nis_handle_components(const nis *s, double *values, double *errors, double *covariance)
{
  const struct components *c = trained_only(s) ? &s->seen.components : &s->components;
  size_t n = s->options.ncomp;
  if (s->sampler.integrand.domain.empty) {
    for (size_t k = 0; values && k < n; k++) values[k] = 0;
    for (size_t k = 0; errors && k < n; k++) errors[k] = 0;
    for (size_t k = 0; covariance && k < n * n; k++) covariance[k] = 0;
    return;
  }
  struct estimate first = estimate_so_far(s);
  nis_components_result(c, nis_tally_factor(&s->tally), s->tally.blurred, values, errors,
                        covariance);
  if (values) values[0] = first.value;
  if (errors) errors[0] = first.error;
  if (covariance) covariance[0] = first.error * first.error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a handle holds between two calls. */
#ifndef NIS_HANDLE_H
#define NIS_HANDLE_H

#include "nis_events.h"

#include "estimation/channels.h"
#include "estimation/components.h"
#include "estimation/seen.h"
#include "estimation/tally.h"
#include "events/generate.h"
#include "sampler/sampler.h"
#include "training/train.h"

enum { HANDLE_ARRAYS = 8 };

/* Points of the estimate's stream of a seed: no two estimates that are merged share one. */
struct span {
  uint64_t seed, from, to;
};

enum { MOST_SPANS = 65536 };

struct spans {
  struct span *span; /* owned */
  size_t n;
};

struct nis {
  nis_options options;         /* complete */
  nis_options given;           /* the same before its defaults were filled in */
  void *arrays[HANDLE_ARRAYS]; /* copies that both point to; owned */
  struct sampler sampler;
  struct tally tally;
  struct components components; /* none when f has one value */
  struct channels channels;
  struct spans spans; /* of the estimate */
  uint64_t train_calls;
  double call_seconds; /* by which the latest run chose its way to a goal */
  struct training training;
  struct journal journal;     /* with a checkpoint; else all zero */
  struct seen seen;           /* by the latest training */
  struct ranks ranks;         /* that run together; all 0 without nis_set_ranks */
  struct generator generator; /* of events */
  /* Points used so far of each stream. */
  uint64_t trained, estimated, sampled;
};

/* nis_create and nis_free, inside of a public function; *out may be anything before. */
int nis_handle_create(nis **out, nis_integrand *f, const nis_options *options);
void nis_handle_free(nis *s);

/* The estimate gets these points; where another has one of them, that is NIS_INVALID. */
int nis_handle_add_span(nis *s, struct span span);

/* The estimate begins anew; points that wait for events are of no use. */
void nis_handle_drop_estimate(nis *s);

/* The result so far, also when `status` says that the run ended early; returns that, or that the
 * values were too often bad. Before the first point of the frozen flow, it is what the training
 * saw. */
int nis_handle_result(const nis *s, int status, nis_result *result);

/* Of the same result: values[ncomp], errors[ncomp] and covariance[ncomp][ncomp], each or NULL */
void nis_handle_components(const nis *s, double *values, double *errors, double *covariance);

/* What an error bar is worth goes before how the run came to it. */
int nis_handle_judge(const nis *s, nis_result *result);

#endif

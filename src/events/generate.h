/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events on their way out: what the options mean, the unweighting, a file and the user's sink. */
#ifndef NIS_GENERATE_H
#define NIS_GENERATE_H

#include "sampler/sampler.h"
#include "nis_events.h"
#include "numerics/moments.h"
#include "unweight.h"

/* NIS_INVALID or NIS_NO_FILE, with a sentence, where these options cannot work. */
int nis_generate_check(const nis_event_options *o);

/* NIS_INVALID, with a sentence, where files of this format cannot be written here. */
int nis_generate_check_format(nis_event_format format);

/* As nis_merge_events of nis_events.h */
int nis_generate_merge(const char *const *paths, size_t n, const char *path, int force);

/* What a handle keeps between two calls; all zero at first */
struct generator {
  struct trials trials;
  struct weights weights; /* of the estimate and of one call's points */
  double *x;              /* [dim + extra] of the event that was pulled last; owned */
  struct acceptance how;  /* of pulled events ... */
  struct w_max_rule rule; /* ... by this rule ... */
  uint64_t known;         /* ... from so many weights of the estimate; 0: not known */
};

void nis_generator_clear(struct generator *g);

/* The flow changes. */
void nis_generator_forget(struct generator *g);

/* Events from where the call before ended; summary may be NULL. The weights that the
 * estimate has seen are not all 0. */
int nis_generate(struct generator *g, struct sampler *s, const struct weights *seen,
                 struct estimate estimate, const nis_event_options *o, nis_event_summary *summary);

/* One event; options may be NULL. */
int nis_generate_next(struct generator *g, struct sampler *s, const struct weights *seen,
                      const nis_event_options *o, nis_pulled_event *event);

/* As nis_trials_archive */
void nis_generator_archive(struct archive *a, struct generator *g, const struct sampler *s,
                           size_t extra);

#endif

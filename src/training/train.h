/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Online training: rounds of fresh points, each followed by gradient steps on stored ones. The
 * loss is the Kullback-Leibler divergence of |f|^beta from q, with beta as large as the weights of
 * the newest round allow, and at the end the variance of f/q. A map without correlations and the
 * peaks follow the same target beside the flow; the shares of all follow the newest round, and the
 * last one, which nothing learns from, sets them for good.
 *
 * A second training goes on from the mixture and the stored points that the first one left, and
 * changes the mixture only if the last round shows that it became better. One that does not come to
 * its end leaves the mixture as it was.
 */
#ifndef NIS_TRAIN_H
#define NIS_TRAIN_H

#include "replay.h"

enum { HOT_ROUNDS = 4 }; /* replayed while beta < 1 */

/* How far the mixture of the sampler has come */
struct progress {
  int rounds; /* learnt from; 0: it is as good as untrained */
  double beta;
  int two_signs;             /* the positive and the negative part have a flow each */
  size_t window;             /* newest stored points that are replayed */
  size_t newest[HOT_ROUNDS]; /* points stored by the last rounds */
};

/* What a training spends its time on */
enum stage {
  STAGE_POINTS, /* drawing them */
  STAGE_CALLS,  /* of the integrand */
  STAGE_REPLAY, /* storing points, choosing beta, preparing what is drawn from */
  STAGE_STEPS,  /* gradients */
  STAGE_SHARES,
  STAGE_PEAKS,
  STAGE_SEARCH,
  STAGES
};

/* What trainings leave to the next one, all zero before the first; and what they found. */
struct training {
  struct progress progress;
  struct replay replay;
  uint64_t search_point;  /* next of the search's random stream */
  int scaled;             /* the components have their scales */
  int peaks_found;        /* by all trainings that came to their end */
  int late_peaks;         /* by the last search of the latest, where hardly any point had been */
  uint64_t search_calls;  /* of all trainings */
  double uniform;         /* points of all trainings, times the uniform share they came with */
  double seconds[STAGES]; /* likewise */
  points_observer
      *see; /* shown all points with their values, components and bad ones; may be NULL */
  void *context;
};

void nis_training_clear(struct training *training);

/* Spends `calls` on training, on points first_point .. of the training stream. Unless the status is
 * NIS_OK the mixture is as before; stored points stay. */
int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct training *training);

/* Untrained flows are uniform as well, but take longer. */
void nis_training_begin_uniform(const struct training *training, struct mixture *m);

/* Points with values that others have drawn from the mixture are learnt from as well; with their
 * components where nis_training_components says how many. */
int nis_training_remember(struct training *training, const struct points *p,
                          const struct integrand_call *f, const nis_options *o);

/* Components that are stored with each point, as their scales may change: 0 where the flow follows
 * no norm, or that of so many components that they would need too much memory. */
size_t nis_training_components(const nis_options *o);

/* Numbers of the view that is stored with each point, as channel weights change: 0 where none are
 * learnt */
size_t nis_training_view(const nis_options *o);

/* How far it has come; and what it has stored, which is as long as the training was. Reading: into
 * one that is as before the first training */
void nis_training_archive(struct archive *a, struct training *training);
void nis_training_archive_points(struct archive *a, struct training *training,
                                 const nis_options *o);

/* The stored points are of another f. */
void nis_training_forget_points(struct training *training);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One training under way: all that its parts share. `rounds` draws points into `fresh`, train.c
 * learns from them, and `choice` decides in the end what of it the estimate uses. All memory is
 * there before anything of the sampler is touched.
 */
#ifndef NIS_TRAINER_H
#define NIS_TRAINER_H

#include "mixture/backup.h"
#include "mixture/shares.h"
#include "numerics/moments.h"
#include "rehearsal.h"
#include "search.h"
#include "steps.h"
#include "train.h"
#include "weighing.h"

enum {
  PEAK_POINTS = 4096, /* that the peaks are fitted to */
  LEARNERS = 3,
  REHEARSALS = 3 /* of the mixture, of its best channel, of the map */
};

struct trainer {
  struct sampler *s;
  const nis_options *o;
  struct training *training; /* for the next one */
  struct backup backup;
  struct progress at;
  struct points fresh;
  struct moments weight;             /* of the newest round */
  size_t block;                      /* points drawn at a time */
  double *components;                /* [block][ncomp], or NULL; */
  size_t stored_components;          /* or 0; else these are [fresh.capacity][ncomp], ... */
  double *magnitude;                 /* ... and this is [ncomp], of the components */
  char *bad;                         /* [block] */
  struct weighing weighing;          /* of channels, where their weights are learnt, with */
  double *outputs;                   /* [block][extra], and for all of `fresh` */
  float *view;                       /* the views, and */
  double *log_alpha;                 /* [2][fresh.capacity], half of it scratch; else NULL */
  struct learner flow, twin, map;    /* of the mixture */
  struct learner *learner[LEARNERS]; /* the map and those that still learn of the others */
  int learners;
  struct rehearsal rehearsal;
  size_t reserved;            /* calls that are kept for it */
  struct replicate replicate; /* of the survey */
  size_t net;                 /* points of each of its nets */
  double final_net;           /* likewise of the estimate, about */
  double unlearnt; /* error of a net of the estimate with uniform points; infinite: unknown */
  double floor[CHANNELS]; /* least shares of a round */
  unsigned won; /* by the flow against the twin: a bit for each round, the newest lowest */
  int contests; /* such rounds */
  struct search search;
  size_t round_size, survey, choice; /* points of a round, of the first, the least of the last */
  size_t *slot;                      /* [minibatch or PEAK_POINTS] */
  double *fit;                       /* what the peaks and the shares are fitted with */
  struct stretch *stretch;           /* [2][dim] of the ends: wanted, and before this training */
  uint64_t calls;                    /* to spend in all */
  uint64_t drawn;                    /* spent in rounds */
  uint64_t steps;                    /* gradient steps planned */
  uint64_t map_steps;                /* of the map for each of them once beta is 1 */
  uint64_t alone;                    /* of the map since the last one of all */
  uint64_t due;                      /* of them, those to be done by now */
  int status;                        /* of them: why they ended */
  size_t stored;                     /* points */
  int round, next_search;
  int searched;          /* for the last time */
  double begun, seconds; /* when, and how many it may take; 0: any number */
  double baseline;
  uint64_t cold_from, cold_step; /* where beta reached 1 */
  double log_z;                  /* log of the integral of |f|, of the last round */
};

/* Unless the status is NIS_OK it still is to be cleared. */
int nis_trainer_init(struct trainer *t, struct sampler *s, uint64_t calls, const nis_options *o,
                     struct training *training);
void nis_trainer_clear(struct trainer *t);

/* Calls so far */
uint64_t nis_trainer_spent(const struct trainer *t);

/* The time since *start, where the next stage starts, went into this one. */
void nis_trainer_end_stage(struct trainer *t, enum stage stage, double *start);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a histogram holds: sums over the points in each slot, and of nets what each of them gave. */
#ifndef NIS_HISTOGRAM_ROOM_H
#define NIS_HISTOGRAM_ROOM_H

#include "nis_histogram.h"

enum { MOST_AXES = 2 };

/* Over the points of a slot; of x the sums of w x, w x^2 and w x y are what YODA's means are of. */
struct sums {
  double w, w2, wx[MOST_AXES], wx2[MOST_AXES], wxy;
  uint64_t n;
};

struct axis {
  nis_observable *observable;
  void *params;
  char *name, *unit; /* owned */
  size_t bins;
  double *edges; /* [bins + 1]; owned */
};

/* A net that points came from: of this histogram's own estimate, or merged into it */
struct net {
  int number;    /* of nis_point_block.iteration; -1: merged */
  uint64_t n;    /* points */
  double *sum_w; /* [slots]; owned */
};

struct nis_histogram {
  char *name; /* owned */
  size_t naxes;
  struct axis axis[MOST_AXES];
  size_t
      slots; /* those of both axes, the first axis fastest, and one for points without a number */
  struct sums *slot; /* [slots]; owned */
  uint64_t points;
  struct net *net; /* [nets]; owned */
  size_t nets, room;
};

/* A slot's bin; slot slots - 1 is that of points without a number. */
void nis_histogram_fill_bin(const struct nis_histogram *h, size_t slot, nis_bin *bin);

/* Slots of an axis, and the edges of one of them */
static inline size_t nis_axis_slots(const struct axis *a)
{
  return a->bins + 2;
}
double nis_axis_low(const struct axis *a, size_t slot);
double nis_axis_high(const struct axis *a, size_t slot);

/* One more net, empty; NULL where memory is short. */
struct net *nis_histogram_add_net(struct nis_histogram *h, int number);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ranks, processes that run the same call on handles alike (nis_set_ranks). All hold the same
 * state, bit by bit, since each does the same with the same numbers. Of these some are shared out,
 * and gathered by all: the integrand's calls, a chunk to the rank that is free next, and what
 * takes the library long, in equal parts.
 *
 * So nothing may be decided by what only one rank knows. What is not the same everywhere, the
 * clock, a wish to stop, an error, the speed of a rank, goes into the greeting of each exchange,
 * and from then on all go by rank 0's, or by any rank's.
 */
#ifndef NIS_BASE_RANKS_H
#define NIS_BASE_RANKS_H

#include "nis.h"

/* What all know of a rank after an exchange */
struct greeting {
  uint64_t stamp; /* of what it is about to do: the same everywhere, or the ranks have come apart */
  int64_t status; /* below 0 the call is over, and the sentence comes instead of values */
  uint64_t bytes; /* that it has for the others */
  uint64_t grain; /* items that its threads can take at once */
  uint64_t threads;
  uint64_t flags; /* what it wishes, or has: sum of the bits below */
  double clock;
  double seconds; /* for one item, lately */
};

enum { RANKS_STOP = 1, RANKS_RECALL = 2 };

/* Non-zero: there is no use in waiting for the other ranks any longer */
typedef int nis_patience(void *context);

struct ranks {
  nis_ranks link;
  nis_patience *patience;
  void *patient;
  uint64_t dealt;                /* numbers of the counter that belong to the past */
  struct greeting own, *all;     /* the next one; [size] the latest ones, owned */
  size_t *bytes, *from;          /* [size] owned */
  unsigned char *outbox, *inbox; /* owned */
  size_t outbox_room, inbox_room;
  double *rows; /* of all items; owned */
  size_t nrows;
  int over;    /* there is no call that is shared, or an exchange has ended it ... */
  int trouble; /* ... with this status */
};

int nis_ranks_init(struct ranks *r, const nis_ranks *link, nis_patience *patience, void *patient);
void nis_ranks_clear(struct ranks *r);

/* Of the latest exchange: rank 0's clock, and whether any rank wants this */
double nis_ranks_clock(const struct ranks *r);
double nis_ranks_seconds(const struct ranks *r); /* that an item takes it */
int nis_ranks_any(const struct ranks *r, uint64_t flag);

/* No rank wants it any more. */
void nis_ranks_forget(struct ranks *r, uint64_t flag);

/* All ranks meet, each with r->own.bytes in the outbox, and find what rank k gave at r->inbox +
 * r->from[k]. `status` below 0 is its trouble, which becomes everybody's: then, and where the ranks
 * are not at the same place (stamp), the call is over, with a sentence. */
int nis_ranks_exchange(struct ranks *r, uint64_t stamp, int status);

/* Room for so many bytes in the outbox, and for so many numbers in r->rows */
int nis_ranks_reserve(struct ranks *r, size_t bytes);
int nis_ranks_rows(struct ranks *r, size_t numbers);

/* Of n items that take all ranks the same time, in whole grains: those from this one on are the
 * rank's, up to that of the next */
size_t nis_ranks_part(const struct ranks *r, size_t n, size_t grain, int rank);

/* The beginning and the end of a public call, with the handle's stamp */
int nis_ranks_enter(struct ranks *r, uint64_t stamp);
int nis_ranks_leave(struct ranks *r, int status);

/* In the middle of one: any trouble of a rank's becomes everybody's. */
int nis_ranks_meet(struct ranks *r, int status);

/* Rows of `width` numbers that follow from items 0 .. n-1. `fill` makes those from `first` on, and
 * may give up with a status; `stamp` says what these items are. */
struct shared_rows {
  size_t n, width;
  int (*fill)(void *context, size_t first, size_t n, double *rows);
  uint64_t (*stamp)(void *context, size_t first, size_t n);
  void *context;
};

/* Fills r->rows, [n][width]; *done are those from 0 on that have been made before a wish to stop.
 */
int nis_ranks_fill(struct ranks *r, const struct shared_rows *work, size_t *done);

/* The largest grain of any rank */
size_t nis_ranks_grain(const struct ranks *r);

/* Of the rank that has the fewest */
uint64_t nis_ranks_threads(const struct ranks *r);

/* So many items keep all ranks busy. */
size_t nis_ranks_least(const struct ranks *r);

/* Items to fill at a time, that all ranks have some and a stop is heard in some seconds */
size_t nis_ranks_slice(const struct ranks *r, size_t n);

/* Goes on from `stamp` with n numbers, bit by bit */
uint64_t nis_stamp_numbers(uint64_t stamp, size_t n, const double *numbers);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One team of threads. In a region all its workers run the same function and meet at barriers,
 * where they spin for a microsecond or so and then sleep.
 *
 * OpenMP makes the threads, though in a pool of the library's own: between regions they sleep here
 * and not in OpenMP's, whose waiting threads may spin for milliseconds; the caller is worker 0 of
 * every region. A child of fork() gets new ones. Where not so many can be had there are fewer, and
 * inside of another parallel region only the caller: results must not depend on their number.
 */
#ifndef NIS_TEAM_H
#define NIS_TEAM_H

#include <stddef.h>

struct team;

/* What each worker runs (0 <= worker < threads): which is whose scratch to use. */
typedef void nis_region(struct team *team, int worker, void *context);

/* Runs the region on up to `threads` workers; over when all are through. */
void nis_team_run(int threads, nis_region *region, void *context);

/* How many there are: 1 .. threads */
int nis_team_size(const struct team *team);

/* No worker goes on before all have come; what one wrote before, all see after. */
void nis_team_barrier(struct team *team);

/* Work on item `item` */
typedef void nis_work(void *context, size_t item, int worker);

/* Inside of a region, called by all workers: works on the items 0 .. items-1, each taken by the
 * worker that is free next. Not over before the next barrier, of which one lies between two such
 * loops. */
void nis_team_for(struct team *team, int worker, size_t items, nis_work *work, void *context);

/* Workers 0 and 1, called by both once before the next barrier, leave it while both are running, at
 * most a microsecond or two apart. On a busy machine that can fail, after 4 ms. */
void nis_team_together(struct team *team, int worker);

/* A region of one such loop */
void nis_parallel_for(int threads, size_t items, nis_work *work, void *context);

int nis_default_threads(void);

#endif

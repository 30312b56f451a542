/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ranks.h"

#include "clock.h"
#include "error.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>

/* ---- of one call ----------------------------------------------------------------------------- */

int nis_ranks_init(struct ranks *r, const nis_ranks *link, nis_patience *patience, void *patient)
{
  size_t n = (size_t)link->size;
  *r = (struct ranks){.link = *link, .patience = patience, .patient = patient, .over = 1};
  r->all = NIS_NEW(struct greeting, n);
  r->bytes = NIS_NEW(size_t, n);
  r->from = NIS_NEW(size_t, n + 1);
  return r->all && r->bytes && r->from ? NIS_OK : nis_no_memory();
}

void nis_ranks_clear(struct ranks *r)
{
  free(r->all);
  free(r->bytes);
  free(r->from);
  free(r->outbox);
  free(r->inbox);
  free(r->rows);
  *r = (struct ranks){0};
}

double nis_ranks_clock(const struct ranks *r)
{
  return r->all[0].clock;
}

double nis_ranks_seconds(const struct ranks *r)
{
  return r->all[0].seconds;
}

int nis_ranks_any(const struct ranks *r, uint64_t flag)
{
  for (int k = 0; k < r->link.size; k++)
    if (r->all[k].flags & flag) return 1;
  return 0;
}

void nis_ranks_forget(struct ranks *r, uint64_t flag)
{
  r->own.flags &= ~flag;
  for (int k = 0; k < r->link.size; k++) r->all[k].flags &= ~flag;
}

uint64_t nis_stamp_numbers(uint64_t stamp, size_t n, const double *numbers)
{
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, &numbers[i], sizeof bits);
    stamp = (stamp ^ bits) * 0x9e3779b97f4a7c15u;
    stamp ^= stamp >> 32;
  }
  return stamp;
}

/* What was in it stays. */
static int reserve(unsigned char **box, size_t *room, size_t bytes)
{
  if (bytes <= *room) return NIS_OK;
  size_t larger = bytes > 2 * *room ? bytes : 2 * *room;
  unsigned char *block = realloc(*box, larger);
  if (!block) return nis_no_memory();
  *box = block;
  *room = larger;
  return NIS_OK;
}

int nis_ranks_reserve(struct ranks *r, size_t bytes)
{
  return reserve(&r->outbox, &r->outbox_room, bytes);
}

int nis_ranks_rows(struct ranks *r, size_t numbers)
{
  if (numbers <= r->nrows) return NIS_OK;
  free(r->rows);
  r->rows = NIS_RAW(double, numbers);
  r->nrows = r->rows ? numbers : 0;
  return r->rows ? NIS_OK : nis_no_memory();
}

/* ---- meeting --------------------------------------------------------------------------------- */

static int lost(struct ranks *r)
{
  r->over = 1;
  return r->trouble = nis_fail(
             NIS_RANKS,
             "rank %d of %d has lost the others: a process has ended, or they cannot reach each "
             "other any more",
             r->link.rank, r->link.size);
}

/* Nobody can be told when the others have begun to send. */
static int no_room(struct ranks *r)
{
  r->over = 1;
  return r->trouble = nis_fail(NIS_RANKS, "rank %d of %d has no memory for what the others send",
                               r->link.rank, r->link.size);
}

static int gather(struct ranks *r, const void *mine, void *all)
{
  const nis_ranks *link = &r->link;
  return link->gather(mine, all, r->bytes, r->patience, r->patient, link->params) ? lost(r)
                                                                                  : NIS_OK;
}

/* The lowest rank that is in trouble; -1: none */
static int in_trouble(const struct ranks *r)
{
  for (int k = 0; k < r->link.size; k++)
    if (r->all[k].status < NIS_OK) return k;
  return -1;
}

/* Its sentence is everybody's. */
static int share_trouble(struct ranks *r, int rank)
{
  char sentence[sizeof(struct sentence)];
  const struct greeting *its = &r->all[rank];
  for (int k = 0; k < r->link.size; k++) r->bytes[k] = k == rank ? its->bytes : 0;
  NIS_TRY(gather(r, r->outbox, sentence));
  r->over = 1;
  r->trouble = (int)its->status;
  return rank == 0 ? nis_fail(r->trouble, "%s", sentence)
                   : nis_fail(r->trouble, "rank %d: %s", rank, sentence);
}

static int come_apart(struct ranks *r, int rank)
{
  r->over = 1;
  return r->trouble = nis_fail(
             NIS_RANKS,
             "ranks 0 and %d have come apart: all must make the same calls of the library with "
             "the same options and arguments, on processors of one kind, and their integrand "
             "must give the same value for the same point",
             rank);
}

/* A sentence instead of what was meant to be said. */
static int put_sentence(struct ranks *r)
{
  struct sentence own = {""};
  snprintf(own.text, sizeof own.text, "%s", nis_last_error());
  r->own.bytes = strlen(own.text) + 1;
  NIS_TRY(nis_ranks_reserve(r, r->own.bytes));
  memcpy(r->outbox, own.text, r->own.bytes);
  return NIS_OK;
}

int nis_ranks_exchange(struct ranks *r, uint64_t stamp, int status)
{
  int n = r->link.size;
  if (r->over) return r->trouble;
  r->own.stamp = stamp;
  r->own.status = status;
  r->own.clock = nis_clock();
  if (status < NIS_OK && put_sentence(r) != NIS_OK) return no_room(r);
  for (int k = 0; k < n; k++) r->bytes[k] = sizeof r->own;
  NIS_TRY(gather(r, &r->own, r->all));
  int rank = in_trouble(r);
  if (rank >= 0) return share_trouble(r, rank);
  for (int k = 1; k < n; k++)
    if (r->all[k].stamp != r->all[0].stamp) return come_apart(r, k);
  for (int k = 0; k < n; k++) {
    r->bytes[k] = r->all[k].bytes;
    r->from[k + 1] = r->from[k] + r->bytes[k];
  }
  r->own.bytes = 0;
  if (r->from[n] == 0) return NIS_OK;
  if (reserve(&r->inbox, &r->inbox_room, r->from[n]) != NIS_OK) return no_room(r);
  return gather(r, r->outbox, r->inbox);
}

enum place { ENTERING, FILLING, MEETING, LEAVING };

static uint64_t stamp_of(enum place place, uint64_t of)
{
  return (of << 2) + (uint64_t)place;
}

/* Rank 0 takes a number while nobody else does: those before it are of other calls. */
int nis_ranks_enter(struct ranks *r, uint64_t stamp)
{
  uint64_t number = 0;
  int status = NIS_OK, rank = r->link.rank;
  r->over = r->trouble = 0;
  if (rank == 0) status = nis_ranks_reserve(r, sizeof number);
  if (rank == 0 && r->link.claim(&number, r->link.params)) return lost(r);
  if (rank == 0 && status == NIS_OK) memcpy(r->outbox, &number, sizeof number);
  r->own.bytes = rank == 0 ? sizeof number : 0;
  NIS_TRY(nis_ranks_exchange(r, stamp_of(ENTERING, stamp), status));
  memcpy(&number, r->inbox, sizeof number);
  r->dealt = number + 1;
  return NIS_OK;
}

size_t nis_ranks_part(const struct ranks *r, size_t n, size_t grain, int rank)
{
  size_t grains = (n + grain - 1) / grain, size = (size_t)r->link.size;
  size_t first = grains * (size_t)rank / size * grain;
  return first < n ? first : n;
}

int nis_ranks_meet(struct ranks *r, int status)
{
  return nis_ranks_exchange(r, stamp_of(MEETING, 0), status);
}

int nis_ranks_leave(struct ranks *r, int status)
{
  if (r->over) return status;
  int met = nis_ranks_exchange(r, stamp_of(LEAVING, 0), status < NIS_OK ? status : NIS_OK);
  r->over = 1;
  return met == NIS_OK ? status : met;
}

/* ---- filling ----------------------------------------------------------------------------------
 *
 * A chunk on its way: the number of its first item, the stamp of its items, their rows. */

enum { CHUNK_HEAD = 2 * sizeof(uint64_t), LEAST_CHUNKS = 8 /* for each rank */ };

static const double chunk_seconds = 5e-3; /* of the slowest rank, where it can do so little */
static const double slice_seconds = 2;    /* of all ranks together */

size_t nis_ranks_grain(const struct ranks *r)
{
  size_t most = 1;
  for (int k = 0; k < r->link.size; k++)
    if (r->all[k].grain > most) most = (size_t)r->all[k].grain;
  return most;
}

static double slowest(const struct ranks *r)
{
  double most = 0;
  for (int k = 0; k < r->link.size; k++) most = fmax(most, r->all[k].seconds);
  return most;
}

/* Whole grains, so that the last rank to be ready keeps the others waiting for one chunk: short
 * ones, of which each rank gets several, but for what grains are too large for. */
static size_t chunk_items(const struct ranks *r, size_t n)
{
  size_t grain = nis_ranks_grain(r), each = n / ((size_t)r->link.size * LEAST_CHUNKS);
  double seconds = slowest(r);
  if (seconds > 0 && chunk_seconds / seconds < (double)each)
    each = (size_t)(chunk_seconds / seconds);
  return (each / grain + (each < grain)) * grain;
}

uint64_t nis_ranks_threads(const struct ranks *r)
{
  uint64_t fewest = UINT64_MAX;
  for (int k = 0; k < r->link.size; k++)
    if (r->all[k].threads < fewest) fewest = r->all[k].threads;
  return fewest > 0 ? fewest : 1;
}

size_t nis_ranks_least(const struct ranks *r)
{
  return (size_t)r->link.size * LEAST_CHUNKS * nis_ranks_grain(r);
}

size_t nis_ranks_slice(const struct ranks *r, size_t n)
{
  double each = 0; /* items a second */
  for (int k = 0; k < r->link.size; k++)
    if (r->all[k].seconds > 0) each += 1 / r->all[k].seconds;
  size_t least = nis_ranks_least(r);
  double items = each > 0 ? fmax(slice_seconds * each, (double)least) : (double)least;
  return items < (double)n ? (size_t)items : n;
}

struct filling {
  struct ranks *r;
  const struct shared_rows *work;
  size_t chunk, chunks, used; /* items; bytes of the outbox */
};

static size_t items_of(const struct filling *f, size_t index)
{
  size_t first = index * f->chunk, left = f->work->n - first;
  return left < f->chunk ? left : f->chunk;
}

static int fill_chunk(struct filling *f, size_t index)
{
  const struct shared_rows *work = f->work;
  size_t first = index * f->chunk, n = items_of(f, index);
  size_t bytes = CHUNK_HEAD + n * work->width * sizeof(double);
  NIS_TRY(nis_ranks_reserve(f->r, f->used + bytes));
  uint64_t head[2] = {first, work->stamp(work->context, first, n)};
  unsigned char *chunk = f->r->outbox + f->used;
  memcpy(chunk, head, sizeof head);
  f->used += bytes;
  return work->fill(work->context, first, n, (double *)(chunk + CHUNK_HEAD));
}

/* Numbers of the shared counter say which chunk is next; each rank gets one that is behind the
 * last. Who is in trouble, or wishes to stop, takes the rest and leaves them as they are. */
static int take_chunks(struct filling *f)
{
  struct ranks *r = f->r;
  int status = NIS_OK;
  size_t items = 0;
  double start = nis_clock();
  for (;;) {
    uint64_t number;
    if (r->link.claim(&number, r->link.params)) return lost(r);
    size_t index = (size_t)(number - r->dealt);
    if (index >= f->chunks) break;
    if (status != NIS_OK || r->own.flags & RANKS_STOP) continue;
    status = fill_chunk(f, index);
    items += items_of(f, index);
    r->patience(r->patient); /* shows the progress, and asks for wishes */
  }
  if (items > 0) r->own.seconds = (nis_clock() - start) / (double)items;
  r->dealt += f->chunks + (size_t)r->link.size;
  return status;
}

/* Puts the chunks of all ranks into their places and counts those that are whole from 0 on. */
static int put_together(const struct filling *f, char *there, size_t *done)
{
  const struct shared_rows *work = f->work;
  struct ranks *r = f->r;
  for (int k = 0; k < r->link.size; k++)
    for (size_t at = r->from[k]; at < r->from[k + 1];) {
      uint64_t head[2];
      memcpy(head, r->inbox + at, sizeof head);
      size_t first = (size_t)head[0], index = first / f->chunk;
      if (index >= f->chunks || first % f->chunk != 0) return come_apart(r, k);
      size_t n = items_of(f, index), bytes = n * work->width * sizeof(double);
      if (head[1] != work->stamp(work->context, first, n)) return come_apart(r, k);
      memcpy(r->rows + first * work->width, r->inbox + at + CHUNK_HEAD, bytes);
      there[index] = 1;
      at += CHUNK_HEAD + bytes;
    }
  *done = 0;
  for (size_t i = 0; i < f->chunks && there[i]; i++) *done += items_of(f, i);
  return NIS_OK;
}

int nis_ranks_fill(struct ranks *r, const struct shared_rows *work, size_t *done)
{
  struct filling f = {.r = r, .work = work, .chunk = chunk_items(r, work->n)};
  *done = 0;
  if (r->over) return r->trouble;
  f.chunks = (work->n + f.chunk - 1) / f.chunk;
  NIS_TRY(nis_ranks_rows(r, work->n * work->width));
  int status = take_chunks(&f);
  if (r->over) return status;
  r->own.bytes = f.used;
  NIS_TRY(nis_ranks_exchange(r, stamp_of(FILLING, work->n), status));
  char *there = NIS_NEW(char, f.chunks);
  if (!there) return nis_no_memory();
  status = put_together(&f, there, done);
  free(there);
  return status;
}

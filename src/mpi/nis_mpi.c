/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ranks of an MPI communicator. The shared counter is a number in rank 0's memory, which the
 * others add to without it; a gather is one collective, which is waited for without keeping the
 * core busy. Nothing of libnis's inside is seen here.
 */
#include "nis_mpi.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

struct ring {
  MPI_Comm comm; /* ours alone */
  MPI_Win window;
  uint64_t *counter; /* in the window; of rank 0 */
  int size;
  int *counts, *places; /* [size] */
  int initialised;      /* MPI, by nis_mpi_begin */
  nis_mpi_traffic traffic;
};

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int claim(uint64_t *number, void *params)
{
  struct ring *ring = params;
  const uint64_t one = 1;
  ring->traffic.claims++;
  return MPI_Fetch_and_op(&one, number, MPI_UINT64_T, 0, 0, MPI_SUM, ring->window) ||
         MPI_Win_flush(0, ring->window);
}

/* Counts are ints: of eight bytes, where that is possible. Returns that unit; 0: too many. */
static size_t count(struct ring *ring, const size_t *bytes)
{
  size_t unit = sizeof(uint64_t), total = 0;
  for (int k = 0; k < ring->size; k++)
    if (bytes[k] % unit != 0) unit = 1;
  for (int k = 0; k < ring->size; k++) {
    if (total > INT_MAX || bytes[k] / unit > INT_MAX) return 0;
    ring->places[k] = (int)total;
    ring->counts[k] = (int)(bytes[k] / unit);
    total += bytes[k] / unit;
  }
  return total > INT_MAX ? 0 : unit;
}

/* At first this looks all the time, which what is sent then needs (with sched_yield() it took four
 * times as long on a busy machine), and then in pauses of a fiftieth of what it has waited. */
static int wait_for(MPI_Request *request, int (*patience)(void *), void *patient)
{
  const double busy = 3e-4, longest = 1e-3, show = 0.05; /* seconds */
  double start = now(), shown = start;
  for (int done = 0;;) {
    if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return 1;
    if (done) return 0;
    double time = now(), pause = (time - start) / 50;
    if (time - start < busy) continue;
    if (pause > longest) pause = longest;
    nanosleep(&(struct timespec){0, (long)(1e9 * pause)}, NULL);
    if (time - shown < show) continue;
    shown = time;
    if (patience(patient)) return 1;
  }
}

static int gather(const void *mine, void *all, const size_t *bytes, int (*patience)(void *),
                  void *patient, void *params)
{
  struct ring *ring = params;
  MPI_Request request;
  double start = now();
  int rank;
  MPI_Comm_rank(ring->comm, &rank);
  size_t unit = count(ring, bytes);
  MPI_Datatype type = unit == 1 ? MPI_BYTE : MPI_UINT64_T;
  if (unit == 0) return 1;
  if (MPI_Iallgatherv(mine, ring->counts[rank], type, all, ring->counts, ring->places, type,
                      ring->comm, &request) != MPI_SUCCESS)
    return 1;
  int lost = wait_for(&request, patience, patient);
  ring->traffic.gathers++;
  ring->traffic.sent += bytes[rank];
  for (int k = 0; k < ring->size; k++) ring->traffic.received += bytes[k];
  ring->traffic.waited += now() - start;
  return lost;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void free_ring(struct ring *ring)
{
  free(ring->counts);
  free(ring->places);
  free(ring);
}

static int open_window(struct ring *ring, int rank)
{
  MPI_Aint bytes = rank == 0 ? sizeof *ring->counter : 0;
  if (MPI_Win_allocate(bytes, sizeof *ring->counter, MPI_INFO_NULL, ring->comm, &ring->counter,
                       &ring->window) != MPI_SUCCESS)
    return NIS_RANKS;
  MPI_Win_set_errhandler(ring->window, MPI_ERRORS_RETURN);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, ring->window);
  if (rank == 0) *ring->counter = 0;
  MPI_Win_sync(ring->window);
  return MPI_Barrier(ring->comm) == MPI_SUCCESS ? NIS_OK : NIS_RANKS;
}

static int is_running(void)
{
  int begun = 0, ended = 0;
  MPI_Initialized(&begun);
  MPI_Finalized(&ended);
  return begun && !ended;
}

int nis_mpi_open(MPI_Comm comm, nis_ranks *ranks)
{
  int rank;
  *ranks = (nis_ranks){0};
  if (!is_running() || comm == MPI_COMM_NULL) return NIS_RANKS;
  struct ring *ring = calloc(1, sizeof *ring);
  if (!ring) return NIS_NO_MEMORY;
  int status = MPI_Comm_dup(comm, &ring->comm) == MPI_SUCCESS ? NIS_OK : NIS_RANKS;
  if (status != NIS_OK) return free_ring(ring), status;
  MPI_Comm_set_errhandler(ring->comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(ring->comm, &rank);
  MPI_Comm_size(ring->comm, &ring->size);
  ring->counts = malloc((size_t)ring->size * sizeof *ring->counts);
  ring->places = malloc((size_t)ring->size * sizeof *ring->places);
  status = ring->counts && ring->places ? open_window(ring, rank) : NIS_NO_MEMORY;
  if (status != NIS_OK) return free_ring(ring), status;
  *ranks = (nis_ranks){rank, ring->size, ring, claim, gather};
  return NIS_OK;
}

void nis_mpi_close(nis_ranks *ranks)
{
  struct ring *ring = ranks->params;
  if (!ring) return;
  MPI_Win_unlock_all(ring->window);
  MPI_Win_free(&ring->window);
  MPI_Comm_free(&ring->comm);
  free_ring(ring);
  *ranks = (nis_ranks){0};
}

int nis_mpi_begin(nis_ranks *ranks)
{
  int provided, mine = !is_running();
  *ranks = (nis_ranks){0};
  if (mine && MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    return NIS_RANKS;
  int status = nis_mpi_open(MPI_COMM_WORLD, ranks);
  if (status == NIS_OK) ((struct ring *)ranks->params)->initialised = mine;
  return status;
}

void nis_mpi_end(nis_ranks *ranks, int abort)
{
  struct ring *ring = ranks->params;
  if (!ring) return;
  int mine = ring->initialised;
  if (abort) MPI_Abort(MPI_COMM_WORLD, abort);
  nis_mpi_close(ranks);
  if (mine) MPI_Finalize();
}

void nis_mpi_count(const nis_ranks *ranks, nis_mpi_traffic *traffic)
{
  const struct ring *ring = ranks->params;
  *traffic = ring ? ring->traffic : (nis_mpi_traffic){0};
}

/* ---- one call -------------------------------------------------------------------------------- */

/* The ranks of one call. It ends also when an exception of the integrand's flies through. */
struct session {
  nis *s; /* that is shared meanwhile; or NULL */
  nis_ranks ranks;
  int status;
};

/* Where ranks are lost, the others would wait in vain for this one to close, or it for them. */
static void end(struct session *session)
{
  if (session->s) nis_set_ranks(session->s, NULL);
  if (session->status != NIS_RANKS) nis_mpi_close(&session->ranks);
}

static void begin(struct session *session, nis *s, MPI_Comm comm)
{
  session->status = nis_mpi_open(comm, &session->ranks);
  if (session->status != NIS_OK || !s) return;
  session->s = s;
  session->status = nis_set_ranks(s, &session->ranks);
}

/* `call` is what all ranks do with the handle. */
#define TOGETHER(s, comm, call)                                                                    \
  struct session session __attribute__((cleanup(end))) = {0};                                      \
  begin(&session, s, comm);                                                                        \
  if (session.status == NIS_OK) session.status = (call);                                           \
  return session.status

int nis_run_mpi_sized(nis *s, MPI_Comm comm, nis_result *result, size_t result_size)
{
  TOGETHER(s, comm, nis_run_sized(s, result, result_size));
}

int nis_train_mpi(nis *s, MPI_Comm comm, uint64_t calls)
{
  TOGETHER(s, comm, nis_train(s, calls));
}

int nis_estimate_mpi_sized(nis *s, MPI_Comm comm, uint64_t calls, nis_result *result,
                           size_t result_size)
{
  TOGETHER(s, comm, nis_estimate_sized(s, calls, result, result_size));
}

int nis_events_mpi_sized(nis *s, MPI_Comm comm, const nis_event_options *options,
                         nis_event_summary *summary, size_t options_size, size_t summary_size)
{
  TOGETHER(s, comm, nis_events_sized(s, options, summary, options_size, summary_size));
}

int nis_resume_mpi_sized(nis **out, nis_integrand *f, const nis_options *options, MPI_Comm comm,
                         size_t options_size)
{
  if (out) *out = NULL;
  TOGETHER(NULL, comm, nis_resume_shared_sized(out, f, options, &session.ranks, options_size));
}

/* ---- without sizes: the structs are those of this version --------------------------------------
 *
 * In parentheses, a name is no macro. */

int(nis_run_mpi)(nis *s, MPI_Comm comm, nis_result *result)
{
  return nis_run_mpi(s, comm, result);
}

int(nis_estimate_mpi)(nis *s, MPI_Comm comm, uint64_t calls, nis_result *result)
{
  return nis_estimate_mpi(s, comm, calls, result);
}

int(nis_events_mpi)(nis *s, MPI_Comm comm, const nis_event_options *options,
                    nis_event_summary *summary)
{
  return nis_events_mpi(s, comm, options, summary);
}

int(nis_resume_mpi)(nis **out, nis_integrand *f, const nis_options *options, MPI_Comm comm)
{
  return nis_resume_mpi(out, f, options, comm);
}

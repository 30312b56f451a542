/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs of libnis on many machines, over MPI.
 *
 *     MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
 *     nis_create(&s, f, &options);
 *     nis_run_mpi(s, MPI_COMM_WORLD, &result);
 *
 * All ranks of the communicator make a handle with the same options and call the same functions;
 * all get the same result, which has the bits of one process, for any number of ranks and threads
 * (nis_set_ranks in nis.h says what each rank does). The integrand's calls are shared out; it may
 * use MPI itself on another communicator. The thread that calls must be one that may call MPI.
 * options.threads are those of each rank: where several run on one machine without being bound to
 * cores, say how many.
 *
 * A library of its own, libnis_mpi, beside libnis (pkg-config: nis-mpi); it is of the MPI that it
 * was built with.
 */
#ifndef NIS_MPI_H
#define NIS_MPI_H

#include "nis_events.h"

#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* nis_run, nis_train, nis_estimate and nis_events by all ranks of comm. The handle is alone again
 * when they return. NIS_RANKS where MPI fails, is not initialised, or a process has ended: then
 * MPI_Finalize may wait for ever, and MPI_Abort is what is left. */
NIS_API int nis_run_mpi(nis *s, MPI_Comm comm, nis_result *result);
NIS_API int nis_train_mpi(nis *s, MPI_Comm comm, uint64_t calls);
NIS_API int nis_estimate_mpi(nis *s, MPI_Comm comm, uint64_t calls, nis_result *result);
NIS_API int nis_events_mpi(nis *s, MPI_Comm comm, const nis_event_options *options,
                           nis_event_summary *summary);

/* nis_resume by all ranks: options.checkpoint is a file that all can read, and rank 0 writes. It is
 * also how a run with a checkpoint begins. Another number of ranks may go on from it. */
NIS_API int nis_resume_mpi(nis **out, nis_integrand *f, const nis_options *options, MPI_Comm comm);

/* For many calls, and those that are not above: the ranks of comm for nis_set_ranks, called by all
 * of them; nis_mpi_close, by all, when no handle is shared with them any more. */
NIS_API int nis_mpi_open(MPI_Comm comm, nis_ranks *ranks);
NIS_API void nis_mpi_close(nis_ranks *ranks);

/* The same for programs that know nothing of MPI and load this library: initialises MPI, if nobody
 * has, and opens MPI_COMM_WORLD; ends both, or with `abort` all processes. */
NIS_API int nis_mpi_begin(nis_ranks *ranks);
NIS_API void nis_mpi_end(nis_ranks *ranks, int abort);

/* What this rank has had to do with the others since nis_mpi_open. It has just these members. */
typedef struct {
  uint64_t claims, gathers; /* chunks asked for, and how often all have met */
  uint64_t sent, received;  /* bytes of what was gathered: this rank's and everybody's */
  double waited;            /* seconds until all had come and had it */
} nis_mpi_traffic;

NIS_API void nis_mpi_count(const nis_ranks *ranks, nis_mpi_traffic *traffic);

/* ---- structs that grow: see the end of nis.h ------------------------------------------------- */

NIS_API int nis_run_mpi_sized(nis *s, MPI_Comm comm, nis_result *result, size_t result_size);
NIS_API int nis_estimate_mpi_sized(nis *s, MPI_Comm comm, uint64_t calls, nis_result *result,
                                   size_t result_size);
NIS_API int nis_events_mpi_sized(nis *s, MPI_Comm comm, const nis_event_options *options,
                                 nis_event_summary *summary, size_t options_size,
                                 size_t summary_size);
NIS_API int nis_resume_mpi_sized(nis **out, nis_integrand *f, const nis_options *options,
                                 MPI_Comm comm, size_t options_size);

#ifndef NIS_PLAIN
#define nis_run_mpi(...) nis_run_mpi_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_estimate_mpi(...) nis_estimate_mpi_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_events_mpi(...)                                                                        \
  nis_events_mpi_sized(__VA_ARGS__, sizeof(nis_event_options), sizeof(nis_event_summary))
#define nis_resume_mpi(...) nis_resume_mpi_sized(__VA_ARGS__, sizeof(nis_options))
#endif

#ifdef __cplusplus
}
#endif

#endif

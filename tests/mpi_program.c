/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests/test_mpi.py runs under mpirun: run, train and estimate, events, and a checkpoint, with
 * an integrand that can be slow or deadly on one rank. Rank 0 prints all bits that came out.
 *
 * usage: mpi_program run|steps|resume [CHECKPOINT] [slow] [die] */
#include "nis_mpi.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int rank, slow, deadly;
static long calls;

static double f(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  if (++calls > 300 && deadly && rank == 1) raise(SIGKILL);
  if (slow || deadly) nanosleep(&(struct timespec){0, slow && rank == 1 ? 5000000 : 100000}, NULL);
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.3) * (x[j] - 0.3);
  return exp(-square / 0.02);
}

static int take(const nis_event_block *block, void *params)
{
  double *sum = params;
  for (size_t i = 0; i < block->n; i++) *sum = *sum * 0.75 + block->x[i * block->dim];
  return 0;
}

static void print(const nis_result *r, double events)
{
  if (rank == 0)
    printf("%a %a %llu %a %d %a\n", r->value, r->error, (unsigned long long)r->calls, r->efficiency,
           r->status, events);
}

int main(int argc, char **argv)
{
  int provided, status;
  const char *what = argc > 1 ? argv[1] : "run";
  nis_options o = {.dim = 3, .calls = 6000, .seed = 11, .threads = 1, .checkpoint_seconds = 0.01};
  nis_result r = {0};
  nis *s = NULL;
  double events = 0;
  for (int i = 2; i < argc; i++)
    if (strcmp(argv[i], "slow") == 0)
      slow = 1;
    else if (strcmp(argv[i], "die") == 0)
      deadly = 1;
    else
      o.checkpoint = argv[i];
  const char *threads = getenv("THREADS");
  if (threads) o.threads = atoi(threads);
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  status = o.checkpoint ? nis_resume_mpi(&s, f, &o, MPI_COMM_WORLD) : nis_create(&s, f, &o);
  if (status == NIS_OK && strcmp(what, "steps") != 0) {
    status = nis_run_mpi(s, MPI_COMM_WORLD, &r);
  } else if (status == NIS_OK) {
    nis_event_summary summary;
    nis_event_options e = {.events = 200, .sink = take, .sink_params = &events};
    status = nis_train_mpi(s, MPI_COMM_WORLD, 3000);
    if (status == NIS_OK) status = nis_estimate_mpi(s, MPI_COMM_WORLD, 3000, &r);
    if (status == NIS_OK) status = nis_events_mpi(s, MPI_COMM_WORLD, &e, &summary);
  }
  if (status < NIS_OK) fprintf(stderr, "rank %d: %d: %s\n", rank, status, nis_last_error());
  if (status == NIS_RANKS) MPI_Abort(MPI_COMM_WORLD, 3);
  print(&r, events);
  long all[64];
  MPI_Gather(&calls, 1, MPI_LONG, all, 1, MPI_LONG, 0, MPI_COMM_WORLD);
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int k = 0; rank == 0 && k < size; k++) printf("%ld%c", all[k], k < size - 1 ? ' ' : '\n');
  nis_free(s);
  MPI_Finalize();
  return status < NIS_OK;
}

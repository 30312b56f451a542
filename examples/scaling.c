/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of `examples/scaling` under mpirun: an integrand in 8 dimensions that takes so many
 * microseconds, of which rank 0 prints the time and what the ranks had to say to each other.
 *
 * usage: scaling MICROSECONDS CALLS burn|sleep run|estimate
 * With `estimate` only that is timed, behind a training. */
#include "nis_mpi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cost; /* seconds */
static int sleeps;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A core is busy for that long, or waits for something else. */
static double f(double *x, size_t dim, void *params)
{
  double square = 0, end = now() + cost;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.4) * (x[j] - 0.4);
  if (sleeps) nanosleep(&(struct timespec){(time_t)cost, (long)(1e9 * fmod(cost, 1))}, NULL);
  while (!sleeps && now() < end) {
  }
  return exp(-square / 0.05);
}

int main(int argc, char **argv)
{
  int provided;
  nis *s = NULL;
  nis_ranks ranks;
  nis_result r;
  nis_mpi_traffic t;
  nis_options o = {.dim = 8, .threads = 1, .calls = argc > 2 ? (uint64_t)atof(argv[2]) : 20000};
  cost = 1e-6 * (argc > 1 ? atof(argv[1]) : 100);
  sleeps = argc > 3 && strcmp(argv[3], "sleep") == 0;
  int estimate_only = argc > 4 && strcmp(argv[4], "estimate") == 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  if (nis_mpi_open(MPI_COMM_WORLD, &ranks) != NIS_OK || nis_create(&s, f, &o) != NIS_OK)
    MPI_Abort(MPI_COMM_WORLD, 1);
  nis_set_ranks(s, &ranks);
  nis_mpi_traffic before = {0};
  double all = cost;
  cost = 0;
  if (estimate_only) nis_train(s, 5000);
  cost = all;
  nis_mpi_count(&ranks, &before);
  double start = now();
  int status = estimate_only ? nis_estimate(s, o.calls, &r) : nis_run(s, &r);
  double seconds = now() - start;
  nis_mpi_count(&ranks, &t);
  if (status < NIS_OK) MPI_Abort(MPI_COMM_WORLD, fprintf(stderr, "%s\n", nis_last_error()));
  if (ranks.rank == 0)
    printf("%d %g %llu %.4f %llu %llu %llu %llu %.4f %a\n", ranks.size, 1e6 * cost,
           (unsigned long long)o.calls, seconds, (unsigned long long)(t.claims - before.claims),
           (unsigned long long)(t.gathers - before.gathers),
           (unsigned long long)(t.sent - before.sent),
           (unsigned long long)(t.received - before.received), t.waited - before.waited, r.value);
  nis_free(s);
  nis_mpi_close(&ranks);
  MPI_Finalize();
  return 0;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// What tests/test_mpi.py runs under mpirun: the integrand of rank 1 throws, which it catches, while
// the others hear of it; then all go on. Each rank prints a line.
#define OMPI_SKIP_MPICXX // bindings that were taken out of MPI
#define MPICH_SKIP_MPICXX
#include "nis_mpi.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

static int rank, calls;

static double f(double *x, size_t, void *throws)
{
  if (throws && rank == 1 && ++calls > 50) throw std::runtime_error("thrown by rank 1");
  return std::exp(-10 * x[0]);
}

int main(int argc, char **argv)
{
  int provided, flag = 1;
  nis *s = nullptr;
  nis_result r{};
  nis_options o{};
  o.dim = 2, o.calls = 4000, o.threads = 1, o.params = &flag;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int first = 0;
  std::string caught = "nothing";
  nis_create(&s, f, &o);
  try {
    first = nis_run_mpi(s, MPI_COMM_WORLD, &r);
  } catch (const std::exception &e) {
    caught = e.what();
  }
  nis_free(s);
  o.params = nullptr;
  nis_create(&s, f, &o);
  int second = nis_run_mpi(s, MPI_COMM_WORLD, &r);
  std::printf("%d %d %d %s\n", rank, first, second, caught.c_str());
  nis_free(s);
  MPI_Finalize();
}

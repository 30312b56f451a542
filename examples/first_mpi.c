/* mpicc first_mpi.c $(pkg-config --cflags --libs nis-mpi) -lm; mpirun -n 4 ./a.out */
#include <math.h>
#include <nis_mpi.h>
#include <stdio.h>

static double f(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.3) * (x[j] - 0.3);
  return exp(-square / 0.02);
}

int main(int argc, char **argv)
{
  int provided, rank;
  nis *s;
  nis_result r;
  nis_options o = {.dim = 4, .calls = 100000, .threads = 1};
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (nis_create(&s, f, &o) == NIS_OK && nis_run_mpi(s, MPI_COMM_WORLD, &r) >= NIS_OK && rank == 0)
    printf("%g +- %g\n", r.value, r.error);
  nis_free(s);
  MPI_Finalize();
  return 0;
}

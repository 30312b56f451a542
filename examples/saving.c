/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large a saved handle is, and how long saving and loading take, against dimensions.
 * usage: saving [CALLS of the training, default 400,000] */
#include <nis.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static double peak(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += (x[j] - 0.5) * (x[j] - 0.5);
  return exp(-8 * sum);
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(void)
{
  fprintf(stderr, "%s\n", nis_last_error());
  return 1;
}

static int measure(size_t dim, uint64_t calls, const char *path)
{
  nis *s;
  nis_result r;
  nis_saved saved;
  struct stat file;
  nis_options o = {.dim = dim, .effort = 0.02}; /* how well it is trained is not the question */
  if (nis_create(&s, peak, &o) || nis_train(s, calls)) return fail();
  nis_estimate(s, 20000, &r);
  double start = now();
  if (nis_save(s, path)) return fail();
  double written = now();
  nis_free(s);
  double begun = now();
  if (nis_load(&s, path, peak, NULL)) return fail();
  double loaded = now();
  nis_free(s);
  if (nis_inspect(path, &saved) || stat(path, &file)) return fail();
  printf("%5zu %15llu %10.2f %9.0f %9.0f\n", dim, (unsigned long long)saved.stored,
         (double)file.st_size / 1e6, 1e3 * (written - start), 1e3 * (loaded - begun));
  return 0;
}

int main(int argc, char **argv)
{
  static const size_t dims[] = {4, 16, 64};
  char path[] = "/tmp/nis_saving_XXXXXX";
  uint64_t calls = argc > 1 ? strtoull(argv[1], NULL, 10) : 400000;
  int failed = mkstemp(path) < 0;
  printf("%5s %15s %10s %9s %9s\n", "dim", "stored points", "MB", "save, ms", "load, ms");
  for (int i = 0; i < 3 && !failed; i++) failed = measure(dims[i], calls, path);
  remove(path);
  return failed;
}

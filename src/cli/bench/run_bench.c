/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole runs, each in a child process, so that its largest resident size is its own. */
#include "bench.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A product of parabolas: about a nanosecond a dimension. */
static double parabolas(double *x, size_t dim, void *params)
{
  (void)params;
  double product = 1;
  for (size_t j = 0; j < dim; j++) product *= 0.5 + 3 * x[j] * (1 - x[j]);
  return product;
}

static int sample_as_many(nis *s, size_t dim, uint64_t calls)
{
  enum { BLOCK = 16384 };
  double *x = malloc(BLOCK * dim * sizeof *x), *log_q = malloc(BLOCK * sizeof *log_q);
  int status = x && log_q ? NIS_OK : NIS_NO_MEMORY;
  for (uint64_t done = 0; status == NIS_OK && done < calls; done += BLOCK)
    status = nis_sample(s, calls - done < BLOCK ? (size_t)(calls - done) : BLOCK, x, log_q, NULL);
  free(x);
  free(log_q);
  return status;
}

static int save_and_load(nis *s, struct run_bench *r)
{
  char path[] = "nis-bench-XXXXXX";
  struct stat about;
  nis *loaded = NULL;
  int file = mkstemp(path);
  if (file < 0) return NIS_NO_FILE;
  close(file);
  double start = nis_clock();
  int status = nis_save(s, path);
  r->save_seconds = nis_clock() - start;
  start = nis_clock();
  if (status == NIS_OK) status = nis_load(&loaded, path, parabolas, NULL);
  r->load_seconds = nis_clock() - start;
  r->file_bytes = stat(path, &about) == 0 ? (double)about.st_size : 0;
  nis_free(loaded);
  unlink(path);
  return status;
}

static int run(struct run_bench *r)
{
  nis_options o = {.dim = r->dim, .threads = r->threads};
  uint64_t train = r->calls * 2 / 5, rest = r->calls - train;
  nis *s;
  int status = nis_create(&s, parabolas, &o);
  double start = nis_clock();
  if (status == NIS_OK) status = nis_train(s, train);
  r->train_seconds = nis_clock() - start;
  start = nis_clock();
  if (status == NIS_OK) status = nis_estimate(s, rest, NULL);
  r->integrate_seconds = nis_clock() - start;
  start = nis_clock();
  if (status == NIS_OK) status = sample_as_many(s, r->dim, rest);
  r->sample_seconds = nis_clock() - start;
  if (status == NIS_OK) status = save_and_load(s, r);
  nis_free(s);
  if (status != NIS_OK) fprintf(stderr, "nis bench: %s\n", nis_last_error());
  return status;
}

static void child(int to_parent, struct run_bench *r)
{
  int status = run(r);
  ssize_t written = write(to_parent, r, sizeof *r);
  _exit(status == NIS_OK && written == (ssize_t)sizeof *r ? 0 : 1);
}

int bench_run(size_t dim, uint64_t calls, int threads, struct run_bench *out)
{
  int ends[2], status;
  struct rusage usage;
  *out = (struct run_bench){.dim = dim, .calls = calls, .threads = threads};
  if (pipe(ends) != 0) return NIS_NO_MEMORY;
  pid_t pid = fork();
  if (pid == 0) child(ends[1], out);
  close(ends[1]);
  ssize_t got = pid > 0 ? read(ends[0], out, sizeof *out) : -1;
  close(ends[0]);
  if (pid > 0 && wait4(pid, &status, 0, &usage) != pid) return NIS_NO_MEMORY;
  if (got != (ssize_t)sizeof *out || status != 0) return NIS_NO_MEMORY;
  out->bytes = 1024. * (double)usage.ru_maxrss;
  return NIS_OK;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files for nis_load: as they are, or with their checksums put right. What loads is used. */
#define _GNU_SOURCE
#include "../saved_file.h"

#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static double scalar(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += x[j] * x[j];
  return exp(-sum);
}

static int batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < ncomp; c++)
      f[i * ncomp + c] = scalar((double *)x + i * dim, dim, params);
  return 0;
}

/* What is right but takes long is made short. */
static const nis_options limits = {
    .threads = 1, .minibatch = 64, .replay = 1, .replay_bytes = 4096, .batch_points = 64};

static void load(const char *path, int use)
{
  nis_options o = limits;
  nis *s;
  int status = nis_load(&s, path, scalar, &o);
  o.batch = batch;
  if (status == NIS_INVALID) status = nis_load(&s, path, NULL, &o); /* several components */
  if ((status == NIS_OK) != (s != NULL)) abort();
  if (status != NIS_OK && !*nis_last_error()) abort();
  if (s && use) use_handle(s, NIS_MOST_DIM);
  nis_free(s);
}

/* The first byte says whether the checksums are put right, and whether what loads is used, which
 * takes longer. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  static int descriptor = -1;
  static char path[64];
  static unsigned char bytes[1 << 20];
  if (size < 1 || size > sizeof bytes) return 0;
  if (descriptor < 0) {
    descriptor = memfd_create("saved", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  }
  memcpy(bytes, data + 1, size - 1);
  if (data[0] & 1) repair_sums(bytes, size - 1);
  if (ftruncate(descriptor, 0) || pwrite(descriptor, bytes, size - 1, 0) != (ssize_t)size - 1)
    abort();
  load(path, data[0] & 2);
  return 0;
}

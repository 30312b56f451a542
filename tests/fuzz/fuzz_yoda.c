/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files for nis_histogram_read. What it takes is used, merged, and written and read again. */
#define _GNU_SOURCE
#include "nis_histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct place {
  int descriptor;
  char path[64];
};

static struct place make_place(const char *name)
{
  struct place p = {.descriptor = memfd_create(name, 0)};
  if (p.descriptor < 0) abort();
  snprintf(p.path, sizeof p.path, "/proc/self/fd/%d", p.descriptor);
  return p;
}

static nis_histogram *read_one(const struct place *from, size_t number)
{
  nis_histogram *h;
  int status = nis_histogram_read(&h, from->path, number);
  if (h && status != NIS_OK) abort();
  if (status != NIS_OK && !*nis_last_error()) abort();
  return h;
}

static void look(const nis_histogram *h)
{
  nis_axis axis = {0};
  nis_bin bin;
  size_t slot[2] = {0, 1};
  if (nis_histogram_total(h, &bin) || nis_histogram_nowhere(h, &bin)) abort();
  for (size_t k = 0; k < nis_histogram_axes(h); k++) {
    if (nis_histogram_axis(h, k, &axis) || strlen(axis.name) + strlen(axis.unit) > 1 << 20) abort();
    for (size_t i = 0; i <= axis.bins; i++)
      if (!(axis.edges[i] - (i ? axis.edges[i - 1] : -INFINITY) > 0)) abort();
  }
  for (; slot[0] < 3; slot[0]++)
    if (nis_histogram_bin(h, slot, &bin)) abort();
}

/* As many points and the same title as before: sums may have been rounded, or be no numbers. */
static void write_again(const nis_histogram *h)
{
  static struct place again;
  if (!again.path[0]) again = make_place("again");
  if (ftruncate(again.descriptor, 0)) abort();
  if (nis_histogram_write(&h, 1, again.path, NIS_HISTOGRAM_YODA, 1)) abort();
  nis_histogram *same = read_one(&again, 0);
  if (same && nis_histogram_count(same) != nis_histogram_count(h)) abort();
  nis_histogram_free(same);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  static struct place given;
  if (!given.path[0]) given = make_place("given");
  if (ftruncate(given.descriptor, 0) || pwrite(given.descriptor, data, size, 0) != (ssize_t)size)
    abort();
  for (size_t number = 0; number < 3; number++) {
    nis_histogram *h = read_one(&given, number), *other = read_one(&given, number);
    if (h) {
      look(h);
      write_again(h);
      if (nis_histogram_merge(h, other) == NIS_OK) look(h);
    }
    nis_histogram_free(h);
    nis_histogram_free(other);
  }
  return 0;
}

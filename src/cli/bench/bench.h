/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast the flow runs here: points per second, and as a share of what the core can do. */
#ifndef NIS_BENCH_H
#define NIS_BENCH_H

#include "nis.h"

#include <stddef.h>

/* Of several repeats. */
struct rate {
  double median, low, high;
};

/* Counted on the net's multiply-adds alone, 2 operations each; training is 3 times a pass. */
struct speed {
  int threads;
  struct rate sample, density, train; /* points per second */
};

/* Kernels, which run inside of the stages */
enum share { SHARE_NET, SHARE_TRANSFORM, SHARE_RANDOM, SHARE_ADAM, SHARES };
extern const char *const share_names[SHARES];

/* What a training does, one after the other; the last is the rest */
enum { BENCH_STAGES = 8 };
extern const char *const stage_names[BENCH_STAGES];

struct flow_bench {
  size_t dim, parameters;
  int layers, hidden_layers, hidden_width, bins;
  const char *coupling;  /* its name */
  double flops;          /* of one pass of one point */
  double peak;           /* float32 operations per second of one core, measured just before */
  struct speed one, all; /* one thread; all threads */
  /* of the time of a training run with a cheap callback, one thread: */
  double stages[BENCH_STAGES], shares[SHARES];
};

enum { BENCH_REPEATS = 7 };

/* Fills out for the flow that these options make; up to BENCH_REPEATS repeats. */
int bench_flow(const nis_options *o, int repeats, struct flow_bench *out);

/* One whole run with a callback of a few nanoseconds, in a process of its own. */
struct run_bench {
  size_t dim;
  uint64_t calls;
  int threads;
  double train_seconds, integrate_seconds;
  double sample_seconds; /* drawing as many points from the flow without calling */
  double bytes;          /* largest resident size */
  double save_seconds, load_seconds, file_bytes; /* of the handle in a file, on the disk */
};

int bench_run(size_t dim, uint64_t calls, int threads, struct run_bench *out);

const char *bench_kernels(void); /* the instruction set in use */

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much memory is asked for, and what happens where there is none. The library's blocks come
 * from aligned_alloc, of which this program has one of its own. */
#include "base/memory.h"
#include "events.h"
#include "sampler/sampler.h"
#include "suite.h"

#include <math.h>
#include <string.h>

static struct {
  uint64_t blocks, bytes; /* asked for so far */
  uint64_t missing;       /* number of the block that there is no memory for; 0: none */
  size_t most;            /* bytes that a block may have; 0: any number */
  int content;            /* of each byte of a new block */
} heap;

void *aligned_alloc(size_t alignment, size_t size)
{
  void *block = NULL;
  heap.blocks++;
  heap.bytes += size;
  if (heap.blocks == heap.missing || (heap.most && size > heap.most)) return NULL;
  if (posix_memalign(&block, alignment, size)) return NULL;
  return memset(block, heap.content, size);
}

static double ramp(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] * x[0];
}

static int batch_ramp(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < ncomp; c++) f[i * ncomp + c] = x[i * dim] * (double)(c + 1);
  return 0;
}

static nis_options tiny(size_t dim)
{
  return (nis_options){.dim = dim,
                       .calls = 100,
                       .threads = 4,
                       .layers = 2,
                       .hidden_layers = 1,
                       .hidden_width = 8,
                       .bins = 4,
                       .replay = 1};
}

/* ---- how much ----------------------------------------------------------------------------- */

START_TEST(memory_follows_the_calls_not_their_limits)
{
  nis_options o = tiny(4);
  o.batch = batch_ramp, o.ncomp = 200, o.batch_points = 1048576, o.follow = NIS_FOLLOW_NORM;
  heap.most = 1 << 24;
  nis_result r = nis_integrate_with(NULL, &o);
  ck_assert_int_ge(r.status, NIS_OK);
  ck_assert_uint_eq(r.calls, 100);
  check_between((double)heap.bytes, 0, 3e6, "bytes");
}
END_TEST

static int ignore(const nis_event_block *events, void *params)
{
  (void)events, (void)params;
  return 0;
}

START_TEST(one_event_costs_little)
{
  nis_options o = tiny(256);
  nis *s;
  ck_assert_int_eq(nis_create(&s, ramp, &o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 1000, NULL), NIS_OK);
  heap.bytes = 0;
  ck_assert_int_eq(events_of(s, 1, ignore, NULL, NULL), NIS_OK);
  check_between((double)heap.bytes, 0, 1e6, "bytes");
  nis_free(s);
}
END_TEST

/* ---- where there is none -------------------------------------------------------------------- */

START_TEST(sizes_that_overflow)
{
  struct points p;
  ck_assert_uint_eq(nis_product(SIZE_MAX / 2, 2), SIZE_MAX - 1);
  ck_assert_uint_eq(nis_product(SIZE_MAX / 2, 3), SIZE_MAX);
  ck_assert_uint_eq(nis_product(SIZE_MAX, 0), 0);
  ck_assert_ptr_null(NIS_RAW(double, SIZE_MAX));
  ck_assert_ptr_null(NIS_NEW(double, SIZE_MAX / 8));
  ck_assert_int_eq(nis_points_init(&p, SIZE_MAX / 1024, 256), NIS_NO_MEMORY);
  ck_assert_int_eq(nis_points_init(&p, (size_t)1 << 61, 1), NIS_NO_MEMORY);
  nis_points_clear(&p);
}
END_TEST

START_TEST(the_largest_options)
{
  nis *s;
  nis_options o = {.dim = 256,
                   .layers = 64,
                   .hidden_layers = 8,
                   .hidden_width = 1024,
                   .bins = 128,
                   .threads = 1024};
  heap.most = 1 << 28;
  ck_assert_int_eq(nis_create(&s, ramp, &o), NIS_NO_MEMORY);
  ck_assert_ptr_null(s);
  ck_assert_str_ne(nis_last_error(), "");
}
END_TEST

/* All that a handle can do; the first status that is an error ends it. */
static int use_all(const nis_options *o, double *value)
{
  nis *s;
  nis_result r = {0};
  nis_pulled_event event;
  nis_event_options text = {.events = 10, .path = "/dev/null", .whole_run = 1};
  double x[12], log_q[4], weight[4];
  int status = nis_create(&s, o->batch ? NULL : ramp, o);
  if (status >= NIS_OK) status = nis_train(s, 1000);
  if (status >= NIS_OK) status = nis_estimate(s, 1000, &r);
  if (status >= NIS_OK) status = nis_sample(s, 4, x, log_q, weight);
  if (status >= NIS_OK) status = nis_density(s, 4, x, log_q);
  if (status >= NIS_OK) status = events_of(s, 100, ignore, NULL, NULL);
  if (status >= NIS_OK) status = nis_events(s, &text, NULL);
  if (status >= NIS_OK) status = nis_next_event(s, NULL, &event);
  nis_free(s);
  *value = r.value + x[0] + log_q[3] + weight[3];
  return status;
}

START_TEST(any_block_may_be_missing)
{
  double value;
  for (int components = 0; components < 2; components++) {
    nis_options o = tiny(2);
    if (components) o.batch = batch_ramp, o.ncomp = 3, o.follow = NIS_FOLLOW_NORM;
    int status = NIS_NO_MEMORY;
    for (uint64_t k = 1; status == NIS_NO_MEMORY; k++) {
      heap.blocks = 0, heap.missing = k;
      status = use_all(&o, &value);
      require(status == NIS_NO_MEMORY || heap.blocks < k, "block %d: %d", (int)k, status);
    }
    ck_assert_int_ge(status, NIS_OK);
    ck_assert_uint_gt(heap.blocks, 30);
  }
}
END_TEST

/* Nothing is read that was not written. */
START_TEST(new_memory_may_hold_anything)
{
  double value[2];
  for (int components = 0; components < 2; components++) {
    nis_options o = tiny(3);
    if (components) o.batch = batch_ramp, o.ncomp = 3, o.follow = NIS_FOLLOW_NORM;
    for (int i = 0; i < 2; i++) {
      heap.content = i ? 0xff : 0; /* NaN */
      ck_assert_int_ge(use_all(&o, &value[i]), NIS_OK);
    }
    ck_assert(isfinite(value[0]));
    ck_assert_double_eq(value[0], value[1]);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("memory");
  TCase *all = tcase_create("memory");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, memory_follows_the_calls_not_their_limits);
  tcase_add_test(all, one_event_costs_little);
  tcase_add_test(all, sizes_that_overflow);
  tcase_add_test(all, the_largest_options);
  tcase_add_test(all, any_block_may_be_missing);
  tcase_add_test(all, new_memory_may_hold_anything);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}

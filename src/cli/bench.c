/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis bench: the only command that looks inside the library, through bench.h. */
#include "commands.h"

#include "cli/bench/bench.h"
#include "json.h"
#include "message.h"

#include <inttypes.h>
#include <stdio.h>

/* The comparison with other tools: 8 dimensions, 2 hidden layers of 32, 10 bins. */
static const nis_options reference = {.dim = 8, .hidden_layers = 2, .hidden_width = 32, .bins = 10};

static double train_share(const struct flow_bench *b)
{
  return b->one.train.median * 3 * b->flops / b->peak;
}

static double sample_share(const struct flow_bench *b)
{
  return b->one.sample.median * b->flops / b->peak;
}

/* ---- text ---------------------------------------------------------------------------- */

static void print_rate(struct rate r)
{
  printf(" %8.4g (%.3g-%.3g)", r.median * 1e-3, r.low * 1e-3, r.high * 1e-3);
}

static void print_flow(const char *title, const struct flow_bench *b)
{
  printf("\n%s: d = %zu, %d layers, nets %d x %d, %s, %d bins, %zu parameters\n", title, b->dim,
         b->layers, b->hidden_layers, b->hidden_width, b->coupling, b->bins, b->parameters);
  const struct speed *speeds[] = {&b->one, &b->all};
  for (int i = 0; i < 1 + (b->all.threads > 1); i++) {
    printf("  %2d thread%s  train", speeds[i]->threads, speeds[i]->threads == 1 ? " " : "s");
    print_rate(speeds[i]->train);
    printf("  sample");
    print_rate(speeds[i]->sample);
    printf("  density");
    print_rate(speeds[i]->density);
    puts("");
  }
  printf("  peak %.0f GFLOP/s; train %.1f = %.0f %%, sample %.1f = %.0f %%\n", b->peak * 1e-9,
         train_share(b) * b->peak * 1e-9, 100 * train_share(b), sample_share(b) * b->peak * 1e-9,
         100 * sample_share(b));
  printf("  training run:");
  for (int i = 0; i < BENCH_STAGES; i++) printf(" %s %.1f %%", stage_names[i], 100 * b->stages[i]);
  printf("; in it");
  for (int i = 0; i < SHARES; i++) printf(" %s %.1f %%", share_names[i], 100 * b->shares[i]);
  puts("");
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void json_rate(struct json *json, const char *key, struct rate r)
{
  json_object(json, key);
  json_real(json, "median", r.median);
  json_real(json, "low", r.low);
  json_real(json, "high", r.high);
  json_end(json);
}

static void json_speed(struct json *json, const char *key, const struct speed *s)
{
  json_object(json, key);
  json_int(json, "threads", s->threads);
  json_rate(json, "train", s->train);
  json_rate(json, "sample", s->sample);
  json_rate(json, "density", s->density);
  json_end(json);
}

static void json_members(struct json *json, const struct flow_bench *b)
{
  json_whole(json, "dim", b->dim);
  json_text(json, "coupling", b->coupling);
  json_whole(json, "parameters", b->parameters);
  json_real(json, "peak_gflops", b->peak * 1e-9);
  json_real(json, "train_points_per_s", b->one.train.median);
  json_real(json, "sample_points_per_s", b->one.sample.median);
  json_real(json, "density_points_per_s", b->one.density.median);
  json_real(json, "train_share", train_share(b));
  json_real(json, "sample_share", sample_share(b));
  json_speed(json, "one_thread", &b->one);
  json_speed(json, "all_threads", &b->all);
  json_object(json, "time_stages");
  for (int i = 0; i < BENCH_STAGES; i++) json_real(json, stage_names[i], b->stages[i]);
  json_end(json);
  json_object(json, "time_shares");
  for (int i = 0; i < SHARES; i++) json_real(json, share_names[i], b->shares[i]);
  json_end(json);
}

/* ---- the two benchmarks -------------------------------------------------------------- */

struct report {
  int text;
  struct json json;
};

static int failed(int status)
{
  return complain(FAILED, "%s", *nis_last_error() ? nis_last_error() : nis_strerror(status));
}

static int flow_benches(const struct arguments *a, struct report *report)
{
  static const size_t dims[] = {2, 4, 8, 16, 32, 64, 128};
  int repeats = a->quick ? 3 : BENCH_REPEATS, n = a->quick ? 3 : (int)(sizeof dims / sizeof *dims);
  struct flow_bench b;
  nis_options o = reference;
  o.threads = a->options.threads;
  o.coupling = a->options.coupling;
  int status = bench_flow(&o, repeats, &b);
  if (status != NIS_OK) return failed(status);
  if (report->text) {
    printf("instruction set %s; thousands of points per second, median (lowest-highest) of %d\n",
           bench_kernels(), repeats);
    print_flow("reference", &b);
  } else {
    json_text(&report->json, "kernels", bench_kernels());
    json_members(&report->json, &b);
    json_array(&report->json, "default_nets");
  }
  for (int i = 0; i < n && status == NIS_OK; i++) {
    o = (nis_options){
        .dim = dims[i], .threads = a->options.threads, .coupling = a->options.coupling};
    status = bench_flow(&o, repeats, &b);
    if (status == NIS_OK && report->text) print_flow("default net", &b);
    if (status == NIS_OK && !report->text) {
      json_object(&report->json, NULL);
      json_members(&report->json, &b);
      json_end(&report->json);
    }
  }
  if (!report->text) json_end(&report->json);
  return status == NIS_OK ? DONE : failed(status);
}

static void show_run(struct report *report, const struct run_bench *r)
{
  if (report->text) {
    printf("%5zu %10" PRIu64 " %8d %10.3f %10.3f %12.3f %9.1f %8.2f %9.3f %9.3f\n", r->dim,
           r->calls, r->threads, r->train_seconds, r->integrate_seconds, r->sample_seconds,
           r->bytes / 1048576, r->file_bytes / 1048576, r->save_seconds, r->load_seconds);
    return;
  }
  json_object(&report->json, NULL);
  json_whole(&report->json, "dim", r->dim);
  json_whole(&report->json, "calls", r->calls);
  json_int(&report->json, "threads", r->threads);
  json_real(&report->json, "train_seconds", r->train_seconds);
  json_real(&report->json, "integrate_seconds", r->integrate_seconds);
  json_real(&report->json, "sample_seconds", r->sample_seconds);
  json_real(&report->json, "bytes", r->bytes);
  json_real(&report->json, "file_bytes", r->file_bytes);
  json_real(&report->json, "save_seconds", r->save_seconds);
  json_real(&report->json, "load_seconds", r->load_seconds);
  json_end(&report->json);
}

static int run_benches(const struct arguments *a, struct report *report)
{
  static const struct {
    size_t dim;
    uint64_t calls;
  } cases[] = {{2, 100},     {4, 100},     {8, 100},      {2, 1000},   {4, 1000},    {8, 1000},
               {2, 10000},   {4, 10000},   {8, 10000},    {2, 100000}, {8, 100000},  {32, 100000},
               {2, 1000000}, {8, 1000000}, {32, 1000000}, {4, 400000}, {16, 400000}, {64, 400000}};
  int n = a->quick ? 9 : (int)(sizeof cases / sizeof *cases);
  int most = a->options.threads ? a->options.threads : 2;
  if (report->text)
    puts("    d      calls  threads    train s    integr. s   sampling s  peak MiB"
         " file MiB    save s    load s");
  else
    json_array(&report->json, "runs");
  for (int i = 0; i < n; i++) {
    for (int threads = 1; threads <= most; threads += most > 1 ? most - 1 : 1) {
      struct run_bench r;
      int status = bench_run(cases[i].dim, cases[i].calls, threads, &r);
      if (status != NIS_OK) return failed(status);
      show_run(report, &r);
    }
  }
  if (!report->text) json_end(&report->json);
  return DONE;
}

int bench_command(const struct arguments *a)
{
  struct report report = {.text = !a->json, .json = {.file = stdout}};
  if (a->json) json_object(&report.json, NULL);
  int code = a->runs ? run_benches(a, &report) : flow_benches(a, &report);
  if (a->json) json_end(&report.json);
  return code;
}

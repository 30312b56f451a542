/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histograms: what falls where, errors against known marginals and sums made here, files. */
#include "nis_histogram.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { DIM = 3, BINS = 8, SLOTS = BINS + 2 };

/* ---- a product of Gaussians ----------------------------------------------------------------- */

static const double width = 0.15;

static double gaussians(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += pow((x[j] - 0.5) / width, 2);
  return exp(-square / 2);
}

/* Of one of them, from low to high */
static double part(double low, double high)
{
  double scale = width * sqrt(2);
  return width * sqrt(M_PI / 2) * (erf((high - 0.5) / scale) - erf((low - 0.5) / scale));
}

static double coordinate(const double *x, size_t dim, const double *outputs, size_t extra,
                         void *params)
{
  (void)dim, (void)outputs, (void)extra;
  return x[*(const size_t *)params];
}

static size_t numbers[] = {0, 1, 2};

static nis_axis axis_of(size_t number)
{
  return (nis_axis){.observable = coordinate,
                    .params = &numbers[number],
                    .name = number ? "y" : "x",
                    .bins = BINS,
                    .low = 0.2,
                    .high = 0.8};
}

static nis_histogram *make(const nis_axis *axes, size_t naxes)
{
  nis_histogram *h;
  ck_assert_int_eq(nis_histogram_create(&h, "marginal", axes, naxes), NIS_OK);
  return h;
}

static nis_bin bin_at(const nis_histogram *h, size_t i, size_t j)
{
  nis_bin bin;
  size_t slot[] = {i, j};
  ck_assert_int_eq(nis_histogram_bin(h, slot, &bin), NIS_OK);
  return bin;
}

static nis_bin total(const nis_histogram *h)
{
  nis_bin bin;
  ck_assert_int_eq(nis_histogram_total(h, &bin), NIS_OK);
  return bin;
}

static nis_result fill(nis_histogram *h, nis_options o)
{
  o.dim = DIM;
  o.calls = o.calls ? o.calls : 20000;
  o.effort = 0.2;
  o.sink = o.sink ? o.sink : nis_histogram_points;
  o.sink_params = o.sink_params ? o.sink_params : h;
  nis_result r = nis_integrate_with(gaussians, &o);
  require(r.status >= NIS_OK, "%s", nis_last_error());
  return r;
}

/* Pulls of the bins, and of under- and overflow, over estimates of one flow: how many are within
 * one error, and beyond four. Bins of an estimate depend on each other a little; taken as
 * independent, the bounds are 5 standard deviations off for a share of 68.3 %: a false alarm once
 * in 1e6. Student's tail with 15 degrees of freedom has 0.1 % beyond four. */
static void check_pulls(nis_point_set points)
{
  int estimates = samples(128), n = 0, within = 0, beyond = 0;
  nis_axis axis = axis_of(0);
  nis_histogram *h = make(&axis, 1);
  double rest = pow(part(0, 1), DIM - 1);
  nis *s;
  nis_options o = {.dim = DIM, .points = points, .sink = nis_histogram_points, .sink_params = h};
  ck_assert_int_eq(nis_create(&s, gaussians, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 4000), NIS_OK);
  for (int k = 0; k < estimates; k++) {
    ck_assert_int_eq(nis_drop_estimate(s), NIS_OK);
    ck_assert_int_eq(nis_estimate(s, 4096, NULL), NIS_OK);
    for (size_t i = 0; i < SLOTS; i++) {
      nis_bin bin = bin_at(h, i, 0);
      double exact = rest * part(fmax(bin.low[0], 0), fmin(bin.high[0], 1));
      double pull = (bin.value - exact) / bin.error;
      within += fabs(pull) < 1;
      beyond += fabs(pull) > 4;
      n++;
    }
  }
  double off = 5 * sqrt(0.683 * 0.317 / n);
  check_between((double)within / n, 0.683 - off, 0.683 + off, "share of pulls within 1");
  check_between(beyond, 0, 1 + n * 1e-3 + 5 * sqrt(n * 1e-3), "pulls beyond 4");
  nis_free(s);
  nis_histogram_free(h);
}

START_TEST(pulls_of_nets)
{
  check_pulls(NIS_POINTS_NETS);
}
END_TEST

START_TEST(pulls_of_random_points)
{
  check_pulls(NIS_POINTS_RANDOM);
}
END_TEST

/* ---- against sums made here ------------------------------------------------------------------ */

enum { MOST_NETS = 64 };

struct naive {
  nis_histogram *h;
  long double w[MOST_NETS][SLOTS], all;
  double n[MOST_NETS];
  int nets;
};

static int naive_sink(const nis_point_block *p, void *params)
{
  struct naive *s = params;
  if (p->before == 0) memset(s->w, 0, sizeof s->w), memset(s->n, 0, sizeof s->n), s->all = 0;
  for (size_t i = 0; i < p->n; i++) {
    double at = (p->x[i * DIM] - 0.2) / 0.6 * BINS;
    int slot = at < 0 ? 0 : at >= BINS ? BINS + 1 : 1 + (int)at;
    s->w[p->iteration][slot] += p->weight[i];
    s->n[p->iteration]++;
    s->all += p->weight[i];
  }
  if (p->before == 0 || p->iteration >= s->nets) s->nets = p->iteration + 1;
  ck_assert_int_eq(p->nets, 1);
  return nis_histogram_points(p, s->h);
}

START_TEST(errors_are_the_spread_of_nets)
{
  nis_axis axis = axis_of(0);
  static struct naive s;
  s = (struct naive){.h = make(&axis, 1)};
  nis_result r = fill(s.h, (nis_options){.sink = naive_sink, .sink_params = &s, .seed = 5});
  double n = (double)nis_histogram_count(s.h), quadrature = 0, sum = 0;
  ck_assert_int_ge(s.nets, 16);
  for (size_t i = 0; i < SLOTS; i++) {
    nis_bin bin = bin_at(s.h, i, 0);
    long double value = 0, square = 0;
    for (int k = 0; k < s.nets; k++) value += s.w[k][i] / n;
    for (int k = 0; k < s.nets; k++) square += powl(s.w[k][i] / s.n[k] - value, 2);
    double error = (double)sqrtl(square / s.nets / (s.nets - 1));
    require(fabs(bin.value - (double)value) <= 1e-12 * fabs(bin.value), "bin %zu: %g", i,
            bin.value);
    /* times Student's t, and more where they are skew */
    check_between(bin.error / error, 1.01, 1.3, "error over that of the spread");
    quadrature += bin.error * bin.error;
    sum += bin.value;
  }
  nis_bin all = total(s.h);
  require(fabs(sum - all.value) < 1e-13 && fabs(all.value - (double)(s.all / n)) < 1e-13,
          "bins give %.17g, all %.17g", sum, all.value);
  require(fabs(all.value - r.value) < 3 * r.error, "%g, but the integral is %g +- %g", all.value,
          r.value, r.error);
  check_between(all.error / r.error, 0.5, 2, "error of all bins over the integral's");
  /* one net's points are spread over all bins evenly: the bins' errors are not independent */
  ck_assert_double_lt(all.error, 0.7 * sqrt(quadrature));
  nis_histogram_free(s.h);
}
END_TEST

/* On the way to a goal estimates are given up, and nets grow in turn. */
START_TEST(goals)
{
  nis_axis axis = axis_of(0);
  static struct naive s;
  s = (struct naive){.h = make(&axis, 1)};
  nis_result r = fill(s.h, (nis_options){.sink = naive_sink,
                                         .sink_params = &s,
                                         .rel_error = 2e-3,
                                         .seed = 1,
                                         .call_seconds = 1e-6,
                                         .calls = 1000000});
  nis_bin all = total(s.h);
  double sum = 0;
  for (int k = 0; k < s.nets; k++) sum += s.n[k];
  ck_assert_double_eq(sum, (double)nis_histogram_count(s.h));
  require(fabs(all.value - (double)s.all / sum) <= 1e-12 * all.value, "%g", all.value);
  check_between(all.error / r.error, 0.5, 2, "error of all bins over the integral's");
  nis_histogram_free(s.h);
}
END_TEST

START_TEST(random_points)
{
  nis_axis axis = axis_of(0);
  nis_histogram *h = make(&axis, 1);
  fill(h, (nis_options){.points = NIS_POINTS_RANDOM, .seed = 2});
  double n = (double)nis_histogram_count(h);
  for (size_t i = 0; i < SLOTS; i++) {
    nis_bin bin = bin_at(h, i, 0);
    double error = sqrt((bin.sum_w2 / n - bin.value * bin.value) / (n - 1));
    ck_assert_double_eq_tol(bin.error, error, 1e-12 * error);
    ck_assert_double_eq_tol(bin.effective, bin.sum_w * bin.sum_w / bin.sum_w2,
                            1e-9 * bin.effective);
  }
  nis_histogram_free(h);
}
END_TEST

START_TEST(same_bits_for_any_threads)
{
  nis_axis axes[] = {axis_of(0), axis_of(1)};
  nis_histogram *one = make(axes, 2), *many = make(axes, 2);
  fill(one, (nis_options){.threads = 1});
  fill(many, (nis_options){.threads = 5});
  for (size_t i = 0; i < SLOTS; i++)
    for (size_t j = 0; j < SLOTS; j++) {
      nis_bin a = bin_at(one, i, j), b = bin_at(many, i, j);
      require(memcmp(&a, &b, sizeof a) == 0, "bin %zu %zu: %.17g and %.17g", i, j, a.value,
              b.value);
    }
  nis_histogram_free(one);
  nis_histogram_free(many);
}
END_TEST

/* ---- two axes ------------------------------------------------------------------------------- */

struct both {
  nis_histogram *flat, *square;
};

static int sink_of_both(const nis_point_block *p, void *params)
{
  struct both *b = params;
  int status = nis_histogram_points(p, b->flat);
  return status ? status : nis_histogram_points(p, b->square);
}

START_TEST(two_axes)
{
  nis_axis axes[] = {axis_of(0), axis_of(2)};
  axes[1].bins = 3;
  struct both b = {make(axes, 1), make(axes, 2)};
  fill(b.flat, (nis_options){.sink = sink_of_both, .sink_params = &b, .seed = 3});
  for (size_t i = 0; i < SLOTS; i++) {
    double sum = 0;
    for (size_t j = 0; j < 5; j++) sum += bin_at(b.square, i, j).value;
    nis_bin bin = bin_at(b.flat, i, 0);
    ck_assert_double_eq_tol(sum, bin.value, 1e-12 * bin.value);
  }
  nis_bin middle = bin_at(b.square, 4, 2);
  double exact = part(middle.low[0], middle.high[0]) * part(middle.low[1], middle.high[1]);
  ck_assert_double_eq_tol(middle.width, 0.6 / BINS * 0.2, 1e-15);
  ck_assert_double_eq_tol(middle.low[1], 0.4, 1e-15);
  ck_assert_double_lt(fabs(middle.value - exact * part(0, 1)), 6 * middle.error);
  nis_histogram_free(b.flat);
  nis_histogram_free(b.square);
}
END_TEST

/* ---- by hand -------------------------------------------------------------------------------- */

static const double edges[] = {-1, 0, 0.1, 5};

static nis_histogram *make_variable(void)
{
  return make(&(nis_axis){.name = "v", .unit = "GeV", .bins = 3, .edges = edges}, 1);
}

static void add(nis_histogram *h, double value, double weight)
{
  ck_assert_int_eq(nis_histogram_fill(h, &value, weight), NIS_OK);
}

START_TEST(edges_belong_to_the_bin_above)
{
  nis_histogram *h = make_variable();
  const struct {
    double value;
    size_t slot;
  } known[] = {{-INFINITY, 0}, {-1.0001, 0}, {-1, 1}, {-1e-300, 1}, {0, 2},       {-0.0, 2},
               {0.1, 3},       {4.999, 3},   {5, 4},  {6, 4},       {INFINITY, 4}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    nis_histogram_reset(h);
    add(h, known[i].value, 2);
    for (size_t k = 0; k < 5; k++)
      require(bin_at(h, k, 0).entries == (k == known[i].slot), "%g: slot %zu", known[i].value, k);
  }
  nis_bin bin = bin_at(h, 3, 0), over = bin_at(h, 4, 0);
  ck_assert_double_eq(bin.low[0], 0.1);
  ck_assert_double_eq(bin.high[0], 5);
  ck_assert_double_eq(bin.width, 4.9);
  ck_assert(isinf(over.width) && over.low[0] == 5 && isinf(over.high[0]));
  nis_histogram_free(h);
}
END_TEST

/* Where (value - low) / width would round to the wrong side, the edges decide. */
START_TEST(equal_bins)
{
  nis_histogram *h = make(&(nis_axis){.bins = 10}, 1);
  nis_axis axis;
  ck_assert_int_eq(nis_histogram_axis(h, 0, &axis), NIS_OK);
  ck_assert(axis.low == 0 && axis.high == 1 && axis.edges[3] == 0.3 && axis.bins == 10);
  for (size_t i = 0; i < 10; i++) {
    nis_histogram_reset(h);
    add(h, axis.edges[i], 1);
    add(h, nextafter(axis.edges[i + 1], 0), 1);
    ck_assert_uint_eq(bin_at(h, i + 1, 0).entries, 2);
  }
  nis_histogram_free(h);
}
END_TEST

START_TEST(without_a_number)
{
  nis_histogram *h = make_variable();
  nis_bin bin;
  add(h, NAN, 3);
  add(h, 1, 1);
  add(h, 1, 0);
  add(h, 2, -2);
  ck_assert_int_eq(nis_histogram_nowhere(h, &bin), NIS_OK);
  ck_assert(bin.entries == 1 && bin.value == 0.75 && isnan(bin.low[0]));
  bin = bin_at(h, 3, 0);
  ck_assert(bin.entries == 3 && bin.value == -0.25 && bin.sum_w2 == 5 && bin.effective == 0.2);
  ck_assert_double_eq_tol(bin.error, sqrt((5.0 / 4 - 0.0625) / 3), 1e-15);
  ck_assert_double_eq(total(h).value, 0.5);
  nis_histogram_free(h);
}
END_TEST

START_TEST(empty)
{
  nis_histogram *h = make_variable();
  nis_bin bin = bin_at(h, 1, 0);
  ck_assert(isnan(bin.value) && isinf(bin.error) && bin.entries == 0 && bin.effective == 0);
  add(h, 0, 1);
  bin = bin_at(h, 2, 0);
  ck_assert(bin.value == 1 && isinf(bin.error));
  nis_histogram_free(h);
}
END_TEST

/* ---- events, merging, files ------------------------------------------------------------------ */

START_TEST(events)
{
  nis_axis axis = axis_of(0);
  nis_result r;
  nis_event_summary summary;
  nis_histogram *h = make(&axis, 1);
  nis *s;
  ck_assert_int_eq(nis_create(&s, gaussians, &(nis_options){.dim = DIM, .calls = 20000}), NIS_OK);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  ck_assert_int_eq(
      nis_events(
          s, &(nis_event_options){.events = 10000, .sink = nis_histogram_events, .sink_params = h},
          &summary),
      NIS_OK);
  ck_assert_uint_eq(nis_histogram_count(h), 10000);
  double rest = pow(part(0, 1), DIM - 1);
  for (size_t i = 1; i <= BINS; i++) {
    nis_bin bin = bin_at(h, i, 0);
    double exact = rest * part(bin.low[0], bin.high[0]);
    require(fabs(bin.value - exact) < 5 * bin.error, "bin %zu: %g +- %g, not %g", i, bin.value,
            bin.error, exact);
  }
  double all = summary.unit * summary.sum_weights / 10000;
  ck_assert_double_eq_tol(total(h).value, all, 1e-12 * all);
  nis_free(s);
  nis_histogram_free(h);
}
END_TEST

static void check_same(const nis_histogram *a, const nis_histogram *b, double tolerance)
{
  size_t ny = nis_histogram_axes(a) == 2 ? SLOTS : 1;
  ck_assert_uint_eq(nis_histogram_count(a), nis_histogram_count(b));
  for (size_t i = 0; i < SLOTS; i++)
    for (size_t j = 0; j < ny; j++) {
      nis_bin x = bin_at(a, i, j), y = bin_at(b, i, j);
      const double pair[][2] = {
          {x.value, y.value}, {x.error, y.error}, {x.sum_w2, y.sum_w2}, {x.effective, y.effective}};
      for (int k = 0; k < 4; k++)
        require(fabs(pair[k][0] - pair[k][1]) <= tolerance * fabs(pair[k][0]),
                "bin %zu %zu: %.17g and %.17g", i, j, pair[k][0], pair[k][1]);
      ck_assert_uint_eq(x.entries, y.entries);
    }
}

/* Parts of an estimate, merged, are the whole. */
START_TEST(merging_parts)
{
  nis_axis axis = axis_of(0);
  nis_histogram *whole = make(&axis, 1), *half[] = {make(&axis, 1), make(&axis, 1)};
  for (int k = 0; k < 3; k++) {
    nis *s;
    nis_options o = {.dim = DIM, .sink = nis_histogram_points};
    o.sink_params = k < 2 ? half[k] : whole;
    ck_assert_int_eq(nis_create(&s, gaussians, &o), NIS_OK);
    ck_assert_int_eq(nis_train(s, 4000), NIS_OK);
    int status = k < 2 ? nis_estimate_part(s, 16384, k + 1, 2, NULL) : nis_estimate(s, 16384, NULL);
    ck_assert_int_eq(status, NIS_OK);
    nis_free(s);
  }
  ck_assert_int_eq(nis_histogram_merge(half[0], half[1]), NIS_OK);
  check_same(whole, half[0], 1e-11);
  for (int k = 0; k < 2; k++) nis_histogram_free(half[k]);
  nis_histogram_free(whole);
}
END_TEST

static const char *scratch(const char *ending)
{
  static char path[64];
  snprintf(path, sizeof path, "test_histogram_%ld%s", (long)getpid(), ending);
  return path;
}

static void check_round_trip(nis_histogram *h)
{
  const nis_histogram *all[] = {h};
  nis_histogram *back;
  nis_axis axis, was;
  nis_bin bin, nowhere;
  const char *path = scratch(".yoda");
  ck_assert_int_eq(nis_histogram_write(all, 1, path, NIS_HISTOGRAM_BY_NAME, 1), NIS_OK);
  ck_assert_int_eq(nis_histogram_write(all, 1, path, NIS_HISTOGRAM_BY_NAME, 0), NIS_NO_FILE);
  ck_assert_int_eq(nis_histogram_read(&back, path, 1), NIS_OK);
  ck_assert_ptr_null(back);
  require(nis_histogram_read(&back, path, 0) == NIS_OK, "%s", nis_last_error());
  check_same(h, back, 1e-13);
  ck_assert_str_eq(nis_histogram_name(back), nis_histogram_name(h));
  nis_histogram_nowhere(h, &nowhere);
  nis_histogram_nowhere(back, &bin);
  ck_assert_double_eq(bin.sum_w, nowhere.sum_w);
  for (size_t k = 0; k < nis_histogram_axes(h); k++) {
    nis_histogram_axis(back, k, &axis);
    nis_histogram_axis(h, k, &was);
    ck_assert_str_eq(axis.name, was.name);
    ck_assert_str_eq(axis.unit, was.unit);
    for (size_t i = 0; i <= was.bins; i++) ck_assert_double_eq(axis.edges[i], was.edges[i]);
  }
  ck_assert_int_eq(nis_histogram_merge(h, back), NIS_OK);
  unlink(path);
  nis_histogram_free(back);
}

START_TEST(files)
{
  nis_axis axes[] = {axis_of(0), axis_of(1)};
  axes[0].name = "a \"b\" \\ # c: [d]", axes[0].unit = "GeV";
  for (size_t naxes = 1; naxes <= 2; naxes++)
    for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
      nis_histogram *h = make(axes, naxes);
      fill(h, (nis_options){.points = (nis_point_set)points, .calls = 4000});
      check_round_trip(h);
      nis_histogram_free(h);
    }
}
END_TEST

/* Every length that a file can be cut to is seen. */
START_TEST(cut_files)
{
  nis_axis axis = axis_of(0);
  nis_histogram *h = make(&axis, 1), *back;
  const nis_histogram *all[] = {h};
  const char *path = scratch(".yoda");
  char text[65536];
  fill(h, (nis_options){.calls = 2000});
  ck_assert_int_eq(nis_histogram_write(all, 1, path, NIS_HISTOGRAM_YODA, 1), NIS_OK);
  FILE *file = fopen(path, "r");
  size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  ck_assert_uint_lt(size, sizeof text);
  size_t last = size - strlen("YODA_HISTO1D_V3\n\n");
  for (size_t n = 0; n < last; n += 1 + n / 37) {
    file = fopen(path, "w");
    fwrite(text, 1, n, file);
    fclose(file);
    require(nis_histogram_read(&back, path, 0) == NIS_BAD_FILE && !back, "%zu bytes", n);
  }
  unlink(path);
  nis_histogram_free(h);
}
END_TEST

START_TEST(lines_of_other_formats)
{
  nis_axis axis = axis_of(0);
  nis_histogram *h = make(&axis, 1);
  const nis_histogram *all[] = {h, h};
  const char *endings[] = {".csv", ".json"};
  fill(h, (nis_options){.calls = 2000});
  for (int k = 0; k < 2; k++) {
    int lines = 0;
    ck_assert_int_eq(nis_histogram_write(all, 2, scratch(endings[k]), NIS_HISTOGRAM_BY_NAME, 1),
                     NIS_OK);
    FILE *file = fopen(scratch(endings[k]), "r");
    for (int c; (c = fgetc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    ck_assert_int_ge(lines, 2 * SLOTS);
    unlink(scratch(endings[k]));
  }
  nis_histogram_free(h);
}
END_TEST

/* ---- bad arguments --------------------------------------------------------------------------- */

static void refused(int status, int expected, const char *word)
{
  require(status == expected, "%s: status %d", word, status);
  require(strstr(nis_last_error(), word), "no '%s' in '%s'", word, nis_last_error());
}

START_TEST(bad_axes)
{
  const double falling[] = {0, 1, 1}, infinite[] = {0, INFINITY};
  const struct {
    nis_axis axis;
    const char *word;
  } bad[] = {{{.bins = 0}, "bins, got 0"},
             {{.bins = NIS_MOST_BINS + 1}, "bins, got"},
             {{.bins = 2, .low = 1, .high = 1}, "low < high"},
             {{.bins = 2, .low = 0, .high = NAN}, "low < high"},
             {{.bins = 2, .low = 0, .high = INFINITY}, "low < high"},
             {{.bins = 2, .edges = falling}, "edge 2"},
             {{.bins = 1, .edges = infinite}, "edge 1"},
             {{.bins = 1000, .low = 1, .high = nextafter(1, 2)}, "edge"},
             {{.bins = 1, .name = "a\nb"}, "control"}};
  nis_histogram *h;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    refused(nis_histogram_create(&h, "h", &bad[i].axis, 1), NIS_INVALID, bad[i].word);
    ck_assert_ptr_null(h);
  }
  nis_axis large[] = {{.bins = 1001}, {.bins = 1000}};
  refused(nis_histogram_create(&h, "h", large, 2), NIS_INVALID, "at most");
  refused(nis_histogram_create(&h, "h", large, 3), NIS_INVALID, "naxes");
  refused(nis_histogram_create(&h, "h", NULL, 1), NIS_INVALID, "axes");
  refused(nis_histogram_create(NULL, "h", large, 1), NIS_INVALID, "out");
}
END_TEST

START_TEST(bad_calls)
{
  nis_axis axis = axis_of(0);
  nis_histogram *h = make_variable(), *nets = make(&axis, 1), *back;
  const nis_histogram *all[] = {h, NULL};
  double value = 1;
  nis_bin bin;
  fill(nets, (nis_options){.calls = 2000});
  refused(nis_histogram_fill(h, &value, NAN), NIS_INVALID, "weight");
  refused(nis_histogram_fill(h, NULL, 1), NIS_INVALID, "values");
  refused(nis_histogram_fill(nets, &value, 1), NIS_INVALID, "nets");
  refused(nis_histogram_bin(h, &(size_t){5}, &bin), NIS_INVALID, "at most 4, got 5");
  refused(nis_histogram_merge(h, h), NIS_INVALID, "itself");
  refused(nis_histogram_merge(h, nets), NIS_INVALID, "edges");
  refused(nis_histogram_events(&(nis_event_block){.unit = NAN}, h), NIS_INVALID, "unit");
  refused(nis_histogram_points(&(nis_point_block){.before = 0, .n = 1}, h), NIS_INVALID,
          "axis 'v'");
  refused(nis_histogram_axis(h, 1, &axis), NIS_INVALID, "below 1");
  refused(nis_histogram_write(all, 2, "x.yoda", 0, 0), NIS_INVALID, "histogram 2 of 2");
  refused(nis_histogram_write(all, 1, "x.root", 0, 0), NIS_INVALID, ".yoda, .csv or .json");
  refused(nis_histogram_write(all, 1, "no/such/x.csv", 0, 0), NIS_NO_FILE, "no/such");
  refused(nis_histogram_read(&back, "no such", 0), NIS_NO_FILE, "no such");
  refused(nis_histogram_reset(NULL), NIS_INVALID, "NULL");
  nis_histogram_free(NULL);
  nis_histogram_free(h);
  nis_histogram_free(nets);
}
END_TEST

static double refusing(const double *x, size_t dim, const double *outputs, size_t extra,
                       void *params)
{
  (void)x, (void)dim, (void)outputs, (void)extra, (void)params;
  nis_refuse();
  return 0;
}

START_TEST(an_observable_may_refuse)
{
  nis_histogram *h = make(&(nis_axis){.observable = refusing, .bins = 1}, 1);
  nis_options o = {.dim = DIM, .calls = 2000, .sink = nis_histogram_points, .sink_params = h};
  nis_result r = nis_integrate_with(gaussians, &o);
  ck_assert_int_eq(r.status, NIS_STOPPED);
  nis_histogram_free(h);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("histogram");
  TCase *tcase = tcase_create("histogram");
  tcase_set_timeout(tcase, 300);
  add_full_test(tcase, pulls_of_nets);
  add_full_test(tcase, pulls_of_random_points);
  tcase_add_test(tcase, errors_are_the_spread_of_nets);
  tcase_add_test(tcase, goals);
  tcase_add_test(tcase, random_points);
  tcase_add_test(tcase, same_bits_for_any_threads);
  tcase_add_test(tcase, two_axes);
  tcase_add_test(tcase, edges_belong_to_the_bin_above);
  tcase_add_test(tcase, equal_bins);
  tcase_add_test(tcase, without_a_number);
  tcase_add_test(tcase, empty);
  tcase_add_test(tcase, events);
  tcase_add_test(tcase, merging_parts);
  tcase_add_test(tcase, files);
  tcase_add_test(tcase, cut_files);
  tcase_add_test(tcase, lines_of_other_formats);
  tcase_add_test(tcase, bad_axes);
  tcase_add_test(tcase, bad_calls);
  tcase_add_test(tcase, an_observable_may_refuse);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Discrete coordinates: the flow's probabilities and gradients, sums of known value, errors. */
#include "nis_events.h"
#include "alarm.h"
#include "flow/flow.h"
#include "noise.h"
#include "slopes.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>

/* ---- the flow ------------------------------------------------------------------------------- */

enum { DIM = 4 };

/* In (-1, 1) */
static double noise(void)
{
  static uint64_t state = 1;
  return 2 * next_uniform(&state) - 1;
}

static const int values[DIM] = {3, 0, 4, 0};

struct machine {
  struct flow flow;
  struct flow_scratch scratch;
};

static struct machine make(int layers, double amplitude)
{
  struct machine m;
  struct flow_shape shape = {.dim = DIM,
                             .layers = layers,
                             .bins = 5,
                             .hidden_layers = 2,
                             .hidden_width = 12,
                             .values = values};
  ck_assert_int_eq(nis_flow_init(&m.flow, &shape, 3), NIS_OK);
  ck_assert_int_eq(nis_flow_scratch_init(&m.scratch, &m.flow), NIS_OK);
  for (size_t i = 0; i < m.flow.nparameters; i++)
    m.flow.parameters[i] = (float)(amplitude * noise());
  return m;
}

static void clear(struct machine *m)
{
  nis_flow_scratch_clear(&m->scratch);
  nis_flow_clear(&m->flow);
}

static void random_tile(double *x)
{
  for (size_t i = 0; i < DIM * LANES; i++) x[i] = (noise() + 1) / 2;
}

/* Also of a grid's kind of map, with 0 layers */
START_TEST(there_and_back)
{
  for (int layers = 0; layers <= 4; layers += 2) {
    struct machine m = make(layers, 0.5);
    double u[DIM * LANES], x[DIM * LANES], log_q[2][LANES];
    ck_assert_int_eq(m.flow.layers, 2 + (layers ? layers : 1));
    random_tile(u);
    memcpy(x, u, sizeof x);
    nis_flow_sample(&m.flow, x, log_q[0], &m.scratch);
    nis_flow_density(&m.flow, x, log_q[1], &m.scratch);
    for (size_t i = 0; i < DIM * LANES; i++) require(fabs(x[i] - u[i]) < 1e-5, "%g", x[i] - u[i]);
    for (int l = 0; l < LANES; l++) require(fabs(log_q[0][l] - log_q[1][l]) < 1e-4, "log q");
    clear(&m);
  }
}
END_TEST

/* q is the same wherever in its n-th of [0, 1] a discrete coordinate lies, and adds up to 1. */
START_TEST(densities_add_up)
{
  enum { GRID = 128 };
  for (int layers = 0; layers <= 4; layers += 4) {
    struct machine m = make(layers, 0.5);
    double sum = 0, log_q[LANES], again[LANES], x[DIM * LANES], y[DIM * LANES];
    for (int point = 0; point < 12 * GRID * GRID; point += LANES) {
      for (int l = 0; l < LANES; l++) {
        int cell = (point + l) % (GRID * GRID), value = (point + l) / (GRID * GRID);
        x[l] = (value % 3 + 0.25) / 3;
        x[LANES + l] = (cell % GRID + 0.5) / GRID;
        x[2 * LANES + l] = (value / 3 + 0.25) / 4;
        x[3 * LANES + l] = (cell / GRID + 0.5) / GRID;
      }
      memcpy(y, x, sizeof y);
      for (int l = 0; l < LANES; l++) y[l] += 0.5 / 3, y[2 * LANES + l] += 0.5 / 4;
      nis_flow_density(&m.flow, x, log_q, &m.scratch);
      nis_flow_density(&m.flow, y, again, &m.scratch);
      for (int l = 0; l < LANES; l++) {
        require(log_q[l] == again[l], "log q is %g and %g for one value", log_q[l], again[l]);
        sum += exp(log_q[l]) / (12 * GRID * GRID);
      }
    }
    check_between(sum, 0.999, 1.001, "sum");
    clear(&m);
  }
}
END_TEST

/* Points of a flow, and what their log-densities count */
struct tile {
  struct machine *m;
  double x[DIM * LANES];
  float dlog_q[LANES];
};

static double sum_log_q(void *context)
{
  const struct tile *t = context;
  double y[DIM * LANES], log_q[LANES], sum = 0;
  memcpy(y, t->x, sizeof y);
  nis_flow_density(&t->m->flow, y, log_q, &t->m->scratch);
  for (int l = 0; l < LANES; l++) sum += t->dlog_q[l] * log_q[l];
  return sum;
}

START_TEST(gradients_are_those_of_differences)
{
  for (int layers = 0; layers <= 4; layers += 4) {
    struct machine m = make(layers, 0.3);
    struct tile tile = {.m = &m};
    float *gradient = calloc(m.flow.nparameters, sizeof *gradient);
    random_tile(tile.x);
    for (int l = 0; l < LANES; l++) tile.dlog_q[l] = (float)noise();
    sum_log_q(&tile);
    nis_flow_backward(&m.flow, tile.dlog_q, gradient, &m.scratch);
    check_slopes(m.flow.nparameters, m.flow.parameters, gradient, 2e-3, sum_log_q, &tile, noise);
    free(gradient);
    clear(&m);
  }
}
END_TEST

/* ---- sums ----------------------------------------------------------------------------------- */

/* Four Gaussians at places of their own, with integrals 1 to 4; of alternating signs with params */
static double four(double *x, size_t dim, void *params)
{
  double square = 0, width = 0.05, value = x[dim - 1];
  for (size_t j = 0; j + 1 < dim; j++) square += pow(x[j] - 0.2 - 0.15 * value, 2);
  double f = (value + 1) * exp(-square / (2 * width * width)) *
             pow(width * sqrt(2 * M_PI), 1 - (double)dim);
  return params && (int)value % 2 ? -f : f;
}

static const int last_of_three[] = {0, 0, 4};

static nis_options options(void)
{
  return (nis_options){
      .dim = 3, .discrete = last_of_three, .calls = 40000, .effort = 0.3, .threads = 2};
}

static void check_value(const nis_result *r, double exact, int checks)
{
  double most = alarm_errors_of_nets(checks, r->dof) * r->error;
  require(r->status == NIS_OK, "%d: %s", r->status, nis_last_error());
  check_between(r->value, exact - most, exact + most, "value");
}

START_TEST(sums_of_integrals)
{
  int sign = 1;
  for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
    nis_options o = options();
    o.points = (nis_point_set)points;
    nis_result r = nis_integrate_with(four, &o);
    check_value(&r, 10, 4);
    /* what a coordinate in four parts leaves: 8e-3 */
    if (points == NIS_POINTS_NETS) ck_assert_double_lt(r.error, 4e-3);
    o.threads = 1;
    nis_result same = nis_integrate_with(four, &o);
    ck_assert(same.value == r.value && same.error == r.error);
    o.params = &sign;
    r = nis_integrate_with(four, &o);
    check_value(&r, -2, 4);
  }
}
END_TEST

enum { TABLE = 5 };

/* Five coordinates of three values each, correlated in a row */
static double in_a_row(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) {
    ck_assert_double_eq(x[j], floor(x[j]));
    sum += sin(1.7 * (double)j + x[j] * (double)(j + 1) + (j ? 2.1 * x[j] * x[j - 1] : 0));
  }
  return exp(2 * sum);
}

START_TEST(sums_alone)
{
  static const int threes[TABLE] = {3, 3, 3, 3, 3};
  nis_options o = {.dim = TABLE, .discrete = threes, .calls = 20000, .threads = 2};
  double exact = 0;
  for (int i = 0; i < 243; i++) {
    double x[TABLE];
    for (int j = 0, k = i; j < TABLE; j++, k /= 3) x[j] = k % 3;
    exact += in_a_row(x, TABLE, NULL);
  }
  nis_result r = nis_integrate_with(in_a_row, &o);
  check_value(&r, exact, 1);
  ck_assert_double_gt(r.efficiency, 0.8);
}
END_TEST

static double square(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] * x[0];
}

START_TEST(one_coordinate_alone)
{
  static const int ten[] = {10};
  nis_options o = {.dim = 1, .discrete = ten, .calls = 10000};
  nis_result r = nis_integrate_with(square, &o);
  check_value(&r, 285, 1);
  ck_assert_double_lt(r.error, 1e-3 * r.value);
}
END_TEST

/* ---- densities, samples, events -------------------------------------------------------------- */

/* Where the other coordinates are known, the values of the density stand to each other as f does,
 * and points are drawn in that proportion. */
START_TEST(what_is_drawn)
{
  enum { POINTS = 20000 };
  static double x[3 * POINTS], log_q[POINTS];
  nis_options o = options();
  nis *s;
  double each[4] = {0};
  ck_assert_int_eq(nis_create(&s, four, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 30000), NIS_OK);
  ck_assert_int_eq(nis_sample(s, POINTS, x, log_q, NULL), NIS_OK);
  for (int i = 0; i < POINTS; i++) {
    double value = x[3 * i + 2], here;
    require(value == floor(value) && value >= 0 && value < 4, "%g is none of the values", value);
    each[(int)value] += 1. / POINTS;
    ck_assert_int_eq(nis_density(s, 1, x + 3 * i, &here), NIS_OK);
    if (i < 500) check_between(here - log_q[i], -1e-4, 1e-4, "log q");
  }
  for (int k = 0; k < 4; k++) check_between(each[k], 0.07 * (k + 1), 0.13 * (k + 1), "share");
  /* sum over values and quadrature of the rest */
  double sum = 0;
  for (int k = 0; k < 4; k++)
    for (int i = 0; i < 100; i++)
      for (int j = 0; j < 100; j++) {
        double at[3] = {(i + 0.5) / 100, (j + 0.5) / 100, k}, here;
        ck_assert_int_eq(nis_density(s, 1, at, &here), NIS_OK);
        sum += exp(here) / 1e4;
      }
  check_between(sum, 0.99, 1.01, "density");
  nis_free(s);
}
END_TEST

static int count_values(const nis_event_block *events, void *params)
{
  double *each = params;
  for (size_t i = 0; i < events->n; i++) each[(int)events->x[3 * i + 2]] += events->weight[i];
  return 0;
}

START_TEST(events_have_values)
{
  enum { EVENTS = 20000 };
  nis_options o = options();
  double each[4] = {0};
  nis_result r;
  nis *s;
  ck_assert_int_eq(nis_create(&s, four, &o), NIS_OK);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  const nis_event_options how = {.events = EVENTS, .sink = count_values, .sink_params = each};
  ck_assert_int_eq(nis_events(s, &how, NULL), NIS_OK);
  for (int k = 0; k < 4; k++) {
    double share = 0.1 * (k + 1), most = alarm_errors(4) * sqrt(share * (1 - share) / EVENTS);
    check_between(each[k] / EVENTS, share - 1.1 * most, share + 1.1 * most, "share of events");
  }
  nis_free(s);
}
END_TEST

/* ---- channels -------------------------------------------------------------------------------- */

/* Four channels with integrals 1 to 4: of each value, error and calls are kept. The parts add up to
 * the whole of the weights. */
START_TEST(channels)
{
  for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++)
    for (int goal = 0; goal < 2; goal++) {
      nis_options o = options();
      nis_channel_result c;
      nis_result r;
      nis *s;
      double value = 0;
      uint64_t calls = 0;
      o.discrete = NULL, o.channels = 4, o.points = (nis_point_set)points;
      if (goal) o.rel_error = 5e-3, o.call_seconds = 1;
      ck_assert_int_eq(nis_create(&s, four, &o), NIS_OK);
      ck_assert_int_eq(nis_run(s, &r), NIS_OK);
      for (size_t k = 0; k < 4; k++) {
        ck_assert_int_eq(nis_channel(s, k, &c), NIS_OK);
        double exact = (double)k + 1, most = alarm_errors_of_nets(16, r.dof) * c.error;
        check_between(c.value, exact - most, exact + most, "value of a channel");
        check_between(c.error / r.error, 0.05, 20, "its error");
        check_between(c.efficiency, 0.05, 1, "its efficiency");
        value += c.value, calls += c.calls;
      }
      check_between(value / r.value, 1 - 4e-3, 1 + 4e-3, "sum of the channels");
      ck_assert_uint_eq(calls, r.calls - r.train_calls);
      nis_free(s);
    }
}
END_TEST

/* Their statistics are merged and saved with the estimate. */
START_TEST(channels_of_two_handles)
{
  static const char path[] = "channels.nis";
  nis_options o = options(), other = {.seed = 5};
  nis_channel_result before, after, one;
  nis *s, *t;
  o.discrete = NULL, o.channels = 4;
  ck_assert_int_eq(nis_create(&s, four, &o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 4096, NULL), NIS_OK);
  ck_assert_int_eq(nis_save(s, path), NIS_OK);
  ck_assert_int_eq(nis_load(&t, path, four, &other), NIS_OK);
  for (size_t k = 0; k < 4; k++) {
    nis_channel(s, k, &before), nis_channel(t, k, &after);
    ck_assert(memcmp(&before, &after, sizeof after) == 0);
  }
  nis_drop_estimate(t);
  ck_assert_int_ge(nis_estimate(t, 4096, NULL), NIS_OK);
  nis_channel(s, 3, &before), nis_channel(t, 3, &one);
  ck_assert_int_eq(nis_merge(s, t), NIS_OK);
  nis_channel(s, 3, &after);
  ck_assert_uint_eq(after.calls, before.calls + one.calls);
  ck_assert_double_eq_tol(after.value, (before.value + one.value) / 2, 1e-12);
  nis_free(s), nis_free(t);
  remove(path);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

static void check_refused(const nis_options *o, const char *part)
{
  nis_result r = nis_integrate_with(four, o);
  ck_assert_int_eq(r.status, NIS_INVALID);
  ck_assert_msg(strstr(nis_last_error(), part) != NULL, "%s", nis_last_error());
}

START_TEST(refused)
{
  static const int one[] = {0, 0, 1}, many[] = {0, 0, 129}, negative[] = {-1, 0, 0},
                   circle[] = {0, 0, 1};
  static const double low[] = {0, 0, 1}, hints[] = {0.5, 0.5, 1.5, 0.5, 0.5, 4};
  nis_options o = options();
  double log_q, half[] = {0.5, 0.5, 0.5};
  nis *s;
  o.discrete = one, check_refused(&o, "discrete[2] must be 0 or between 2 and 128, got 1");
  o.discrete = many, check_refused(&o, "got 129");
  o.discrete = negative, check_refused(&o, "discrete[0]");
  o = options(), o.lower = low, check_refused(&o, "coordinate 2 is discrete");
  o = options(), o.periodic = circle, check_refused(&o, "both discrete and periodic");
  o = options(), o.hints = hints, o.nhints = 1, check_refused(&o, "must be a whole number");
  o = options(), o.hints = hints + 3, o.nhints = 1, check_refused(&o, "between -0.5 and 3.5");
  o = options(), o.channels = 5, check_refused(&o, "discrete[2] must be 0 or channels = 5, got 4");
  o = options(), o.channels = 1, check_refused(&o, "channels must be");
  o = options();
  nis_channel_result c;
  ck_assert_int_eq(nis_create(&s, four, &o), NIS_OK);
  ck_assert_int_eq(nis_channel(s, 0, &c), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "options.channels was 0"));
  ck_assert_int_eq(nis_density(s, 1, half, &log_q), NIS_INVALID);
  nis_free(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("discrete");
  TCase *flow = tcase_create("flow"), *runs = tcase_create("runs");
  tcase_set_timeout(flow, 60);
  tcase_set_timeout(runs, 120);
  tcase_add_test(flow, there_and_back);
  tcase_add_test(flow, densities_add_up);
  tcase_add_test(flow, gradients_are_those_of_differences);
  add_full_test(runs, sums_of_integrals);
  tcase_add_test(runs, sums_alone);
  tcase_add_test(runs, one_coordinate_alone);
  add_full_test(runs, what_is_drawn);
  tcase_add_test(runs, events_have_values);
  add_full_test(runs, channels);
  tcase_add_test(runs, channels_of_two_handles);
  tcase_add_test(runs, refused);
  suite_add_tcase(suite, flow);
  suite_add_tcase(suite, runs);
  return run_suite(suite);
}

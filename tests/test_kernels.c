/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernels of every instruction set that this processor has.
 *
 * Independent of the code under test: a scalar Philox that reproduces the vectors of Random123, a
 * naive net and its backpropagation in double, Adam as the paper writes it, libm in long double,
 * and the transforms in double from the papers' formulas, differentiated by differences.
 */
#include "kernels/kernels.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static int nsets; /* counted in main */

/* ---- helpers --------------------------------------------------------------------- */

static uint64_t noise_state; /* splitmix64 */

/* uniform in (-1, 1) */
static double noise(void)
{
  uint64_t z = noise_state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return 2 * ((double)(z >> 11) + 0.5) * 0x1p-53 - 1;
}

/* Exactly `floats` long, so that a sanitizer sees one too many. */
static float *floats(size_t n, double amplitude)
{
  void *block = NULL;
  ck_assert_int_eq(posix_memalign(&block, TILE_ALIGN, n * sizeof(float) + (n == 0)), 0);
  float *out = block;
  for (size_t i = 0; i < n; i++) out[i] = (float)(amplitude * noise());
  return out;
}

static double *doubles(size_t n)
{
  double *out = calloc(n + (n == 0), sizeof *out);
  ck_assert_ptr_nonnull(out);
  return out;
}

static void check_close(double value, double expected, double tolerance, const char *what)
{
  require(fabs(value - expected) <= tolerance, "%s: %.17g is not %.17g within %g", what, value,
          expected, tolerance);
}

/* ---- Philox ---------------------------------------------------------------------- */

/* Salmon et al., SC 2011, as the paper writes it, one block. */
static void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
  uint32_t k0 = key[0], k1 = key[1];
  memcpy(out, counter, 4 * sizeof *out);
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
    uint64_t a = (uint64_t)0xD2511F53 * out[0], b = (uint64_t)0xCD9E8D57 * out[2];
    uint32_t next[4] = {(uint32_t)(b >> 32) ^ out[1] ^ k0, (uint32_t)b,
                        (uint32_t)(a >> 32) ^ out[3] ^ k1, (uint32_t)a};
    memcpy(out, next, sizeof next);
  }
}

/* Coordinate j of a point: 52 bits of two words, in the middle of their interval. */
static double predict(uint64_t seed, uint32_t stream, uint64_t point, size_t j)
{
  const uint32_t counter[4] = {(uint32_t)point, (uint32_t)(point >> 32), stream, (uint32_t)(j / 2)};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t word[4];
  philox4x32(counter, key, word);
  uint64_t bits = (uint64_t)word[j % 2 * 2] << 32 | word[j % 2 * 2 + 1];
  return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

/* Random123, tests/kat_vectors, philox4x32 with 10 rounds */
START_TEST(scalar_philox_gives_the_known_answers)
{
  static const uint32_t vector[][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
       0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
       0x94fdcceb, 0x5001e420, 0x24126ea1},
  };
  for (size_t i = 0; i < LENGTH(vector); i++) {
    uint32_t out[4];
    philox4x32(vector[i], vector[i] + 4, out);
    for (int k = 0; k < 4; k++) ck_assert_uint_eq(out[k], vector[i][6 + k]);
  }
}
END_TEST

START_TEST(uniforms_are_philox)
{
  static const uint64_t seed[] = {0, 1, UINT64_MAX, 0xa4093822299f31d0};
  static const uint64_t first[] = {0, 7, 0xfffffff0, UINT64_MAX - 20, 0x243f6a8885a308d3};
  static const uint32_t stream[] = {0, 3, UINT32_MAX};
  enum { DIM = 7 };
  const struct kernels *set = nis_kernels_available(_i);
  for (size_t i = 0; i < LENGTH(seed) * LENGTH(first) * LENGTH(stream); i++) {
    uint64_t s = seed[i % 4], p = first[i / 4 % 5];
    uint32_t t = stream[i / 20];
    double *u = doubles(DIM * LANES);
    set->uniforms(s, t, p, DIM, u);
    for (size_t j = 0; j < DIM; j++)
      for (int l = 0; l < LANES; l++)
        ck_assert_double_eq(u[j * LANES + (size_t)l], predict(s, t, p + (uint64_t)l, j));
    free(u);
  }
}
END_TEST

START_TEST(a_point_alone_is_the_point_in_a_run)
{
  const struct kernels *set = nis_kernels_available(_i);
  for (size_t dim = 1; dim <= 5; dim++) {
    double *run = doubles(dim * LANES), *alone = doubles(dim * LANES);
    set->uniforms(9, 2, 1000, dim, run);
    for (size_t k = 0; k < LANES; k++) {
      set->uniforms(9, 2, 1000 + k, dim, alone);
      for (size_t j = 0; j < dim; j++) ck_assert_double_eq(alone[j * LANES], run[j * LANES + k]);
    }
    free(run), free(alone);
  }
}
END_TEST

START_TEST(uniforms_stay_inside_the_open_interval)
{
  const struct kernels *set = nis_kernels_available(_i);
  double u[2 * LANES];
  for (uint64_t point = 0; point < 200000; point += LANES) {
    set->uniforms(1, 1, point, 2, u);
    for (int i = 0; i < 2 * LANES; i++) require(u[i] > 0 && u[i] < 1, "%.17g", u[i]);
  }
}
END_TEST

START_TEST(streams_and_seeds_differ)
{
  const struct kernels *set = nis_kernels_available(_i);
  double u[4][2 * LANES];
  set->uniforms(5, 0, 0, 2, u[0]);
  set->uniforms(5, 1, 0, 2, u[1]);
  set->uniforms(6, 0, 0, 2, u[2]);
  set->uniforms(5 + (1ull << 32), 0, 0, 2, u[3]);
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < a; b++)
      for (int i = 0; i < 2 * LANES; i++) require(u[a][i] != u[b][i], "%d and %d", a, b);
}
END_TEST

/* ---- the net --------------------------------------------------------------------- */

enum { MOST_LAYERS = 4, MOST_ROWS = 124 };

struct layer {
  int rows, columns;
  const double *w; /* [rows][columns], then biases [rows] */
};

/* The layers of a net from its block of weights; returns how many. */
static int layers_of(const struct net_shape *s, const double *weights, struct layer *layer)
{
  int n = s->inputs > 0 ? s->hidden_layers + 1 : 1, columns = s->inputs;
  for (int i = 0; i < n; i++) {
    int rows = i < n - 1 ? s->width : s->outputs;
    layer[i] = (struct layer){rows, columns, weights};
    weights += rows * (columns + 1);
    columns = rows;
  }
  return n;
}

/* One lane: a[0] is the input, a[i + 1] what layer i puts out. Returns the smallest |z| of a
 * hidden unit: a derivative near the kink at 0 may go either way. */
static double naive_forward(const struct layer *layer, int n, double a[][MOST_ROWS])
{
  double least = HUGE_VAL;
  for (int i = 0; i < n; i++)
    for (int r = 0; r < layer[i].rows; r++) {
      double z = layer[i].w[layer[i].rows * layer[i].columns + r];
      for (int c = 0; c < layer[i].columns; c++)
        z += layer[i].w[r * layer[i].columns + c] * a[i][c];
      a[i + 1][r] = z > 0 || i == n - 1 ? z : 0.01 * z;
      if (i < n - 1) least = fmin(least, fabs(z));
    }
  return least;
}

/* One lane: d starts as dL/doutput and ends as dL/dinput; adds to the gradient. */
static void naive_backward(const struct layer *layer, int n, double a[][MOST_ROWS], double *d,
                           double *gradient)
{
  for (int i = n - 1; i >= 0; i--) {
    double *g = gradient + (layer[i].w - layer[0].w), below[MOST_ROWS] = {0};
    for (int r = 0; r < layer[i].rows; r++) {
      if (i < n - 1 && a[i + 1][r] <= 0) d[r] *= 0.01;
      g[layer[i].rows * layer[i].columns + r] += d[r];
      for (int c = 0; c < layer[i].columns; c++) {
        g[r * layer[i].columns + c] += d[r] * a[i][c];
        below[c] += d[r] * layer[i].w[r * layer[i].columns + c];
      }
    }
    memcpy(d, below, sizeof below);
  }
}

/* A net with random weights, its input, and what the two kernels make of them. */
struct net_case {
  struct net_shape shape;
  size_t nparameters, hidden_rows;
  float *weights, *in, *hidden, *out, *dout, *gradient, *din, *work;
  double *exact_weights, *exact_gradient, *exact_din;
};

static void net_case_make(struct net_case *c, const struct net_shape *shape)
{
  size_t in = (size_t)shape->inputs * LANES, out = (size_t)shape->outputs * LANES;
  int widest = shape->width > shape->inputs ? shape->width : shape->inputs;
  *c = (struct net_case){.shape = *shape, .nparameters = nis_net_parameters(shape)};
  c->hidden_rows = (size_t)nis_net_hidden_rows(shape);
  c->weights = floats(c->nparameters, 1.5 / sqrt(widest));
  c->in = floats(in, 1);
  c->hidden = floats(c->hidden_rows * LANES, 0);
  c->out = floats(out, 0);
  c->dout = floats(out, 1);
  c->gradient = floats(c->nparameters, 1); /* is added to */
  c->din = floats(in, 1e30);               /* is overwritten */
  c->work = floats(nis_net_work_floats(shape), 1e30);
  c->exact_weights = doubles(c->nparameters);
  c->exact_gradient = doubles(c->nparameters);
  c->exact_din = doubles(in);
  for (size_t i = 0; i < c->nparameters; i++) {
    c->exact_weights[i] = c->weights[i];
    c->exact_gradient[i] = c->gradient[i];
  }
}

static void net_case_free(struct net_case *c)
{
  free(c->weights), free(c->in), free(c->hidden), free(c->out), free(c->dout);
  free(c->gradient), free(c->din), free(c->work);
  free(c->exact_weights), free(c->exact_gradient), free(c->exact_din);
}

static void load_lane(const struct net_case *c, int lane, double *input)
{
  for (int i = 0; i < c->shape.inputs; i++) input[i] = c->in[i * LANES + lane];
}

static void check_net_forward(const struct kernels *set, struct net_case *c)
{
  struct layer layer[MOST_LAYERS];
  double a[MOST_LAYERS + 1][MOST_ROWS];
  int n = layers_of(&c->shape, c->exact_weights, layer);
  set->net_forward(&c->shape, c->weights, c->in, c->hidden, c->out);
  for (int l = 0; l < LANES; l++) {
    load_lane(c, l, a[0]);
    naive_forward(layer, n, a);
    for (int i = 0; i < c->shape.outputs; i++)
      check_close(c->out[i * LANES + l], a[n][i], 1e-5, "output");
    for (size_t i = 0; i < c->hidden_rows; i++)
      check_close(c->hidden[i * LANES + (size_t)l],
                  a[1 + i / (size_t)c->shape.width][i % (size_t)c->shape.width], 1e-5, "hidden");
  }
}

static void check_net_backward(const struct kernels *set, struct net_case *c)
{
  struct layer layer[MOST_LAYERS];
  double a[MOST_LAYERS + 1][MOST_ROWS];
  int n = layers_of(&c->shape, c->exact_weights, layer);
  for (int l = 0; l < LANES; l++) {
    double d[MOST_ROWS];
    load_lane(c, l, a[0]);
    int kink = naive_forward(layer, n, a) < 1e-5;
    for (int i = 0; i < c->shape.outputs; i++) {
      if (kink) c->dout[i * LANES + l] = 0;
      d[i] = c->dout[i * LANES + l];
    }
    naive_backward(layer, n, a, d, c->exact_gradient);
    for (int i = 0; i < c->shape.inputs; i++) c->exact_din[i * LANES + l] = d[i];
  }
  set->net_backward(&c->shape, c->weights, c->in, c->hidden, c->dout, c->gradient, c->din, c->work);
  for (size_t i = 0; i < c->nparameters; i++)
    check_close(c->gradient[i], c->exact_gradient[i], 2e-4, "gradient");
  for (int i = 0; i < c->shape.inputs * LANES; i++)
    check_close(c->din[i], c->exact_din[i], 1e-4, "din");
}

static void each_net(void (*check)(const struct kernels *, struct net_case *), int set)
{
  static const int inputs[] = {0, 1, 3, 17, 64, 65}, widths[] = {1, 5, 32, 33, 64};
  static const int outputs[] = {1, 31, 49, 124};
  for (size_t i = 0; i < LENGTH(inputs) * LENGTH(widths) * LENGTH(outputs) * 3; i++) {
    struct net_shape shape = {inputs[i % 6], (int)(i / 6 % 3) + 1, widths[i / 18 % 5],
                              outputs[i / 90]};
    struct net_case c;
    net_case_make(&c, &shape);
    check(nis_kernels_available(set), &c);
    net_case_free(&c);
  }
}

START_TEST(net_forward_is_the_naive_net)
{
  each_net(check_net_forward, _i);
}
END_TEST

static void check_forward_then_backward(const struct kernels *set, struct net_case *c)
{
  set->net_forward(&c->shape, c->weights, c->in, c->hidden, c->out);
  check_net_backward(set, c);
}

START_TEST(net_backward_is_naive_backpropagation)
{
  each_net(check_forward_then_backward, _i);
}
END_TEST

/* sum dout . out of the naive net with weights + step * direction, input + step *
 * input_direction */
static double shifted_loss(const struct net_case *c, double step, const double *direction)
{
  struct layer layer[MOST_LAYERS];
  double a[MOST_LAYERS + 1][MOST_ROWS], loss = 0, *w = doubles(c->nparameters);
  for (size_t i = 0; i < c->nparameters; i++) w[i] = c->exact_weights[i] + step * direction[i];
  int n = layers_of(&c->shape, w, layer);
  for (int l = 0; l < LANES; l++) {
    for (int i = 0; i < c->shape.inputs; i++) {
      size_t at = (size_t)(i * LANES + l);
      a[0][i] = c->in[at] + step * direction[c->nparameters + at];
    }
    naive_forward(layer, n, a);
    for (int i = 0; i < c->shape.outputs; i++) loss += c->dout[i * LANES + l] * a[n][i];
  }
  free(w);
  return loss;
}

/* Along one random direction of weights and inputs: no backpropagation in the oracle. */
static void check_direction(const struct kernels *set, struct net_case *c)
{
  const double step = 1e-5;
  size_t n = c->nparameters, inputs = (size_t)c->shape.inputs * LANES;
  double *direction = doubles(n + inputs), dot = 0, length = 0;
  for (size_t i = 0; i < n + inputs; i++) direction[i] = noise();
  memset(c->gradient, 0, n * sizeof *c->gradient);
  set->net_forward(&c->shape, c->weights, c->in, c->hidden, c->out);
  set->net_backward(&c->shape, c->weights, c->in, c->hidden, c->dout, c->gradient, c->din, c->work);
  for (size_t i = 0; i < n + inputs; i++) {
    double g = i < n ? c->gradient[i] : c->din[i - n];
    dot += g * direction[i];
    length += g * g;
  }
  double slope =
      (shifted_loss(c, step, direction) - shifted_loss(c, -step, direction)) / (2 * step);
  check_close(dot, slope, 2e-3 * sqrt(length), "directional derivative");
  free(direction);
}

START_TEST(net_gradient_along_a_random_direction)
{
  static const struct net_shape shape[] = {{3, 2, 32, 49}, {1, 1, 5, 31}, {17, 3, 33, 10}};
  for (size_t i = 0; i < LENGTH(shape); i++) {
    struct net_case c;
    net_case_make(&c, &shape[i]);
    check_direction(nis_kernels_available(_i), &c);
    net_case_free(&c);
  }
}
END_TEST

/* ---- Adam ------------------------------------------------------------------------ */

static void naive_adam(const struct adam *a, double gradient, double *mean, double *square,
                       double *parameter)
{
  double g = a->scale * gradient;
  *mean = a->beta1 * *mean + (1 - a->beta1) * g;
  *square = a->beta2 * *square + (1 - a->beta2) * g * g;
  *parameter = a->keep * *parameter - a->rate * *mean / (sqrt(*square) + a->epsilon);
}

static void check_adam(const struct kernels *set, size_t n)
{
  struct adam a = {.beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
  float *p = floats(n, 1), *mean = floats(n, 0), *square = floats(n, 0);
  double *exact = doubles(3 * n);
  for (size_t i = 0; i < n; i++) exact[i] = p[i];
  for (int step = 0; step < 10; step++) {
    float *gradient = floats(n, 0.1);
    gradient[0] = 0; /* no gradient, no step: 0/epsilon */
    a.rate = 1e-2f / (float)(1 + step);
    a.scale = step % 2 ? 1 : 0.3f;
    a.keep = step % 3 ? 1 : 1 - 0.5f * a.rate;
    set->adam_step(n, &a, gradient, mean, square, p);
    for (size_t i = 0; i < n; i++)
      naive_adam(&a, gradient[i], &exact[n + i], &exact[2 * n + i], &exact[i]);
    free(gradient);
  }
  for (size_t i = 0; i < n; i++) {
    check_close(p[i], exact[i], 2e-6, "parameter");
    check_close(mean[i], exact[n + i], 1e-7, "mean");
    check_close(square[i], exact[2 * n + i], 1e-9, "square");
  }
  free(p), free(mean), free(square), free(exact);
}

START_TEST(adam_is_algorithm_1)
{
  static const size_t n[] = {1, 2, 7, 16, 63, 1001};
  for (size_t i = 0; i < LENGTH(n); i++) check_adam(nis_kernels_available(_i), n[i]);
}
END_TEST

/* ---- exp, log, erfc ----------------------------------------------------------------- */

struct elementary {
  const char *name;
  long double (*oracle)(
      long double);        /* of libm, with more digits than a double where it has them */
  double most;             /* units in the last place that it may be off */
  double low, high, small; /* the range of its tests, and its smallest magnitude there */
};

static const struct elementary elementaries[] = {
    {"exp", expl, 1.5, -750, 711, 1e-20},
    {"log", logl, 4, 0, 0x1.fffffffffffffp1023, 5e-324},
    {"erfc", erfcl, 8, -7, 27.5, 1e-20},
};

typedef void elementary_kernel(size_t n, const double *x, double *y);

static elementary_kernel *kernel_of(const struct kernels *set, size_t i)
{
  return i == 0 ? set->exp : i == 1 ? set->log : set->erfc;
}

/* The spacing of doubles at y, also where they are subnormal */
static double spacing(double y)
{
  return isinf(y) ? HUGE_VAL : nextafter(fabs(y), HUGE_VAL) - fabs(y);
}

/* Even in the number, or in its logarithm */
static double spread_over(const struct elementary *e, int even)
{
  if (even && isfinite(e->high - e->low)) return e->low + (e->high - e->low) * (noise() + 1) / 2;
  double sign = e->low < 0 && noise() < 0 ? -1 : 1;
  double most = log2(sign > 0 ? e->high : -e->low), least = log2(e->small);
  return sign * exp2(least + (most - least) * (noise() + 1) / 2);
}

static void check_elementary(size_t i, const double *x, const double *y, size_t n)
{
  const struct elementary *e = &elementaries[i];
  for (size_t k = 0; k < n; k++) {
    long double expected = e->oracle(x[k]);
    if (isinf((double)expected) && (double)expected == y[k]) continue;
    double off = (double)fabsl(y[k] - expected) / spacing((double)expected);
    require(off <= e->most, "%s(%.17g) is %.17g, %g ulp from %.17Lg", e->name, x[k], y[k], off,
            expected);
  }
}

START_TEST(elementary_functions_are_those_of_libm)
{
  enum { N = 100000 };
  size_t i = (size_t)_i % LENGTH(elementaries);
  const struct kernels *set = nis_kernels_available(_i / (int)LENGTH(elementaries));
  double *x = doubles(N), *y = doubles(N);
  for (int k = 0; k < N; k++) x[k] = spread_over(&elementaries[i], k % 2);
  if (i == 1) /* where it is near 0 */
    for (int k = 0; k < N / 4; k++) x[k] = 1 + 0.1 * noise() * noise();
  kernel_of(set, i)(N, x, y);
  check_elementary(i, x, y, N);
  free(x), free(y);
}
END_TEST

static int same(double a, double b)
{
  return isnan(a) ? isnan(b) : a == b;
}

START_TEST(elementary_functions_at_the_ends)
{
  static const double x[] = {0, -0., HUGE_VAL, -HUGE_VAL, NAN, -1e308, 1e308, 1, -1e-320, 1e-310};
  const struct kernels *set = nis_kernels_available(_i);
  for (size_t i = 0; i < LENGTH(elementaries); i++) {
    double y[LENGTH(x)];
    kernel_of(set, i)(LENGTH(x), x, y);
    for (size_t k = 0; k < LENGTH(x); k++) {
      double expected = (double)elementaries[i].oracle(x[k]);
      int exact = isnan(expected) || isinf(expected) || expected == 0;
      require(exact ? same(y[k], expected)
                    : fabs(y[k] - expected) <= elementaries[i].most * spacing(expected),
              "%s(%g) is %g, not %g", elementaries[i].name, x[k], y[k], expected);
    }
  }
}
END_TEST

/* Alone, in any place of an array, and in place */
START_TEST(elementary_bits_do_not_depend_on_the_place)
{
  enum { N = 3 * LANES + 5 };
  const struct kernels *set = nis_kernels_available(_i);
  for (size_t i = 0; i < LENGTH(elementaries); i++) {
    double *x = doubles(N), *y = doubles(N), alone;
    for (int k = 0; k < N; k++) x[k] = spread_over(&elementaries[i], 1);
    kernel_of(set, i)(N, x, y);
    for (int k = 0; k < N; k++) {
      kernel_of(set, i)(1, x + k, &alone);
      require(alone == y[k], "%s(%.17g)", elementaries[i].name, x[k]);
    }
    kernel_of(set, i)(N, x, x);
    require(memcmp(x, y, N * sizeof *x) == 0, "%s in place", elementaries[i].name);
    kernel_of(set, i)(0, NULL, NULL);
    free(x), free(y);
  }
}
END_TEST

/* ---- the transforms --------------------------------------------------------------- */

enum { MOST_BINS = 128, MOST_RAW = 3 * MOST_BINS + 1, MOST_KEPT = 16 };

/* One lane's map in double; slope is that of the map at the knots, or what is made of it. */
struct map {
  int bins;
  double x[MOST_BINS + 1], y[MOST_BINS + 1], slope[MOST_BINS + 1];
  double scale, shift;
  double steepest; /* what a shifted knot does to everything above it: the slope there, or 0 */
};

/* Shares by softmax, none below 1e-3, added up to knots. */
static void naive_knots(int bins, const double *raw, double *knot)
{
  double largest = raw[0], sum = 0;
  for (int k = 1; k < bins; k++) largest = fmax(largest, raw[k]);
  for (int k = 0; k < bins; k++) sum += exp(raw[k] - largest);
  knot[0] = 0;
  for (int k = 0; k < bins; k++)
    knot[k + 1] = knot[k] + 1e-3 + (1 - bins * 1e-3) * exp(raw[k] - largest) / sum;
  knot[bins] = 1;
}

/* Durkan et al., equations 4 and 5, with slopes that are at least 1e-3 of softplus's. */
static void rational_quadratic(int bins, const double *raw, struct map *m)
{
  m->bins = bins;
  naive_knots(bins, raw, m->x);
  naive_knots(bins, raw + bins, m->y);
  for (int k = 0; k <= bins; k++) {
    double r = raw[2 * bins + k], softplus = r > 30 ? r : log1p(exp(r));
    m->slope[k] = (1e-3 + softplus) / (1e-3 + log(2));
  }
}

static double rational_quadratic_value(const struct map *m, int k, double x, double *log_slope)
{
  double w = m->x[k + 1] - m->x[k], h = m->y[k + 1] - m->y[k], s = h / w, xi = (x - m->x[k]) / w;
  double d0 = m->slope[k], d1 = m->slope[k + 1], both = xi * (1 - xi);
  double D = s + (d1 + d0 - 2 * s) * both;
  *log_slope = log(s * s * (d1 * xi * xi + 2 * s * both + d0 * (1 - xi) * (1 - xi)) / (D * D));
  return m->y[k] + h * (s * xi * xi + d0 * both) / D;
}

/* Mueller et al.: V = exp(raw) / sum (exp(raw_k) + exp(raw_k+1))/2 W_k, of which the transform
 * takes 999 parts and one of a flat density. */
static void piecewise_quadratic(int bins, const double *raw, struct map *m)
{
  const double *v = raw + bins;
  double largest = v[0], area = 0;
  m->bins = bins;
  naive_knots(bins, raw, m->x);
  for (int k = 1; k <= bins; k++) largest = fmax(largest, v[k]);
  for (int k = 0; k < bins; k++)
    area += (exp(v[k] - largest) + exp(v[k + 1] - largest)) / 2 * (m->x[k + 1] - m->x[k]);
  for (int k = 0; k <= bins; k++) m->slope[k] = 1e-3 + 0.999 * exp(v[k] - largest) / area;
  m->steepest = 1e-3 + 0.999 / area;
  m->y[0] = 0;
  for (int k = 0; k < bins; k++)
    m->y[k + 1] = m->y[k] + (m->slope[k] + m->slope[k + 1]) / 2 * (m->x[k + 1] - m->x[k]);
}

static double piecewise_quadratic_value(const struct map *m, int k, double x, double *log_slope)
{
  double w = m->x[k + 1] - m->x[k], a = (x - m->x[k]) / w, rise = m->slope[k + 1] - m->slope[k];
  *log_slope = log(m->slope[k] + a * rise);
  return a * a / 2 * rise * w + a * m->slope[k] * w + m->y[k];
}

static void piecewise_linear(int bins, const double *raw, struct map *m)
{
  m->bins = bins;
  naive_knots(bins, raw, m->y);
  for (int k = 0; k <= bins; k++) m->x[k] = (double)k / bins;
}

static double piecewise_linear_value(const struct map *m, int k, double x, double *log_slope)
{
  double Q = m->y[k + 1] - m->y[k];
  *log_slope = log(Q * m->bins);
  return (x - m->x[k]) * m->bins * Q + m->y[k];
}

/* s between 1/2 and 32, 1 at 0; t between -8 and 8 */
static void affine(int bins, const double *raw, struct map *m)
{
  (void)bins;
  m->bins = 1;
  m->x[0] = m->y[0] = 0, m->x[1] = m->y[1] = 1;
  m->scale = 0.5 + 31.5 / (1 + 62 * exp(-raw[0]));
  m->shift = raw[1] / (1 + fabs(raw[1]) / 8);
}

static double affine_value(const struct map *m, int k, double x, double *log_slope)
{
  (void)k;
  double z = m->scale * (log(x) - log1p(-x) + m->shift);
  double log_u = -log1p(exp(-z)), log_rest = -log1p(exp(z));
  if (z < -30) log_u = z;
  if (z > 30) log_rest = -z;
  *log_slope = log(m->scale) + log_u + log_rest - log(x) - log1p(-x);
  return exp(log_u);
}

/* thin: an error of a knot counts by its share of the bin's width, or of its height too */
static const struct oracle {
  const char *name;
  int rows_for_16_bins;
  void (*make)(int bins, const double *raw, struct map *m);
  double (*value)(const struct map *m, int bin, double x, double *log_slope);
  int heights, smooth;
} oracles[TRANSFORMS] = {
    {"rational-quadratic", 49, rational_quadratic, rational_quadratic_value, 1, 1},
    {"piecewise-quadratic", 33, piecewise_quadratic, piecewise_quadratic_value, 0, 1},
    {"piecewise-linear", 16, piecewise_linear, piecewise_linear_value, 1, 0},
    {"affine", 2, affine, affine_value, 0, 1},
};

static int bin_of(const struct map *m, double x)
{
  int k = 0;
  while (k < m->bins - 1 && x >= m->x[k + 1]) k++;
  return k;
}

/* One tile: random raw parameters and points, and what the kernel makes of them. */
struct tile {
  const struct oracle *oracle;
  const struct transform *transform;
  int bins, rows;
  float raw[MOST_RAW * LANES], spoilt[MOST_RAW * LANES], kept[MOST_KEPT * LANES];
  double x[LANES], u[LANES], log_slope[LANES];
} __attribute__((aligned(TILE_ALIGN)));

static double value_at(const struct tile *t, const struct map *m, double x, double *log_slope)
{
  return t->oracle->value(m, bin_of(m, x), x, log_slope);
}

static const int bin_counts[] = {2, 10, 16, 128};
static const double amplitudes[] = {0, 1, 5, 50, 1e4};

/* Tests loop over sets and transforms. */
static void choose_transform(struct tile *t, int loop)
{
  t->oracle = &oracles[loop % TRANSFORMS];
  t->transform = nis_kernels_available(loop / TRANSFORMS)->transform[loop % TRANSFORMS];
}

static void fill_raw(struct tile *t, int bins, double amplitude)
{
  t->bins = bins;
  t->rows = nis_transform_rows(t->transform, bins);
  for (int i = 0; i < t->rows * LANES; i++) t->raw[i] = (float)(amplitude * noise());
}

static void density(struct tile *t)
{
  memcpy(t->spoilt, t->raw, sizeof t->raw);
  memcpy(t->u, t->x, sizeof t->x);
  for (int l = 0; l < LANES; l++) t->log_slope[l] = 0;
  t->transform->density(t->bins, t->spoilt, t->u, t->log_slope, t->kept);
}

static void sample(struct tile *t)
{
  memcpy(t->spoilt, t->raw, sizeof t->raw);
  memcpy(t->x, t->u, sizeof t->x);
  for (int l = 0; l < LANES; l++) t->log_slope[l] = 0;
  t->transform->sample(t->bins, t->spoilt, t->x, t->log_slope);
}

static void map_of_lane(const struct tile *t, int lane, struct map *m)
{
  double raw[MOST_RAW] = {0};
  for (int r = 0; r < t->rows; r++) raw[r] = t->raw[r * LANES + lane];
  m->steepest = 0;
  t->oracle->make(t->bins, raw, m);
}

typedef void tile_check(struct tile *t);

/* All numbers of bins with raw parameters up to `amplitude`, a few tiles each. */
static void each_tile(int loop, double amplitude, tile_check *check)
{
  static struct tile tile;
  choose_transform(&tile, loop);
  for (size_t b = 0; b < LENGTH(bin_counts); b++)
    for (int repeat = 0; repeat < 20; repeat++) {
      fill_raw(&tile, bin_counts[b], amplitude);
      for (int l = 0; l < LANES; l++) tile.x[l] = tile.u[l] = (noise() + 1) / 2;
      check(&tile);
    }
}

static void each_amplitude(int loop, tile_check *check)
{
  for (size_t a = 0; a < LENGTH(amplitudes); a++) each_tile(loop, amplitudes[a], check);
}

/* The kernel's parameters are floats, so its function is the oracle's at a slightly shifted point
 * of a slightly stretched bin. 128 roundings of 6e-8 are less than this. */
static const double knot_error = 1e-5;

/* The size that such an error is to be compared with. */
static double thinness(const struct tile *t, const struct map *m, double x)
{
  int k = bin_of(m, x);
  double width = m->x[k + 1] - m->x[k], height = m->y[k + 1] - m->y[k];
  return t->oracle->heights ? fmin(width, height) : width;
}

static void check_against_oracle(const struct tile *t, int lane)
{
  struct map m;
  double x = t->x[lane], here, low, high;
  map_of_lane(t, lane, &m);
  double value = value_at(t, &m, x, &here);
  double below = value_at(t, &m, fmax(x - knot_error, 1e-9), &low);
  double above = value_at(t, &m, fmin(x + knot_error, 1 - 1e-9), &high);
  double side = fmax(fabs(high - here), fabs(low - here));
  check_close(t->u[lane], value, knot_error + 2 * (above - below) + 2e-7 * m.steepest, "u");
  check_close(t->log_slope[lane], here, 1e-5 + 3 * side + 4 * knot_error / thinness(t, &m, x),
              "log slope");
}

static void check_density(struct tile *t)
{
  density(t);
  for (int l = 0; l < LANES; l++) check_against_oracle(t, l);
}

START_TEST(density_is_the_formulas)
{
  for (size_t a = 0; a < 4; a++) each_tile(_i, amplitudes[a], check_density);
}
END_TEST

static void check_sample(struct tile *t)
{
  sample(t);
  for (int l = 0; l < LANES; l++) check_against_oracle(t, l);
}

START_TEST(sample_is_the_formulas)
{
  for (size_t a = 0; a < 4; a++) each_tile(_i, amplitudes[a], check_sample);
}
END_TEST

/* x well inside a bin, as derivatives jump at knots. */
static void points_inside_bins(struct tile *t)
{
  struct map m;
  for (int l = 0; l < LANES; l++) {
    map_of_lane(t, l, &m);
    int k = (7 * l) % m.bins;
    t->x[l] = m.x[k] + (m.x[k + 1] - m.x[k]) * (0.1 + 0.8 * (l + 0.5) / LANES);
  }
}

/* The kernel's own u at x + steps * step[lane] */
static void shifted(const struct tile *t, const double *step, double steps, double *u)
{
  static struct tile other;
  memcpy(&other, t, sizeof other);
  for (int l = 0; l < LANES; l++) other.x[l] += steps * step[l];
  density(&other);
  memcpy(u, other.u, sizeof other.u);
}

/* Differences of the kernel's map, right to the fourth order: it shows when a float gets in. */
static void check_slope_of_map(struct tile *t)
{
  double step[LANES], u[4][LANES];
  struct map m;
  points_inside_bins(t);
  for (int l = 0; l < LANES; l++) {
    map_of_lane(t, l, &m);
    int k = bin_of(&m, t->x[l]);
    step[l] = 3e-5 * (m.x[k + 1] - m.x[k]);
  }
  for (int i = 0; i < 4; i++) shifted(t, step, i < 2 ? i - 2 : i - 1, u[i]);
  density(t);
  for (int l = 0; l < LANES; l++) {
    double slope = (8 * (u[2][l] - u[1][l]) - (u[3][l] - u[0][l])) / (12 * step[l]);
    double rounding = 4e-16 / (step[l] * exp(t->log_slope[l]));
    if (rounding < 0.1) /* else u is 1 to the last bit */
      check_close(log(slope), t->log_slope[l], 1e-6 + rounding, "log of the difference quotient");
  }
}

START_TEST(log_slope_is_that_of_the_map)
{
  for (size_t a = 0; a < 3; a++) each_tile(_i, amplitudes[a], check_slope_of_map);
}
END_TEST

/* The last bit of x is worth slope 2^-53 of u, and 2^-53 / (1 - x) of 1 - x. */
static void check_round_trip(struct tile *t)
{
  double u[LANES], log_slope[LANES];
  memcpy(u, t->u, sizeof u);
  sample(t);
  memcpy(log_slope, t->log_slope, sizeof log_slope);
  for (int l = 0; l < LANES; l++) require(t->x[l] >= 0 && t->x[l] < 1, "x = %.17g", t->x[l]);
  density(t);
  for (int l = 0; l < LANES; l++) {
    check_close(t->u[l], u[l], 1e-11 + 0x1p-52 * exp(log_slope[l]), "sample, then density");
    check_close(t->log_slope[l], log_slope[l], 1e-8 + 0x1p-52 / (1 - t->x[l]),
                "log slopes of the two");
  }
}

START_TEST(density_undoes_sample)
{
  each_amplitude(_i, check_round_trip);
}
END_TEST

/* The other way round a step of u may be a long way in x, where the slope is small. */
static void check_way_back(struct tile *t)
{
  double x[LANES], there[LANES];
  memcpy(x, t->x, sizeof x);
  density(t);
  memcpy(there, t->log_slope, sizeof there);
  sample(t);
  for (int l = 0; l < LANES; l++)
    check_close(t->x[l], x[l], 1e-11 + 1e-15 * exp(-fmin(there[l], t->log_slope[l])), "back at x");
}

START_TEST(sample_undoes_density)
{
  for (size_t a = 0; a < 4; a++) each_tile(_i, amplitudes[a], check_way_back);
}
END_TEST

/* Odd lanes stand at the upper end, even ones at the lower. */
static void stand_at_ends(double *position)
{
  for (int l = 0; l < LANES; l++) position[l] = l % 2 ? 1 - 0x1p-53 : 1e-300;
}

/* u belongs to x as the oracle says; 1e-304 is as near to 0 as the kernel goes. */
static void check_end(const struct tile *t, int lane)
{
  struct map m;
  double x = t->x[lane], u = t->u[lane], log_slope;
  require(u > 0 && u < 1, "u = %.17g", u);
  require(x > 0 && x < 1, "x = %.17g", x);
  require(isfinite(t->log_slope[lane]), "log slope");
  map_of_lane(t, lane, &m);
  double value = value_at(t, &m, x, &log_slope);
  if (lane % 2)
    check_close(u, value, 1e-9 + 0x1p-51 * exp(log_slope), "upper end");
  else if (x > 1.1e-304)
    check_close(log(u), log(fmax(value, 0.98e-304)), 0.02, "logarithm at the lower end");
}

static void check_ends(struct tile *t)
{
  stand_at_ends(t->x);
  density(t);
  for (int l = 0; l < LANES; l++) check_end(t, l);
  stand_at_ends(t->u);
  sample(t);
  for (int l = 0; l < LANES; l++) check_end(t, l);
}

START_TEST(ends_are_pinned)
{
  each_amplitude(_i, check_ends);
}
END_TEST

/* Every lane gets lane 0's parameters. */
static void share_raw(struct tile *t)
{
  for (int r = 0; r < t->rows; r++)
    for (int l = 0; l < LANES; l++) t->raw[r * LANES + l] = t->raw[r * LANES];
}

static void check_increasing(struct tile *t)
{
  density(t);
  for (int l = 1; l < LANES; l++) {
    require(t->u[l] >= t->u[l - 1] - 1e-14, "F(%.17g) = %.17g, but F(%.17g) = %.17g", t->x[l],
            t->u[l], t->x[l - 1], t->u[l - 1]);
  }
}

static void check_monotone(struct tile *t)
{
  share_raw(t);
  for (int l = 0; l < LANES; l++) t->x[l] = (l + 0.5) / LANES;
  check_increasing(t);
}

START_TEST(maps_are_monotone)
{
  each_amplitude(_i, check_monotone);
}
END_TEST

/* Lanes evenly from low on; of the parts between them the one that fits a straight line worst: a
 * jump makes it so, whatever its length, and without one a kink of the slope does. */
static int worst_part(struct tile *t, double low, double length)
{
  int worst = 1;
  double largest = -1;
  for (int l = 0; l < LANES; l++) t->x[l] = low + l * length;
  check_increasing(t);
  for (int l = 1; l < LANES; l++) {
    double mean = (exp(t->log_slope[l]) + exp(t->log_slope[l - 1])) / 2;
    double off = fabs(t->u[l] - t->u[l - 1] - mean * (t->x[l] - t->x[l - 1]));
    if (off > largest) worst = l, largest = off;
  }
  return worst;
}

/* From one 64th to the next towards the kernel's knot, to neighbouring doubles: there value and
 * slope go through without a jump, and the inverse finds its way back on both sides. */
static void check_knot(struct tile *t, double knot)
{
  double low = knot - 2e-6, length = 4e-6 / (LANES - 1), spacing = nextafter(knot, 1) - knot;
  while (length > spacing) {
    int worst = worst_part(t, low, length);
    low += (worst - 1) * length;
    length = fmax(length / (LANES - 1), spacing);
  }
  worst_part(t, low - LANES / 2 * spacing, spacing);
  double steeper = exp(fmax(t->log_slope[0], t->log_slope[LANES - 1]));
  check_close(t->u[LANES - 1], t->u[0], 1e-14 + 1e-14 * steeper, "u over a knot");
  if (t->oracle->smooth)
    check_close(t->log_slope[LANES - 1], t->log_slope[0], 1e-5, "log slope over a knot");
  check_way_back(t);
}

static void check_knots(struct tile *t)
{
  struct map m;
  share_raw(t);
  map_of_lane(t, 0, &m);
  for (int k = 1; k < m.bins; k += 1 + m.bins / 8) check_knot(t, m.x[k]);
}

START_TEST(maps_go_through_knots_without_a_jump)
{
  for (size_t a = 0; a < 3; a++) each_tile(_i, amplitudes[a], check_knots);
}
END_TEST

START_TEST(zeros_are_the_identity)
{
  static struct tile t;
  choose_transform(&t, _i);
  for (size_t b = 0; b < LENGTH(bin_counts); b++) {
    fill_raw(&t, bin_counts[b], 0);
    for (int l = 0; l < LANES; l++) t.x[l] = (l + 0.5) / LANES;
    density(&t);
    for (int l = 0; l < LANES; l++) {
      check_close(t.u[l], t.x[l], 1e-6, "u");
      check_close(t.log_slope[l], 0, 2e-5, "log slope");
    }
  }
}
END_TEST

START_TEST(log_slope_is_added_to)
{
  static struct tile t;
  double alone[LANES];
  choose_transform(&t, _i);
  fill_raw(&t, 10, 2);
  for (int way = 0; way < 2; way++) {
    for (int l = 0; l < LANES; l++) t.x[l] = t.u[l] = (l + 0.5) / LANES;
    way ? sample(&t) : density(&t);
    memcpy(alone, t.log_slope, sizeof alone);
    memcpy(t.spoilt, t.raw, sizeof t.raw);
    if (way)
      t.transform->sample(t.bins, t.spoilt, t.u, t.log_slope);
    else
      t.transform->density(t.bins, t.spoilt, t.x, t.log_slope, t.kept);
    for (int l = 0; l < LANES; l++)
      require(t.log_slope[l] == 2 * alone[l], "%.17g", t.log_slope[l]);
  }
}
END_TEST

/* Backward of the kernel with a different alpha and beta in every lane. */
static void backward(struct tile *t, double weight[LANES][2], float adjoint[LANES])
{
  float dlog[LANES];
  density(t);
  for (int l = 0; l < LANES; l++) {
    weight[l][0] = adjoint[l] = (float)(l % 3 == 1 ? 0 : noise());
    weight[l][1] = dlog[l] = (float)(l % 3 == 2 ? 0 : noise());
  }
  t->transform->backward(t->bins, t->spoilt, t->kept, dlog, adjoint);
}

/* The rows that a transform says it has, and not a number more. */
START_TEST(rows_are_as_many_as_said)
{
  static struct tile t;
  double weight[LANES][2];
  float adjoint[LANES];
  choose_transform(&t, _i);
  ck_assert_str_eq(t.transform->name, t.oracle->name);
  for (size_t i = 0; i < LENGTH(t.raw); i++) t.raw[i] = 7;
  for (size_t i = 0; i < LENGTH(t.kept); i++) t.kept[i] = 7;
  fill_raw(&t, 16, 2);
  ck_assert_int_eq(t.rows, t.oracle->rows_for_16_bins);
  for (int l = 0; l < LANES; l++) t.x[l] = (noise() + 1) / 2;
  backward(&t, weight, adjoint);
  for (size_t i = (size_t)t.rows * LANES; i < LENGTH(t.raw); i++) require(t.spoilt[i] == 7, "raw");
  for (size_t i = (size_t)t.transform->kept_rows * LANES; i < LENGTH(t.kept); i++)
    require(t.kept[i] == 7, "kept");
}
END_TEST

/* The oracle watches itself: its slope is the derivative of its value. */
START_TEST(oracle_slope_is_its_derivative)
{
  static struct tile t;
  struct map m;
  double unused, log_slope;
  choose_transform(&t, _i);
  fill_raw(&t, 10, 3);
  points_inside_bins(&t);
  for (int l = 0; l < LANES; l++) {
    map_of_lane(&t, l, &m);
    int k = bin_of(&m, t.x[l]);
    double x = t.x[l], h = 1e-5 * (m.x[k + 1] - m.x[k]);
    double rise = value_at(&t, &m, x + h, &unused) - value_at(&t, &m, x - h, &unused);
    value_at(&t, &m, x, &log_slope);
    check_close(log(rise / (2 * h)), log_slope, 1e-6 + 4e-16 / rise,
                "log of the difference quotient");
  }
}
END_TEST

/* alpha u + beta log_slope of the oracle, raw[row] moved by step; row -1 moves x */
static double loss_at(const struct tile *t, int lane, int row, double step, const double weight[2])
{
  double raw[MOST_RAW] = {0}, log_slope, x = t->x[lane];
  struct map m;
  for (int r = 0; r < t->rows; r++) raw[r] = t->raw[r * LANES + lane];
  *(row < 0 ? &x : &raw[row]) += step;
  t->oracle->make(t->bins, raw, &m);
  double u = value_at(t, &m, x, &log_slope);
  return weight[0] * u + weight[1] * log_slope;
}

static double loss_slope(const struct tile *t, int lane, int row, double step,
                         const double weight[2])
{
  return (loss_at(t, lane, row, step, weight) - loss_at(t, lane, row, -step, weight)) / (2 * step);
}

static void check_lane_gradient(const struct tile *t, int lane, const double weight[2], float dx)
{
  struct map m;
  map_of_lane(t, lane, &m);
  int k = bin_of(&m, t->x[lane]);
  double thin = thinness(t, &m, t->x[lane]), exact[MOST_RAW], largest = 0;
  double exact_dx = loss_slope(t, lane, -1, 1e-4 * (m.x[k + 1] - m.x[k]), weight);
  for (int r = 0; r < t->rows; r++) {
    exact[r] = loss_slope(t, lane, r, 1e-4, weight);
    largest = fmax(largest, fabs(exact[r]));
  }
  double tolerance = 2e-5 + knot_error / thin;
  for (int r = 0; r < t->rows; r++)
    check_close(t->spoilt[r * LANES + lane], exact[r], tolerance * (largest + 0.1), "dL/draw");
  check_close(dx, exact_dx, tolerance * (fabs(exact_dx) + largest / thin + 1), "dL/dx");
}

START_TEST(gradients_are_differences_of_the_oracle)
{
  static struct tile t;
  double weight[LANES][2];
  float adjoint[LANES];
  choose_transform(&t, _i);
  for (size_t b = 0; b < LENGTH(bin_counts); b++)
    for (int repeat = 0; repeat < 3; repeat++) {
      fill_raw(&t, bin_counts[b], 1 + repeat);
      points_inside_bins(&t);
      backward(&t, weight, adjoint);
      for (int l = 0; l < LANES; l += 5) check_lane_gradient(&t, l, weight[l], adjoint[l]);
    }
}
END_TEST

static void check_finite_gradients(struct tile *t)
{
  double weight[LANES][2];
  float adjoint[LANES];
  t->x[0] = 1e-300, t->x[1] = 1 - 0x1p-53;
  backward(t, weight, adjoint);
  for (int i = 0; i < t->rows * LANES; i++) require(isfinite(t->spoilt[i]), "dL/draw");
  for (int l = 0; l < LANES; l++) require(isfinite(adjoint[l]), "dL/dx");
}

START_TEST(gradients_are_finite)
{
  each_amplitude(_i, check_finite_gradients);
}
END_TEST

/* ---- circles ---------------------------------------------------------------------- */

/* Raw vectors of all sizes, and coordinates of which some are next to the ends */
struct circle_case {
  const struct kernels *set;
  float raw[2 * LANES], kept[2 * LANES];
  double z[LANES], turned[LANES];
} __attribute__((aligned(TILE_ALIGN)));

static void circle_case_make(struct circle_case *c, int set, double amplitude)
{
  static const double ends[] = {1e-300, 0x1p-53, 1 - 0x1p-53, 0.5};
  c->set = nis_kernels_available(set);
  for (int i = 0; i < 2 * LANES; i++) c->raw[i] = (float)(amplitude * noise());
  for (int l = 0; l < LANES; l++) c->z[l] = l < 4 ? ends[l] : (noise() + 1) / 2;
  memcpy(c->kept, c->raw, sizeof c->raw);
  memcpy(c->turned, c->z, sizeof c->z);
}

static double naive_angle(const struct circle_case *c, int lane)
{
  return atan2(3 * (double)c->kept[LANES + lane], 1 + 3 * (double)c->kept[lane]) / (2 * M_PI);
}

static double short_way(double from, double to)
{
  return to - from - rint(to - from);
}

static const double circle_amplitudes[] = {0, 1e-3, 1, 3, 1e4};

START_TEST(a_circle_is_seen_as_cosine_and_sine)
{
  struct circle_case c;
  float in[2 * LANES], din[2 * LANES], adjoint[LANES];
  circle_case_make(&c, _i, 1);
  c.set->circle_see(c.z, in);
  for (int l = 0; l < LANES; l++) {
    check_close(in[l], cos(2 * M_PI * c.z[l]), 2e-7, "cosine");
    check_close(in[LANES + l], sin(2 * M_PI * c.z[l]), 2e-7, "sine");
    din[l] = c.raw[l], din[LANES + l] = c.raw[LANES + l], adjoint[l] = 1;
  }
  c.set->circle_see_backward(in, din, adjoint);
  for (int l = 0; l < LANES; l++) {
    double angle = 2 * M_PI * c.z[l];
    double slope = 2 * M_PI * (din[LANES + l] * cos(angle) - din[l] * sin(angle));
    check_close(adjoint[l], 1 + slope, 1e-5, "slope");
  }
}
END_TEST

START_TEST(turns_are_by_the_angle_of_the_vector)
{
  for (size_t a = 0; a < LENGTH(circle_amplitudes); a++) {
    struct circle_case c;
    circle_case_make(&c, _i, circle_amplitudes[a]);
    c.set->circle_turn(c.raw, 1, c.turned);
    ck_assert(memcmp(c.raw, c.kept, sizeof c.raw) == 0);
    for (int l = 0; l < LANES; l++) {
      require(c.turned[l] > 0 && c.turned[l] < 1, "at %.17g", c.turned[l]);
      double off = short_way(c.z[l] + naive_angle(&c, l), c.turned[l]);
      check_close(off, 0, circle_amplitudes[a] == 0 ? 0x1p-53 : 1e-7, "off the angle");
    }
    c.set->circle_turn(c.raw, -1, c.turned);
    for (int l = 0; l < LANES; l++)
      check_close(short_way(c.z[l], c.turned[l]), 0, 4e-16, "there and back");
  }
}
END_TEST

/* Out of the centre's way, where the slope is cut; at it, it is finite. */
START_TEST(turns_backward_is_the_slope_of_the_angle)
{
  for (size_t a = 0; a < LENGTH(circle_amplitudes); a++) {
    struct circle_case c;
    float adjoint[LANES];
    circle_case_make(&c, _i, circle_amplitudes[a]);
    c.raw[0] = -1 / 3.f, c.raw[LANES] = 0;
    memcpy(c.kept, c.raw, sizeof c.raw);
    for (int l = 0; l < LANES; l++) adjoint[l] = (float)noise();
    c.set->circle_turn_backward(c.raw, adjoint);
    for (int l = 0; l < LANES; l++) {
      double x = 1 + 3 * (double)c.kept[l], y = 3 * (double)c.kept[LANES + l];
      double square = x * x + y * y;
      require(isfinite(c.raw[l]) && isfinite(c.raw[LANES + l]), "lane %d", l);
      if (square < 0.02) continue;
      double unit = 3 * adjoint[l] / (2 * M_PI * square);
      check_close(c.raw[l], -y * unit, 1e-6 * fabs(y * unit) + 1e-9, "dL/da");
      check_close(c.raw[LANES + l], x * unit, 1e-6 * fabs(x * unit) + 1e-9, "dL/db");
    }
  }
}
END_TEST

/* ---- one set against another ------------------------------------------------------- */

static const struct kernels *set_named(const char *name)
{
  const struct kernels *set;
  for (int i = 0; (set = nis_kernels_available(i)); i++)
    if (strcmp(set->name, name) == 0) return set;
  return NULL;
}

/* Both sets with fused multiply-add; NULL where one is missing. */
static int fused_sets(const struct kernels *set[2])
{
  set[0] = set_named("avx2");
  set[1] = set_named("avx512");
  return set[0] && set[1];
}

static void check_bits(const void *a, const void *b, size_t bytes, const char *what)
{
  ck_assert_msg(bytes == 0 || memcmp(a, b, bytes) == 0, "avx2 and avx512 differ: %s", what);
}

static void check_net_bits(const struct kernels *set[2], const struct net_shape *shape)
{
  struct net_case c[2];
  for (int i = 0; i < 2; i++) {
    noise_state = 11;
    net_case_make(&c[i], shape);
    set[i]->net_forward(shape, c[i].weights, c[i].in, c[i].hidden, c[i].out);
  }
  size_t outputs = (size_t)shape->outputs * LANES, inputs = (size_t)shape->inputs * LANES;
  check_bits(c[0].out, c[1].out, outputs * sizeof(float), "net_forward");
  check_bits(c[0].hidden, c[1].hidden, c[0].hidden_rows * LANES * sizeof(float), "hidden");
  for (int i = 0; i < 2; i++)
    set[i]->net_backward(shape, c[i].weights, c[i].in, c[i].hidden, c[i].dout, c[i].gradient,
                         c[i].din, c[i].work);
  check_bits(c[0].gradient, c[1].gradient, c[0].nparameters * sizeof(float), "net_backward");
  check_bits(c[0].din, c[1].din, inputs * sizeof(float), "net_backward's din");
  net_case_free(&c[0]), net_case_free(&c[1]);
}

START_TEST(net_bits_of_fused_sets_agree)
{
  static const struct net_shape shape[] = {
      {0, 1, 1, 31}, {1, 2, 5, 49}, {3, 2, 32, 124}, {17, 3, 33, 31}, {65, 1, 64, 7}};
  const struct kernels *set[2];
  if (!fused_sets(set)) return;
  for (size_t i = 0; i < LENGTH(shape); i++) check_net_bits(set, &shape[i]);
}
END_TEST

START_TEST(uniform_bits_of_all_sets_agree)
{
  double u[2][3 * LANES];
  nis_kernels_available(0)->uniforms(77, 1, 123456789012, 3, u[0]);
  for (int i = 1; i < nsets; i++) {
    nis_kernels_available(i)->uniforms(77, 1, 123456789012, 3, u[1]);
    ck_assert(memcmp(u[0], u[1], sizeof u[0]) == 0);
  }
}
END_TEST

START_TEST(elementary_bits_of_fused_sets_agree)
{
  enum { N = 10000 };
  const struct kernels *set[2];
  double *x = doubles(N), *y[2] = {doubles(N), doubles(N)};
  for (size_t i = 0; i < LENGTH(elementaries) && fused_sets(set); i++) {
    for (int k = 0; k < N; k++) x[k] = spread_over(&elementaries[i], k % 2);
    for (int k = 0; k < 2; k++) kernel_of(set[k], i)(N, x, y[k]);
    check_bits(y[0], y[1], N * sizeof *x, elementaries[i].name);
  }
  free(x), free(y[0]), free(y[1]);
}
END_TEST

START_TEST(adam_bits_of_fused_sets_agree)
{
  enum { N = 1003 };
  const struct adam a = {1e-2f, 0.9f, 0.999f, 1e-8f, 0.995f, 0.7f};
  const struct kernels *set[2];
  float *block[2];
  if (!fused_sets(set)) return;
  for (int i = 0; i < 2; i++) {
    noise_state = 5;
    block[i] = floats(4 * N, 0.1);
    for (int k = 0; k < N; k++) block[i][2 * N + k] *= block[i][2 * N + k];
    set[i]->adam_step(N, &a, block[i], block[i] + N, block[i] + 2 * N, block[i] + 3 * N);
  }
  check_bits(block[0], block[1], 4 * N * sizeof(float), "adam_step");
  free(block[0]), free(block[1]);
}
END_TEST

/* Sets are numbered as nis_kernels_available does it. */
static int number_of(const struct kernels *set)
{
  int i = 0;
  while (nis_kernels_available(i) != set) i++;
  return i;
}

static void check_transform_bits(const struct kernels *set[2], int kind, int bins, double amplitude)
{
  static struct tile t[2];
  double weight[LANES][2];
  float adjoint[2][LANES];
  for (int i = 0; i < 2; i++) {
    noise_state = 3;
    choose_transform(&t[i], number_of(set[i]) * TRANSFORMS + kind);
    fill_raw(&t[i], bins, amplitude);
    for (int l = 0; l < LANES; l++) t[i].x[l] = (noise() + 1) / 2;
    backward(&t[i], weight, adjoint[i]);
  }
  check_bits(t[0].u, t[1].u, sizeof t[0].u, "density's u");
  check_bits(t[0].log_slope, t[1].log_slope, sizeof t[0].log_slope, "density's log slope");
  check_bits(t[0].kept, t[1].kept, sizeof t[0].kept, "density's kept");
  check_bits(t[0].spoilt, t[1].spoilt, (size_t)t[0].rows * LANES * sizeof(float), "backward");
  check_bits(adjoint[0], adjoint[1], sizeof adjoint[0], "backward's adjoint");
  for (int i = 0; i < 2; i++) sample(&t[i]);
  check_bits(t[0].x, t[1].x, sizeof t[0].x, "sample");
  check_bits(t[0].log_slope, t[1].log_slope, sizeof t[0].log_slope, "sample's log slope");
}

START_TEST(transform_bits_of_fused_sets_agree)
{
  const struct kernels *set[2];
  if (!fused_sets(set)) return;
  for (size_t b = 0; b < LENGTH(bin_counts); b++)
    for (size_t a = 0; a < LENGTH(amplitudes); a++)
      check_transform_bits(set, _i, bin_counts[b], amplitudes[a]);
}
END_TEST

START_TEST(circle_bits_of_fused_sets_agree)
{
  const struct kernels *set[2];
  struct circle_case c[2];
  float in[2][2 * LANES], adjoint[2][LANES];
  if (!fused_sets(set)) return;
  for (int i = 0; i < 2; i++) {
    noise_state = 3;
    circle_case_make(&c[i], number_of(set[i]), 2);
    set[i]->circle_see(c[i].z, in[i]);
    set[i]->circle_turn(c[i].raw, 1, c[i].turned);
    for (int l = 0; l < LANES; l++) adjoint[i][l] = (float)noise();
    set[i]->circle_see_backward(in[i], c[i].kept, adjoint[i]);
    set[i]->circle_turn_backward(c[i].raw, adjoint[i]);
  }
  check_bits(in[0], in[1], sizeof in[0], "circle_see");
  check_bits(c[0].turned, c[1].turned, sizeof c[0].turned, "circle_turn");
  check_bits(adjoint[0], adjoint[1], sizeof adjoint[0], "circle_see_backward");
  check_bits(c[0].raw, c[1].raw, sizeof c[0].raw, "circle_turn_backward");
}
END_TEST

START_TEST(the_fastest_set_is_taken)
{
  const char *wanted = getenv("NIS_KERNELS");
  const struct kernels *set = wanted ? set_named(wanted) : NULL;
  ck_assert_ptr_eq(nis_kernels(), set ? set : nis_kernels_available(nsets - 1));
  ck_assert_str_eq(nis_kernels_available(0)->name, "baseline");
  ck_assert_ptr_null(nis_kernels_available(nsets));
  ck_assert_ptr_null(nis_kernels_available(1000));
}
END_TEST

/* ---- */

static void reset_noise(void)
{
  noise_state = 1;
}

static TCase *make_case(const char *name)
{
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 120); /* sanitizers, busy machines */
  tcase_add_checked_fixture(tcase, reset_noise, NULL);
  return tcase;
}

static TCase *philox_case(void)
{
  TCase *tcase = make_case("philox");
  tcase_add_test(tcase, scalar_philox_gives_the_known_answers);
  tcase_add_loop_test(tcase, uniforms_are_philox, 0, nsets);
  tcase_add_loop_test(tcase, a_point_alone_is_the_point_in_a_run, 0, nsets);
  tcase_add_loop_test(tcase, uniforms_stay_inside_the_open_interval, 0, nsets);
  tcase_add_loop_test(tcase, streams_and_seeds_differ, 0, nsets);
  return tcase;
}

static TCase *net_case(void)
{
  TCase *tcase = make_case("net and Adam");
  tcase_add_loop_test(tcase, net_forward_is_the_naive_net, 0, nsets);
  tcase_add_loop_test(tcase, net_backward_is_naive_backpropagation, 0, nsets);
  tcase_add_loop_test(tcase, net_gradient_along_a_random_direction, 0, nsets);
  tcase_add_loop_test(tcase, adam_is_algorithm_1, 0, nsets);
  return tcase;
}

static TCase *elementary_case(void)
{
  TCase *tcase = make_case("exp, log, erfc");
  const int all = nsets * (int)LENGTH(elementaries);
  tcase_add_loop_test(tcase, elementary_functions_are_those_of_libm, 0, all);
  tcase_add_loop_test(tcase, elementary_functions_at_the_ends, 0, nsets);
  tcase_add_loop_test(tcase, elementary_bits_do_not_depend_on_the_place, 0, nsets);
  return tcase;
}

static TCase *transforms_case(void)
{
  TCase *tcase = make_case("transforms");
  const int all = nsets * TRANSFORMS;
  tcase_add_loop_test(tcase, oracle_slope_is_its_derivative, 0, TRANSFORMS);
  tcase_add_loop_test(tcase, density_is_the_formulas, 0, all);
  tcase_add_loop_test(tcase, sample_is_the_formulas, 0, all);
  tcase_add_loop_test(tcase, log_slope_is_that_of_the_map, 0, all);
  tcase_add_loop_test(tcase, density_undoes_sample, 0, all);
  tcase_add_loop_test(tcase, sample_undoes_density, 0, all);
  tcase_add_loop_test(tcase, ends_are_pinned, 0, all);
  tcase_add_loop_test(tcase, maps_are_monotone, 0, all);
  tcase_add_loop_test(tcase, maps_go_through_knots_without_a_jump, 0, all);
  tcase_add_loop_test(tcase, zeros_are_the_identity, 0, all);
  tcase_add_loop_test(tcase, log_slope_is_added_to, 0, all);
  tcase_add_loop_test(tcase, rows_are_as_many_as_said, 0, all);
  tcase_add_loop_test(tcase, gradients_are_differences_of_the_oracle, 0, all);
  tcase_add_loop_test(tcase, gradients_are_finite, 0, all);
  return tcase;
}

static TCase *circles_case(void)
{
  TCase *tcase = make_case("circles");
  tcase_add_loop_test(tcase, a_circle_is_seen_as_cosine_and_sine, 0, nsets);
  tcase_add_loop_test(tcase, turns_are_by_the_angle_of_the_vector, 0, nsets);
  tcase_add_loop_test(tcase, turns_backward_is_the_slope_of_the_angle, 0, nsets);
  return tcase;
}

static TCase *sets_case(void)
{
  TCase *tcase = make_case("sets");
  tcase_add_test(tcase, the_fastest_set_is_taken);
  tcase_add_test(tcase, uniform_bits_of_all_sets_agree);
  tcase_add_test(tcase, net_bits_of_fused_sets_agree);
  tcase_add_test(tcase, elementary_bits_of_fused_sets_agree);
  tcase_add_test(tcase, adam_bits_of_fused_sets_agree);
  tcase_add_test(tcase, circle_bits_of_fused_sets_agree);
  tcase_add_loop_test(tcase, transform_bits_of_fused_sets_agree, 0, TRANSFORMS);
  return tcase;
}

int main(void)
{
  while (nis_kernels_available(nsets)) nsets++;
  Suite *suite = suite_create("kernels");
  suite_add_tcase(suite, philox_case());
  suite_add_tcase(suite, net_case());
  suite_add_tcase(suite, elementary_case());
  suite_add_tcase(suite, transforms_case());
  suite_add_tcase(suite, circles_case());
  suite_add_tcase(suite, sets_case());
  return run_suite(suite);
}

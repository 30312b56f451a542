/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flow and the gradient of its training loss.
 *
 * Oracles: the Jacobian by differences and its determinant by GSL's LU, Gauss quadrature of q, the
 * loss along directions in the space of weights, and masks read off the binary digits.
 */
#include "flow.h"
#include "optimizer.h"
#include "quadrature.h"
#include "settings.h"

#include <gsl/gsl_linalg.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ck_assert_msg for inner loops: Check writes to a pipe for each assertion that holds. */
#define require(condition, ...)                                                                    \
  do {                                                                                             \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                   \
  } while (0)

static int nsets; /* instruction sets of this processor, counted in main */

/* ---- helpers --------------------------------------------------------------------- */

static uint64_t noise_state = 1;

/* uniform in (-1, 1) */
static double noise(void)
{
  noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
  return 2 * ((double)(noise_state >> 12) + 0.5) * 0x1p-52 - 1;
}

static double *doubles(size_t n)
{
  double *out = calloc(n, sizeof *out);
  ck_assert_ptr_nonnull(out);
  return out;
}

struct machine {
  struct flow flow;
  struct flow_scratch scratch;
};

static int default_layers(size_t dim)
{
  return dim == 1 ? 1 : 2 * (int)ceil(log2((double)dim) - 1e-9);
}

static void randomise(struct flow *flow, double amplitude)
{
  for (size_t i = 0; i < flow->nweights; i++) flow->weights[i] = (float)(amplitude * noise());
}

static int transform_of(const struct machine *m)
{
  return m->flow.coupling[0].transform;
}

/* A flow with small nets and random weights. Tests loop over instruction sets and transforms. */
static struct machine make(size_t dim, int bins, double amplitude, int loop)
{
  struct machine m;
  struct flow_shape shape = {dim, default_layers(dim), bins, 2, 12, loop % TRANSFORMS};
  ck_assert_int_eq(nis_flow_init(&m.flow, &shape, 1), NIS_OK);
  m.flow.kernels = nis_kernels_available(loop / TRANSFORMS);
  ck_assert_int_eq(nis_flow_scratch_init(&m.scratch, &m.flow), NIS_OK);
  /* Under a steep logistic function u is soon 1 to the last bit. */
  if (transform_of(&m) == AFFINE) amplitude /= 2;
  if (amplitude > 0) randomise(&m.flow, amplitude);
  return m;
}

static void clear(struct machine *m)
{
  nis_flow_scratch_clear(&m->scratch);
  nis_flow_clear(&m->flow);
}

static void random_tile(size_t dim, double *z)
{
  for (size_t i = 0; i < dim * LANES; i++) z[i] = (noise() + 1) / 2;
}

/* ---- the bijection ----------------------------------------------------------------- */

/* The passing coordinates go into the nets as floats, and after a way there and back a last bit can
 * round the other way: rare, and then of the size of a float's last bit. */
static void check_identity(size_t dim, const double *a, const double *b, const char *what)
{
  size_t off = 0;
  for (size_t i = 0; i < dim * LANES; i++) {
    double error = fabs(a[i] - b[i]);
    require(error < 1e-5, "%s: %.17g is not %.17g", what, a[i], b[i]);
    off += error > 1e-10;
  }
  require(off <= dim * LANES / 50, "%s: %zu of %zu are more than rounding off", what, off,
          dim * LANES);
}

static void check_there_and_back(struct machine *m)
{
  size_t dim = m->flow.dim;
  double *u = doubles(dim * LANES), *z = doubles(dim * LANES), log_q[2][LANES];
  for (int repeat = 0; repeat < 20; repeat++) {
    random_tile(dim, u);
    memcpy(z, u, dim * LANES * sizeof *z);
    nis_flow_sample(&m->flow, z, log_q[0], &m->scratch);
    for (size_t i = 0; i < dim * LANES; i++) require(z[i] > 0 && z[i] < 1, "x = %.17g", z[i]);
    nis_flow_density(&m->flow, z, log_q[1], &m->scratch);
    check_identity(dim, z, u, "sample, then density");
    for (int l = 0; l < LANES; l++)
      require(fabs(log_q[0][l] - log_q[1][l]) < 1e-4, "log q %.17g and %.17g", log_q[0][l],
              log_q[1][l]);
    random_tile(dim, u);
    memcpy(z, u, dim * LANES * sizeof *z);
    nis_flow_density(&m->flow, z, log_q[0], &m->scratch);
    nis_flow_sample(&m->flow, z, log_q[1], &m->scratch);
    check_identity(dim, z, u, "density, then sample");
  }
  free(u), free(z);
}

START_TEST(sample_and_density_are_inverse)
{
  static const size_t dim[] = {1, 2, 3, 5, 8, 16};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    struct machine m = make(dim[i], 8, 0.6, _i);
    check_there_and_back(&m);
    clear(&m);
  }
}
END_TEST

START_TEST(flow_starts_as_the_identity)
{
  static const size_t dim[] = {1, 2, 5, 16};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    struct machine m = make(dim[i], 16, 0, _i);
    double *x = doubles(dim[i] * LANES), *u = doubles(dim[i] * LANES), log_q[LANES];
    random_tile(dim[i], x);
    memcpy(u, x, dim[i] * LANES * sizeof *u);
    nis_flow_density(&m.flow, u, log_q, &m.scratch);
    for (size_t k = 0; k < dim[i] * LANES; k++) ck_assert_double_eq_tol(u[k], x[k], 1e-6);
    for (int l = 0; l < LANES; l++) ck_assert_double_eq_tol(log_q[l], 0, 1e-5);
    free(x), free(u);
    clear(&m);
  }
}
END_TEST

/* n numbers, uniform in (-bound, bound): the mean has a spread of bound / sqrt(3 n). */
static const float *check_uniform(const float *w, size_t n, double bound)
{
  double sum = 0, largest = 0;
  for (size_t i = 0; i < n; i++) {
    sum += w[i];
    largest = fmax(largest, fabs(w[i]));
  }
  ck_assert_double_le(largest, bound * (1 + 1e-6));
  if (n > 50) ck_assert_double_gt(largest, 0.8 * bound);
  ck_assert_double_lt(fabs(sum), 5.5 * bound * sqrt((double)n / 3));
  return w + n;
}

/* He's bounds: sqrt(6 / columns) for weights, 1 / sqrt(columns) for biases; the last layer is 0. */
START_TEST(initial_weights_are_hes)
{
  struct machine m = make(8, 4, 0, 0);
  for (int k = 0; k < m.flow.layers; k++) {
    const struct coupling *c = &m.flow.coupling[k];
    const float *w = m.flow.weights + c->first_weight, *end = w + nis_net_weights(&c->net);
    size_t width = (size_t)c->net.width, columns = (size_t)c->net.inputs;
    for (int i = 0; i < c->net.hidden_layers; i++, columns = width) {
      w = check_uniform(w, width * columns, sqrt(6. / (double)columns));
      w = check_uniform(w, width, 1 / sqrt((double)columns));
    }
    for (; w < end; w++) require(*w == 0, "the last layer starts with %g", *w);
  }
  clear(&m);
}
END_TEST

/* ---- log q is the Jacobian --------------------------------------------------------- */

/* du_i/dx_j of all lanes by central differences, into jacobian[lane][i][j] */
static void differences(struct machine *m, const double *x, double step, double *jacobian)
{
  size_t dim = m->flow.dim, size = dim * LANES;
  double *up = doubles(size), *down = doubles(size), unused[LANES];
  for (size_t j = 0; j < dim; j++) {
    memcpy(up, x, size * sizeof *up);
    memcpy(down, x, size * sizeof *down);
    for (size_t l = 0; l < LANES; l++) {
      up[j * LANES + l] += step;
      down[j * LANES + l] -= step;
    }
    nis_flow_density(&m->flow, up, unused, &m->scratch);
    nis_flow_density(&m->flow, down, unused, &m->scratch);
    for (size_t i = 0; i < dim; i++)
      for (size_t l = 0; l < LANES; l++)
        jacobian[(l * dim + i) * dim + j] = (up[i * LANES + l] - down[i * LANES + l]) / (2 * step);
  }
  free(up), free(down);
}

static double log_determinant(size_t dim, double *matrix)
{
  int sign;
  gsl_matrix_view view = gsl_matrix_view_array(matrix, dim, dim);
  gsl_permutation *p = gsl_permutation_alloc(dim);
  gsl_linalg_LU_decomp(&view.matrix, p, &sign);
  double log_det = gsl_linalg_LU_lndet(&view.matrix);
  ck_assert_int_eq(gsl_linalg_LU_sgndet(&view.matrix, sign), 1);
  gsl_permutation_free(p);
  return log_det;
}

/* The nets see floats, so the step is long; a knot or a kink of the ReLU within it is an error of
 * the first order, and a jump of the histogram's any error: a few lanes in a hundred may be off by
 * more than the curvature. */
static void check_jacobian(struct machine *m)
{
  size_t dim = m->flow.dim;
  double *x = doubles(dim * LANES), *u = doubles(dim * LANES), log_q[LANES];
  double *jacobian = doubles(dim * dim * LANES);
  int off = 0;
  for (size_t i = 0; i < dim * LANES; i++) x[i] = 0.5 + 0.495 * noise();
  memcpy(u, x, dim * LANES * sizeof *u);
  nis_flow_density(&m->flow, u, log_q, &m->scratch);
  differences(m, x, 3e-4, jacobian);
  for (size_t l = 0; l < LANES; l++) {
    double error = fabs(log_determinant(dim, jacobian + l * dim * dim) - log_q[l]);
    require(error < 0.1 || transform_of(m) == PIECEWISE_LINEAR, "log q is %.6g, off by %g",
            log_q[l], error);
    off += error > 0.02;
  }
  require(off <= LANES / 16, "%d lanes are off", off);
  free(x), free(u), free(jacobian);
}

START_TEST(log_q_is_the_jacobian)
{
  for (size_t dim = 1; dim <= 4; dim++) {
    struct machine m = make(dim, 4, 0.6, _i);
    for (int repeat = 0; repeat < 5; repeat++) check_jacobian(&m);
    clear(&m);
  }
}
END_TEST

/* ---- integral of q ----------------------------------------------------------------- */

/* Gauss-Legendre of 4 points on each of `panels` parts of (0, 1): node number k */
static double composite(size_t panels, size_t k, double *weight)
{
  static struct rule rule;
  if (!rule.n) rule = gauss_rule(4);
  *weight = rule.w[k % 4] / (double)panels;
  return ((double)(k / 4) + rule.x[k % 4]) / (double)panels;
}

/* An affine transform's density may have roots at the ends, or poles like theirs; as a function of t
 * with x = t^3 (10 - 15 t + 6 t^2) it is smooth enough for Gauss. */
static double node(const struct machine *m, size_t panels, size_t k, double *weight)
{
  double t = composite(panels, k, weight);
  if (transform_of(m) != AFFINE) return t;
  *weight *= 30 * t * t * (1 - t) * (1 - t);
  return t * t * t * (10 - 15 * t + 6 * t * t);
}

static double integral_of_q(struct machine *m, size_t panels)
{
  size_t dim = m->flow.dim, side = 4 * panels, total = dim == 1 ? side : side * side;
  double sum = 0, z[2 * LANES], weight[LANES], log_q[LANES];
  for (size_t first = 0; first < total; first += LANES) {
    for (size_t l = 0; l < LANES; l++) {
      size_t k = first + l;
      double other = 1;
      z[l] = node(m, panels, k % side, &weight[l]);
      if (dim == 2) z[LANES + l] = node(m, panels, k / side, &other);
      weight[l] *= other;
    }
    nis_flow_density(&m->flow, z, log_q, &m->scratch);
    for (size_t l = 0; l < LANES; l++) sum += weight[l] * exp(log_q[l]);
  }
  return sum;
}

START_TEST(q_integrates_to_1)
{
  for (int repeat = 0; repeat < 3; repeat++) {
    struct machine line = make(1, 16, 2, _i), square = make(2, 8, 0.7, _i);
    ck_assert_double_eq_tol(integral_of_q(&line, 32768), 1, 1e-7);
    ck_assert_double_eq_tol(integral_of_q(&square, 64), 1, 1e-4);
    clear(&line), clear(&square);
  }
}
END_TEST

/* ---- masks ----------------------------------------------------------------------- */

/* 1 where `layer` moves the coordinate: a binary digit of its index, and the complement. */
static int should_move(size_t dim, int layer, size_t coordinate)
{
  char digits[16] = "";
  int ndigits = default_layers(dim) / 2;
  for (int k = 0; k < ndigits; k++) digits[k] = (char)('0' + (coordinate >> k) % 2);
  return dim == 1 || digits[layer / 2 % ndigits] == (layer % 2 == 0 ? '1' : '0');
}

static int contains(const int *list, int n, size_t coordinate)
{
  for (int i = 0; i < n; i++)
    if (list[i] == (int)coordinate) return 1;
  return 0;
}

START_TEST(masks_are_the_binary_digits)
{
  static const size_t dim[] = {1, 2, 3, 5, 8, 16, 100};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    struct machine m = make(dim[i], 2, 0, 0);
    for (int k = 0; k < m.flow.layers; k++) {
      const struct coupling *c = &m.flow.coupling[k];
      ck_assert_int_eq(c->moving + c->passing, (int)dim[i]);
      ck_assert_int_eq(c->net.inputs, c->passing);
      for (size_t j = 0; j < dim[i]; j++) {
        require(contains(c->move, c->moving, j) == should_move(dim[i], k, j), "layer %d", k);
        require(contains(c->pass, c->passing, j) != should_move(dim[i], k, j), "layer %d", k);
      }
    }
    clear(&m);
  }
}
END_TEST

/* With all layers, every coordinate has been moved under the eyes of every other one. */
START_TEST(every_pair_meets)
{
  for (size_t dim = 2; dim <= 20; dim++) {
    struct machine m = make(dim, 2, 0, 0);
    for (size_t a = 0; a < dim; a++)
      for (size_t b = 0; b < dim; b++) {
        int met = a == b;
        for (int k = 0; k < m.flow.layers; k++)
          met |= contains(m.flow.coupling[k].move, m.flow.coupling[k].moving, a) &&
                 contains(m.flow.coupling[k].pass, m.flow.coupling[k].passing, b);
        require(met, "%zu never sees %zu in %zu dimensions", a, b, dim);
      }
    clear(&m);
  }
}
END_TEST

static void one_layer(struct machine *m, int layer, const double *in, double *out)
{
  double log_slope[LANES] = {0};
  const struct coupling *c = &m->flow.coupling[layer];
  memcpy(out, in, m->flow.dim * LANES * sizeof *out);
  nis_coupling_density(c, m->flow.kernels, m->flow.weights, out, log_slope,
                       nis_coupling_slices(c, m->scratch.any));
}

/* Which outputs of a layer change with input j. */
static void check_dependence(struct machine *m, int layer, size_t j)
{
  size_t dim = m->flow.dim, size = dim * LANES;
  double *x = doubles(size), *before = doubles(size), *after = doubles(size);
  random_tile(dim, x);
  one_layer(m, layer, x, before);
  for (size_t l = 0; l < LANES; l++) x[j * LANES + l] = 0.3 + 0.4 * x[j * LANES + l];
  one_layer(m, layer, x, after);
  int moved = should_move(dim, layer, j);
  for (size_t i = 0; i < dim; i++) {
    int expected = i == j || (!moved && should_move(dim, layer, i));
    for (size_t l = 0; l < LANES; l++)
      require((before[i * LANES + l] != after[i * LANES + l]) == expected,
              "layer %d: output %zu and input %zu of lane %zu", layer, i, j, l);
    if (!should_move(dim, layer, i))
      require(memcmp(after + i * LANES, x + i * LANES, LANES * sizeof *x) == 0,
              "layer %d changed %zu, which passes", layer, i);
  }
  free(x), free(before), free(after);
}

START_TEST(layers_move_and_see_what_the_masks_say)
{
  static const size_t dim[] = {2, 3, 5, 8};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    struct machine m = make(dim[i], 4, 0.6, _i);
    for (int k = 0; k < m.flow.layers; k++)
      for (size_t j = 0; j < dim[i]; j++) check_dependence(&m, k, j);
    clear(&m);
  }
}
END_TEST

/* ---- gradient of log q ------------------------------------------------------------- */

/* log q(x_l) with weights + step * direction */
static void log_q_along(struct machine *m, const double *x, double step, const double *direction,
                        double *log_q)
{
  size_t dim = m->flow.dim, n = m->flow.nweights;
  double *z = doubles(dim * LANES);
  float *kept = malloc(n * sizeof *kept);
  ck_assert_ptr_nonnull(kept);
  memcpy(kept, m->flow.weights, n * sizeof *kept);
  for (size_t i = 0; i < n; i++) m->flow.weights[i] += (float)(step * direction[i]);
  memcpy(z, x, dim * LANES * sizeof *z);
  nis_flow_density(&m->flow, z, log_q, &m->scratch);
  memcpy(m->flow.weights, kept, n * sizeof *kept);
  free(kept), free(z);
}

/* d/dstep of sum_l c[l] log q(x_l). A histogram's log q jumps where a point crosses a knot, of which
 * the gradient knows nothing: c becomes 0 for such a lane, and for no more than half of them. */
static double difference_along(struct machine *m, const double *x, double step,
                               const double *direction, float *c)
{
  double up[LANES], here[LANES], down[LANES], sum = 0;
  int jumps = 0;
  log_q_along(m, x, step, direction, up);
  log_q_along(m, x, 0, direction, here);
  log_q_along(m, x, -step, direction, down);
  for (int l = 0; l < LANES; l++) {
    int jump = fabs(up[l] - 2 * here[l] + down[l]) > 1e-4;
    if (jump && transform_of(m) == PIECEWISE_LINEAR) c[l] = 0, jumps++;
    sum += c[l] * (up[l] - down[l]) / (2 * step);
  }
  ck_assert_int_le(jumps, LANES / 2);
  return sum;
}

static void flow_gradient(struct machine *m, const double *x, const float *c, float *gradient)
{
  double *z = doubles(m->flow.dim * LANES), log_q[LANES];
  memcpy(z, x, m->flow.dim * LANES * sizeof *z);
  memset(gradient, 0, m->flow.nweights * sizeof *gradient);
  nis_flow_density(&m->flow, z, log_q, &m->scratch);
  nis_flow_backward(&m->flow, c, gradient, &m->scratch);
  free(z);
}

/* A random direction among the weights [first, end): the signs half follow the gradient, as a
 * direction at random is almost at right angles to it, where the floats' noise is louder. */
static double choose_direction(const float *gradient, size_t first, size_t end, size_t n,
                               double *direction)
{
  double dot = 0, length = 0;
  for (size_t i = 0; i < n; i++) {
    direction[i] = i < first || i >= end ? 0 : gradient[i] * (1 + 0.9 * noise());
    length += direction[i] * direction[i];
  }
  for (size_t i = 0; i < n; i++) {
    direction[i] /= sqrt(length);
    dot += gradient[i] * direction[i];
  }
  return dot;
}

/* Does the gradient along a direction among the weights [first, end) agree with the difference? */
static int agrees(struct machine *m, const double *x, double step, size_t first, size_t end,
                  float *c, float *gradient)
{
  double *direction = doubles(m->flow.nweights), dot = 0;
  flow_gradient(m, x, c, gradient);
  choose_direction(gradient, first, end, m->flow.nweights, direction);
  double slope = difference_along(m, x, step, direction, c);
  flow_gradient(m, x, c, gradient);
  for (size_t i = first; i < end; i++) dot += gradient[i] * direction[i];
  free(direction);
  return fabs(slope - dot) < 0.02 * fabs(dot) + 0.003;
}

/* Layer by layer, so that a small one cannot hide behind the others. A kink of the ReLU within the
 * step is not within a shorter one, which hears more of the floats' noise. */
static void check_backward(struct machine *m)
{
  double *x = doubles(m->flow.dim * LANES);
  float *gradient = malloc(m->flow.nweights * sizeof *gradient), c[LANES];
  ck_assert_ptr_nonnull(gradient);
  random_tile(m->flow.dim, x);
  for (int l = 0; l < LANES; l++) c[l] = (float)noise();
  for (int k = 0; k < m->flow.layers; k++) {
    size_t first = m->flow.coupling[k].first_weight;
    size_t end = first + nis_net_weights(&m->flow.coupling[k].net);
    require(agrees(m, x, 3e-4, first, end, c, gradient) ||
                agrees(m, x, 5e-5, first, end, c, gradient),
            "layer %d of %zu dimensions", k, m->flow.dim);
  }
  free(x), free(gradient);
}

START_TEST(backward_is_the_slope_along_directions)
{
  static const size_t dim[] = {1, 2, 3, 5, 8, 16};
  for (size_t i = 0; i < LENGTH(dim); i++)
    for (int repeat = 0; repeat < 3; repeat++) {
      struct machine m = make(dim[i], 6, 0.4, _i);
      check_backward(&m);
      clear(&m);
    }
}
END_TEST

START_TEST(backward_adds_to_the_gradient)
{
  struct machine m = make(3, 6, 0.4, _i);
  size_t n = m.flow.nweights;
  double x[3 * LANES], log_q[LANES];
  float *once = malloc(n * sizeof *once), *twice = malloc(n * sizeof *twice), c[LANES];
  ck_assert(once && twice);
  random_tile(3, x);
  for (int l = 0; l < LANES; l++) c[l] = (float)noise();
  flow_gradient(&m, x, c, once);
  memcpy(twice, once, n * sizeof *twice);
  nis_flow_density(&m.flow, x, log_q, &m.scratch);
  nis_flow_backward(&m.flow, c, twice, &m.scratch);
  for (size_t i = 0; i < n; i++)
    require(fabs(twice[i] - 2 * once[i]) <= 1e-5 * (1 + fabs(once[i])), "weight %zu", i);
  free(once), free(twice);
  clear(&m);
}
END_TEST

/* ---- the training loss --------------------------------------------------------------- */

enum { SLOTS = 3000, TRAIN_DIM = 3 };

static double stored_x[SLOTS * TRAIN_DIM], stored_log_f[SLOTS];
static size_t chosen[SLOTS];

static double no_integrand(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1;
}

static struct sampler make_sampler(int threads)
{
  struct sampler s;
  nis_options given = {.dim = TRAIN_DIM, .threads = threads, .bins = 6, .hidden_width = 12}, full;
  ck_assert_int_eq(nis_settings_resolve(&given, no_integrand, &full), NIS_OK);
  ck_assert_int_eq(nis_sampler_init(&s, no_integrand, &full), NIS_OK);
  noise_state = 99;
  randomise(&s.flow, 0.4);
  return s;
}

/* n of the stored points, some of them twice. */
static struct minibatch make_batch(size_t n, double log_z)
{
  for (size_t i = 0; i < SLOTS * TRAIN_DIM; i++) stored_x[i] = (noise() + 1) / 2;
  for (size_t i = 0; i < SLOTS; i++) stored_log_f[i] = 2 * noise();
  for (size_t i = 0; i < n; i++) chosen[i] = i % 7 == 6 ? chosen[i - 1] : (i * 1237) % SLOTS;
  return (struct minibatch){
      .n = n, .slot = chosen, .x = stored_x, .log_f = stored_log_f, .log_z = log_z, .clip = 1.5};
}

static void batch_log_q(struct sampler *s, const struct minibatch *b, double *log_q)
{
  double *x = doubles(b->n * TRAIN_DIM);
  for (size_t i = 0; i < b->n; i++)
    memcpy(x + i * TRAIN_DIM, b->x + b->slot[i] * TRAIN_DIM, TRAIN_DIM * sizeof *x);
  nis_sampler_density(s, b->n, x, log_q);
  free(x);
}

/* The coefficients at the present weights: constants when the loss is differentiated. */
static void naive_coefficients(const struct minibatch *b, const double *log_q, double *c)
{
  int clipped = 0, free_ones = 0;
  for (size_t i = 0; i < b->n; i++) {
    double ratio = exp(b->log_f[b->slot[i]] - b->log_z - log_q[i]);
    c[i] = isnan(b->log_z) ? 1 : ratio < b->clip ? ratio : b->clip;
    clipped += c[i] == b->clip, free_ones += c[i] < b->clip;
  }
  if (!isnan(b->log_z) && b->n > 10) ck_assert(clipped > 0 && free_ones > 0);
}

static double naive_loss(struct sampler *s, const struct minibatch *b, const double *c)
{
  double *log_q = doubles(b->n), sum = 0;
  batch_log_q(s, b, log_q);
  for (size_t i = 0; i < b->n; i++) sum -= c[i] * log_q[i];
  free(log_q);
  return sum / (double)b->n;
}

static double loss_along(struct sampler *s, const struct minibatch *b, const double *c, double step,
                         const double *direction)
{
  size_t n = s->flow.nweights;
  float *kept = malloc(n * sizeof *kept);
  ck_assert_ptr_nonnull(kept);
  memcpy(kept, s->flow.weights, n * sizeof *kept);
  for (size_t i = 0; i < n; i++) s->flow.weights[i] += (float)(step * direction[i]);
  double loss = naive_loss(s, b, c);
  memcpy(s->flow.weights, kept, n * sizeof *kept);
  free(kept);
  return loss;
}

static void check_loss(size_t n, double log_z)
{
  struct sampler s = make_sampler(2);
  struct minibatch b = make_batch(n, log_z);
  struct gradient g;
  const double step = 1e-3;
  ck_assert_int_eq(nis_gradient_init(&g, &s.flow), NIS_OK);
  nis_gradient_compute(&g, &s, &b);
  double *log_q = doubles(n), *c = doubles(n), *direction = doubles(g.nweights), length = 0;
  batch_log_q(&s, &b, log_q);
  naive_coefficients(&b, log_q, c);
  ck_assert_double_eq_tol(g.loss, naive_loss(&s, &b, c), 1e-12);
  for (size_t i = 0; i < g.nweights; i++) length += (double)g.values[i] * g.values[i];
  ck_assert_relative(g.norm, sqrt(length), 1e-12);
  double dot = choose_direction(g.values, 0, g.nweights, g.nweights, direction);
  double rise = loss_along(&s, &b, c, step, direction);
  double slope = (rise - loss_along(&s, &b, c, -step, direction)) / (2 * step);
  ck_assert_double_eq_tol(dot, slope, 0.01 * fabs(slope));
  free(log_q), free(c), free(direction);
  nis_gradient_clear(&g);
  nis_sampler_clear(&s);
}

START_TEST(loss_and_gradient_of_kullback_leibler)
{
  static const size_t n[] = {1, 64, 65, 1000, 2048};
  for (size_t i = 0; i < LENGTH(n); i++) check_loss(n[i], NAN);
}
END_TEST

START_TEST(loss_and_gradient_of_the_variance)
{
  static const size_t n[] = {1, 64, 65, 1000, 2048};
  for (size_t i = 0; i < LENGTH(n); i++) check_loss(n[i], 0.3);
}
END_TEST

/* ---- points ----------------------------------------------------------------------- */

static struct points draw(struct sampler *s, size_t n, size_t uniform)
{
  struct points p;
  ck_assert_int_eq(nis_points_init(&p, n, TRAIN_DIM), NIS_OK);
  nis_sampler_draw_defensive(s, STREAM_TRAIN, 7, n, uniform, &p);
  ck_assert_uint_eq(p.n, n);
  return p;
}

/* log_q is that of the mixture for every point, whichever part it was drawn from. */
static void check_mixture(struct sampler *s, size_t n, size_t uniform)
{
  struct points p = draw(s, n, uniform);
  double *log_q = doubles(n), u[TRAIN_DIM * LANES], share = (double)uniform / (double)n;
  nis_sampler_density(s, n, p.x, log_q);
  for (size_t i = 0; i < n; i++) {
    double mixture = log(share + (1 - share) * exp(log_q[i]));
    require(fabs(p.log_q[i] - mixture) < 1e-5, "point %zu of %zu: log q is %g, not %g", i, n,
            p.log_q[i], mixture);
  }
  for (size_t i = 0; i < n; i++) {
    s->flow.kernels->uniforms(s->seed, STREAM_TRAIN, 7 + i, TRAIN_DIM, u);
    for (size_t j = 0; j < TRAIN_DIM; j++)
      require((p.x[i * TRAIN_DIM + j] == u[j * LANES]) == (i < uniform), "point %zu of %zu", i,
              uniform);
  }
  free(log_q);
  nis_points_clear(&p);
}

START_TEST(points_have_the_density_of_the_mixture)
{
  struct sampler s = make_sampler(2);
  check_mixture(&s, 1000, 0);
  check_mixture(&s, 1000, 128);
  check_mixture(&s, 1024, 512);
  check_mixture(&s, 128, 128);
  check_mixture(&s, 1, 0);
  nis_sampler_clear(&s);
}
END_TEST

START_TEST(a_gradient_that_is_no_number_is_no_step)
{
  struct sampler s = make_sampler(1);
  struct gradient g;
  struct optimizer o;
  size_t bytes = s.flow.nweights * sizeof *s.flow.weights;
  float *before = malloc(bytes);
  ck_assert_ptr_nonnull(before);
  ck_assert_int_eq(nis_gradient_init(&g, &s.flow), NIS_OK);
  ck_assert_int_eq(nis_optimizer_init(&o, &s.flow), NIS_OK);
  memcpy(before, s.flow.weights, bytes);
  g.values[3] = NAN, g.norm = NAN;
  nis_optimizer_step(&o, &s, &g, 0.1, 1);
  ck_assert(memcmp(before, s.flow.weights, bytes) == 0);
  g.values[3] = 1, g.norm = 1;
  nis_optimizer_step(&o, &s, &g, 0.1, 1);
  ck_assert_double_lt(s.flow.weights[3], before[3] - 0.01);
  ck_assert(isfinite(s.flow.weights[3]) && s.flow.weights[4] == before[4]);
  free(before);
  nis_optimizer_clear(&o), nis_gradient_clear(&g), nis_sampler_clear(&s);
}
END_TEST

/* ---- bits -------------------------------------------------------------------------- */

static void gradient_with(int threads, size_t n, double log_z, struct gradient *g)
{
  struct sampler s = make_sampler(threads);
  struct minibatch b = make_batch(n, log_z);
  ck_assert_int_eq(nis_gradient_init(g, &s.flow), NIS_OK);
  nis_gradient_compute(g, &s, &b);
  nis_sampler_clear(&s);
}

START_TEST(gradient_bits_do_not_depend_on_threads)
{
  static const int threads[] = {2, 3, 8};
  static const size_t n[] = {65, 1000};
  for (size_t i = 0; i < LENGTH(threads) * LENGTH(n) * 2; i++) {
    struct gradient one, many;
    double log_z = i % 2 ? NAN : 0.3;
    gradient_with(1, n[i / 2 % 2], log_z, &one);
    gradient_with(threads[i / 4], n[i / 2 % 2], log_z, &many);
    ck_assert_uint_eq(one.nweights, many.nweights);
    ck_assert(memcmp(one.values, many.values, one.nweights * sizeof *one.values) == 0);
    ck_assert(memcmp(&one.loss, &many.loss, sizeof one.loss) == 0);
    ck_assert(memcmp(&one.norm, &many.norm, sizeof one.norm) == 0);
    nis_gradient_clear(&one), nis_gradient_clear(&many);
  }
}
END_TEST

/* ---- */

static TCase *make_case(const char *name)
{
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 120); /* sanitizers, busy machines */
  return tcase;
}

int main(void)
{
  while (nis_kernels_available(nsets)) nsets++;
  const int all = nsets * TRANSFORMS;
  Suite *suite = suite_create("flow");
  TCase *map = make_case("map"), *masks = make_case("masks"), *gradient = make_case("gradient");
  tcase_add_loop_test(map, sample_and_density_are_inverse, 0, all);
  tcase_add_loop_test(map, flow_starts_as_the_identity, 0, all);
  tcase_add_test(map, initial_weights_are_hes);
  tcase_add_loop_test(map, log_q_is_the_jacobian, 0, all);
  tcase_add_loop_test(map, q_integrates_to_1, 0, all);
  tcase_add_test(masks, masks_are_the_binary_digits);
  tcase_add_test(masks, every_pair_meets);
  tcase_add_loop_test(masks, layers_move_and_see_what_the_masks_say, 0, all);
  tcase_add_loop_test(gradient, backward_is_the_slope_along_directions, 0, all);
  tcase_add_loop_test(gradient, backward_adds_to_the_gradient, 0, all);
  tcase_add_test(gradient, loss_and_gradient_of_kullback_leibler);
  tcase_add_test(gradient, loss_and_gradient_of_the_variance);
  tcase_add_test(gradient, points_have_the_density_of_the_mixture);
  tcase_add_test(gradient, a_gradient_that_is_no_number_is_no_step);
  tcase_add_test(gradient, gradient_bits_do_not_depend_on_threads);
  suite_add_tcase(suite, map);
  suite_add_tcase(suite, masks);
  suite_add_tcase(suite, gradient);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}

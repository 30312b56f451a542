/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flow and the gradient of its training loss.
 *
 * Oracles: the Jacobian by differences and its determinant by GSL's LU, Gauss quadrature of q, the
 * loss along directions in the space of weights, and masks read off the binary digits.
 */
#include "alarm.h"
#include "quadrature.h"
#include "api/settings.h"
#include "noise.h"
#include "gradient.h"
#include "suite.h"

#include <gsl/gsl_deriv.h>
#include <gsl/gsl_linalg.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

enum { CIRCULAR = AFFINE }; /* so many transforms are for circles too: the last is not */

static int nsets; /* instruction sets of this processor, counted in main */

/* ---- helpers --------------------------------------------------------------------- */

static uint64_t noise_state = 1;

/* uniform in (-1, 1) */
static double noise(void)
{
  return 2 * next_uniform(&noise_state) - 1;
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
  int circles; /* some coordinates are periodic */
};

/* A layer for every mask, and one for its complement */
static int mask_layers(size_t dim)
{
  return dim == 1 ? 1 : 2 * (int)ceil(log2((double)dim) - 1e-9);
}

static void randomise(struct flow *flow, double amplitude)
{
  for (size_t i = 0; i < flow->nparameters; i++) flow->parameters[i] = (float)(amplitude * noise());
}

static int transform_of(const struct machine *m)
{
  return m->flow.coupling[0].transform;
}

/* Of every three coordinates in the machines with circles the second is none. */
static int periodic(size_t coordinate)
{
  return coordinate % 3 != 1;
}

/* A flow with small nets and random weights. Tests loop over instruction sets and transforms, and
 * then again with periodic coordinates. */
static struct machine make_deep(size_t dim, int layers, int bins, double amplitude, int loop)
{
  struct machine m;
  int flags[256] = {0};
  for (size_t j = 0; j < dim; j++) flags[j] = periodic(j);
  m.circles = loop >= nsets * TRANSFORMS;
  int kinds = m.circles ? CIRCULAR : TRANSFORMS, kind = loop - m.circles * nsets * TRANSFORMS;
  struct flow_shape shape = {dim, layers, bins, 2, 12, kind % kinds, m.circles ? flags : NULL,
                             NULL};
  ck_assert_int_eq(nis_flow_init(&m.flow, &shape, 1), NIS_OK);
  memset(flags, 0xff, sizeof flags); /* they are copied */
  m.flow.kernels = nis_kernels_available(kind / kinds);
  ck_assert_int_eq(nis_flow_scratch_init(&m.scratch, &m.flow), NIS_OK);
  /* Under a steep logistic function u is soon 1 to the last bit. */
  if (transform_of(&m) == AFFINE) amplitude /= 2;
  /* Next to the centre of a circle an angle changes fast, which differences do not see. */
  if (m.circles) amplitude /= 2;
  if (amplitude > 0) randomise(&m.flow, amplitude);
  return m;
}

static struct machine make(size_t dim, int bins, double amplitude, int loop)
{
  return make_deep(dim, mask_layers(dim), bins, amplitude, loop);
}

static void clear(struct machine *m)
{
  nis_flow_scratch_clear(&m->scratch);
  nis_flow_clear(&m->flow);
}

/* From b to a along coordinate j, on a circle the short way */
static double way(const struct machine *m, size_t j, double a, double b)
{
  return m->circles && periodic(j) ? a - b - rint(a - b) : a - b;
}

/* Without jumps that a turn carries anywhere */
static int is_smooth(const struct machine *m)
{
  return !m->circles || transform_of(m) != PIECEWISE_LINEAR;
}

static void random_tile(size_t dim, double *z)
{
  for (size_t i = 0; i < dim * LANES; i++) z[i] = (noise() + 1) / 2;
}

/* ---- the bijection ----------------------------------------------------------------- */

/* The passing coordinates go into the nets as floats, and after a way there and back a last bit can
 * round the other way: rare, and then of the size of a float's last bit. */
static void check_identity(const struct machine *m, const double *a, const double *b,
                           const char *what)
{
  size_t dim = m->flow.dim, off = 0;
  for (size_t i = 0; i < dim * LANES; i++) {
    double error = fabs(way(m, i / LANES, a[i], b[i]));
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
    check_identity(m, z, u, "sample, then density");
    for (int l = 0; l < LANES; l++)
      require(fabs(log_q[0][l] - log_q[1][l]) < 1e-4, "log q %.17g and %.17g", log_q[0][l],
              log_q[1][l]);
    random_tile(dim, u);
    memcpy(z, u, dim * LANES * sizeof *z);
    nis_flow_density(&m->flow, z, log_q[0], &m->scratch);
    nis_flow_sample(&m->flow, z, log_q[1], &m->scratch);
    check_identity(m, z, u, "density, then sample");
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
  ck_assert_double_lt(fabs(sum), alarm_errors(100) * bound * sqrt((double)n / 3));
  return w + n;
}

/* He's bounds: sqrt(6 / columns) for weights, 1 / sqrt(columns) for biases; the last layer is 0. */
START_TEST(initial_weights_are_hes)
{
  struct machine m = make(8, 4, 0, 0);
  for (int k = 0; k < m.flow.layers; k++) {
    const struct coupling *c = &m.flow.coupling[k];
    const float *w = m.flow.parameters + c->first_parameter, *end = w + nis_net_parameters(&c->net);
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
        jacobian[(l * dim + i) * dim + j] =
            way(m, i, up[i * LANES + l], down[i * LANES + l]) / (2 * step);
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

/* An affine transform's density may have roots at the ends, or poles like theirs; as a function of
 * t with x = t^3 (10 - 15 t + 6 t^2) it is smooth enough for Gauss. */
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
    if (is_smooth(&line)) ck_assert_double_eq_tol(integral_of_q(&line, 32768), 1, 1e-7);
    if (is_smooth(&line)) ck_assert_double_eq_tol(integral_of_q(&square, 64), 1, 1e-4);
    clear(&line), clear(&square);
  }
}
END_TEST

/* ---- circles ----------------------------------------------------------------------- */

/* log q at points whose coordinate j is next to 0 in even lanes, next to 1 in odd ones; the other
 * coordinates of the two are the same. */
static void at_both_ends(struct machine *m, size_t j, double *log_q)
{
  double *z = doubles(m->flow.dim * LANES);
  random_tile(m->flow.dim, z);
  for (size_t i = 0; i < m->flow.dim * LANES; i += 2) {
    z[i + 1] = z[i];
    if (i / LANES == j) z[i] = 1e-9, z[i + 1] = 1 - 1e-9;
  }
  nis_flow_density(&m->flow, z, log_q, &m->scratch);
  free(z);
}

START_TEST(density_goes_on_round_a_circle)
{
  static const size_t dim[] = {1, 2, 3, 8};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    struct machine m = make(dim[i], 8, 0.6, _i);
    for (size_t j = 0; j < dim[i] && is_smooth(&m); j++) {
      double log_q[LANES], largest = 0;
      at_both_ends(&m, j, log_q);
      for (int l = 0; l < LANES; l += 2) largest = fmax(largest, fabs(log_q[l] - log_q[l + 1]));
      require(!m.circles || !periodic(j) || largest < 1e-3, "a jump by %g", largest);
      require((m.circles && periodic(j)) || largest > 1e-2, "no jump: %g", largest);
    }
    clear(&m);
  }
}
END_TEST

/* The angle of a net's vector runs once round the circle with the coordinate that the net sees: so
 * can the map, as no sum of angles within a turn could. */
START_TEST(turns_wind_round_the_circle)
{
  const struct kernels *k = nis_kernels_available(_i);
  double z[LANES], there[LANES];
  float vector[2 * LANES];
  for (int l = 0; l < LANES; l++) z[l] = there[l] = (l + 0.5) / LANES;
  k->circle_see(z, vector);
  for (int l = 0; l < LANES; l++) vector[l] = (vector[l] - 1) / 3, vector[LANES + l] /= 3;
  k->circle_turn(vector, -1, z);
  for (int l = 0; l < LANES; l++)
    require(fabs(z[l] - rint(z[l])) < 1e-6, "%g is left of %g", z[l], there[l]);
}
END_TEST

/* ---- masks ----------------------------------------------------------------------- */

/* 1 where `layer` moves the coordinate: a binary digit of its index, and the complement. */
static int should_move(size_t dim, int layer, size_t coordinate)
{
  char digits[16] = "";
  int ndigits = mask_layers(dim) / 2;
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
    struct machine m = make_deep(dim[i], 2 * mask_layers(dim[i]), 2, 0, 0); /* goes round */
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
  nis_coupling_density(c, m->flow.kernels, m->flow.parameters, out, log_slope,
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
  size_t dim = m->flow.dim, n = m->flow.nparameters;
  double *z = doubles(dim * LANES);
  float *kept = malloc(n * sizeof *kept);
  ck_assert_ptr_nonnull(kept);
  memcpy(kept, m->flow.parameters, n * sizeof *kept);
  for (size_t i = 0; i < n; i++) m->flow.parameters[i] += (float)(step * direction[i]);
  memcpy(z, x, dim * LANES * sizeof *z);
  nis_flow_density(&m->flow, z, log_q, &m->scratch);
  memcpy(m->flow.parameters, kept, n * sizeof *kept);
  free(kept), free(z);
}

/* d/dstep of sum_l c[l] log q(x_l). A histogram's log q jumps where a point crosses a knot, of
 * which the gradient knows nothing: c becomes 0 for such a lane, and for no more than half of
 * them. */
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
  memset(gradient, 0, m->flow.nparameters * sizeof *gradient);
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
  double *direction = doubles(m->flow.nparameters), dot = 0;
  flow_gradient(m, x, c, gradient);
  choose_direction(gradient, first, end, m->flow.nparameters, direction);
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
  float *gradient = malloc(m->flow.nparameters * sizeof *gradient), c[LANES];
  ck_assert_ptr_nonnull(gradient);
  random_tile(m->flow.dim, x);
  for (int l = 0; l < LANES; l++) c[l] = (float)noise();
  for (int k = 0; k < m->flow.layers; k++) {
    size_t first = m->flow.coupling[k].first_parameter;
    size_t end = first + nis_net_parameters(&m->flow.coupling[k].net);
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
  size_t n = m.flow.nparameters;
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

/* ---- the losses ----------------------------------------------------------------------- */

/* phi(t) as nis.h has them, of which the loss is the integral of q phi(p/q) */
static double phi(double t, void *kind)
{
  double root = 1 - sqrt(t), log_t = log(t);
  switch (*(nis_loss_kind *)kind) {
  case NIS_LOSS_VARIANCE: return (t - 1) * (t - 1);
  case NIS_LOSS_EXPONENTIAL: return t * log_t * log_t;
  case NIS_LOSS_HELLINGER: return root * root;
  case NIS_LOSS_JEFFREYS: return (t - 1) * log_t;
  case NIS_LOSS_FORWARD_CHI2: return (t - 1) * (t - 1) / t;
  default: return t * log_t;
  }
}

/* t phi' - phi, by differences, less its value at 1 */
static double naive_slope(nis_loss_kind kind, double t)
{
  gsl_function f = {phi, &kind};
  double slope, at_1, error;
  gsl_deriv_central(&f, t, 1e-3 * t, &slope, &error);
  gsl_deriv_central(&f, 1, 1e-3, &at_1, &error);
  return t * slope - phi(t, &kind) - at_1 + phi(1, &kind);
}

/* Only a constant, and all of it with the whole baseline, which then makes the slope 0 at t = 1. */
static void check_baseline(loss_slope *slope, double log_t)
{
  double without = slope(0, 0);
  ck_assert(without >= 0);
  ck_assert_double_eq_tol(slope(0, 1), 0, 1e-15);
  for (double b = 0; b <= 1; b += 0.25)
    ck_assert_double_eq_tol(slope(log_t, b) - slope(log_t, 1), (1 - b) * without, 1e-12);
}

START_TEST(losses_are_those_of_the_header)
{
  for (nis_loss_kind kind = NIS_LOSS_KL; kind <= NIS_LOSS_FORWARD_CHI2; kind++)
    for (double log_t = -5; log_t <= 1.6; log_t += 0.1) {
      double naive = naive_slope(kind, exp(log_t));
      for (int finishing = 0; finishing < 2; finishing++) {
        loss_slope *slope = nis_loss(kind, finishing);
        ck_assert_double_eq_tol(slope(log_t, 1), naive, 1e-7 * (1 + fabs(naive)));
        check_baseline(slope, log_t);
      }
    }
}
END_TEST

START_TEST(the_default_loss_becomes_the_variance)
{
  ck_assert(nis_loss(NIS_LOSS_DEFAULT, 0) == nis_loss(NIS_LOSS_KL, 0));
  ck_assert(nis_loss(NIS_LOSS_DEFAULT, 1) == nis_loss(NIS_LOSS_VARIANCE, 0));
  ck_assert(nis_loss(NIS_LOSS_KL, 0) != nis_loss(NIS_LOSS_VARIANCE, 0));
}
END_TEST

/* ---- the gradient of the loss ------------------------------------------------------------ */

enum { SLOTS = 3000, TRAIN_DIM = 3 };

static size_t chosen[SLOTS];

static double no_integrand(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1;
}

static struct sampler make_sampler(size_t dim, int threads)
{
  struct sampler s;
  nis_options given = {.dim = dim, .threads = threads, .bins = 6, .hidden_width = 12}, full;
  ck_assert_int_eq(nis_settings_resolve(&given, &full), NIS_OK);
  ck_assert_int_eq(nis_sampler_init(&s, no_integrand, &full), NIS_OK);
  noise_state = 99;
  randomise(&s.mixture.flow, 0.4);
  return s;
}

/* n points with values, stored and ready to be drawn; takes over the points. */
static struct replay make_replay(struct points *p, size_t dim, double beta)
{
  struct replay r;
  ck_assert_int_eq(nis_replay_init(&r, dim, p->n), NIS_OK);
  nis_replay_store(&r, p);
  ck_assert_int_eq(nis_replay_prepare(&r, p->n, beta), 1);
  nis_points_clear(p);
  return r;
}

/* Values and densities that have next to nothing to do with each other; every tenth value is 0. */
static struct replay random_replay(void)
{
  struct points p;
  ck_assert_int_eq(nis_points_init(&p, SLOTS, TRAIN_DIM), NIS_OK);
  p.n = SLOTS;
  for (size_t i = 0; i < SLOTS * TRAIN_DIM; i++) p.x[i] = (noise() + 1) / 2;
  for (size_t i = 0; i < SLOTS; i++) p.log_q[i] = 2 * noise();
  for (size_t i = 0; i < SLOTS; i++) p.f[i] = i % 10 ? (i % 2 ? 1 : -1) * exp(3 * noise()) : 0;
  return make_replay(&p, TRAIN_DIM, 0.8);
}

/* n of the stored points, some of them twice. */
static struct minibatch make_batch(const struct replay *r, size_t n, nis_loss_kind loss)
{
  for (size_t i = 0; i < n; i++) chosen[i] = i % 7 == 6 ? chosen[i - 1] : (i * 1237 + 1) % SLOTS;
  return (struct minibatch){n, chosen, r, nis_loss(loss, 0), 0.75};
}

static void batch_log_q(struct sampler *s, const struct minibatch *b, double *log_q)
{
  size_t dim = s->mixture.flow.dim;
  double *x = doubles(b->n * dim);
  for (size_t i = 0; i < b->n; i++)
    memcpy(x + i * dim, b->replay->x + b->slot[i] * dim, dim * sizeof *x);
  nis_sampler_density(s, NULL, b->n, x, log_q, NULL);
  free(x);
}

static double clip(double low, double x, double high)
{
  return x < low ? low : x > high ? high : x;
}

/* The coefficients at the present weights: constants when the loss is differentiated. With many
 * points, some reach each of the limits. */
static void naive_coefficients(const struct minibatch *b, const double *log_q, double *c)
{
  const struct replay *r = b->replay;
  int low = 0, steep = 0, rest = 0;
  for (size_t i = 0; i < b->n; i++) {
    size_t slot = b->slot[i];
    double target = exp(r->beta * r->log_f[slot] - r->log_z[PART_ALL]), p = exp(r->log_p[slot]);
    double log_t = log(target) - log_q[i], s = (target / p + 1) / 2;
    double free =
        b->loss(clip(-5, log_t, r->beta < 1 ? 1.6 : 300), b->baseline) * exp(log_q[i]) / p / s;
    c[i] = clip(-10, free, 10);
    low += log_t < -5, steep += c[i] != free;
    rest += log_t > -5 && c[i] == free;
  }
  if (b->n < 1000) return;
  ck_assert(low > 0 && rest > 0);
  ck_assert(steep > 0 || b->loss != nis_loss(NIS_LOSS_VARIANCE, 0));
}

static double naive_loss(struct sampler *s, const struct minibatch *b, const double *c)
{
  double *log_q = doubles(b->n), sum = 0;
  batch_log_q(s, b, log_q);
  for (size_t i = 0; i < b->n; i++) sum -= c[i] * log_q[i];
  free(log_q);
  return sum / (double)b->n;
}

static void shift_parameters(struct flow *flow, double step, const double *direction)
{
  for (size_t i = 0; i < flow->nparameters; i++)
    flow->parameters[i] += (float)(step * direction[i]);
}

static double loss_along(struct sampler *s, const struct minibatch *b, const double *c, double step,
                         const double *direction)
{
  size_t n = s->mixture.flow.nparameters;
  float *kept = malloc(n * sizeof *kept);
  ck_assert_ptr_nonnull(kept);
  memcpy(kept, s->mixture.flow.parameters, n * sizeof *kept);
  shift_parameters(&s->mixture.flow, step, direction);
  double loss = naive_loss(s, b, c);
  memcpy(s->mixture.flow.parameters, kept, n * sizeof *kept);
  free(kept);
  return loss;
}

static void check_norm(const struct gradient *g)
{
  double square = 0;
  for (size_t i = 0; i < g->flow->nparameters; i++) square += (double)g->values[i] * g->values[i];
  ck_assert_double_gt(square, 0);
  ck_assert_relative(nis_gradient_norm(g), sqrt(square), 1e-12);
}

static void check_loss(struct sampler *s, const struct minibatch *b)
{
  struct gradient g;
  const double step = 1e-3;
  ck_assert_int_eq(nis_gradient_init(&g, &s->mixture.flow), NIS_OK);
  compute_gradient(&g, s, b);
  check_norm(&g);
  double *log_q = doubles(b->n), *c = doubles(b->n), *direction = doubles(g.flow->nparameters);
  batch_log_q(s, b, log_q);
  naive_coefficients(b, log_q, c);
  double dot = choose_direction(g.values, 0, g.flow->nparameters, g.flow->nparameters, direction);
  double rise = loss_along(s, b, c, step, direction);
  double slope = (rise - loss_along(s, b, c, -step, direction)) / (2 * step);
  ck_assert_double_eq_tol(dot, slope, 0.01 * fabs(slope));
  free(log_q), free(c), free(direction);
  nis_gradient_clear(&g);
}

START_TEST(gradient_of_every_loss)
{
  static const size_t n[] = {1, 64, 65, 1000, 2048};
  struct sampler s = make_sampler(TRAIN_DIM, 2);
  struct replay r = random_replay();
  for (size_t i = 0; i < LENGTH(n); i++) {
    struct minibatch b = make_batch(&r, n[i], (nis_loss_kind)_i);
    check_loss(&s, &b);
  }
  nis_replay_clear(&r);
  nis_sampler_clear(&s);
}
END_TEST

/* A grid in two dimensions, on which the loss is a sum: as points of density 1, of which a
 * minibatch takes many. */
enum { SIDE = 256, CELLS = SIDE * SIDE, DRAWS = 8 * CELLS };

static struct points grid(void)
{
  struct points p;
  ck_assert_int_eq(nis_points_init(&p, CELLS, 2), NIS_OK);
  p.n = CELLS;
  for (size_t i = 0; i < CELLS; i++) {
    double x = ((double)(i % SIDE) + 0.5) / SIDE, y = ((double)(i / SIDE) + 0.5) / SIDE;
    p.x[2 * i] = x, p.x[2 * i + 1] = y;
    p.log_q[i] = 0;
    p.f[i] = 1 + 0.5 * sin(7 * x + 3 * y);
  }
  return p;
}

static double loss_on_grid(struct sampler *s, const struct replay *r, nis_loss_kind kind)
{
  double *log_q = doubles(CELLS), sum = 0;
  nis_sampler_density(s, NULL, CELLS, r->x, log_q, NULL);
  for (size_t i = 0; i < CELLS; i++)
    sum += exp(log_q[i]) * phi(exp(nis_replay_log_target(r, i) - log_q[i]), &kind);
  free(log_q);
  return sum / CELLS;
}

static double slope_on_grid(struct sampler *s, const struct replay *r, nis_loss_kind kind,
                            const double *direction)
{
  const double step = 2e-3;
  shift_parameters(&s->mixture.flow, step, direction);
  double rise = loss_on_grid(s, r, kind);
  shift_parameters(&s->mixture.flow, -2 * step, direction);
  rise -= loss_on_grid(s, r, kind);
  shift_parameters(&s->mixture.flow, step, direction);
  return rise / (2 * step);
}

/* With the baseline and without: a constant changes nothing in the mean, for q stays normalised. */
START_TEST(gradient_is_that_of_the_integrated_loss)
{
  nis_loss_kind kind = (nis_loss_kind)_i;
  struct sampler s = make_sampler(2, 2);
  for (size_t i = 0; i < s.mixture.flow.nparameters; i++)
    s.mixture.flow.parameters[i] *= 0.3f; /* no limit is reached */
  struct points p = grid();
  struct replay r = make_replay(&p, 2, 1);
  struct gradient g;
  size_t *slot = calloc(DRAWS, sizeof *slot);
  double *direction = doubles(s.mixture.flow.nparameters);
  ck_assert_ptr_nonnull(slot);
  ck_assert_int_eq(nis_gradient_init(&g, &s.mixture.flow), NIS_OK);
  nis_replay_draw(&r, 0.5, DRAWS, slot);
  for (int baseline = 0; baseline < 2; baseline++) {
    struct minibatch b = {DRAWS, slot, &r, nis_loss(kind, 0), baseline};
    compute_gradient(&g, &s, &b);
    double dot = choose_direction(g.values, 0, g.flow->nparameters, g.flow->nparameters, direction);
    double slope = slope_on_grid(&s, &r, kind, direction);
    ck_assert_double_eq_tol(dot, slope, 0.005 * fabs(slope));
  }
  free(slot), free(direction);
  nis_gradient_clear(&g), nis_replay_clear(&r), nis_sampler_clear(&s);
}
END_TEST

/* ---- points ----------------------------------------------------------------------- */

static const double shares[][CHANNELS] = {
    {0, 1, 0, 0, 0},     {1, 0, 0, 0, 0},   {0, 0, 0, 0, 1},    {.25, .75, 0, 0, 0},
    {.25, 0, 0, 0, .75}, {0, .5, 0, 0, .5}, {.3, .5, 0, 0, .2}, {.0625, .25, 0, 0, .6875}};

/* Two peaks, the second one cut off by walls. */
static struct sampler make_mixture(const double *share)
{
  const double mean[2][TRAIN_DIM] = {{.2, .3, .4}, {.95, .6, .02}};
  const double sigma[2][TRAIN_DIM] = {{.05, .1, .02}, {.1, .01, .2}};
  struct sampler s = make_sampler(TRAIN_DIM, 2);
  memcpy(s.mixture.share, share, sizeof s.mixture.share);
  for (int k = 0; k < 2; k++) nis_peaks_add(&s.mixture.peaks, mean[k], sigma[k], 0.3, 0);
  return s;
}

static struct points draw(struct sampler *s, size_t n)
{
  struct points p;
  ck_assert_int_eq(nis_points_init(&p, n, TRAIN_DIM), NIS_OK);
  nis_sampler_draw(s, STREAM_TRAIN, 7, n, &p);
  ck_assert_uint_eq(p.n, n);
  return p;
}

/* The channels' densities at every point: the uniform one's, the flow's alone, the peaks' alone */
static double *naive_channels(struct sampler *s, size_t n, const double *x)
{
  double *out = doubles(n * CHANNELS), *log_flow = doubles(n), kept[CHANNELS];
  memcpy(kept, s->mixture.share, sizeof kept);
  memcpy(s->mixture.share, shares[0], sizeof kept);
  nis_sampler_density(s, NULL, n, x, log_flow, NULL);
  memcpy(s->mixture.share, kept, sizeof kept);
  for (size_t i = 0; i < n; i++) {
    out[i * CHANNELS + CHANNEL_UNIFORM] = 0;
    out[i * CHANNELS + CHANNEL_FLOW] = log_flow[i];
    out[i * CHANNELS + CHANNEL_PEAKS] = nis_peaks_log_density(&s->mixture.peaks, x + i * TRAIN_DIM);
  }
  free(log_flow);
  return out;
}

/* log_q and log_channel of one point; a channel without share has no density. */
static void check_point(const struct sampler *s, const double *naive, double log_q,
                        const double *log_channel)
{
  double q = 0;
  for (int c = 0; c < CHANNELS; c++) {
    q += s->mixture.share[c] > 0 ? s->mixture.share[c] * exp(naive[c]) : 0;
    if (s->mixture.share[c] == 0)
      require(log_channel[c] == -HUGE_VAL, "channel %d has %g", c, log_channel[c]);
    else
      require(fabs(log_channel[c] - naive[c]) < 1e-5, "channel %d has %g, not %g", c,
              log_channel[c], naive[c]);
  }
  require(fabs(log_q - log(q)) < 1e-5, "log q is %g, not %g", log_q, log(q));
}

static void check_mixture(struct sampler *s, size_t n)
{
  struct points p = draw(s, n);
  double *log_q = doubles(n), *log_channel = doubles(n * CHANNELS);
  double *naive = naive_channels(s, n, p.x);
  nis_sampler_density(s, NULL, n, p.x, log_q, log_channel);
  for (size_t i = 0; i < n; i++) {
    check_point(s, naive + i * CHANNELS, p.log_q[i], p.log_channel + i * CHANNELS);
    check_point(s, naive + i * CHANNELS, log_q[i], log_channel + i * CHANNELS);
  }
  free(log_q), free(log_channel), free(naive);
  nis_points_clear(&p);
}

/* log_q is that of the mixture for every point, whichever channel it was drawn from. */
START_TEST(points_have_the_density_of_the_mixture)
{
  static const size_t n[] = {1, 63, 128, 1000};
  for (size_t i = 0; i < LENGTH(n); i++) {
    struct sampler s = make_mixture(shares[_i]);
    check_mixture(&s, n[i]);
    nis_sampler_clear(&s);
  }
}
END_TEST

/* The channel that a point's own random numbers give it, and that it lies where they say */
static enum channel naive_channel(struct sampler *s, size_t i, const double *x)
{
  double u[(TRAIN_DIM + 1) * LANES], from[TRAIN_DIM], peak[TRAIN_DIM];
  s->mixture.flow.kernels->uniforms(s->seed, STREAM_TRAIN, 7 + i, TRAIN_DIM + 1, u);
  for (size_t j = 0; j < TRAIN_DIM; j++) from[j] = u[j * LANES];
  double left = u[TRAIN_DIM * LANES] - s->mixture.share[CHANNEL_UNIFORM];
  int uniform = memcmp(x, from, sizeof from) == 0;
  require(uniform == (left < 0), "point %zu is%s uniform", i, uniform ? "" : " not");
  if (left < 0) return CHANNEL_UNIFORM;
  left -= s->mixture.share[CHANNEL_FLOW];
  memcpy(peak, from, sizeof peak);
  nis_peaks_sample(&s->mixture.peaks, 0, left > 0.7 * s->mixture.share[CHANNEL_PEAKS], 1, peak);
  int of_peaks = memcmp(x, peak, sizeof peak) == 0;
  require(of_peaks == (left > 0), "point %zu is%s of the peaks", i, of_peaks ? "" : " not");
  return left > 0 ? CHANNEL_PEAKS : CHANNEL_FLOW;
}

static void require_share(size_t count, size_t n, double share, const char *what)
{
  double sigma = sqrt(share * (1 - share) / (double)n);
  require(fabs((double)count / (double)n - share) <= alarm_errors(CHANNELS) * sigma,
          "%s: %zu of %zu, not %g", what, count, n, share);
}

START_TEST(every_channel_gets_its_share)
{
  static const char *const name[] = {"uniform", "flow", "negative", "map", "peaks"};
  const size_t n = 20000;
  struct sampler s = make_mixture(shares[_i]);
  struct points p = draw(&s, n);
  size_t count[CHANNELS] = {0};
  for (size_t i = 0; i < n; i++) count[naive_channel(&s, i, p.x + i * TRAIN_DIM)]++;
  for (int c = 0; c < CHANNELS; c++) require_share(count[c], n, s.mixture.share[c], name[c]);
  nis_points_clear(&p);
  nis_sampler_clear(&s);
}
END_TEST

/* Over points of density q the mean of g/q is 1 for every density g that q covers. */
START_TEST(points_follow_the_density_of_the_mixture)
{
  const size_t n = 20000;
  struct sampler s = make_mixture(shares[_i]);
  struct points p = draw(&s, n);
  for (int c = 0; c < CHANNELS; c++) {
    double sum = 0, square = 0;
    if (s.mixture.share[c] == 0) continue;
    for (size_t i = 0; i < n; i++) {
      double ratio = exp(p.log_channel[i * CHANNELS + c] - p.log_q[i]);
      sum += ratio, square += ratio * ratio;
    }
    double mean = sum / (double)n, variance = fmax(square / (double)n - mean * mean, 0);
    require(fabs(mean - 1) <= alarm_errors(CHANNELS) * sqrt(variance / (double)n) + 1e-6,
            "channel %d: %g", c, mean);
  }
  nis_points_clear(&p);
  nis_sampler_clear(&s);
}
END_TEST

START_TEST(a_gradient_that_is_no_number_is_no_step)
{
  struct sampler s = make_sampler(TRAIN_DIM, 1);
  struct gradient g;
  struct optimizer o;
  size_t bytes = s.mixture.flow.nparameters * sizeof *s.mixture.flow.parameters;
  float *before = malloc(bytes);
  ck_assert_ptr_nonnull(before);
  ck_assert_int_eq(nis_gradient_init(&g, &s.mixture.flow), NIS_OK);
  ck_assert_int_eq(nis_optimizer_init(&o, s.mixture.flow.kernels, s.mixture.flow.nparameters,
                                      s.mixture.flow.parameters),
                   NIS_OK);
  memcpy(before, s.mixture.flow.parameters, bytes);
  const struct stride stride = {.rate = 0.1, .largest_norm = 1};
  o.step = 1;
  g.values[3] = NAN;
  nis_optimizer_slice(&o, &stride, g.values, NAN, 0);
  ck_assert(memcmp(before, s.mixture.flow.parameters, bytes) == 0);
  g.values[3] = 1;
  nis_optimizer_slice(&o, &stride, g.values, 1, 0);
  ck_assert_double_lt(s.mixture.flow.parameters[3], before[3] - 0.01);
  ck_assert(isfinite(s.mixture.flow.parameters[3]) && s.mixture.flow.parameters[4] == before[4]);
  free(before);
  nis_optimizer_clear(&o), nis_gradient_clear(&g), nis_sampler_clear(&s);
}
END_TEST

/* ---- bits -------------------------------------------------------------------------- */

struct kept_gradient {
  struct gradient gradient;
  size_t n;
  double norm;
};

static struct kept_gradient gradient_with(int threads, size_t n, nis_loss_kind loss)
{
  struct kept_gradient kept;
  struct sampler s = make_sampler(TRAIN_DIM, threads);
  struct replay r = random_replay();
  struct minibatch b = make_batch(&r, n, loss);
  ck_assert_int_eq(nis_gradient_init(&kept.gradient, &s.mixture.flow), NIS_OK);
  kept.norm = compute_gradient(&kept.gradient, &s, &b);
  kept.n = s.mixture.flow.nparameters;
  nis_replay_clear(&r);
  nis_sampler_clear(&s);
  return kept;
}

START_TEST(gradient_bits_do_not_depend_on_threads)
{
  static const int threads[] = {2, 3, 8};
  static const size_t n[] = {65, 1000};
  for (size_t i = 0; i < LENGTH(threads) * LENGTH(n) * 2; i++) {
    nis_loss_kind loss = i % 2 ? NIS_LOSS_KL : NIS_LOSS_VARIANCE;
    struct kept_gradient one = gradient_with(1, n[i / 2 % 2], loss);
    struct kept_gradient many = gradient_with(threads[i / 4], n[i / 2 % 2], loss);
    ck_assert_uint_eq(one.n, many.n);
    ck_assert(memcmp(one.gradient.values, many.gradient.values, one.n * sizeof(float)) == 0);
    ck_assert(one.norm == many.norm);
    nis_gradient_clear(&one.gradient), nis_gradient_clear(&many.gradient);
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
  const int all = nsets * (TRANSFORMS + CIRCULAR);
  Suite *suite = suite_create("flow");
  TCase *map = make_case("map"), *masks = make_case("masks"), *gradient = make_case("gradient");
  TCase *points = make_case("points");
  tcase_add_loop_test(map, sample_and_density_are_inverse, 0, all);
  tcase_add_loop_test(map, flow_starts_as_the_identity, 0, all);
  tcase_add_test(map, initial_weights_are_hes);
  tcase_add_loop_test(map, log_q_is_the_jacobian, 0, all);
  tcase_add_loop_test(map, q_integrates_to_1, 0, all);
  tcase_add_loop_test(map, density_goes_on_round_a_circle, 0, all);
  tcase_add_loop_test(map, turns_wind_round_the_circle, 0, nsets);
  tcase_add_test(masks, masks_are_the_binary_digits);
  tcase_add_test(masks, every_pair_meets);
  tcase_add_loop_test(masks, layers_move_and_see_what_the_masks_say, 0, all);
  tcase_add_loop_test(gradient, backward_is_the_slope_along_directions, 0, all);
  tcase_add_loop_test(gradient, backward_adds_to_the_gradient, 0, all);
  tcase_add_test(gradient, losses_are_those_of_the_header);
  tcase_add_test(gradient, the_default_loss_becomes_the_variance);
  tcase_add_loop_test(gradient, gradient_of_every_loss, NIS_LOSS_KL, NIS_LOSS_FORWARD_CHI2 + 1);
  tcase_add_loop_test(gradient, gradient_is_that_of_the_integrated_loss, NIS_LOSS_KL,
                      NIS_LOSS_FORWARD_CHI2 + 1);
  tcase_add_loop_test(points, points_have_the_density_of_the_mixture, 0, LENGTH(shares));
  tcase_add_loop_test(points, every_channel_gets_its_share, 0, LENGTH(shares));
  tcase_add_loop_test(points, points_follow_the_density_of_the_mixture, 0, LENGTH(shares));
  tcase_add_test(gradient, a_gradient_that_is_no_number_is_no_step);
  tcase_add_test(gradient, gradient_bits_do_not_depend_on_threads);
  suite_add_tcase(suite, map);
  suite_add_tcase(suite, masks);
  suite_add_tcase(suite, gradient);
  suite_add_tcase(suite, points);
  return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+ e- -> q qbar g: couplings, matrix element, cross sections, events.
 *
 * Independent of the code under test: Dirac traces with explicit Pauli matrices, Gauss
 * quadrature and lattices over the five coordinates, tabulated cross sections. */
#include "integrands.h"
#include "quadrature.h"
#include "three_jets.h"
#include "suite.h"

#include <complex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const struct integrand *row; /* set in main */

/* ---- helpers ------------------------------------------------------------------- */

/* The state for "key=value" settings, the last one NULL. */
static void *make(const char *setting, ...)
{
  double values[INTEGRAND_MAX_PARAMETERS];
  char message[256];
  va_list rest;
  integrand_defaults(row, values);
  va_start(rest, setting);
  for (; setting; setting = va_arg(rest, const char *))
    ck_assert_msg(integrand_set(row, setting, values, message, sizeof message) == 0, "%s", message);
  va_end(rest);
  void *state = integrand_make(row, 5, values);
  ck_assert_ptr_nonnull(state);
  return state;
}

static void *make_cut(const char *measure, double ycut)
{
  char setting[2][64];
  snprintf(setting[0], sizeof setting[0], "measure=%s", measure);
  snprintf(setting[1], sizeof setting[1], "ycut=%.17g", ycut);
  return make(setting[0], setting[1], NULL);
}

static double exact_value(const void *state)
{
  double value = NAN;
  ck_assert_int_eq(row->exact(state, 5, &value), 1);
  return value;
}

/* Point i of a Weyl sequence: reproducible, and evenly spread. The steps are powers of
 * the root of t^5 + t^4 = 1, a good choice for four coordinates, and sqrt(2) - 1 for the
 * azimuth. */
static void weyl_point(size_t i, double x[5])
{
  static const double step[5] = {0.8566748838545029, 0.7338918566271260, 0.6287067210378087,
                                 0.4142135623730951, 0.5385972572236101};
  for (int k = 0; k < 5; k++) x[k] = fmod(0.5 + (double)(i + 1) * step[k], 1);
}

static double dot(const double p[4], const double q[4])
{
  return p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3];
}

static double square(double x)
{
  return x * x;
}

/* The momenta of an event: e-, e+, q, qbar, g. */
static void event_momenta(void *state, const double *x, double p[5][4])
{
  nis_event event = {0};
  ck_assert_int_eq(row->particles(x, 5, &event, state), 0);
  for (int i = 0; i < 5; i++) memcpy(p[i], event.particle[i].p, sizeof p[i]);
}

/* ---- couplings ----------------------------------------------------------------- */

START_TEST(w_mass_and_weak_angle)
{
  ck_assert_double_eq_tol(w_mass(), 80.4190024, 1e-7);
  ck_assert_double_eq_tol(sin2_weak_angle(), 0.2222465, 1e-7);
}
END_TEST

/* On the peak the Z is imaginary and adds to the photon in squares. */
START_TEST(couplings_on_the_peak)
{
  const double sin2 = sin2_weak_angle(), e2 = 4 * M_PI / INVERSE_ALPHA;
  const double electron = -0.5 + sin2, quark = 1.0 / 3 * sin2; /* left; right, d type */
  double z = e2 * electron * quark / (sin2 * (1 - sin2)) * Z_MASS / Z_WIDTH;
  struct ee_couplings c;
  double g2[2][2];
  ee_couplings_set(&c, 1, 0.118);
  ee_couplings_squared(&c, Z_MASS * Z_MASS, g2);
  ck_assert_relative(g2[LEFT][RIGHT], square(e2 / 3) + z * z, 1e-12);
  ck_assert_relative(c.strong, 4 * M_PI * 0.118, 1e-15);
}
END_TEST

START_TEST(flavours_of_one_charge_agree)
{
  struct ee_couplings down, strange;
  ee_couplings_set(&down, 1, 0.118);
  ee_couplings_set(&strange, 3, 0.118);
  ck_assert_double_eq(down.z[LEFT][RIGHT], strange.z[LEFT][RIGHT]);
  void *u = make("quark=u", NULL), *c = make("quark=c", NULL);
  void *d = make("quark=d", NULL), *b = make("quark=b", NULL);
  ck_assert_double_eq(exact_value(u), exact_value(c));
  ck_assert_double_eq(exact_value(d), exact_value(b));
  ck_assert_double_ne(exact_value(u), exact_value(d));
  free(u), free(c), free(d), free(b);
}
END_TEST

/* ---- matrix element ------------------------------------------------------------ */

typedef double complex matrix[2][2];

/* sigma^mu for sign = 1, sigma-bar^mu for sign = -1 */
static void pauli(int mu, int sign, matrix out)
{
  static const double complex sigma[4][2][2] = {
      {{1, 0}, {0, 1}}, {{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}, {{1, 0}, {0, -1}}};
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) out[i][j] = (mu ? sign : 1) * sigma[mu][i][j];
}

/* p_mu sigma^mu, or with sigma-bar */
static void slash(const double p[4], int sign, matrix out)
{
  for (int i = 0; i < 4; i++) out[i / 2][i % 2] = 0;
  for (int mu = 0; mu < 4; mu++) {
    matrix sigma;
    pauli(mu, sign, sigma);
    for (int i = 0; i < 4; i++) out[i / 2][i % 2] += (mu ? -p[mu] : p[mu]) * sigma[i / 2][i % 2];
  }
}

/* out = out b */
static void multiply(matrix out, matrix b)
{
  matrix a;
  memcpy(a, out, sizeof a);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
}

static void product(matrix a, matrix b, matrix c, matrix out)
{
  memcpy(out, a, sizeof(matrix));
  multiply(out, b);
  multiply(out, c);
}

/* Quark line between p_q and p_qbar for gluon index alpha and photon index mu. With
 * `reverse` the matrices stand in opposite order: the Hermitian conjugate. */
static void quark_line(double p[5][4], int sign, int alpha, int mu, int reverse, matrix out)
{
  double after_quark[4], after_antiquark[4];
  matrix gluon, photon, k, first, second;
  for (int i = 0; i < 4; i++) {
    after_quark[i] = p[2][i] + p[4][i];
    after_antiquark[i] = p[3][i] + p[4][i];
  }
  pauli(alpha, -sign, gluon);
  pauli(mu, -sign, photon);
  slash(after_quark, sign, k);
  product(reverse ? photon : gluon, k, reverse ? gluon : photon, first);
  slash(after_antiquark, sign, k);
  product(reverse ? gluon : photon, k, reverse ? photon : gluon, second);
  for (int i = 0; i < 4; i++)
    out[i / 2][i % 2] = first[i / 2][i % 2] / dot(after_quark, after_quark) -
                        second[i / 2][i % 2] / dot(after_antiquark, after_antiquark);
}

static double complex trace(matrix a, matrix b, matrix c, matrix d)
{
  matrix out;
  product(a, b, c, out);
  multiply(out, d);
  return out[0][0] + out[1][1];
}

static double complex lepton_tensor(double p[5][4], int sign, int mu, int nu)
{
  matrix positron, electron, left, right;
  slash(p[1], sign, positron);
  slash(p[0], sign, electron);
  pauli(mu, -sign, left);
  pauli(nu, -sign, right);
  return trace(positron, left, electron, right);
}

static double complex quark_tensor(double p[5][4], int sign, int mu, int nu)
{
  double complex sum = 0;
  matrix quark, antiquark, line, conjugate;
  slash(p[2], sign, quark);
  slash(p[3], sign, antiquark);
  for (int alpha = 0; alpha < 4; alpha++) {
    quark_line(p, sign, alpha, mu, 0, line);
    quark_line(p, sign, alpha, nu, 1, conjugate);
    sum += (alpha ? 1 : -1) * trace(quark, line, antiquark, conjugate);
  }
  return sum;
}

/* Lepton tensor times quark tensor; sign = 1 for left-handed, -1 for right-handed. */
static double contraction(double p[5][4], int electron, int quark)
{
  double complex sum = 0;
  for (int mu = 0; mu < 4; mu++)
    for (int nu = 0; nu < 4; nu++)
      sum += ((mu == 0) == (nu == 0) ? 1 : -1) * lepton_tensor(p, electron, mu, nu) *
             quark_tensor(p, quark, mu, nu);
  ck_assert_double_le(fabs(cimag(sum)), 1e-10 * creal(sum));
  return creal(sum);
}

static double squared_by_traces(const struct ee_couplings *c, double p[5][4])
{
  double s = 2 * dot(p[0], p[1]), sum = 0, g2[2][2];
  ee_couplings_squared(c, s, g2);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      sum += g2[i][j] * contraction(p, i == LEFT ? 1 : -1, j == LEFT ? 1 : -1);
  return 0.25 * c->strong * 4 * sum / (s * s);
}

START_TEST(squared_equals_dirac_traces)
{
  void *state = make("sqrts=200", "ycut=0.01", NULL);
  struct ee_couplings c;
  for (size_t i = 0; i < 20; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    ee_couplings_set(&c, 1 + (int)(i % 5), 0.118);
    ck_assert_relative(eeqqg_squared(&c, p), squared_by_traces(&c, p), 1e-11);
  }
  free(state);
}
END_TEST

/* One pair of chiralities at a time, against the formula with the couplings spelt out. */
START_TEST(squared_of_each_chirality)
{
  const double sqrts = 150, s = sqrts * sqrts;
  void *state = make("sqrts=150", NULL);
  for (int pair = 0; pair < 4; pair++) {
    struct ee_couplings c = {.z_mass = 90, .z_width = 3, .strong = 1.5};
    c.z[pair / 2][pair % 2] = 0.3;
    double x[5], p[5][4];
    weyl_point((size_t)pair, x);
    event_momenta(state, x, p);
    double g2 = 0.09 * s * s / (square(s - 8100) + 8100 * 9);
    int same = pair / 2 == pair % 2;
    double momenta = same ? square(dot(p[0], p[3])) + square(dot(p[1], p[2]))
                          : square(dot(p[0], p[2])) + square(dot(p[1], p[3]));
    double expected = 0.25 * 16 * 1.5 * 4 * dot(p[0], p[1]) / (s * s) * g2 * momenta /
                      (dot(p[2], p[4]) * dot(p[3], p[4]));
    ck_assert_relative(eeqqg_squared(&c, p), expected, 1e-12);
  }
  free(state);
}
END_TEST

static double photon_squared(double charge, double alpha_s, double p[5][4])
{
  double e2 = 4 * M_PI / 132.507, sum = 0;
  for (int quark = 2; quark <= 3; quark++)
    for (int lepton = 0; lepton <= 1; lepton++) sum += square(dot(p[quark], p[lepton]));
  return 0.25 * 8 * square(e2 * charge) * (4 * M_PI * alpha_s) * 4 * sum /
         (dot(p[0], p[1]) * dot(p[2], p[4]) * dot(p[3], p[4]));
}

START_TEST(squared_without_z)
{
  void *state = make("sqrts=35", NULL);
  for (size_t i = 0; i < 20; i++) {
    double x[5], p[5][4];
    struct ee_couplings c;
    ee_couplings_set(&c, 2, 0.15);
    memset(c.z, 0, sizeof c.z);
    weyl_point(i, x);
    event_momenta(state, x, p);
    ck_assert_relative(eeqqg_squared(&c, p), photon_squared(2.0 / 3, 0.15, p), 1e-12);
  }
  free(state);
}
END_TEST

/* Rotates about z, then about x. */
static void rotate(double p[4], double about_z, double about_x)
{
  double x = cos(about_z) * p[1] - sin(about_z) * p[2];
  double y = sin(about_z) * p[1] + cos(about_z) * p[2];
  p[1] = x;
  p[2] = cos(about_x) * y - sin(about_x) * p[3];
  p[3] = sin(about_x) * y + cos(about_x) * p[3];
}

START_TEST(squared_is_invariant_under_rotations)
{
  void *state = make(NULL);
  struct ee_couplings c;
  ee_couplings_set(&c, 2, 0.118);
  for (size_t i = 0; i < 20; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    double before = eeqqg_squared(&c, p);
    for (int k = 0; k < 5; k++) rotate(p[k], (double)i, 0.7 * (double)i);
    ck_assert_relative(eeqqg_squared(&c, p), before, 1e-11);
  }
  free(state);
}
END_TEST

/* ---- the integrand ------------------------------------------------------------- */

/* The integrand from the momenta alone: flux, phase space, |M|^2, Jacobian of the map. */
static double value_from_momenta(double p[5][4], double ycut, double alpha_s)
{
  struct ee_couplings c;
  ee_couplings_set(&c, 2, alpha_s);
  double s = 2 * dot(p[0], p[1]);
  double a = 2 * dot(p[3], p[4]) / s, b = 2 * dot(p[2], p[4]) / s;
  double jacobian = a * log((1 - 2 * ycut) / ycut) * b * log((1 - a - ycut) / ycut);
  return 0.3893793656e9 / (2 * s) * s / (128 * pow(M_PI, 3)) * jacobian * eeqqg_squared(&c, p);
}

static void check_value_from_momenta(double ycut, double tolerance)
{
  void *state = make_cut("jade", ycut);
  for (size_t i = 0; i < 200; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    ck_assert_relative(row->f(x, 5, state), value_from_momenta(p, ycut, 0.118), tolerance);
  }
  free(state);
}

START_TEST(integrand_is_the_squared_matrix_element)
{
  check_value_from_momenta(0.1, 1e-11);
  check_value_from_momenta(0.01, 1e-11);
  check_value_from_momenta(1e-9, 1e-5); /* the momenta's products lose digits, not f */
}
END_TEST

/* The sum over the angles is exact: f is quadratic in cos theta and cos chi. */
static double average_angles(double r1, double r2, void *state)
{
  static struct rule polar, azimuth;
  double sum = 0;
  if (!polar.n) polar = gauss_rule(2), azimuth = periodic_rule(3);
  for (size_t i = 0; i < polar.n; i++)
    for (size_t k = 0; k < azimuth.n; k++) {
      double x[5] = {r1, r2, polar.x[i], 0.1, azimuth.x[k]};
      sum += polar.w[i] * azimuth.w[k] * row->f(x, 5, state);
    }
  return sum;
}

/* r1 = 1 - t^4, as f has a logarithm close behind r1 = 1. */
static double integrate_by_gauss(void *state)
{
  struct rule outer = gauss_rule(100), inner = gauss_rule(32);
  double sum = 0;
  for (size_t i = 0; i < outer.n; i++)
    for (size_t j = 0; j < inner.n; j++) {
      double t = outer.x[i], jacobian = 4 * t * t * t;
      sum +=
          outer.w[i] * inner.w[j] * jacobian * average_angles(1 - t * t * t * t, inner.x[j], state);
    }
  return sum;
}

/* For an integrand with an edge. */
static double integrate_by_lattice(void *state)
{
  enum { POINTS = 121393, STEP = 75025 };
  double sum = 0;
  for (size_t i = 0; i < POINTS; i++) {
    double r[2];
    fibonacci_point(i, POINTS, STEP, r);
    sum += average_angles(r[0], r[1], state);
  }
  return sum / POINTS;
}

START_TEST(jade_integral_is_the_closed_formula)
{
  static const double ycut[] = {1e-9, 1e-4, 0.01, 0.1, 0.333};
  for (size_t i = 0; i < LENGTH(ycut); i++) {
    void *state = make_cut("jade", ycut[i]);
    ck_assert_relative(integrate_by_gauss(state), exact_value(state), 1e-8);
    free(state);
  }
}
END_TEST

START_TEST(jade_integral_of_other_flavours_and_energies)
{
  void *state = make("sqrts=500", "quark=b", "alpha_s=0.2", "ycut=0.03", NULL);
  ck_assert_relative(integrate_by_gauss(state), exact_value(state), 1e-9);
  free(state);
  state = make("sqrts=30", "quark=c", NULL);
  ck_assert_relative(integrate_by_gauss(state), exact_value(state), 1e-9);
  free(state);
}
END_TEST

START_TEST(durham_integral_is_the_quadrature)
{
  static const double ycut[] = {1e-9, 0.01, 0.1, 0.333};
  static const double tolerance[] = {1e-3, 2e-4, 2e-4, 3e-4};
  for (size_t i = 0; i < LENGTH(ycut); i++) {
    void *state = make_cut("durham", ycut[i]);
    ck_assert_relative(integrate_by_lattice(state), exact_value(state), tolerance[i]);
    free(state);
  }
}
END_TEST

/* 2 min(E_i, E_j)^2 (1 - cos theta_ij) / s of all pairs, from the momenta. */
static double durham_from_momenta(double p[5][4])
{
  double s = 2 * dot(p[0], p[1]), smallest = INFINITY;
  for (int i = 2; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      double cosine = 1 - dot(p[i], p[j]) / (p[i][0] * p[j][0]);
      smallest = fmin(smallest, 2 * square(fmin(p[i][0], p[j][0])) * (1 - cosine) / s);
    }
  return smallest;
}

START_TEST(durham_is_jade_inside_the_cut_and_zero_outside)
{
  void *jade = make_cut("jade", 0.02), *durham = make_cut("durham", 0.02);
  int inside = 0, outside = 0;
  for (size_t i = 0; i < 1000; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(durham, x, p);
    int passes = durham_from_momenta(p) > 0.02;
    passes ? inside++ : outside++;
    ck_assert_double_eq(row->f(x, 5, durham), passes ? row->f(x, 5, jade) : 0);
  }
  ck_assert_int_gt(inside, 100);
  ck_assert_int_gt(outside, 100);
  free(jade), free(durham);
}
END_TEST

/* The naive map and matrix element in long double. */
static long double extended_value(const double x[5], long double y, long double weight[2])
{
  long double log_a = logl((1 - 2 * y) / y), a = y * expl(x[0] * log_a);
  long double log_b = logl((1 - a - y) / y), b = y * expl(x[1] * log_b), c = 1 - a - b;
  long double cosine = 2 * (long double)x[2] - 1, sine = sqrtl(1 - cosine * cosine);
  long double opening = 1 - 2 * c / ((1 - a) * (1 - b));
  long double across = sqrtl((1 - opening) * (1 + opening));
  long double other = cosine * opening - sine * across * cosl(2 * acosl(-1.0L) * (long double)x[4]);
  long double em_q = (1 - a) * (1 - cosine), ep_q = (1 - a) * (1 + cosine);
  long double em_qbar = (1 - b) * (1 - other), ep_qbar = (1 - b) * (1 + other);
  return log_a * log_b *
         (weight[0] * (em_qbar * em_qbar + ep_q * ep_q) +
          weight[1] * (em_q * em_q + ep_qbar * ep_qbar));
}

/* The weights of the two structures, by the formula for the cross section. */
static void structure_weights(long double weight[2])
{
  struct ee_couplings c;
  double s = Z_MASS * Z_MASS, g2[2][2];
  ee_couplings_set(&c, 2, 0.118);
  ee_couplings_squared(&c, s, g2);
  long double unit = 0.3893793656e9 * c.strong * 4 / (512 * pow(M_PI, 3) * s);
  weight[0] = unit * (g2[LEFT][LEFT] + g2[RIGHT][RIGHT]);
  weight[1] = unit * (g2[LEFT][RIGHT] + g2[RIGHT][LEFT]);
}

/* The second point lies 2e-9 from the corner a = 1 - 2y: there 1 - a - b in double is off
 * by 1e-7. */
START_TEST(smallest_ycut_keeps_its_digits)
{
  double points[][5] = {{0.3, 0.6, 0.2, 0.5, 0.7},
                        {1 - 0x1p-33, 0.4, 0.9, 0.1, 0.3},
                        {1e-12, 1e-12, 0.4, 0.6, 0.1},
                        {1e-3, 1 - 0x1p-30, 0.35, 0.6, 0.15}};
  long double weight[2];
  void *state = make("ycut=1e-9", NULL);
  structure_weights(weight);
  for (size_t i = 0; i < LENGTH(points); i++)
    ck_assert_relative(row->f(points[i], 5, state), (double)extended_value(points[i], 1e-9, weight),
                       1e-9);
  free(state);
}
END_TEST

START_TEST(azimuth_does_not_matter)
{
  void *state = make(NULL);
  double x[5] = {0.3, 0.6, 0.2, 0.1, 0.7};
  double before = row->f(x, 5, state);
  x[3] = 0.9;
  ck_assert_double_eq(row->f(x, 5, state), before);
  x[4] = 0.6;
  ck_assert_double_ne(row->f(x, 5, state), before);
  free(state);
}
END_TEST

/* ---- edges of the cube --------------------------------------------------------- */

/* Corner `number`: its digits in base `n` pick the coordinates. */
static void corner(size_t number, const double *ends, size_t n, double x[5])
{
  for (int k = 0; k < 5; k++, number /= n) x[k] = ends[number % n];
}

static void check_corners(void *state)
{
  static const double ends[] = {0, 1e-300, 0x1p-53, 0.5, 1 - 0x1p-53, 1};
  double x[5], p[5][4];
  for (size_t i = 0; i < 7776; i++) {
    corner(i, ends, LENGTH(ends), x);
    double f = row->f(x, 5, state);
    int good = isfinite(f) && f >= 0;
    event_momenta(state, x, p);
    for (int k = 0; k < 20; k++) good = good && isfinite(p[k / 4][k % 4]);
    ck_assert_msg(good, "corner %zu", i);
  }
}

START_TEST(corners_are_finite)
{
  static const char *const ycut[] = {"ycut=1e-9", "ycut=0.01", "ycut=0.333"};
  static const char *const measure[] = {"measure=jade", "measure=durham"};
  for (size_t i = 0; i < LENGTH(ycut); i++)
    for (size_t k = 0; k < LENGTH(measure); k++) {
      void *state = make(ycut[i], measure[k], NULL);
      check_corners(state);
      ck_assert(isfinite(exact_value(state)) && exact_value(state) > 0);
      free(state);
    }
}
END_TEST

/* ---- cross sections ------------------------------------------------------------ */

/* F(y) = R_3 / (alpha_s C_F / 2 pi), exact. */
START_TEST(three_jet_rates)
{
  static const struct {
    double ycut, jade, durham;
  } table[] = {
      {0.001, 73.93883020824932, 31.78222696280233},
      {0.002, 57.84180988978501, 24.67958675877825},
      {0.005, 39.53214403100132, 16.71534236583583},
      {0.01, 27.94063688469149, 11.75395573591794},
      {0.02, 18.31385638830633, 7.690959451793829},
      {0.05, 8.647683105625640, 3.660053474389776},
      {0.1, 3.687504680686637, 1.586556605541057},
      {0.2, 0.7668644143774915, 0.332682393161966},
      {0.3, 0.04044612294162395, 0.01672933001916553},
  };
  const double sigma0 = 7229.681375, coupling = 0.02504037771312;
  for (size_t i = 0; i < LENGTH(table); i++) {
    void *jade = make_cut("jade", table[i].ycut);
    void *durham = make_cut("durham", table[i].ycut);
    ck_assert_relative(jade_rate(table[i].ycut), table[i].jade, 1e-12);
    ck_assert_relative(durham_rate(table[i].ycut), table[i].durham, 1e-12);
    ck_assert_relative(exact_value(jade), sigma0 * coupling * table[i].jade, 1e-9);
    ck_assert_relative(exact_value(durham), sigma0 * coupling * table[i].durham, 1e-9);
    free(jade), free(durham);
  }
}
END_TEST

/* Leading terms in L = -log(y); what they leave out falls as sqrt(y) and as y L^2. */
START_TEST(rates_at_small_ycut)
{
  for (double y = 1e-6; y > 1e-10; y /= 10) {
    double L = -log(y);
    double jade = 2 * L * L - 3 * L + 2.5 - M_PI * M_PI / 3;
    double durham = L * L - 3 * L + 2.5 - M_PI * M_PI / 6 + 6 * log(2);
    ck_assert_double_eq_tol(jade_rate(y), jade, 0.3 * y * L * L);
    ck_assert_double_eq_tol(durham_rate(y), durham, 8 * sqrt(y));
  }
}
END_TEST

static const struct {
  const char *sqrts, *quark;
  double sigma[5]; /* pb, in the order of cuts[] */
} cross_sections[] = {
    {"sqrts=91.188", "quark=u", {5058.203927, 3315.429805, 1565.524251, 667.5635467, 2127.865063}},
    {"sqrts=91.188", "quark=d", {6475.739714, 4244.562055, 2004.254418, 854.6448173, 2724.188366}},
    {"sqrts=91.2", "quark=u", {5059.229554, 3316.102058, 1565.841685, 667.6989053, 2128.296519}},
    {"sqrts=500",
     "quark=u",
     {0.4929846739, 0.3231297324, 0.1525797445, 0.06506234271, 0.2073868273}},
    {"sqrts=1000",
     "quark=u",
     {0.1215363383, 0.07966171474, 0.03761574024, 0.01603992844, 0.05112742227}},
};

static const char *const cuts[5][2] = {{"measure=jade", "ycut=0.01"},
                                       {"measure=jade", "ycut=0.02"},
                                       {"measure=jade", "ycut=0.05"},
                                       {"measure=jade", "ycut=0.1"},
                                       {"measure=durham", "ycut=0.01"}};

START_TEST(published_cross_sections)
{
  for (size_t i = 0; i < LENGTH(cross_sections); i++)
    for (size_t k = 0; k < LENGTH(cuts); k++) {
      void *state =
          make(cross_sections[i].sqrts, cross_sections[i].quark, cuts[k][0], cuts[k][1], NULL);
      ck_assert_relative(exact_value(state), cross_sections[i].sigma[k], 1e-9);
      free(state);
    }
}
END_TEST

/* ---- MadNIS at NLO: 1 TeV, kT jets of R = 0.4, pT > 20 GeV, |eta| < 5 -------------- */

static int passes_jet(const double p[4])
{
  double pt = hypot(p[1], p[2]);
  return pt > 20 && fabs(asinh(p[3] / pt)) < 5;
}

static int are_apart(const double p[4], const double q[4])
{
  double eta = asinh(p[3] / hypot(p[1], p[2])) - asinh(q[3] / hypot(q[1], q[2]));
  double phi = fabs(atan2(p[2], p[1]) - atan2(q[2], q[1]));
  if (phi > M_PI) phi = 2 * M_PI - phi;
  return hypot(eta, phi) > 0.4;
}

static int passes_madnis_cuts(double p[5][4])
{
  for (int i = 2; i < 5; i++)
    if (!passes_jet(p[i])) return 0;
  return are_apart(p[2], p[3]) && are_apart(p[2], p[4]) && are_apart(p[3], p[4]);
}

/* All s_ij / s inside the cuts are above 2 (1 - cos 0.4) 20^2 / 1000^2 = 6.3e-5. */
START_TEST(madnis_cross_section)
{
  enum { POINTS = 1 << 20 };
  void *state = make("sqrts=1000", "ycut=6e-5", "alpha_s=0.11901442560187821", NULL);
  double sum = 0;
  for (size_t i = 0; i < POINTS; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    if (passes_madnis_cuts(p)) sum += value_from_momenta(p, 6e-5, 0.11901442560187821);
  }
  ck_assert_relative(sum / POINTS, 0.156066, 5e-4);
  free(state);
}
END_TEST

/* ---- events -------------------------------------------------------------------- */

static void check_conservation(double p[5][4], double sqrts)
{
  for (int mu = 0; mu < 4; mu++) {
    double in = p[0][mu] + p[1][mu], out = p[2][mu] + p[3][mu] + p[4][mu];
    ck_assert_double_eq_tol(in, mu ? 0 : sqrts, 1e-15 * sqrts);
    ck_assert_double_eq_tol(out, in, 1e-14 * sqrts);
  }
}

static void check_mass_shell(double p[5][4])
{
  for (int i = 0; i < 5; i++) {
    ck_assert_double_gt(p[i][0], 0);
    ck_assert_double_le(fabs(dot(p[i], p[i])), 1e-12 * square(p[i][0]));
  }
}

START_TEST(momenta_are_conserved_and_on_shell)
{
  static const double ycut[] = {1e-9, 1e-3, 0.1, 0.333};
  for (size_t i = 0; i < LENGTH(ycut); i++) {
    void *state = make_cut("jade", ycut[i]);
    for (size_t k = 0; k < 500; k++) {
      double x[5], p[5][4];
      weyl_point(k, x);
      event_momenta(state, x, p);
      check_conservation(p, 91.188);
      check_mass_shell(p);
    }
    free(state);
  }
}
END_TEST

/* Angle by which `p` lies off the plane of z and the quark, about the quark. */
static double plane_angle(const double q[4], const double p[4])
{
  double cosine = q[3] / q[0], sine = hypot(q[1], q[2]) / q[0];
  double cos_phi = q[1] / hypot(q[1], q[2]), sin_phi = q[2] / hypot(q[1], q[2]);
  double along_theta = cosine * (cos_phi * p[1] + sin_phi * p[2]) - sine * p[3];
  double along_phi = -sin_phi * p[1] + cos_phi * p[2];
  return atan2(along_phi, along_theta);
}

static double turns(double angle)
{
  return angle < 0 ? angle / (2 * M_PI) + 1 : angle / (2 * M_PI);
}

START_TEST(coordinates_are_recovered_from_events)
{
  const double y = 0.01, sqrts = 500;
  void *state = make("sqrts=500", "ycut=0.01", NULL);
  for (size_t i = 0; i < 500; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    double a = 1 - 2 * p[2][0] / sqrts, b = 1 - 2 * p[3][0] / sqrts;
    ck_assert_double_eq_tol(log(a / y) / log((1 - 2 * y) / y), x[0], 1e-12);
    ck_assert_double_eq_tol(log(b / y) / log((1 - a - y) / y), x[1], 1e-10);
    ck_assert_double_eq_tol(0.5 * (1 + p[2][3] / p[2][0]), x[2], 1e-14);
    ck_assert_double_eq_tol(turns(atan2(p[2][2], p[2][1])), x[3], 1e-13);
    ck_assert_double_eq_tol(turns(plane_angle(p[2], p[3])), x[4], 1e-11);
  }
  free(state);
}
END_TEST

START_TEST(jets_of_events_are_inside_the_cut)
{
  void *state = make_cut("jade", 0.05);
  for (size_t i = 0; i < 500; i++) {
    double x[5], p[5][4];
    weyl_point(i, x);
    event_momenta(state, x, p);
    for (int k = 2; k < 5; k++) ck_assert_double_gt(1 - 2 * p[k][0] / 91.188, 0.05 - 1e-14);
  }
  free(state);
}
END_TEST

static void check_leg(const nis_particle *leg, int pdg, int status, int mother, int colour,
                      int anticolour)
{
  ck_assert_int_eq(leg->pdg, pdg);
  ck_assert_int_eq(leg->status, status);
  ck_assert_int_eq(leg->mother[0], mother ? 1 : 0);
  ck_assert_int_eq(leg->mother[1], mother ? 2 : 0);
  ck_assert_int_eq(leg->colour[0], colour);
  ck_assert_int_eq(leg->colour[1], anticolour);
  ck_assert_double_eq(leg->mass, 0);
}

START_TEST(legs_follow_les_houches)
{
  static const char *const quark[] = {"quark=u", "quark=d", "quark=s", "quark=c", "quark=b"};
  static const int pdg[] = {2, 1, 3, 4, 5};
  const double x[5] = {0.3, 0.6, 0.2, 0.1, 0.7};
  for (size_t i = 0; i < LENGTH(quark); i++) {
    nis_event event = {0};
    void *state = make(quark[i], "sqrts=200", "alpha_s=0.1", NULL);
    ck_assert_int_eq(row->particles(x, 5, &event, state), 0);
    ck_assert_int_eq(event.nparticles, 5);
    check_leg(&event.particle[0], 11, -1, 0, 0, 0);
    check_leg(&event.particle[1], -11, -1, 0, 0, 0);
    check_leg(&event.particle[2], pdg[i], 1, 1, 501, 0);
    check_leg(&event.particle[3], -pdg[i], 1, 1, 0, 502);
    check_leg(&event.particle[4], 21, 1, 1, 502, 501);
    ck_assert_double_eq(event.particle[0].p[3], 100);
    ck_assert_double_eq(event.particle[1].p[3], -100);
    ck_assert_double_eq(event.scale, 200);
    ck_assert_double_eq(event.alpha_s, 0.1);
    ck_assert_double_eq_tol(event.alpha_em, 1 / 132.507, 1e-17);
    free(state);
  }
}
END_TEST

/* ---- */

static TCase *matrix_element_case(void)
{
  TCase *tcase = tcase_create("matrix element");
  tcase_add_test(tcase, w_mass_and_weak_angle);
  tcase_add_test(tcase, couplings_on_the_peak);
  tcase_add_test(tcase, flavours_of_one_charge_agree);
  tcase_add_test(tcase, squared_equals_dirac_traces);
  tcase_add_test(tcase, squared_of_each_chirality);
  tcase_add_test(tcase, squared_without_z);
  tcase_add_test(tcase, squared_is_invariant_under_rotations);
  return tcase;
}

static TCase *integral_case(void)
{
  TCase *tcase = tcase_create("integral");
  tcase_set_timeout(tcase, 60); /* sanitizers, busy machines */
  tcase_add_test(tcase, integrand_is_the_squared_matrix_element);
  tcase_add_test(tcase, jade_integral_is_the_closed_formula);
  tcase_add_test(tcase, jade_integral_of_other_flavours_and_energies);
  tcase_add_test(tcase, durham_integral_is_the_quadrature);
  tcase_add_test(tcase, durham_is_jade_inside_the_cut_and_zero_outside);
  tcase_add_test(tcase, smallest_ycut_keeps_its_digits);
  tcase_add_test(tcase, azimuth_does_not_matter);
  tcase_add_test(tcase, corners_are_finite);
  tcase_add_test(tcase, three_jet_rates);
  tcase_add_test(tcase, rates_at_small_ycut);
  tcase_add_test(tcase, published_cross_sections);
  tcase_add_test(tcase, madnis_cross_section);
  return tcase;
}

static TCase *event_case(void)
{
  TCase *tcase = tcase_create("events");
  tcase_add_test(tcase, momenta_are_conserved_and_on_shell);
  tcase_add_test(tcase, coordinates_are_recovered_from_events);
  tcase_add_test(tcase, jets_of_events_are_inside_the_cut);
  tcase_add_test(tcase, legs_follow_les_houches);
  return tcase;
}

int main(void)
{
  row = integrand_find("ee3j");
  if (!row) return 1;
  Suite *suite = suite_create("ee3j");
  suite_add_tcase(suite, matrix_element_case());
  suite_add_tcase(suite, integral_case());
  suite_add_tcase(suite, event_case());
  return run_suite(suite);
}

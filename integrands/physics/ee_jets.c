/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Colour-ordered rules with T^a of trace 1 (Dixon, hep-ph/9601359), metric + - - -. For one order
 * of the gluons and given helicities the amplitude is
 *
 *     A = sum_k psi(q; 1 .. k) L chi(k+1 .. n; qbar),
 *
 * where L is the lepton current and psi and chi are the quark lines with gluons attached. Quarks
 * are left-handed, in two components: a chain psi^+ sbar.J s.P sbar.J ... with s = (1, sigma), sbar
 * = (1, -sigma). Parity gives the right-handed ones: all helicities flipped, the conjugate
 * amplitude.
 */
#include "ee_jets.h"

#include "colour.h"
#include "spinors.h"

#include <string.h>

/* ---- gluon currents -------------------------------------------------------------------------- */

/* Of gluons i .. j (i <= j) of an order: the current, and the sum of the momenta */
struct currents {
  vector j[EE_MOST_GLUONS][EE_MOST_GLUONS];
  double p[EE_MOST_GLUONS][EE_MOST_GLUONS][4];
};

/* (J1.J3) J2 - (J1.J2) J3 / 2 - (J2.J3) J1 / 2 */
static void add_four(const vector j1, const vector j2, const vector j3, vector sum)
{
  double complex a = dot(j1, j3), b = 0.5 * dot(j1, j2), c = 0.5 * dot(j2, j3);
  for (int m = 0; m < 4; m++) sum[m] += a * j2[m] - b * j3[m] - c * j1[m];
}

static void join(struct currents *g, int i, int j)
{
  vector sum = {0};
  for (int m = 0; m < 4; m++) g->p[i][j][m] = g->p[i][j - 1][m] + g->p[j][j][m];
  for (int k = i; k < j; k++)
    add_three_gluons(g->j[i][k], g->p[i][k], g->j[k + 1][j], g->p[k + 1][j], sum);
  for (int k = i; k < j; k++)
    for (int l = k + 1; l < j; l++) add_four(g->j[i][k], g->j[k + 1][l], g->j[l + 1][j], sum);
  double s = mass_squared(g->p[i][j]);
  for (int m = 0; m < 4; m++) g->j[i][j][m] = sum[m] / s;
}

/* ---- one order ------------------------------------------------------------------------------- */

/* psi(q; 1 .. k) for all k: row[0] is the quark alone. */
static void quark_line(const struct currents *g, int n, const double q[4], struct spinor *row)
{
  double p[4];
  memcpy(p, q, sizeof p);
  row[0] = conjugate(spinor_of(q));
  for (int k = 1; k <= n; k++) {
    struct spinor sum = {0, 0};
    for (int m = 0; m < 4; m++) p[m] += g->p[k - 1][k - 1][m];
    for (int i = 0; i < k; i++) add_scaled(&sum, row_bar(row[i], g->j[i][k - 1]), 1);
    row[k] = row_momentum(sum, p);
    double factor = -M_SQRT1_2 / mass_squared(p);
    row[k].a *= factor, row[k].b *= factor;
  }
}

/* chi(k+1 .. n; qbar) for all k: column[n] is the antiquark alone. */
static void antiquark_line(const struct currents *g, int n, const double q[4],
                           struct spinor *column)
{
  double p[4];
  memcpy(p, q, sizeof p);
  column[n] = spinor_of(q);
  for (int k = n - 1; k >= 0; k--) {
    struct spinor sum = {0, 0};
    for (int m = 0; m < 4; m++) p[m] += g->p[k][k][m];
    for (int i = k; i < n; i++) add_scaled(&sum, bar_column(g->j[k][i], column[i + 1]), 1);
    column[k] = momentum_column(p, sum);
    double factor = M_SQRT1_2 / mass_squared(p);
    column[k].a *= factor, column[k].b *= factor;
  }
}

static double complex amplitude(const struct spinor *row, const struct spinor *column, int n,
                                const vector lepton)
{
  double complex sum = 0;
  for (int k = 0; k <= n; k++) {
    struct spinor r = row_bar(row[k], lepton);
    sum += r.a * column[k].a + r.b * column[k].b;
  }
  return sum;
}

/* Of both lepton helicities, left-handed quark */
static void ordered(const struct ee_jets *j, const double (*p)[4], const vector *e,
                    const int *order, const vector lepton[2], double complex a[2])
{
  struct currents g;
  struct spinor row[EE_MOST_GLUONS + 1], column[EE_MOST_GLUONS + 1];
  int n = j->gluons;
  for (int i = 0; i < n; i++) {
    memcpy(g.j[i][i], e[order[i]], sizeof(vector));
    memcpy(g.p[i][i], p[4 + order[i]], sizeof g.p[i][i]);
  }
  for (int length = 1; length < n; length++)
    for (int i = 0; i + length < n; i++) join(&g, i, i + length);
  quark_line(&g, n, p[2], row);
  antiquark_line(&g, n, p[3], column);
  for (int h = 0; h < 2; h++) a[h] = amplitude(row, column, n, lepton[h]);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static double colour_sum(const struct ee_jets *j, double complex a[][2], int h)
{
  double sum = 0;
  for (int r = 0; r < j->orders; r++)
    for (int s = 0; s < j->orders; s++) sum += j->colour[r][s] * creal(a[r][h] * conj(a[s][h]));
  return sum;
}

/* Of one event: lepton currents by the electron's chirality, and both polarisations of each gluon
 */
struct waves {
  vector lepton[2], gluon[EE_MOST_GLUONS][2];
};

/* gauge: number of the gluon whose polarisation is its momentum, or -1 */
static void set_waves(const struct ee_jets *j, const double (*p)[4], int gauge, struct waves *w)
{
  current(p[1], p[0], w->lepton[LEFT]);
  current(p[0], p[1], w->lepton[RIGHT]);
  for (int i = 0; i < j->gluons; i++)
    for (int plus = 0; plus < 2; plus++) {
      polarisation(p[4 + i], plus ? 1 : -1, w->gluon[i][plus]);
      for (int m = 0; m < 4 && i == gauge; m++) w->gluon[i][plus][m] = p[4 + i][m];
    }
}

/* Of one set of helicities: adds to sum->all, and to the squares of the orders alone. */
static void add_helicities(const struct ee_jets *j, const double (*p)[4], const struct waves *w,
                           int helicities, struct ee_jets_squares *sum)
{
  double complex a[EE_MOST_ORDERS][2];
  vector e[EE_MOST_GLUONS];
  for (int i = 0; i < j->gluons; i++) memcpy(e[i], w->gluon[i][helicities >> i & 1], sizeof e[i]);
  for (int r = 0; r < j->orders; r++)
    ordered(j, p, (const vector *)e, j->order[r], w->lepton, a[r]);
  for (int h = 0; h < 2; h++) {
    sum->all[h] += colour_sum(j, a, h);
    for (int r = 0; r < j->orders; r++) sum->order[r][h] += creal(a[r][h] * conj(a[r][h]));
  }
}

void ee_jets_helicities(const struct ee_jets *j, const double (*p)[4], int helicities,
                        struct ee_jets_squares *out)
{
  struct waves waves;
  *out = (struct ee_jets_squares){.all = {0}};
  set_waves(j, p, -1, &waves);
  add_helicities(j, p, &waves, helicities, out);
}

static void sum_helicities(const struct ee_jets *j, const double (*p)[4], int gauge,
                           struct ee_jets_squares *out)
{
  struct waves waves;
  *out = (struct ee_jets_squares){.all = {0}};
  set_waves(j, p, gauge, &waves);
  for (int h = 0; h < 1 << j->gluons; h++) add_helicities(j, p, &waves, h, out);
}

/* A left-handed quark's with its couplings, and by parity a right-handed one's with its own */
static double with_couplings(const struct ee_jets *j, const struct ee_couplings *c,
                             const double (*p)[4], const double sum[2])
{
  double total[4], g2[2][2];
  for (int m = 0; m < 4; m++) total[m] = p[0][m] + p[1][m];
  double s = mass_squared(total);
  ee_couplings_squared(c, s, g2);
  double same = g2[LEFT][LEFT] + g2[RIGHT][RIGHT], opposite = g2[LEFT][RIGHT] + g2[RIGHT][LEFT];
  return pow(c->strong, j->gluons) / (4 * s * s) * (same * sum[LEFT] + opposite * sum[RIGHT]);
}

double ee_jets_squared(const struct ee_jets *j, const struct ee_couplings *c, const double (*p)[4])
{
  struct ee_jets_squares sum;
  sum_helicities(j, p, -1, &sum);
  return with_couplings(j, c, p, sum.all);
}

double ee_jets_gauge_check(const struct ee_jets *j, const struct ee_couplings *c,
                           const double (*p)[4], int gluon)
{
  struct ee_jets_squares sum;
  sum_helicities(j, p, gluon, &sum);
  return with_couplings(j, c, p, sum.all);
}

void ee_jets_orders(const struct ee_jets *j, const struct ee_couplings *c, const double (*p)[4],
                    double weight[EE_MOST_ORDERS])
{
  struct ee_jets_squares sum;
  sum_helicities(j, p, -1, &sum);
  for (int r = 0; r < j->orders; r++) weight[r] = with_couplings(j, c, p, sum.order[r]);
}

/* ---- colour ---------------------------------------------------------------------- */

/* T^a of the gluons in this order; colours: a digit of base 8 for each gluon */
static void string_of(const struct ee_jets *j, const int *order, int colours, colour_matrix t)
{
  colour_matrix next;
  memset(t, 0, sizeof(colour_matrix));
  for (int i = 0; i < 3; i++) t[i][i] = 1;
  for (int i = 0; i < j->gluons; i++) {
    colour_generator(colours >> 3 * order[i] & 7, next);
    colour_multiply(t, (const double complex(*)[3])next);
  }
}

static double colour_factor(const struct ee_jets *j, const int *first, const int *second)
{
  double sum = 0;
  colour_matrix a, b;
  for (int colours = 0; colours < 1 << 3 * j->gluons; colours++) {
    string_of(j, first, colours, a);
    string_of(j, second, colours, b);
    for (int i = 0; i < 9; i++) sum += creal(a[i / 3][i % 3] * conj(b[i / 3][i % 3]));
  }
  return sum;
}

static void list_orders(struct ee_jets *j)
{
  static const int orders[][EE_MOST_GLUONS] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1},
                                               {2, 0, 1}, {1, 2, 0}, {2, 1, 0}};
  static const int factorial[] = {1, 1, 2, 6};
  j->orders = factorial[j->gluons];
  memcpy(j->order, orders, sizeof orders);
}

void ee_jets_set(struct ee_jets *j, int gluons)
{
  *j = (struct ee_jets){.gluons = gluons};
  list_orders(j);
  for (int r = 0; r < j->orders; r++)
    for (int s = 0; s < j->orders; s++)
      j->colour[r][s] = colour_factor(j, j->order[r], j->order[s]);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two quark lines, q ... qbar and Q ... Qbar, joined by a gluon; photon or Z is on either. With T^a
 * of trace 1 and colour-ordered rules (Dixon, hep-ph/9601359) the sum over the gluon between the
 * lines leaves colours that flow
 *
 *     without a gluon   from q to Qbar and Q to qbar (0), from q to qbar and Q to Qbar (1)
 *     with gluon a      0 with a on the first (0) or second line (1), 1 likewise (2, 3).
 *
 * Exchange of identical quarks exchanges 0 and 1, or 0 and 3, 1 and 2; Fermi statistics gives it a
 * minus. Lines between exchanged quarks are there only where both have the same chirality.
 */
#include "ee_four_quarks.h"

#include "spinors.h"

#include <string.h>

enum { FLOWS = EE_COLOUR_FLOWS };
static const double n_c = 3;

/* A vector that is emitted from a quark line, and its momentum */
struct leg {
  vector j;
  double p[4];
};

/* p and k: of quark and antiquark */
struct line {
  int chirality;
  double p[4], k[4];
};

/* ---- one line ----------------------------------------------------------------------- */

static void reflect(struct leg *leg)
{
  for (int m = 1; m < 4; m++) leg->j[m] = -leg->j[m], leg->p[m] = -leg->p[m];
}

/* As the left-handed chains of spinors.h need it */
static struct leg seen_by(const struct line *line, const struct leg *leg)
{
  struct leg seen = *leg;
  if (line->chirality == RIGHT) reflect(&seen);
  return seen;
}

static struct line make_line(int chirality, const double p[4], const double k[4])
{
  struct line line = {.chirality = chirality};
  for (int m = 0; m < 4; m++) {
    double sign = m && chirality == RIGHT ? -1 : 1;
    line.p[m] = sign * p[m], line.k[m] = sign * k[m];
  }
  return line;
}

static struct spinor scaled(struct spinor s, double factor)
{
  return (struct spinor){factor * s.a, factor * s.b};
}

/* The quark, and n legs in order from it, each with the propagator behind */
static struct spinor from_quark(const struct line *line, int n, const struct leg *const *legs)
{
  struct spinor row = conjugate(spinor_of(line->p));
  double p[4];
  memcpy(p, line->p, sizeof p);
  for (int i = 0; i < n; i++) {
    struct leg leg = seen_by(line, legs[i]);
    for (int m = 0; m < 4; m++) p[m] += leg.p[m];
    row = scaled(row_momentum(row_bar(row, leg.j), p), -1 / mass_squared(p));
  }
  return row;
}

/* The antiquark, and n legs, the last of them next to it */
static struct spinor from_antiquark(const struct line *line, int n, const struct leg *const *legs)
{
  struct spinor column = spinor_of(line->k);
  double p[4];
  memcpy(p, line->k, sizeof p);
  for (int i = n - 1; i >= 0; i--) {
    struct leg leg = seen_by(line, legs[i]);
    for (int m = 0; m < 4; m++) p[m] += leg.p[m];
    column = scaled(momentum_column(p, bar_column(leg.j, column)), 1 / mass_squared(p));
  }
  return column;
}

/* All n legs on the line, in this order */
static double complex chain(const struct line *line, int n, const struct leg *const *legs)
{
  struct spinor row = from_quark(line, n - 1, legs), column = spinor_of(line->k);
  struct leg last = seen_by(line, legs[n - 1]);
  row = row_bar(row, last.j);
  return row.a * column.a + row.b * column.b;
}

/* Photon or Z at every place among the other legs */
static double complex with_boson(const struct line *line, const struct leg *boson, int n,
                                 const struct leg *const *legs)
{
  double complex sum = 0;
  const struct leg *all[3];
  for (int place = 0; place <= n; place++) {
    for (int i = 0; i <= n; i++) all[i] = i < place ? legs[i] : i == place ? boson : legs[i - 1];
    sum += chain(line, n + 1, all);
  }
  return sum;
}

/* ---- gluons between the lines --------------------------------------------------------- */

static void times(vector j, double factor)
{
  for (int m = 0; m < 4; m++) j[m] *= factor;
}

/* The gluon that becomes this line and the legs on it; it leaves the line behind the first
 * `before`. */
static struct leg gluon_to(const struct line *line, int before, int n,
                           const struct leg *const *legs)
{
  struct leg out;
  struct spinor row = from_quark(line, before, legs);
  struct spinor column = from_antiquark(line, n - before, legs + before);
  open_line(row, column, out.j);
  for (int m = 0; m < 4; m++) out.p[m] = line->p[m] + line->k[m];
  if (line->chirality == RIGHT) reflect(&out);
  for (int i = 0; i < n; i++)
    for (int m = 0; m < 4; m++) out.p[m] += legs[i]->p[m];
  times(out.j, M_SQRT1_2 / mass_squared(out.p));
  return out;
}

/* Two gluons that come from one */
static struct leg fused(const struct leg *first, const struct leg *second)
{
  struct leg out = {.j = {0}};
  add_three_gluons(first->j, first->p, second->j, second->p, out.j);
  for (int m = 0; m < 4; m++) out.p[m] = first->p[m] + second->p[m];
  times(out.j, 1 / mass_squared(out.p));
  return out;
}

/* Gluons on the line with the boson: in this order, or fused */
static double complex emitted(const struct line *line, const struct leg *boson,
                              const struct leg *first, const struct leg *second)
{
  struct leg one = fused(first, second);
  const struct leg *two[] = {first, second}, *fusion[] = {&one};
  return 0.5 * with_boson(line, boson, 2, two) + M_SQRT1_2 * with_boson(line, boson, 1, fusion);
}

/* The boson on `line`, by the place of the gluon: before and behind the other line's gluon on this
 * line, before and behind this line's gluon on the other. Without a gluon a[0] is all. */
static void joined(const struct line *line, const struct line *other, const struct leg *boson,
                   const struct leg *gluon, double complex a[4])
{
  struct leg pair = gluon_to(other, 0, 0, &gluon); /* none of them */
  if (!gluon) {
    a[0] = M_SQRT1_2 * with_boson(line, boson, 1, (const struct leg *const[]){&pair});
    return;
  }
  a[0] = emitted(line, boson, gluon, &pair);
  a[1] = emitted(line, boson, &pair, gluon);
  for (int behind = 0; behind < 2; behind++) {
    struct leg three = gluon_to(other, !behind, 1, &gluon);
    a[2 + behind] = 0.5 * with_boson(line, boson, 1, (const struct leg *const[]){&three});
  }
}

/* T^c_ij T^c_kl = delta_il delta_kj - delta_ij delta_kl / N */
static void add_flows(int gluons, double complex coupling, const double complex a[4],
                      double complex *flow)
{
  if (!gluons) {
    flow[0] += coupling * a[0];
    flow[1] -= coupling * a[0] / n_c;
    return;
  }
  flow[0] += coupling * (a[0] + a[3]);
  flow[1] += coupling * (a[1] + a[2]);
  flow[2] -= coupling * (a[0] + a[1]) / n_c;
  flow[3] -= coupling * (a[2] + a[3]) / n_c;
}

/* ---- all of it -------------------------------------------------------------------------- */

/* What does not depend on the helicities */
struct event {
  struct leg boson[2]; /* by the electron's chirality */
  struct leg gluon;
  double complex coupling[2][2][2]; /* of the lines; [line][electron][quark], chiralities */
  double s;
};

struct squares {
  double all, flow[FLOWS];
};

/* Of both chiralities of the electron */
static void add_amplitudes(const struct ee_four_quarks *f, const struct event *event,
                           const struct line line[2], double complex flow[2][FLOWS])
{
  const struct leg *gluon = f->gluons ? &event->gluon : NULL;
  for (int e = 0; e < 2; e++)
    for (int own = 0; own < 2; own++) { /* the line with the boson */
      double complex a[4], ours[4];
      double complex g = event->coupling[own][e][line[own].chirality];
      joined(&line[own], &line[!own], &event->boson[e], gluon, a);
      /* "this" line and "the other" are those of line[0] for add_flows */
      for (int i = 0; i < 4 && gluon; i++) ours[i] = a[own ? i ^ 2 : i];
      add_flows(f->gluons, g, gluon ? ours : a, flow[e]);
    }
}

static void subtract_exchanged(const struct ee_four_quarks *f, double complex exchanged[2][FLOWS],
                               double complex flow[2][FLOWS])
{
  int last = f->gluons ? 3 : 1;
  for (int e = 0; e < 2; e++)
    for (int i = 0; i <= last; i++) flow[e][i] -= exchanged[e][last - i];
}

/* Adds all colours to sum->all, and what each flow has alone to sum->flow. */
static void add_colours(int gluons, double complex flow[2][FLOWS], struct squares *sum)
{
  static const double without[FLOWS][FLOWS] = {{9, 3}, {3, 9}};
  static const double with[FLOWS][FLOWS] = {
      {24, 0, 8, 8}, {0, 24, 8, 8}, {8, 8, 24, 0}, {8, 8, 0, 24}};
  int n = gluons ? 4 : 2;
  for (int e = 0; e < 2; e++)
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++)
        sum->all += (gluons ? with : without)[i][j] * creal(flow[e][i] * conj(flow[e][j]));
      sum->flow[i] += creal(flow[e][i] * conj(flow[e][i]));
    }
}

/* Of given chiralities of q and Q */
static void add_chiralities(const struct ee_four_quarks *f, const struct event *event,
                            const double (*p)[4], int q, int Q, struct squares *sum)
{
  const struct line lines[] = {make_line(q, p[2], p[3]), make_line(Q, p[4], p[5])};
  const struct line exchanged_lines[] = {make_line(Q, p[4], p[3]), make_line(q, p[2], p[5])};
  double complex flow[2][FLOWS] = {{0}}, exchanged[2][FLOWS] = {{0}}, alone[2][FLOWS] = {{0}};
  add_amplitudes(f, event, lines, flow);
  if (f->identical) {
    add_amplitudes(f, event, exchanged_lines, exchanged);
    subtract_exchanged(f, exchanged, q == Q ? flow : alone);
    if (q != Q) add_colours(f->gluons, alone, sum);
  }
  add_colours(f->gluons, flow, sum);
}

static void set_event(const struct ee_four_quarks *f, const double (*p)[4], struct event *event)
{
  double total[4];
  for (int m = 0; m < 4; m++) total[m] = p[0][m] + p[1][m];
  event->s = mass_squared(total);
  current(p[1], p[0], event->boson[LEFT].j);
  current(p[0], p[1], event->boson[RIGHT].j);
  for (int m = 0; m < 8; m++) event->boson[m / 4].p[m % 4] = -total[m % 4];
  for (int m = 0; m < 4 && f->gluons; m++) event->gluon.p[m] = p[6][m];
  for (int i = 0; i < 8; i++)
    event->coupling[i >> 2][i >> 1 & 1][i & 1] =
        ee_coupling(&f->couplings[i >> 2], event->s, i >> 1 & 1, i & 1);
}

static struct squares sum_helicities(const struct ee_four_quarks *f, const double (*p)[4],
                                     int gauge)
{
  struct event event;
  struct squares sum = {0};
  set_event(f, p, &event);
  for (int h = 0; h < 4 << f->gluons; h++) {
    if (f->gluons) polarisation(p[6], h >> 2 ? 1 : -1, event.gluon.j);
    for (int m = 0; m < 4 && gauge; m++) event.gluon.j[m] = p[6][m];
    add_chiralities(f, &event, p, h & 1, h >> 1 & 1, &sum);
  }
  double factor = pow(f->couplings[0].strong, 2 + f->gluons) / (4 * event.s * event.s);
  sum.all *= factor;
  return sum;
}

double ee_four_quarks_squared(const struct ee_four_quarks *f, const double (*p)[4])
{
  return sum_helicities(f, p, 0).all;
}

double ee_four_quarks_gauge_check(const struct ee_four_quarks *f, const double (*p)[4])
{
  return sum_helicities(f, p, 1).all;
}

void ee_four_quarks_flows(const struct ee_four_quarks *f, const double (*p)[4],
                          double weight[EE_COLOUR_FLOWS])
{
  struct squares sum = sum_helicities(f, p, 0);
  for (int i = 0; i < FLOWS; i++) weight[i] = sum.flow[i];
}

void ee_four_quarks_set(struct ee_four_quarks *f, int gluons, const int pdg[2], double alpha_s)
{
  *f = (struct ee_four_quarks){.gluons = gluons, .identical = pdg[0] == pdg[1]};
  for (int i = 0; i < 2; i++) ee_couplings_set(&f->couplings[i], pdg[i], alpha_s);
}

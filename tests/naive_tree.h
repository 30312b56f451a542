/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * |M|^2 of e+ e- -> q qbar (Q Qbar) g ... g at tree level from the Feynman rules as they stand:
 * open colour indices of 3 and of 8, Dirac matrices of 4 x 4, real polarisation vectors, a sum over
 * every state of every leg. Slow, and shares no method with integrands/.
 *
 * Rules and signs: Peskin and Schroeder, An Introduction to Quantum Field Theory (1995), fig. A.2:
 * metric (+---), gluon propagators in Feynman gauge, D = d - i g A^a T^a. All that is common to the
 * diagrams of a process, such as the factors i of the boson from e+ e-, is left out.
 */
#ifndef NAIVE_TREE_H
#define NAIVE_TREE_H

#include "electroweak.h"

#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  NAIVE_GLUONS = 3,               /* at most */
  NAIVE_LEGS = 5,                 /* outgoing, at most */
  NAIVE_SETS = 1 << NAIVE_GLUONS, /* of what couples to a quark line */
  NAIVE_QUARK_STATES = 2 * 3,     /* 2 colour + chirality */
  NAIVE_GLUON_STATES = 2 * 8      /* 2 colour + polarisation */
};

struct naive_matrix {
  double complex at[4][4];
};

struct naive_algebra {
  struct naive_matrix gamma[4], projector[2]; /* (1 -+ gamma5) / 2 */
  double complex t[8][3][3];                  /* half the matrices of Gell-Mann */
  double f[8][8][8];
  double ff[8][8][8][8]; /* f^abe f^cde, summed over e */
};

/* Legs: q, qbar, [Q, Qbar,] gluons. */
struct naive_process {
  int quarks, gluons; /* quarks and antiquarks: 2 or 4 */
  int identical;      /* Q is of the flavour of q */
  int longitudinal;   /* the gluon whose polarisation vectors are its momentum; -1: none */
  struct ee_couplings couplings[2];
  struct naive_algebra algebra;
};

/* ---- matrices -------------------------------------------------------------------------------- */

static inline struct naive_matrix naive_times(const struct naive_matrix *a,
                                              const struct naive_matrix *b)
{
  struct naive_matrix product = {{{0}}};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      for (int k = 0; k < 4; k++) product.at[i][j] += a->at[i][k] * b->at[k][j];
  return product;
}

/* Dirac's representation: gamma^0 = diag(1, 1, -1, -1), gamma^i = (0, sigma_i; -sigma_i, 0) */
static inline void naive_gamma_set(struct naive_algebra *x)
{
  const double complex sigma[3][2][2] = {{{0, 1}, {1, 0}}, {{0, -I}, {I, 0}}, {{1, 0}, {0, -1}}};
  for (int i = 0; i < 4; i++) x->gamma[0].at[i][i] = i < 2 ? 1 : -1;
  for (int m = 0; m < 3; m++)
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++) {
        x->gamma[m + 1].at[i][2 + j] = sigma[m][i][j];
        x->gamma[m + 1].at[2 + i][j] = -sigma[m][i][j];
      }
  struct naive_matrix product = x->gamma[0];
  for (int m = 1; m < 4; m++) product = naive_times(&product, &x->gamma[m]);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      double complex gamma5 = I * product.at[i][j];
      x->projector[LEFT].at[i][j] = ((i == j) - gamma5) / 2;
      x->projector[RIGHT].at[i][j] = ((i == j) + gamma5) / 2;
    }
}

static inline void naive_generators_set(double complex t[8][3][3])
{
  const int pairs[3][2] = {{0, 1}, {0, 2}, {1, 2}}, real[3] = {0, 3, 5};
  for (int n = 0; n < 3; n++) {
    int i = pairs[n][0], j = pairs[n][1], a = real[n];
    t[a][i][j] = t[a][j][i] = 0.5;
    t[a + 1][i][j] = -0.5 * I, t[a + 1][j][i] = 0.5 * I;
  }
  t[2][0][0] = 0.5, t[2][1][1] = -0.5;
  t[7][0][0] = t[7][1][1] = 0.5 / sqrt(3), t[7][2][2] = -1 / sqrt(3);
}

/* Tr(T^a T^b T^c) */
static inline double complex naive_trace(double complex t[8][3][3], int a, int b, int c)
{
  double complex sum = 0;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) sum += t[a][i][j] * t[b][j][k] * t[c][k][i];
  return sum;
}

/* f^abc = -2 i Tr([T^a, T^b] T^c) */
static inline void naive_colour_set(struct naive_algebra *x)
{
  naive_generators_set(x->t);
  for (int a = 0; a < 8; a++)
    for (int b = 0; b < 8; b++)
      for (int c = 0; c < 8; c++)
        x->f[a][b][c] = creal(-2 * I * (naive_trace(x->t, a, b, c) - naive_trace(x->t, b, a, c)));
  for (int a = 0; a < 8; a++)
    for (int b = 0; b < 8; b++)
      for (int c = 0; c < 8; c++)
        for (int d = 0; d < 8; d++)
          for (int e = 0; e < 8; e++) x->ff[a][b][c][d] += x->f[a][b][e] * x->f[c][d][e];
}

/* pdg: of q and of Q */
static inline void naive_process_set(struct naive_process *x, int quarks, int gluons,
                                     const int pdg[2], double alpha_s)
{
  memset(x, 0, sizeof *x);
  x->quarks = quarks, x->gluons = gluons, x->longitudinal = -1;
  x->identical = quarks == 4 && pdg[0] == pdg[1];
  for (int line = 0; 2 * line < quarks; line++)
    ee_couplings_set(&x->couplings[line], pdg[line], alpha_s);
  naive_gamma_set(&x->algebra);
  naive_colour_set(&x->algebra);
}

/* ---- external legs --------------------------------------------------------------------------- */

static inline double naive_product(const double p[4], const double k[4])
{
  return p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3];
}

static inline double complex naive_mixed(const double p[4], const double complex k[4])
{
  return p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3];
}

static inline double complex naive_dot(const double complex p[4], const double complex k[4])
{
  return p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3];
}

/* gamma . v */
static inline struct naive_matrix naive_slash(const struct naive_algebra *x,
                                              const double complex v[4])
{
  struct naive_matrix slash = {{{0}}};
  for (int m = 0; m < 4; m++)
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) slash.at[i][j] += (m ? -v[m] : v[m]) * x->gamma[m].at[i][j];
  return slash;
}

static inline struct naive_matrix naive_real_slash(const struct naive_algebra *x, const double p[4])
{
  const double complex v[4] = {p[0], p[1], p[2], p[3]};
  return naive_slash(x, v);
}

/* Both u and v of a massless fermion with this chirality, to a phase: pslash times anything solves
 * Dirac's equation. A leg with energy < 0 is a crossed one. */
static inline void naive_spinor(const struct naive_algebra *x, const double p[4], int chirality,
                                double complex u[4])
{
  const double complex anything[4] = {0.61, 0.37 + 0.45 * I, -0.23 + 0.71 * I, 0.52 - 0.19 * I};
  struct naive_matrix slash = naive_real_slash(x, p);
  struct naive_matrix both = naive_times(&x->projector[chirality], &slash);
  double size = 0;
  for (int i = 0; i < 4; i++) {
    u[i] = 0;
    for (int j = 0; j < 4; j++) u[i] += both.at[i][j] * anything[j];
    size += creal(u[i] * conj(u[i]));
  }
  for (int i = 0; i < 4; i++) u[i] *= sqrt(2 * fabs(p[0]) / size);
}

/* u^+ gamma^0 */
static inline void naive_bar(const double complex u[4], double complex bar[4])
{
  for (int i = 0; i < 4; i++) bar[i] = (i < 2 ? 1 : -1) * conj(u[i]);
}

/* Unit vectors orthogonal to each other and to the momentum, without energy */
static inline void naive_polarisations(const double k[4], double e[2][4])
{
  int least = 1;
  for (int m = 2; m < 4; m++)
    if (fabs(k[m]) < fabs(k[least])) least = m;
  double axis[4] = {0}, size2 = 0, energy = k[0];
  axis[least] = 1;
  e[0][0] = e[1][0] = 0;
  for (int m = 0; m < 3; m++) {
    int n = (m + 1) % 3 + 1, l = (m + 2) % 3 + 1;
    e[0][m + 1] = axis[n] * k[l] - axis[l] * k[n];
    size2 += e[0][m + 1] * e[0][m + 1];
  }
  for (int m = 1; m < 4; m++) e[0][m] /= sqrt(size2);
  for (int m = 0; m < 3; m++) {
    int n = (m + 1) % 3 + 1, l = (m + 2) % 3 + 1;
    e[1][m + 1] = (k[n] * e[0][l] - k[l] * e[0][n]) / energy;
  }
}

struct naive_event {
  const struct naive_process *process;
  const struct naive_algebra *algebra;
  const double (*p)[4];         /* outgoing */
  double complex lepton[2][4];  /* vbar gamma^mu u / s by chirality */
  double complex wave[4][2][4]; /* ubar of a quark, v of an antiquark */
  double polarisation[NAIVE_GLUONS][2][4];
  double s;
};

static inline void naive_lepton_current(const struct naive_event *e, const double (*p)[4],
                                        int chirality, double complex current[4])
{
  double complex u[4], v[4], bar[4];
  naive_spinor(e->algebra, p[0], chirality, u);
  naive_spinor(e->algebra, p[1], chirality, v);
  naive_bar(v, bar);
  for (int m = 0; m < 4; m++) {
    current[m] = 0;
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++)
        current[m] += bar[i] * e->algebra->gamma[m].at[i][j] * u[j] / e->s;
  }
}

static inline void naive_event_set(struct naive_event *e, const struct naive_process *x,
                                   const double (*p)[4])
{
  e->process = x, e->algebra = &x->algebra, e->p = p + 2, e->s = 2 * naive_product(p[0], p[1]);
  for (int chirality = 0; chirality < 2; chirality++) {
    naive_lepton_current(e, p, chirality, e->lepton[chirality]);
    for (int leg = 0; leg < x->quarks; leg++) {
      double complex u[4];
      naive_spinor(e->algebra, e->p[leg], chirality, u);
      if (leg % 2 == 0)
        naive_bar(u, e->wave[leg][chirality]);
      else
        memcpy(e->wave[leg][chirality], u, sizeof u);
    }
  }
  for (int g = 0; g < x->gluons; g++) {
    const double *k = e->p[x->quarks + g];
    naive_polarisations(k, e->polarisation[g]);
    if (g != x->longitudinal) continue;
    for (int n = 0; n < 2; n++) memcpy(e->polarisation[g][n], k, 4 * sizeof *k);
  }
}

/* ---- the states of all legs ------------------------------------------------------------------ */

static inline int naive_states(const struct naive_process *x, int leg)
{
  return leg < x->quarks ? NAIVE_QUARK_STATES : NAIVE_GLUON_STATES;
}

/* The place of these states of the legs in an array of amplitudes, by chirality of the electron */
static inline size_t naive_place(const struct naive_process *x, const int *state)
{
  size_t place = 0;
  for (int leg = 0; leg < x->quarks + x->gluons; leg++)
    place = place * (size_t)naive_states(x, leg) + (size_t)state[leg];
  return 2 * place;
}

static inline size_t naive_places(const struct naive_process *x)
{
  size_t places = 2;
  for (int leg = 0; leg < x->quarks + x->gluons; leg++) places *= (size_t)naive_states(x, leg);
  return places;
}

/* ---- what couples to a quark line: gluons, and the gluon of another quark line --------------- */

struct naive_field {
  double complex at[8][4];
};

struct naive_coupling { /* i g T^a gamma_mu A^a_mu */
  double complex at[3][4][3][4];
};

struct naive_wave {
  double complex at[3][4];
};

/* Of subsets of the sources; bit g: gluon g; the highest bit: the other quark line, if any. */
struct naive_fields {
  double g;
  int sets;
  double momentum[NAIVE_SETS][4];
  struct naive_field field[NAIVE_SETS];
  struct naive_coupling coupling[NAIVE_SETS];
};

static inline int naive_is_zero(const double complex v[4])
{
  return v[0] == 0 && v[1] == 0 && v[2] == 0 && v[3] == 0;
}

static inline void naive_couple(const struct naive_event *e, struct naive_fields *f, int set)
{
  struct naive_coupling *out = &f->coupling[set];
  memset(out, 0, sizeof *out);
  for (int a = 0; a < 8; a++) {
    if (naive_is_zero(f->field[set].at[a])) continue;
    struct naive_matrix slash = naive_slash(e->algebra, f->field[set].at[a]);
    for (int c = 0; c < 3; c++)
      for (int d = 0; d < 3; d++) {
        double complex t = I * f->g * e->algebra->t[a][c][d];
        if (t == 0) continue;
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++) out->at[c][i][d][j] += t * slash.at[i][j];
      }
  }
}

/* g f^abc [g^mn (k_a - k_b)^r + g^nr (k_b - k_c)^m + g^rm (k_c - k_a)^n], all momenta incoming */
static inline void naive_three_gluons(const struct naive_event *e, struct naive_fields *f, int set,
                                      int left, int right)
{
  double ab[4], bc[4], ca[4];
  for (int m = 0; m < 4; m++) {
    double ka = f->momentum[set][m], kb = -f->momentum[left][m], kc = -f->momentum[right][m];
    ab[m] = ka - kb, bc[m] = kb - kc, ca[m] = kc - ka;
  }
  for (int b = 0; b < 8; b++)
    for (int c = 0; c < 8; c++) {
      const double complex *vb = f->field[left].at[b], *vc = f->field[right].at[c];
      if (naive_is_zero(vb) || naive_is_zero(vc)) continue;
      double complex both = naive_dot(vb, vc), on_b = naive_mixed(ca, vb),
                     on_c = naive_mixed(ab, vc);
      for (int a = 0; a < 8; a++)
        for (int m = 0; m < 4; m++)
          f->field[set].at[a][m] +=
              f->g * e->algebra->f[a][b][c] * (vb[m] * on_c + both * bc[m] + vc[m] * on_b);
    }
}

/* -i g^2 [f^abe f^cde (g^mr g^ns - g^ms g^nr) + f^ace f^bde (g^mn g^rs - g^ms g^nr)
 *         + f^ade f^bce (g^mn g^rs - g^mr g^ns)] */
static inline void naive_four_gluons(const struct naive_event *e, struct naive_fields *f, int set,
                                     const int part[3])
{
  const struct naive_algebra *x = e->algebra;
  for (int b = 0; b < 8; b++)
    for (int c = 0; c < 8; c++)
      for (int d = 0; d < 8; d++) {
        const double complex *vb = f->field[part[0]].at[b], *vc = f->field[part[1]].at[c],
                             *vd = f->field[part[2]].at[d];
        if (naive_is_zero(vb) || naive_is_zero(vc) || naive_is_zero(vd)) continue;
        double complex bc = naive_dot(vb, vc), bd = naive_dot(vb, vd), cd = naive_dot(vc, vd);
        for (int a = 0; a < 8; a++)
          for (int m = 0; m < 4; m++)
            f->field[set].at[a][m] += -I * f->g * f->g *
                                      (x->ff[a][b][c][d] * (vc[m] * bd - vd[m] * bc) +
                                       x->ff[a][c][b][d] * (vb[m] * cd - vd[m] * bc) +
                                       x->ff[a][d][b][c] * (vb[m] * cd - vc[m] * bd));
      }
}

/* All ways to part the set in two and in three, each once */
static inline void naive_gluon_vertices(const struct naive_event *e, struct naive_fields *f,
                                        int set)
{
  for (int left = (set - 1) & set; left; left = (left - 1) & set) {
    int right = set ^ left;
    if (left > right) naive_three_gluons(e, f, set, left, right);
  }
  for (int a = set; a; a = (a - 1) & set)
    for (int b = set ^ a; b; b = (b - 1) & (set ^ a)) {
      const int part[3] = {a, b, set ^ a ^ b};
      if (a > b && b > part[2] && part[2]) naive_four_gluons(e, f, set, part);
    }
}

/* ---- quark lines ----------------------------------------------------------------------------- */

/* The wave of the quark, and against the arrow of the antiquark, with sets of fields coupled to it:
 * propagators i pslash / p^2 with p along the arrow. */
static inline void naive_line_end(const struct naive_event *e, const struct naive_fields *f,
                                  int sets, int leg, int state, struct naive_wave *wave)
{
  int anti = leg % 2;
  memset(&wave[0], 0, sizeof wave[0]);
  memcpy(wave[0].at[state / 2], e->wave[leg][state % 2], sizeof wave[0].at[0]);
  for (int set = 1; set < sets; set++) {
    struct naive_wave sum = {{{0}}};
    for (int last = set; last; last = (last - 1) & set) {
      const struct naive_coupling *coupling = &f->coupling[last];
      const struct naive_wave *before = &wave[set ^ last];
      for (int c = 0; c < 3; c++)
        for (int i = 0; i < 4; i++)
          for (int d = 0; d < 3; d++)
            for (int j = 0; j < 4; j++)
              sum.at[c][i] +=
                  before->at[d][j] * (anti ? coupling->at[c][i][d][j] : coupling->at[d][j][c][i]);
    }
    double p[4];
    for (int m = 0; m < 4; m++) p[m] = (anti ? -1 : 1) * (e->p[leg][m] + f->momentum[set][m]);
    struct naive_matrix slash = naive_real_slash(e->algebra, p);
    double complex factor = I / naive_product(p, p);
    memset(&wave[set], 0, sizeof wave[set]);
    for (int c = 0; c < 3; c++)
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
          wave[set].at[c][i] += factor * sum.at[c][j] * (anti ? slash.at[i][j] : slash.at[j][i]);
  }
}

/* i g ubar T^a gamma^mu v */
static inline void naive_quark_current(const struct naive_event *e, double g,
                                       const struct naive_wave *bar, const struct naive_wave *v,
                                       struct naive_field *sum)
{
  for (int c = 0; c < 3; c++)
    for (int d = 0; d < 3; d++)
      for (int m = 0; m < 4; m++) {
        double complex current = 0;
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++)
            current += bar->at[c][i] * e->algebra->gamma[m].at[i][j] * v->at[d][j];
        for (int a = 0; a < 8; a++) sum->at[a][m] += I * g * e->algebra->t[a][c][d] * current;
      }
}

/* The fields of all sets: pair: the legs of the other quark line, or NULL. */
static inline void naive_fields_set(const struct naive_event *e, const int *pair, const int *state,
                                    struct naive_fields *f)
{
  int gluons = e->process->gluons, quarks = e->process->quarks, sets = 1 << gluons;
  struct naive_wave bar[NAIVE_SETS], v[NAIVE_SETS];
  f->g = sqrt(e->process->couplings[0].strong);
  f->sets = pair ? 2 * sets : sets;
  memset(f->momentum, 0, sizeof f->momentum);
  memset(f->field, 0, sizeof f->field);
  for (int set = 1; set < f->sets; set++) {
    double *k = f->momentum[set];
    for (int m = 0; m < 4; m++) {
      for (int g = 0; g < gluons; g++) k[m] += (set >> g & 1) * e->p[quarks + g][m];
      if (set >= sets) k[m] += e->p[pair[0]][m] + e->p[pair[1]][m];
    }
    for (int g = 0; g < gluons; g++)
      for (int m = 0; m < 4 && set == 1 << g; m++)
        f->field[set].at[state[quarks + g] / 2][m] = e->polarisation[g][state[quarks + g] % 2][m];
    if (set == sets) { /* all the fields that couple to the pair are there */
      naive_line_end(e, f, sets, pair[0], state[pair[0]], bar);
      naive_line_end(e, f, sets, pair[1], state[pair[1]], v);
    }
    for (int part = 0; set >= sets && part < sets; part++)
      if ((part & set) == part)
        naive_quark_current(e, f->g, &bar[part], &v[(set ^ sets) ^ part], &f->field[set]);
    naive_gluon_vertices(e, f, set);
    double complex propagator = -I / naive_product(k, k);
    for (int a = 0; a < 8 && (set & (set - 1) || set >= sets); a++)
      for (int m = 0; m < 4; m++) f->field[set].at[a][m] *= propagator;
    naive_couple(e, f, set);
  }
}

/* gamma . lepton current, times the couplings to a quark of either chirality */
static inline struct naive_matrix naive_boson(const struct naive_event *e,
                                              const struct ee_couplings *c, int electron)
{
  double complex z = e->s / (e->s - c->z_mass * c->z_mass + I * c->z_mass * c->z_width);
  struct naive_matrix slash = naive_slash(e->algebra, e->lepton[electron]), sum = {{{0}}};
  for (int quark = 0; quark < 2; quark++) {
    struct naive_matrix one = naive_times(&slash, &e->algebra->projector[quark]);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++)
        sum.at[i][j] += (c->photon + c->z[electron][quark] * z) * one.at[i][j];
  }
  return sum;
}

static inline double complex naive_close(const struct naive_wave *bar,
                                         const struct naive_matrix *boson,
                                         const struct naive_wave *v)
{
  double complex sum = 0;
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++) sum += bar->at[c][i] * boson->at[i][j] * v->at[c][j];
  return sum;
}

/* ---- amplitudes ------------------------------------------------------------------------------ */

/* Adds the diagrams where the boson couples to `line`, for all states of the legs of this line. */
static inline void naive_add_line(const struct naive_event *e, const struct naive_fields *f,
                                  const int line[2], const struct naive_matrix boson[2],
                                  double sign, int *state, double complex *amplitudes)
{
  struct naive_wave bar[NAIVE_QUARK_STATES][NAIVE_SETS], v[NAIVE_QUARK_STATES][NAIVE_SETS];
  for (int n = 0; n < NAIVE_QUARK_STATES; n++) {
    naive_line_end(e, f, f->sets, line[0], n, bar[n]);
    naive_line_end(e, f, f->sets, line[1], n, v[n]);
  }
  for (int n = 0; n < NAIVE_QUARK_STATES * NAIVE_QUARK_STATES; n++) {
    int q = n / NAIVE_QUARK_STATES, qbar = n % NAIVE_QUARK_STATES;
    state[line[0]] = q, state[line[1]] = qbar;
    double complex *to = amplitudes + naive_place(e->process, state);
    for (int electron = 0; electron < 2; electron++)
      for (int set = 0; set < f->sets; set++)
        to[electron] +=
            sign * naive_close(&bar[q][set], &boson[electron], &v[qbar][f->sets - 1 - set]);
  }
}

static inline void naive_add(const struct naive_event *e, const int line[2], const int *pair,
                             const struct ee_couplings *c, double sign, double complex *amplitudes)
{
  const struct naive_process *x = e->process;
  const struct naive_matrix boson[2] = {naive_boson(e, c, LEFT), naive_boson(e, c, RIGHT)};
  int state[NAIVE_LEGS] = {0}, combinations = 1;
  for (int leg = 0; leg < x->quarks + x->gluons; leg++)
    if (leg != line[0] && leg != line[1]) combinations *= naive_states(x, leg);
  for (int n = 0; n < combinations; n++) {
    int rest = n;
    for (int leg = 0; leg < x->quarks + x->gluons; leg++)
      if (leg != line[0] && leg != line[1]) {
        state[leg] = rest % naive_states(x, leg);
        rest /= naive_states(x, leg);
      }
    struct naive_fields f;
    naive_fields_set(e, pair, state, &f);
    naive_add_line(e, &f, line, boson, sign, state, amplitudes);
  }
}

/* For all states of all legs, naive_places() of them; NULL: no memory. To be freed. Exchange of two
 * identical quarks: -1. */
static inline double complex *naive_amplitudes(const struct naive_process *x, const double (*p)[4])
{
  enum { Q, QBAR, R, RBAR };
  const int lines[4][2] = {{Q, QBAR}, {R, RBAR}, {R, QBAR}, {Q, RBAR}};
  double complex *amplitudes = calloc(naive_places(x), sizeof *amplitudes);
  struct naive_event e;
  if (!amplitudes) return NULL;
  naive_event_set(&e, x, p);
  if (x->quarks == 2) {
    naive_add(&e, lines[0], NULL, &x->couplings[0], 1, amplitudes);
    return amplitudes;
  }
  for (int n = 0; n < (x->identical ? 4 : 2); n++)
    naive_add(&e, lines[n], lines[n ^ 1], &x->couplings[n % 2], n < 2 ? 1 : -1, amplitudes);
  return amplitudes;
}

/* |M|^2, averaged over the spins of the leptons, summed over all other spins and colours, without a
 * factor for identical particles; NaN without memory. p: e-, e+, the legs; (E, px, py, pz). */
static inline double naive_squared(const struct naive_process *x, const double (*p)[4])
{
  double complex *amplitudes = naive_amplitudes(x, p);
  double sum = 0;
  if (!amplitudes) return NAN;
  for (size_t n = 0; n < naive_places(x); n++)
    sum += creal(amplitudes[n] * conj(amplitudes[n])) / 4;
  free(amplitudes);
  return sum;
}

#endif

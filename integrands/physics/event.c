/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event.h"

#include "electroweak.h"
#include "splitmix.h"

#include <math.h>
#include <string.h>

enum { SPIN_UNKNOWN = 9 };

static void add_incoming(nis_event *out, int pdg, double pz)
{
  out->particle[out->nparticles++] =
      (nis_particle){.pdg = pdg, .status = -1, .p = {fabs(pz), 0, 0, pz}, .spin = SPIN_UNKNOWN};
}

void event_begin(nis_event *out, double sqrts, double alpha_s, int pdg, int pdg_too)
{
  out->scale = sqrts;
  out->alpha_em = 1 / INVERSE_ALPHA;
  out->alpha_s = alpha_s;
  add_incoming(out, pdg, 0.5 * sqrts);
  add_incoming(out, pdg_too, -0.5 * sqrts);
}

void event_add(nis_event *out, int pdg, int colour, int anticolour, const double p[4])
{
  out->particle[out->nparticles++] = (nis_particle){.pdg = pdg,
                                                    .status = 1,
                                                    .mother = {1, 2},
                                                    .colour = {colour, anticolour},
                                                    .p = {p[0], p[1], p[2], p[3]},
                                                    .spin = SPIN_UNKNOWN};
}

/* From the bits of all numbers */
static double uniform_of(const double *x, size_t dim)
{
  uint64_t z = 0;
  for (size_t i = 0; i < dim; i++) {
    uint64_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    z = splitmix(z + bits + 0x9e3779b97f4a7c15);
  }
  return (double)(z >> 11) * 0x1p-53;
}

int event_choose(const double *x, size_t dim, const double *weight, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += weight[i];
  double left = uniform_of(x, dim) * sum;
  int i = 0;
  for (; i < n - 1 && left >= weight[i]; i++) left -= weight[i];
  return i;
}

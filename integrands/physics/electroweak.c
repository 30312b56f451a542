/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "electroweak.h"

#include <math.h>

const int quark_pdg[FLAVOURS_OF_QUARKS] = {2, 1, 3, 4, 5};

double w_mass(void)
{
  double ratio = 4 * M_PI / (INVERSE_ALPHA * M_SQRT2 * FERMI_CONSTANT * Z_MASS * Z_MASS);
  return Z_MASS * sqrt(0.5 * (1 + sqrt(1 - ratio)));
}

double sin2_weak_angle(void)
{
  double cosine = w_mass() / Z_MASS;
  return 1 - cosine * cosine;
}

/* Couplings of a fermion to the Z, in units of e. */
static void z_couplings(double charge, double isospin, double g[2])
{
  double sin2 = sin2_weak_angle();
  double unit = 1 / sqrt(sin2 * (1 - sin2));
  g[LEFT] = unit * (isospin - charge * sin2);
  g[RIGHT] = -unit * charge * sin2;
}

void ee_couplings_set(struct ee_couplings *out, int pdg, double alpha_s)
{
  int up_type = pdg % 2 == 0;
  double charge = pdg > 10 ? -1 : up_type ? 2.0 / 3 : -1.0 / 3;
  double e2 = 4 * M_PI / INVERSE_ALPHA;
  double electron[2], other[2];
  z_couplings(-1, -0.5, electron);
  z_couplings(charge, up_type ? 0.5 : -0.5, other);
  out->photon = -e2 * charge;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) out->z[i][j] = e2 * electron[i] * other[j];
  out->z_mass = Z_MASS;
  out->z_width = Z_WIDTH;
  out->strong = 4 * M_PI * alpha_s;
}

double complex ee_coupling(const struct ee_couplings *c, double s, int i, int j)
{
  return c->photon + c->z[i][j] * s / (s - c->z_mass * c->z_mass + I * c->z_mass * c->z_width);
}

void ee_couplings_squared(const struct ee_couplings *c, double s, double squared[2][2])
{
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      double complex g = ee_coupling(c, s, i, j);
      squared[i][j] = creal(g) * creal(g) + cimag(g) * cimag(g);
    }
}

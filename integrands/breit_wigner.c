/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x, y, z) = 1/pi m w / ((x y - m^2)^2 + m^2 w^2) 3/4 (1 + (2 z - 1)^2)
 *
 * A resonance of mass m and width w in the energy of two partons with momentum fractions x
 * and y, and the angle of its decay. The peak follows a hyperbola; its tails are long, and
 * the fractions' share of the value is -log(x y). */
#include "integrands.h"

#include <gsl/gsl_sf_dilog.h>
#include <math.h>

static const struct parameter parameters[] = {
    {"mass", NULL, 0.3, 0.01, 1, "of the resonance, over the energy of the beams"},
    {"width", NULL, 0.008, 1e-6, 1, "of the resonance, over the energy of the beams"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct breit_wigner {
  double mass2, mass_width;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct breit_wigner *b = state;
  (void)dim;
  b->mass2 = values[0] * values[0];
  b->mass_width = values[0] * values[1];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct breit_wigner *b = state;
  double off = x[0] * x[1] - b->mass2, cosine = 2 * x[2] - 1;
  (void)dim;
  return 0.75 / M_PI * b->mass_width / (off * off + b->mass_width * b->mass_width) *
         (1 + cosine * cosine);
}

/* -Im Li2(1 / (m^2 + i m w)) / pi, from the integral of log(t) / (t - m^2 - i m w). */
static int exact(const void *state, size_t dim, double *value)
{
  const struct breit_wigner *b = state;
  gsl_sf_result re, im;
  (void)dim;
  gsl_sf_complex_dilog_e(1 / hypot(b->mass2, b->mass_width), -atan2(b->mass_width, b->mass2), &re,
                         &im);
  *value = -im.val / M_PI;
  return isfinite(*value);
}

const struct integrand breit_wigner_integrand = {
    .name = "breit_wigner",
    .dim_min = 3,
    .dim_max = 3,
    .dim_default = 3,
    .parameters = parameters,
    .state_size = sizeof(struct breit_wigner),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "Drell, Yan, Phys. Rev. Lett. 25 (1970) 316, with the resonance of Breit, Wigner, "
              "Phys. Rev. 49 (1936) 519",
    .description = "resonance along a hyperbola, with long tails and a decay angle",
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cross section of one's own: e+e- -> u ubar g g at 91.188 GeV, all invariant masses above 15
 * GeV, from a map of phase space, a matrix element and the flow. */
#include <matrix_element.h>
#include <nis.h>
#include <phase_space.h>
#include <stdio.h>

enum { PARTONS = 4, DIM = 3 * PARTONS - 4 };

static const double sqrts = 91.188, least_m2 = 15 * 15, pb_gev2 = 0.3893793656e9;

static double invariant(const double p[4], const double k[4])
{
  return 2 * (p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3]);
}

/* Masses that pair up like 1 / m^2, which is what gluons do */
static double cross_section(double *x, size_t dim, void *matrix_element)
{
  const struct nis_propagator shape[] = {{.power = 1, .low = 3 * least_m2},
                                         {.power = 1, .low = least_m2}};
  double p[2 + PARTONS][4] = {{sqrts / 2, 0, 0, sqrts / 2}, {sqrts / 2, 0, 0, -sqrts / 2}};
  (void)dim;
  double weight = nis_sequential(PARTONS, sqrts, shape, x, p + 2);
  for (int i = 2; i < 2 + PARTONS; i++)
    for (int j = 2; j < i; j++)
      if (invariant(p[i], p[j]) < least_m2) return 0;
  double squared = nis_matrix_element_value(matrix_element, (const double(*)[4])p);
  return pb_gev2 / (2 * sqrts * sqrts) * weight * squared / 2; /* identical gluons */
}

int main(void)
{
  char sentence[256];
  nis_matrix_element *m =
      nis_matrix_element_make("ee4j", (const char *[]){"quark=u"}, 1, sentence, sizeof sentence);
  if (!m) return fprintf(stderr, "%s\n", sentence), 1;
  nis_result r = nis_integrate(cross_section, DIM, .params = m, .calls = 50000);
  nis_matrix_element_free(m);
  printf("%.3f +- %.3f pb (%s)\n", r.value, r.error, nis_strerror(r.status));
  return r.status < 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* |M|^2 of e+e- -> q qbar g and q qbar g g for momenta written by hand. */
#include <matrix_element.h>
#include <stdio.h>

/* E, px, py, pz in GeV of e-, e+, q, qbar and the gluons */
static const double three_jets[][4] = {
    {80, 0, 0, 80}, {80, 0, 0, -80}, {50, 30, 0, 40}, {50, 30, 0, -40}, {60, -60, 0, 0}};
static const double four_jets[][4] = {{100, 0, 0, 100},  {100, 0, 0, -100}, {50, 30, 40, 0},
                                      {50, 0, -30, -40}, {50, -30, -40, 0}, {50, 0, 30, 40}};

/* 0, or 1 with a sentence where there is no such matrix element or setting */
static int print(const char *name, const double (*p)[4])
{
  const char *settings[] = {"quark=u", "alpha_s=0.118"};
  char sentence[256];
  nis_matrix_element *m = nis_matrix_element_make(name, settings, 2, sentence, sizeof sentence);
  if (!m) {
    fprintf(stderr, "%s\n", sentence);
    return 1;
  }
  int legs = nis_matrix_element_legs(m);
  printf("%s: |M|^2 = %.16e GeV^%d\n", name, nis_matrix_element_value(m, p), 8 - 2 * legs);
  nis_matrix_element_free(m);
  return 0;
}

int main(void)
{
  return print("ee3j", three_jets) || print("ee4j", four_jets);
}

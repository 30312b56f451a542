/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "colour.h"

#include <math.h>
#include <string.h>

void colour_generator(int a, colour_matrix t)
{
  static const int row[] = {0, 0, 0, 0, 0, 1, 1, 0}, column[] = {1, 1, 0, 2, 2, 2, 2, 0};
  memset(t, 0, sizeof(colour_matrix));
  if (a == 2) {
    t[0][0] = M_SQRT1_2, t[1][1] = -M_SQRT1_2;
  } else if (a == 7) {
    t[0][0] = t[1][1] = 1 / sqrt(6), t[2][2] = -2 / sqrt(6);
  } else {
    int imaginary = a == 1 || a == 4 || a == 6;
    t[row[a]][column[a]] = imaginary ? -I * M_SQRT1_2 : M_SQRT1_2;
    t[column[a]][row[a]] = imaginary ? I * M_SQRT1_2 : M_SQRT1_2;
  }
}

void colour_multiply(colour_matrix into, const colour_matrix by)
{
  colour_matrix product = {0};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) product[i][j] += into[i][k] * by[k][j];
  memcpy(into, product, sizeof product);
}

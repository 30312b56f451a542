/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLOUR_H
#define COLOUR_H

#include <complex.h>

typedef double complex colour_matrix[3][3];

/* T^a, a = 0 .. 7: Gell-Mann's matrices over sqrt 2, so that Tr(T^a T^b) = delta_ab */
void colour_generator(int a, colour_matrix t);

void colour_multiply(colour_matrix into, const colour_matrix by);

#endif

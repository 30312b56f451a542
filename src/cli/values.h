/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of an integrand, for people. */
#ifndef VALUES_H
#define VALUES_H

#include "integrands.h"

enum { VALUE_TEXT = 64 };

/* Word number n of a list "a,b,c" */
void nth_word(char text[VALUE_TEXT], const char *words, int n);

/* "0.1", or the chosen word. */
void value_format(char text[VALUE_TEXT], const struct parameter *parameter, double value);

/* " pb", or nothing for a pure number. */
void unit_print(FILE *file, const struct integrand *row);

/* "sigma=0.1 scheme=jade"; nothing for a row without parameters. */
void values_print(FILE *file, const struct integrand *row, const double *values);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of limits of coordinates, "0,-1.5,-inf", and of flags, "0,1,1". */
#ifndef BOX_H
#define BOX_H

#include <stddef.h>
#include <stdio.h>

/* Fills limit[dim] from dim numbers, or from one for all; NULL leaves it alone. 0, or BAD_USAGE
 * with a sentence on stderr that names the option. */
int parse_limits(const char *option, const char *text, size_t dim, double *limit);

/* Writes them the same way, as one number where they are equal. */
void print_limits(FILE *file, size_t dim, const double *limit);

/* The same for flag[dim], each 0 or 1 */
int parse_flags(const char *option, const char *text, size_t dim, int *flag);
void print_flags(FILE *file, size_t dim, const int *flag);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of limits of coordinates, "0,-1.5,-inf", of flags, "0,1,1", and of counts, "0,0,4". */
#ifndef BOX_H
#define BOX_H

#include <stddef.h>
#include <stdio.h>

/* Fills limit[dim] from dim numbers, or from one for all; NULL leaves it alone. 0, or BAD_USAGE
 * with a sentence on stderr that names the option. */
int parse_limits(const char *option, const char *text, size_t dim, double *limit);

/* Writes them the same way, as one number where they are equal. */
void print_limits(FILE *file, size_t dim, const double *limit);

/* The same for flag[dim], each 0 or 1, and for numbers of values, of which the library refuses 1 */
int parse_flags(const char *option, const char *text, size_t dim, int *flag);
int parse_counts(const char *option, const char *text, size_t dim, int *count);
void print_list(FILE *file, size_t dim, const int *number);

#endif

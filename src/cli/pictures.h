/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small pictures under a report, in Unicode blocks and without colour, for terminals only: what
 * goes into a pipe or a file never has them. */
#ifndef PICTURES_H
#define PICTURES_H

#include "history.h"
#include "nis.h"

#include <stdio.h>

enum { PICTURE_COLUMNS = 48 };

/* How many weights are how large: columns of equal ratio between low and high, in units of the mean
 * of |w|. What lies below low, a thousandth of them at most, and zeros are left out. */
struct weight_picture {
  double low, high; /* 0: there are no weights */
  uint64_t count[PICTURE_COLUMNS];
};

void weight_picture_read(struct weight_picture *picture, nis *s);

/* Will whoever reads standard output or error, which `file` is, see them as they are meant? */
int pictures_fit(FILE *file);

/* With a mark at w_max, in the same units */
void weight_picture_draw(FILE *file, const struct weight_picture *picture, double w_max);

/* The error against the calls, in one line: of each round of a training, of the whole estimate */
void error_picture_draw(FILE *file, const struct history *history);

#endif

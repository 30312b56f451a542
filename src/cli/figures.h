/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of a report, each with a caption that says what is seen. What a run has no numbers
 * for is left out. */
#ifndef FIGURES_H
#define FIGURES_H

#include "run.h"

#include <stdio.h>

void figure_convergence(FILE *file, const struct run *run); /* of the estimate */
void figure_spread(FILE *file, const struct run *run); /* of one weight, from the first round */
void figure_shares(FILE *file, const struct run *run); /* of what points are drawn from */
void figure_calls(FILE *file, const struct run *run);
void figure_channels(FILE *file, const struct run *run);

/* Of run->points, which has some */
void figure_weights(FILE *file, const struct run *run);
void figure_marginals(FILE *file, const struct run *run);
void figure_pairs(FILE *file, const struct run *run);

void figure_histograms(FILE *file, const struct run *run);

#endif

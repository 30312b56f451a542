/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors out of the spread of a few replicates */
#ifndef NIS_SPREAD_H
#define NIS_SPREAD_H

/* What the standard error of a mean over replicates is multiplied with, so that it covers 68 % of
 * the cases: Student's t for one standard deviation, wider where they are skew. `equal`, Kish's
 * number sum(n)^2 / sum(n^2), is how many of equal size tell as much as they do, at least 2; the
 * central moments are weighted likewise. */
double nis_spread_factor(int replicates, double equal, double variance, double third);

#endif

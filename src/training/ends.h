/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Singular ends: where |f| grows as a power t^-b of the distance t to a face of the cube, uniform
 * points have weights of a heavy tail, and no spline of a few bins follows for long. The
 * power is read off the points next to the face, and the domain's stretch takes it away.
 */
#ifndef NIS_ENDS_H
#define NIS_ENDS_H

#include "integrand/domain.h"
#include "sampler/points.h"

/* stretch[dim], by which p's uniform points came into being, becomes what they ask for; 0: what it
 * was. `periodic` and `discrete` may be NULL; neither kind has ends. work[n] is scratch. */
int nis_ends_find(const struct points *p, size_t dim, const int *periodic, const int *discrete,
                  double *work, struct stretch *stretch);

#endif

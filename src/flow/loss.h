/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The training losses, all of the form L = integral of q phi(t), t = p/q, with the normalised
 * target p and a convex phi. The gradient is
 *   dL = - integral of g(t) q dlog q,   g(t) = t phi'(t) - phi(t) + any constant,
 * for q stays normalised. The constant is a control variate: with g(1) = 0 the gradient of every
 * single point vanishes where the flow is right, so it learns the values of f and not the
 * accidents of where points fell. That is only wise when the points show all of q: `baseline`
 * in [0, 1] says how much of it is used.
 */
#ifndef NIS_LOSS_H
#define NIS_LOSS_H

#include "nis.h"

/* g at log t <= 300 */
typedef double loss_slope(double log_t, double baseline);

/* NIS_LOSS_DEFAULT: Kullback-Leibler, and the variance while `finishing` */
loss_slope *nis_loss(nis_loss_kind kind, int finishing);

#endif

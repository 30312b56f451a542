/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The box that the user integrates over; everything else lives on the unit cube. */
#ifndef NIS_DOMAIN_H
#define NIS_DOMAIN_H

#include <stddef.h>

struct domain {
  size_t dim;
  double *lower, *width; /* [dim], one block, owned */
  double volume;
};

int nis_domain_init(struct domain *d, size_t dim, const double *lower, const double *upper);
void nis_domain_clear(struct domain *d);

/* One point between the cube and the box; results are strictly inside, for a box that is not
 * narrower than the spacing of doubles. */
void nis_domain_out(const struct domain *d, const double *cube, double *box);
void nis_domain_in(const struct domain *d, const double *box, double *cube);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observables of e+ e- -> n massless partons, out of the row's momenta. Partons are numbered from 1
 * in the order of the row's `momenta`. */
#ifndef OBSERVABLES_H
#define OBSERVABLES_H

#include "integrands.h"

extern const struct observable of_two_partons[], of_three_partons[], of_four_partons[],
    of_five_partons[];

/* The largest y at which n + 1 partons are not yet n jets, when those of the smallest y are joined
 * (momenta added) again and again; `measure` of jet_cut.h */
double jet_rate(int measure, int partons, const double (*p)[4], int n);

/* max over directions of sum |p.n| / sum |p| */
double thrust_of(int partons, const double (*p)[4]);

#endif

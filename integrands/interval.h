/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-dimensional integrals for exact values. */
#ifndef INTERVAL_H
#define INTERVAL_H

/* Adaptive, to about 1e-13 of the value; kinks and integrable ends cost time, not digits. */
double integrate_interval(double (*f)(double x, void *params), void *params, double low,
                          double high);

#endif

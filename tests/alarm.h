/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far a statistical check may be off.
 *
 * Seeds are fixed: a test fails always or never. The rate of false alarms, 1e-3 for a test, is that
 * of a change which draws all random numbers anew; a test of n checks allows each an n-th of it.
 */
#ifndef ALARM_H
#define ALARM_H

#include <gsl/gsl_cdf.h>

#define ALARM_RATE 1e-3 /* of a test, two-sided */

/* Errors within which a normal variable must lie; `checks` is the number of them in the test. */
static inline double alarm_errors(int checks)
{
  return gsl_cdf_ugaussian_Qinv(ALARM_RATE / checks / 2);
}

/* The same of pulls whose error stands on the spread of a few nets of points (result.dof + 1):
 * Student's t over that of one standard deviation, by which the errors are widened. */
static inline double alarm_errors_of_nets(int checks, int dof)
{
  if (dof < 1) return alarm_errors(checks); /* of no nets */
  return gsl_cdf_tdist_Qinv(ALARM_RATE / checks / 2, dof) /
         gsl_cdf_tdist_Pinv(gsl_cdf_ugaussian_P(1), dof);
}

#endif

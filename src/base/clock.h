/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NIS_CLOCK_H
#define NIS_CLOCK_H

/* Seconds since some moment; only differences mean something. A variable, so that tests can put a
 * clock of their own in its place. */
extern double (*nis_clock)(void);

#endif

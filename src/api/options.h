/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of nis_options, and the numbers of defaults that follow from other options: its
 * sentences and the rules in settings.c are made of the same.
 */
#ifndef NIS_OPTIONS_H
#define NIS_OPTIONS_H

#include "base/option.h"

extern const struct option_table nis_option_table;

#define MOST_THREADS 1024

/* Two fifths of the calls, but more than two million teach these nets little. */
#define TRAIN_SHARE 0.4
#define MOST_TRAIN_CALLS 2e6

#define LAYERS_A_DIGIT 2
#define LEAST_LAYERS 4

#define MOST_REPLAY 1000
#define REPLAY 12
#define REPLAY_CALLS 4e5
#define LEAST_TOP_REPLAY 20
#define MOST_TOP_REPLAY 80

#define MOST_SOBOL_DIM 64

#define MOST_NAME 255 /* bytes */

/* A value, and others from a bound on */
#define HIDDEN_WIDTH(FIRST, FROM) FIRST(32) FROM(16, 48)
#define MINIBATCH(FIRST, FROM) FIRST(256) FROM(512, 2e4) FROM(1024, 2e5)
#define LEARNING_RATE(FIRST, FROM) FIRST(4e-3) FROM(2e-3, 6)

#endif

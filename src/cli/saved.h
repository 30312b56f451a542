/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of nis_save, for people and as JSON. */
#ifndef SAVED_H
#define SAVED_H

#include "nis.h"

/* Loads it where nothing is to be integrated: its integrand ends a run. */
int load_saved(nis **s, const char *path);

/* Says what is in it; an exit code, with a sentence where it cannot be read. */
int show_saved(const char *path, int json);

#endif

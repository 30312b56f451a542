/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A handle in a file, and out of it. */
#ifndef NIS_SAVE_H
#define NIS_SAVE_H

#include "nis.h"

int nis_handle_save(nis *s, const char *path);

/* *out is NULL after a failure. */
int nis_handle_load(nis **out, const char *path, nis_integrand *f, const nis_options *options);

#endif

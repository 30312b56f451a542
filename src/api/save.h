/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A handle in a file, and out of it. */
#ifndef NIS_SAVE_H
#define NIS_SAVE_H

#include "nis.h"

int nis_handle_save(nis *s, const char *path);

/* Of all that decides which point a number becomes: the flow and its domain. Other flows have
 * another one, but for one in 2^32. */
uint32_t nis_handle_fingerprint(nis *s);

/* A handle just made begins its checkpoint, where the options want one. */
int nis_handle_begin_checkpoint(nis *s);

/* What nis_resume does where there is a file already. Of several ranks one is its owner, and has
 * the values. */
int nis_handle_resume(nis **out, nis_integrand *f, const nis_options *options, int owner);

/* *out is NULL after a failure. */
int nis_handle_load(nis **out, const char *path, nis_integrand *f, const nis_options *options);

#endif

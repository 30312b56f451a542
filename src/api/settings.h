/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options checked and completed with their defaults. */
#ifndef NIS_SETTINGS_H
#define NIS_SETTINGS_H

#include "nis.h"

/* Fills in every default; NIS_INVALID with a sentence for a value out of range. */
int nis_settings_resolve(const nis_options *given, nis_options *settings);

/* Those that follow from the number of training calls, for a training of so many */
void nis_settings_for_training(const nis_options *given, double calls, nis_options *settings);

/* Exactly one kind of callback */
int nis_settings_check_integrand(const nis_options *o, nis_integrand *f);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of nis_event_options. */
#ifndef NIS_EVENT_OPTIONS_H
#define NIS_EVENT_OPTIONS_H

#include "base/option.h"

extern const struct option_table nis_event_option_table;

#endif

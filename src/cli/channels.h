/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each channel has of an estimate, as a table and as JSON. */
#ifndef CHANNELS_H
#define CHANNELS_H

#include "json.h"
#include "nis.h"

#include <stdio.h>

struct channel_list {
  size_t n; /* 0: there are none */
  nis_channel_result list[NIS_MOST_VALUES];
};

void channels_read(struct channel_list *channels, nis *s);
void channels_print(FILE *file, const struct channel_list *channels);
void channels_json(struct json *json, const struct channel_list *channels);

#endif

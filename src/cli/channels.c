/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channels.h"

#include "numbers.h"

#include <inttypes.h>

void channels_read(struct channel_list *channels, nis *s)
{
  size_t n = 0;
  while (n < NIS_MOST_VALUES && nis_channel(s, n, &channels->list[n]) == NIS_OK) n++;
  channels->n = n;
}

void channels_print(FILE *file, const struct channel_list *channels)
{
  if (!channels->n) return;
  fprintf(file, "%-20s %-28s %12s %12s %12s\n", "channel", "integral", "calls", "zero calls",
          "efficiency");
  for (size_t k = 0; k < channels->n; k++) {
    const nis_channel_result *c = &channels->list[k];
    char estimate[ESTIMATE_TEXT];
    format_estimate(estimate, c->value, c->error);
    fprintf(file, "%-20zu %-28s %12" PRIu64 " %12" PRIu64 " %12.4g\n", k, estimate, c->calls,
            c->zero_calls, c->efficiency);
  }
}

void channels_json(struct json *json, const struct channel_list *channels)
{
  json_array(json, "channels");
  for (size_t k = 0; k < channels->n; k++) {
    const nis_channel_result *c = &channels->list[k];
    json_object(json, NULL);
    json_real(json, "value", c->value);
    json_real(json, "error", c->error);
    json_whole(json, "calls", c->calls);
    json_whole(json, "zero_calls", c->zero_calls);
    json_real(json, "efficiency", c->efficiency);
    json_real(json, "max_weight", c->max_weight);
    json_end(json);
  }
  json_end(json);
}

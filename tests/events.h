/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef EVENTS_H
#define EVENTS_H

#include "nis_events.h"

/* n events for a sink, with defaults for all else */
static inline int events_of(nis *s, uint64_t n, nis_event_sink *sink, void *params,
                            nis_event_summary *summary)
{
  const nis_event_options o = {.events = n, .sink = sink, .sink_params = params};
  return nis_events(s, &o, summary);
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One file of events out of several, a line or a block at a time. */
#ifndef NIS_EVENTS_MERGE_H
#define NIS_EVENTS_MERGE_H

#include <stddef.h>

/* As nis_merge_events of nis_events.h */
int nis_event_files_merge(const char *const *paths, size_t n, const char *path, int force);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "message.h"

#include "nis.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
  int status, code;
  const char *name;
} meanings[] = {
    {NIS_OK, DONE, "ok"},
    {NIS_STOPPED, INTERRUPTED, "stopped"},
    {NIS_GOAL_MISSED, MISSED_GOAL, "goal_missed"},
    {NIS_TIME_LIMIT, MISSED_GOAL, "time_limit"},
    {NIS_SUSPECT, DOUBTFUL, "suspect"},
    {NIS_INVALID, BAD_USAGE, "invalid"},
    {NIS_NO_MEMORY, FAILED, "no_memory"},
    {NIS_CALLBACK, FAILED, "callback"},
    {NIS_BAD_VALUES, FAILED, "bad_values"},
    {NIS_NO_EVENTS, FAILED, "no_events"},
    {NIS_NO_FILE, FAILED, "no_file"},
    {NIS_BAD_FILE, FAILED, "bad_file"},
    {NIS_RANKS, FAILED, "ranks"},
};

enum { MEANINGS = sizeof meanings / sizeof meanings[0] };

static char latest[512];

const char *last_complaint(void)
{
  return latest;
}

int complain(int code, const char *format, ...)
{
  va_list list;
  va_start(list, format);
  fputs("nis: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
  va_start(list, format);
  vsnprintf(latest, sizeof latest, format, list);
  va_end(list);
  return code;
}

int exit_code(int status)
{
  for (int i = 0; i < MEANINGS; i++)
    if (meanings[i].status == status) return meanings[i].code;
  return FAILED;
}

const char *status_name(int status)
{
  for (int i = 0; i < MEANINGS; i++)
    if (meanings[i].status == status) return meanings[i].name;
  return "unknown";
}

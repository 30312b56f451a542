/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct sentence own, *used; /* NULL: own */

static struct sentence *sentence(void)
{
  return used ? used : &own;
}

struct sentence *nis_use_sentence(struct sentence *other)
{
  struct sentence *before = used;
  used = other;
  return before;
}

int nis_fail(int status, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence()->text, sizeof sentence()->text, format, arguments);
  va_end(arguments);
  return status;
}

int nis_fail_too(int status, const char *format, ...)
{
  struct sentence before = *sentence();
  char *text = sentence()->text;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof before.text, format, arguments);
  va_end(arguments);
  size_t n = strlen(text);
  if (*before.text) snprintf(text + n, sizeof before.text - n, "; %s", before.text);
  return status;
}

int nis_no_memory(void)
{
  return nis_fail(NIS_NO_MEMORY, "not enough memory");
}

void nis_clear_error(void)
{
  sentence()->text[0] = '\0';
}

const char *nis_last_error(void)
{
  return sentence()->text;
}

const char *nis_strerror(int status)
{
  switch ((nis_status)status) {
  case NIS_OK: return "ok";
  case NIS_STOPPED: return "stopped on request";
  case NIS_GOAL_MISSED: return "calls spent before the asked error was reached";
  case NIS_TIME_LIMIT: return "time limit reached";
  case NIS_SUSPECT: return "the error is not to be believed";
  case NIS_INVALID: return "invalid argument";
  case NIS_NO_MEMORY: return "not enough memory";
  case NIS_CALLBACK: return "the integrand asked to stop";
  case NIS_BAD_VALUES: return "too many integrand values are NaN or Inf";
  case NIS_NO_EVENTS: return "no events: the integrand is zero everywhere";
  case NIS_NO_FILE: return "a file could not be written or read";
  case NIS_BAD_FILE: return "a file is not what it should be";
  case NIS_RANKS: return "processes of a run have lost each other";
  }
  return "unknown status";
}

const char *nis_version(void)
{
  return NIS_VERSION;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions without sizes: to them the structs are for ever those of version 0.2, whatever is
 * appended since.
 */
#define NIS_PLAIN
#include "nis_events.h"

/* Bytes of the structs of 0.2 where pointers have 8 */
enum {
  OPTIONS = 352,
  RESULT = 200,
  EVENT_OPTIONS = 120,
  EVENT_SUMMARY = 232,
  PULLED_EVENT = 72,
  CHANNEL_RESULT = 48,
};

int nis_complete_options(const nis_options *given, nis_options *complete)
{
  return nis_complete_options_sized(given, complete, OPTIONS);
}

int nis_options_set(nis_options *options, const char *name, const char *value)
{
  return nis_options_set_sized(options, name, value, OPTIONS);
}

int nis_create(nis **out, nis_integrand *f, const nis_options *options)
{
  return nis_create_sized(out, f, options, OPTIONS);
}

int nis_load(nis **out, const char *path, nis_integrand *f, const nis_options *options)
{
  return nis_load_sized(out, path, f, options, OPTIONS);
}

int nis_resume(nis **out, nis_integrand *f, const nis_options *options)
{
  return nis_resume_sized(out, f, options, OPTIONS);
}

int nis_resume_shared(nis **out, nis_integrand *f, const nis_options *options,
                      const nis_ranks *ranks)
{
  return nis_resume_shared_sized(out, f, options, ranks, OPTIONS);
}

int nis_run(nis *s, nis_result *result)
{
  return nis_run_sized(s, result, RESULT);
}

int nis_estimate(nis *s, uint64_t calls, nis_result *result)
{
  return nis_estimate_sized(s, calls, result, RESULT);
}

int nis_estimate_part(nis *s, uint64_t calls, int part, int parts, nis_result *result)
{
  return nis_estimate_part_sized(s, calls, part, parts, result, RESULT);
}

int nis_current(nis *s, nis_result *result)
{
  return nis_current_sized(s, result, RESULT);
}

int nis_channel(nis *s, size_t channel, nis_channel_result *result)
{
  return nis_channel_sized(s, channel, result, CHANNEL_RESULT);
}

int nis_inspect(const char *path, nis_saved *saved)
{
  return nis_inspect_sized(path, saved, OPTIONS, RESULT);
}

int nis_event_options_set(nis_event_options *options, const char *name, const char *value)
{
  return nis_event_options_set_sized(options, name, value, EVENT_OPTIONS);
}

int nis_events(nis *s, const nis_event_options *options, nis_event_summary *summary)
{
  return nis_events_sized(s, options, summary, EVENT_OPTIONS, EVENT_SUMMARY);
}

int nis_next_event(nis *s, const nis_event_options *options, nis_pulled_event *event)
{
  return nis_next_event_sized(s, options, event, EVENT_OPTIONS, PULLED_EVENT);
}

int nis_check_events(const nis_event_options *options)
{
  return nis_check_events_sized(options, EVENT_OPTIONS);
}

/* nis.h makes this of the sized one; the symbol is for callers without the header. */
struct result {
  double number[RESULT / sizeof(double)];
};
NIS_API struct result nis_result_by_value(nis_integrand *f,
                                          const nis_options *options) __asm__("nis_integrate_with");

struct result nis_result_by_value(nis_integrand *f, const nis_options *options)
{
  struct result r;
  nis_integrate_sized(f, options, (nis_result *)(void *)&r, OPTIONS, sizeof r);
  return r;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A caller of all functions that take a struct which grows, for test_abi.py, which compiles it with
 * headers of other versions. Behind each struct is a guard that the library must not touch; with
 * NEWER the header has a member `newer` at the end of each, of which this library knows nothing.
 */
#include "nis_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 1024 };

static int failures;

static void check(int condition, int line, const char *text)
{
  if (condition) return;
  failures++;
  printf("line %d: %s: %s\n", line, text, nis_last_error());
}

#define CHECK(condition) check(condition, __LINE__, #condition)

static void *guarded(size_t size)
{
  char *bytes = malloc(size + GUARD);
  memset(bytes, 0, size);
  memset(bytes + size, 0x5a, GUARD);
  return bytes;
}

static int is_intact(const void *bytes, size_t size)
{
  for (size_t i = size; i < size + GUARD; i++)
    if (((const char *)bytes)[i] != 0x5a) return 0;
  return 1;
}

#define NEW(type) ((type *)guarded(sizeof(type)))
#define DONE(pointer) (CHECK(is_intact(pointer, sizeof *(pointer))), free(pointer))

static double square(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] * x[0];
}

static int take(const nis_event_block *events, void *params)
{
  *(size_t *)params += events->n;
  return 0;
}

#define PATH "caller.nis"

static void integrates(nis_options *o)
{
  nis_options *complete = NEW(nis_options);
  CHECK(nis_options_set(o, "calls", "2000") == NIS_OK && o->calls == 2000);
  CHECK(nis_complete_options(o, complete) == NIS_OK && complete->layers == 4);
  nis_result r = nis_integrate_with(square, o);
  CHECK(r.status == NIS_OK && r.value > 0.3 && r.value < 0.4 && r.calls > 0);
  DONE(complete);
}

static void steps(const nis_options *o)
{
  nis_result *r = NEW(nis_result), *same = NEW(nis_result);
  nis_saved *saved = NEW(nis_saved);
  nis *s, *t;
  CHECK(nis_create(&s, square, o) == NIS_OK);
  CHECK(nis_run(s, r) == NIS_OK && r->value > 0.3 && r->value < 0.4);
  CHECK(nis_estimate(s, 2000, r) == NIS_OK && nis_estimate_part(s, 2000, 1, 2, r) == NIS_OK);
  CHECK(nis_current(s, same) == NIS_OK && same->value == r->value && same->seed == 7);
  CHECK(nis_save(s, PATH) == NIS_OK && nis_load(&t, PATH, square, NULL) == NIS_OK);
  CHECK(nis_inspect(PATH, saved) == NIS_OK && saved->options.dim == 2 && saved->stored > 0);
  CHECK(saved->options.seed == 7 && saved->result.value == r->value);
  remove(PATH);
  nis_options *again = NEW(nis_options);
  again->dim = 2, again->calls = 2000, again->checkpoint = PATH;
  nis_free(t);
  CHECK(nis_resume(&t, square, again) == NIS_OK && nis_run(t, r) == NIS_OK);
  remove(PATH);
#ifdef NEWER
  CHECK(r->newer == 0);
#endif
  nis_free(s), nis_free(t);
  DONE(r), DONE(same), DONE(saved), DONE(again);
}

static void makes_events(const nis_options *o)
{
  nis_event_options *how = NEW(nis_event_options);
  nis_event_summary *summary = NEW(nis_event_summary);
  nis_pulled_event *event = NEW(nis_pulled_event);
  size_t taken = 0;
  nis *s;
  CHECK(nis_create(&s, square, o) == NIS_OK && nis_estimate(s, 2000, NULL) == NIS_OK);
  how->sink = take, how->sink_params = &taken;
  CHECK(nis_event_options_set(how, "events", "100") == NIS_OK && how->events == 100);
  CHECK(nis_check_events(how) == NIS_OK);
  CHECK(nis_events(s, how, summary) == NIS_OK && taken == 100 && summary->events == 100);
  CHECK(nis_next_event(s, NULL, event) == NIS_OK && event->dim == 2 && event->weight > 0);
  nis_free(s);
  DONE(how), DONE(summary), DONE(event);
}

#ifdef NEWER
static void unknown(nis_options *o)
{
  nis_event_options how = {.events = 10, .sink = take, .newer = 1};
  nis_result r;
  o->newer = 1;
  r = nis_integrate_with(square, o);
  CHECK(r.status == NIS_INVALID && strstr(nis_last_error(), "newer libnis"));
  CHECK(nis_check_events(&how) == NIS_INVALID && strstr(nis_last_error(), "newer libnis"));
  o->newer = 0;
}
#endif

int main(void)
{
  nis_options *o = NEW(nis_options);
  o->dim = 2, o->seed = 7, o->effort = 0.1, o->threads = 1;
  integrates(o), steps(o), makes_events(o);
#ifdef NEWER
  unknown(o);
#endif
  DONE(o);
  return failures > 0;
}

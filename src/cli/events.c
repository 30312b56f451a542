/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "message.h"
#include "options.h"
#include "points.h"
#include "ranks.h"
#include "run.h"
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Lines for the head of the file, to be freed; NULL when memory is short. */
static char *describe(const struct run *run)
{
  char *text = NULL;
  size_t size;
  FILE *file = open_memstream(&text, &size);
  if (!file) return NULL;
  fprintf(file, "integrand: %s\nparameters: ", run->row->name);
  values_print(file, run->row, run->arguments->values);
  if (*run->row->unit) fprintf(file, "\nintegral in: %s", run->row->unit);
  fputs("\ncommand: ", file);
  options_print(file, run->arguments);
  fputc('\n', file);
  return fclose(file) ? NULL : text;
}

/* Without events there is still the integral, which is worth its report. */
static void drop_events(struct run *run)
{
  const nis_share none = {NAN, NAN};
  run->has_events = 0;
  run->events = (nis_event_summary){.unit = NAN,
                                    .w_max = NAN,
                                    .overweight_share = NAN,
                                    .efficiency = none,
                                    .partial = none,
                                    .cut = none};
  for (int i = 0; i < NIS_W_MAX_RULES; i++) run->events.rules[i] = (nis_unweighting){NAN, NAN, NAN};
}

/* What ended early holds the events so far. */
static void note_events(struct run *run, int status)
{
  const nis_event_summary *e = &run->events;
  const nis_event_options *o = &run->arguments->event_options;
  char wanted[32] = "";
  run_note(run, status);
  if (o->events) snprintf(wanted, sizeof wanted, " of %" PRIu64, o->events);
  if (status == NIS_STOPPED && e->events > 0)
    snprintf(run->message, sizeof run->message, "stopped: %s holds %" PRIu64 "%s events", o->path,
             e->events, wanted);
  if (status == NIS_STOPPED && e->events == 0)
    snprintf(run->message, sizeof run->message, "stopped before the first event");
}

static void make_events(nis *s, struct run *run, const nis_event_options *options)
{
  double start = seconds_now();
  int status = nis_events(s, options, &run->events);
  run->event_seconds = seconds_now() - start;
  run->has_events = run->events.events > 0;
  if (status != NIS_OK) note_events(run, status); /* else what the integral said stays */
  if (!run->has_events) drop_events(run);
}

/* The figures of a report have the points of the estimate, unless nothing is estimated. */
static int shows_events(const struct run *run)
{
  return run->points && run->arguments->from;
}

/* The events, to all who want them */
static int hand_on(const nis_event_block *block, void *params)
{
  struct run *run = params;
  int status = run->histograms ? histograms_events(block, run->histograms) : NIS_OK;
  if (shows_events(run) && status == NIS_OK) status = points_take_events(block, run->points);
  return status;
}

/* The estimate that events are made by: of a run, or that of --from as it is */
static int find_estimate(struct run *run, nis *s)
{
  int status = run->arguments->from ? nis_current(s, &run->result) : nis_run(s, &run->result);
  return run_note(run, status);
}

static void generate(struct run *run, const nis_event_options *options)
{
  drop_events(run);
  nis *s = run_make(run);
  if (s) {
    int status = find_estimate(run, s);
    if (status >= NIS_OK && status != NIS_STOPPED) make_events(s, run, options);
    if (status == NIS_STOPPED) note_events(run, status);
    if (shows_events(run)) points_draw(run->points, s);
  }
  run_close(run, s);
}

static int run_events(struct run *run, FILE *report)
{
  nis_event_options options = run->arguments->event_options;
  char *header = describe(run);
  if (!header) return complain(FAILED, "%s", nis_strerror(NIS_NO_MEMORY));
  options.header = header;
  options.particles = run->row->particles;
  options.particles_params = run->state;
  if (run->histograms || shows_events(run)) options.sink = hand_on, options.sink_params = run;
  int bad = nis_check_events(&options);
  if (bad) bad = complain(exit_code(bad), "%s", nis_last_error());
  bad = ranks_agree(bad, last_complaint());
  if (bad == DONE) {
    generate(run, &options);
    run_end(run);
  }
  free(header);
  return bad == DONE ? run_report(run, report) : bad;
}

/* A report among the events would make them unreadable. */
static int is_stdout(const char *path)
{
  return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 ||
         strcmp(path, "/dev/fd/1") == 0;
}

int events_command(const struct arguments *arguments)
{
  struct run run;
  FILE *report = is_stdout(arguments->event_options.path) ? stderr : stdout;
  signal(SIGPIPE, SIG_IGN); /* nobody reading the report is no reason to lose the events */
  int code = run_begin(&run, arguments, report);
  if (code == DONE) code = run_events(&run, report);
  run_free(&run);
  return code;
}

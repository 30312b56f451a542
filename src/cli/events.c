/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "event_format.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "run.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct sink {
  struct output output;
  const struct event_format *format;
  struct event_file to;
  uint64_t written;
};

static const struct event_format *choose_format(const struct arguments *arguments)
{
  if (arguments->format) return strcmp(arguments->format, "lhe") == 0 ? &lhe_format : &text_format;
  return arguments->row->event ? &lhe_format : &text_format;
}

static int take_events(size_t n, size_t dim, const double *x, const double *weight, void *params)
{
  struct sink *sink = params;
  if (n && !sink->written) sink->format->begin(&sink->to, x);
  for (size_t i = 0; i < n; i++) sink->format->event(&sink->to, x + i * dim, weight[i]);
  sink->written += n;
  return output_flush(&sink->output) || interrupted();
}

static void make_events(nis *s, struct run *run, struct sink *sink)
{
  int status = nis_event_unit(s, &sink->to.unit);
  if (!status) status = nis_events(s, run->arguments->events, take_events, sink, &run->events);
  run->has_events = 1;
  if (status) run_note(run, status); /* else what the integral said stays */
}

static void generate(struct run *run, struct sink *sink)
{
  nis *s;
  if (run_note(run, nis_create(&s, run->row->f, &run->options)) == NIS_OK) {
    int status = run_note(run, nis_run(s, &run->result));
    if (status >= NIS_OK && status != NIS_STOPPED) make_events(s, run, sink);
  }
  nis_free(s);
}

/* Without events there is still the integral, which is worth its report. */
static void drop_events(struct run *run)
{
  run->has_events = 0;
  run->events = (nis_event_summary){.unit = NAN, .overweight_share = NAN, .efficiency = NAN};
}

static int discard_events(struct run *run, struct sink *sink)
{
  output_discard(&sink->output);
  drop_events(run);
  if (run->status == NIS_STOPPED)
    snprintf(run->message, sizeof run->message, "stopped before the first event");
  return DONE;
}

static int close_events(struct run *run, struct sink *sink)
{
  if (run->status < 0 || !sink->written) return discard_events(run, sink);
  sink->format->end(&sink->to, sink->written);
  if (output_commit(&sink->output, run->message, sizeof run->message)) {
    drop_events(run);
    run->status = NIS_STOPPED;
    return FAILED;
  }
  if (run->status == NIS_STOPPED)
    snprintf(run->message, sizeof run->message,
             "stopped: %s holds %" PRIu64 " of %" PRIu64 " events", sink->output.name,
             sink->written, run->arguments->events);
  return DONE;
}

int events_command(const struct arguments *arguments)
{
  struct run run;
  struct sink sink = {.format = choose_format(arguments)};
  if (output_open(&sink.output, arguments->output)) return FAILED;
  FILE *report = sink.output.file == stdout ? stderr : stdout;
  int code = run_begin(&run, arguments, report);
  if (code) {
    output_discard(&sink.output);
    return code;
  }
  sink.to = (struct event_file){.file = sink.output.file, .run = &run};
  generate(&run, &sink);
  int lost = close_events(&run, &sink);
  run_end(&run);
  code = run_report(&run, report);
  run_free(&run);
  return lost ? lost : code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "progress.h"

#include "history.h"
#include "interrupt.h"
#include "numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIVE_WIDTH = 76 };

static const char *const phase_names[] = {"training", "integration", "events", "sampling",
                                          "writing"};

const char *phase_name(int phase)
{
  return phase_names[phase];
}

double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_start(struct progress *progress, FILE *table, int quiet)
{
  *progress = (struct progress){
      .table = quiet ? NULL : table,
      .live = !quiet && isatty(STDERR_FILENO),
      .phase = -1,
      .phase_start = seconds_now(),
      .last_drawn = -INFINITY,
  };
}

void progress_end(struct progress *progress)
{
  /* Blanks, not an escape sequence: any terminal knows them. */
  if (progress->shown) fprintf(stderr, "\r%*s\r", LIVE_WIDTH, "");
  progress->shown = 0;
}

static void print_row(struct progress *progress, const nis_progress *now)
{
  char estimate[ESTIMATE_TEXT];
  format_estimate(estimate, now->value, now->error);
  progress_end(progress);
  if (!progress->rows++)
    fprintf(progress->table, "%-12s %4s %12s   %-30s %10s\n", "phase", "it", "calls",
            "value +- error", "spread");
  fprintf(progress->table, "%-12s %4d %12" PRIu64 "   %-30s %10.4g\n", phase_names[now->phase],
          now->iteration, now->calls, estimate, now->spread);
  fflush(progress->table);
}

static void format_left(char *text, size_t size, double seconds)
{
  if (seconds < 120)
    snprintf(text, size, "%.0f s", seconds);
  else if (seconds < 7200)
    snprintf(text, size, "%.0f min", seconds / 60);
  else
    snprintf(text, size, "%.1f h", seconds / 3600);
}

static int has_events(const nis_progress *now)
{
  return now->phase == NIS_GENERATING || now->phase == NIS_WRITING;
}

/* What both kinds of line say about the phase */
struct pace {
  double percent, calls, events; /* of the work; per second */
  char left[32];
};

static struct pace find_pace(const struct progress *progress, const nis_progress *now, double clock)
{
  double spent = clock - progress->phase_start + 1e-9;
  double share = now->total ? (double)now->done / (double)now->total : 0;
  struct pace pace = {.percent = 100 * share, .left = "?"};
  pace.calls = (double)(now->calls - progress->phase_calls) / spent;
  pace.events = (double)now->events / spent;
  if (now->done) format_left(pace.left, sizeof pace.left, spent * (1 - share) / share);
  return pace;
}

static void print_event_row(struct progress *progress, const nis_progress *now, double clock)
{
  struct pace pace = find_pace(progress, now, clock);
  progress_end(progress);
  if (!progress->event_rows++)
    fprintf(progress->table, "\n%-12s %7s %14s %12s %12s %10s\n", "phase", "done", "events",
            "events/s", "efficiency", "ETA");
  fprintf(progress->table, "%-12s %5.1f %% %14" PRIu64 " %12.3g %12.4g %10s\n",
          phase_names[now->phase], pace.percent, now->events, pace.events, now->efficiency,
          pace.left);
  fflush(progress->table);
}

static void draw_line(struct progress *progress, const nis_progress *now, double clock)
{
  struct pace pace = find_pace(progress, now, clock);
  char line[160];
  if (has_events(now))
    snprintf(line, sizeof line, "%s %3.0f %%  %.3g events/s  efficiency %.3g  ETA %s",
             phase_names[now->phase], pace.percent, pace.events, now->efficiency, pace.left);
  else
    snprintf(line, sizeof line, "%s %3.0f %%  %" PRIu64 " calls  %.3g calls/s  ETA %s",
             phase_names[now->phase], pace.percent, now->calls, pace.calls, pace.left);
  fprintf(stderr, "\r%-*.*s", LIVE_WIDTH, LIVE_WIDTH, line);
  progress->shown = 1;
  progress->last_drawn = clock;
}

/* Every iteration of the integration; of the many of the training, one in four. */
static int worth_a_row(const nis_progress *now)
{
  if (!now->finished) return 0;
  return now->phase == NIS_INTEGRATING || now->iteration % 4 == 1 || now->done == now->total;
}

/* After 1, 2, 4 ... seconds of a phase with events, and at its end */
static int worth_an_event_row(struct progress *progress, const nis_progress *now, double clock)
{
  if (!has_events(now)) return 0;
  int due = clock - progress->phase_start >= progress->next_row;
  if (due) progress->next_row *= 2;
  return due || now->done >= now->total;
}

int progress_callback(const nis_progress *now, void *params)
{
  struct progress *progress = params;
  double clock = seconds_now();
  if (now->phase != progress->phase) {
    if (progress->phase >= 0) progress->phase_start = clock;
    progress->phase = now->phase;
    progress->phase_calls = progress->calls;
    progress->next_row = 1;
  }
  progress->calls = now->calls;
  if (progress->history) history_add(progress->history, now);
  if (progress->table && worth_a_row(now)) print_row(progress, now);
  if (progress->table && worth_an_event_row(progress, now, clock))
    print_event_row(progress, now, clock);
  if (progress->live && clock - progress->last_drawn >= 0.1) draw_line(progress, now, clock);
  return interrupted();
}

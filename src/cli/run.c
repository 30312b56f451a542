/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run.h"

#include "interrupt.h"
#include "message.h"
#include "points.h"
#include "ranks.h"
#include "report.h"
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const nis_result nothing_yet = {.value = NAN,
                                       .error = NAN,
                                       .chi2 = NAN,
                                       .ess = NAN,
                                       .efficiency = NAN,
                                       .efficiency_max = NAN,
                                       .efficiency_median = NAN,
                                       .max_weight = NAN,
                                       .max_weight_share = NAN,
                                       .p_value = NAN,
                                       .khat = NAN};

/* "NAME KEY=VALUE ...": what --from reads */
static void describe(struct run *run)
{
  FILE *file = fmemopen(run->name, sizeof run->name, "w");
  if (!file) return;
  fprintf(file, "%s%s", run->row->name, run->arguments->batch ? " --batch" : "");
  if (run->row->parameters->name) fputc(' ', file);
  values_print(file, run->row, run->arguments->values);
  fclose(file);
  run->name[sizeof run->name - 1] = '\0';
}

/* The points of the estimate, to all who want them */
static int hand_on(const nis_point_block *block, void *params)
{
  struct run *run = params;
  int status = NIS_OK;
  if (run->histograms && run->arguments->command == INTEGRATE)
    status = histograms_points(block, run->histograms);
  if (run->points && status == NIS_OK) status = points_take(block, run->points);
  return status;
}

/* Behind a sentence on what ended the run, where that has a checkpoint */
static void add_hope(char *text, size_t room, const char *checkpoint)
{
  size_t used = strlen(text);
  if (checkpoint)
    snprintf(text + used, room - used,
             "; the same command goes on from %s, with any number of processes", checkpoint);
}

/* mpirun ends all processes where one has died, and leaves them a second. */
static void prepare_farewell(const struct run *run)
{
  static char words[4096];
  snprintf(words, sizeof words,
           "nis: told to end by mpirun, where a process has died or it was told "
           "so");
  add_hope(words, sizeof words - 1, run->options.checkpoint);
  strcat(words, "\n");
  interrupt_say(words);
}

static int begin(struct run *run, const struct arguments *arguments, FILE *table)
{
  const struct integrand *row = arguments->row;
  *run = (struct run){.arguments = arguments, .row = row, .options = arguments->options};
  run->result = nothing_yet;
  if (row->setup) run->state = integrand_make(row, run->options.dim, arguments->values);
  if (row->setup && !run->state)
    return complain(FAILED, "no memory for the integrand '%s'", row->name);
  run->has_exact = row->exact && row->exact(run->state, run->options.dim, &run->exact);
  progress_start(&run->progress, table, arguments->json || arguments->quiet || ranks_silent());
  describe(run);
  run->options.name = run->name;
  run->options.params = run->state;
  run->options.progress = progress_callback;
  run->options.progress_params = &run->progress;
  int bad = histograms_make(run);
  if (!bad) bad = history_begin(&run->history, arguments->history);
  if (bad) return bad;
  run->progress.history = &run->history;
  if (arguments->report && !(run->points = points_make(run->options.dim)))
    return complain(FAILED, "no memory for the points of the report");
  if (run->points || (run->histograms && arguments->command == INTEGRATE)) {
    run->options.sink = hand_on;
    run->options.sink_params = run;
  }
  interrupt_catch();
  if (ranks_world() && !ranks_silent()) prepare_farewell(run);
  run->start = seconds_now();
  return DONE;
}

int run_begin(struct run *run, const struct arguments *arguments, FILE *table)
{
  return ranks_agree(begin(run, arguments, table), last_complaint());
}

/* The checkpoint is rank 0's file. */
static int make(struct run *run, nis **s)
{
  const char *from = run->arguments->from, *checkpoint = run->options.checkpoint;
  nis_integrand *f = run->row->f;
  const nis_ranks *ranks = ranks_world();
  int resumed = ranks_first(checkpoint && access(checkpoint, F_OK) == 0);
  if (ranks && checkpoint && (resumed || !from))
    return nis_resume_shared(s, f, &run->options, ranks);
  if (resumed) return nis_resume(s, f, &run->options);
  if (ranks_silent()) run->options.checkpoint = NULL;
  return from ? nis_load(s, from, f, &run->options) : nis_create(s, f, &run->options);
}

nis *run_make(struct run *run)
{
  nis *s = NULL;
  int status = make(run, &s);
  if (status == NIS_OK) status = nis_set_ranks(s, ranks_world());
  run_note(run, status);
  if (ranks_agree(exit_code(status), run->message) != DONE && s) {
    if (status == NIS_OK) run->status = NIS_RANKS;
    nis_free(s);
    s = NULL;
  }
  run->made = s != NULL;
  return s;
}

void run_save(struct run *run, nis *s)
{
  const char *path = run->arguments->output;
  if (!path || ranks_silent() || run->status < NIS_OK) return;
  int status = nis_save(s, path);
  if (status != NIS_OK) run_note(run, status);
}

void run_close(struct run *run, nis *s)
{
  if (s) channels_read(&run->channels, s);
  if (s) weight_picture_read(&run->weights, s);
  if (s && run->points) points_count(run->points, s);
  nis_free(s);
}

int run_note(struct run *run, int status)
{
  run->status = status;
  const char *sentence = status || run->result.bad_calls ? nis_last_error() : "";
  if (status && !*sentence) sentence = nis_strerror(status);
  snprintf(run->message, sizeof run->message, "%s", sentence);
  if (status == NIS_STOPPED)
    snprintf(run->message, sizeof run->message, "stopped after %" PRIu64 " calls",
             run->progress.calls);
  if (status == NIS_RANKS) {
    add_hope(run->message, sizeof run->message, run->arguments->options.checkpoint);
    ranks_lost();
  }
  return status;
}

void run_end(struct run *run)
{
  progress_end(&run->progress);
  run->seconds = seconds_now() - run->start;
  if (run->made && run->status >= NIS_OK && !ranks_silent()) histograms_write(run);
  if (run->status)
    complain(0, "%s", run->message);
  else if (*run->message)
    complain(0, "warning: %s", run->message);
}

int run_report(const struct run *run, FILE *file)
{
  if (run->status < NIS_OK && !run->made) return exit_code(run->status); /* there is no result */
  if (run->status == NIS_INVALID || run->status == NIS_NO_MEMORY) return exit_code(run->status);
  if (run->arguments->json)
    report_json(file, run);
  else
    report_text(file, run);
  int bad = run_page(run, report_json);
  return bad ? bad : exit_code(run->status);
}

int run_page(const struct run *run, void (*json)(FILE *file, const struct run *run))
{
  char *text = NULL;
  size_t size;
  if (!run->arguments->report || ranks_silent()) return DONE;
  FILE *memory = open_memstream(&text, &size);
  if (memory) json(memory, run);
  int bad = !memory || fclose(memory);
  int code = bad ? complain(FAILED, "no memory for the report '%s'", run->arguments->report)
                 : report_html(run, text);
  free(text);
  return code;
}

void run_free(struct run *run)
{
  histograms_free(run);
  history_end(&run->history);
  points_free(run->points);
  free(run->state);
}

double peak_bytes(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * (double)usage.ru_maxrss;
}

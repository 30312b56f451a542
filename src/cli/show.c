/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "channels.h"
#include "json.h"
#include "message.h"
#include "numbers.h"
#include "points.h"
#include "run.h"
#include "saved.h"
#include "values.h"

#include <inttypes.h>
#include <string.h>

static int never_called(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                        void *params)
{
  (void)n, (void)dim, (void)x, (void)ncomp, (void)f, (void)params;
  return 1;
}

int load_saved(nis **s, const char *path)
{
  return nis_load(s, path, NULL, &(nis_options){.batch = never_called});
}

static void label(const char *text)
{
  printf("%-20s ", text);
}

/* A word of one of the library's options */
static void option_word(char text[VALUE_TEXT], const char *name, int n)
{
  size_t rows;
  const nis_option *row = nis_option_list(&rows);
  while (strcmp(row->name, name) != 0) row++;
  nth_word(text, row->words, n);
}

static void print_flow(const nis_options *o)
{
  char coupling[VALUE_TEXT];
  option_word(coupling, "coupling", (int)o->coupling);
  label("flow");
  printf("%d layers of %s maps with %d bins, nets of %d x %d\n", o->layers, coupling, o->bins,
         o->hidden_layers, o->hidden_width);
}

static void show_text(const char *path, const nis_saved *saved, const struct channel_list *channels)
{
  const nis_options *o = &saved->options;
  const nis_result *r = &saved->result;
  char estimate[ESTIMATE_TEXT];
  label("file");
  printf("%s\n", path);
  label("integrand");
  printf("%s, %zu dimension%s", *saved->name ? saved->name : "without a name", o->dim,
         o->dim == 1 ? "" : "s");
  printf(", seed %" PRIu64 "\n", o->seed);
  print_flow(o);
  label("calls");
  printf("%" PRIu64 "  (training %" PRIu64 ", of which %" PRIu64 " are stored)\n", r->calls,
         r->train_calls, saved->stored);
  format_estimate(estimate, r->value, r->error);
  label("integral");
  printf("%s\n", estimate);
  label("unweighting eff.");
  printf("%.4g\n", r->efficiency);
  channels_print(stdout, channels);
}

static void show_json(FILE *file, const char *path, const nis_saved *saved,
                      const struct channel_list *channels)
{
  struct json json = {.file = file};
  const nis_result *r = &saved->result;
  json_object(&json, NULL);
  json_text(&json, "file", path);
  json_text(&json, "name", saved->name);
  json_whole(&json, "dim", saved->options.dim);
  json_whole(&json, "seed", saved->options.seed);
  json_whole(&json, "calls", r->calls);
  json_whole(&json, "train_calls", r->train_calls);
  json_whole(&json, "stored_points", saved->stored);
  json_real(&json, "value", r->value);
  json_real(&json, "error", r->error);
  json_real(&json, "efficiency", r->efficiency);
  json_int(&json, "suspect", r->suspect);
  channels_json(&json, channels);
  json_end(&json);
}

int show_saved(const char *path, int json)
{
  nis_saved saved;
  struct channel_list channels = {0};
  nis *s = NULL;
  int status = nis_inspect(path, &saved);
  if (status == NIS_OK && saved.options.channels) status = load_saved(&s, path);
  if (status != NIS_OK) return complain(exit_code(status), "%s", nis_last_error());
  if (s) channels_read(&channels, s);
  nis_free(s);
  if (json)
    show_json(stdout, path, &saved, &channels);
  else
    show_text(path, &saved, &channels);
  return DONE;
}

static void run_json(FILE *file, const struct run *run)
{
  show_json(file, run->arguments->from, &run->arguments->saved, &run->channels);
}

/* As much of an integrand's row as the file has */
static struct integrand saved_row(const nis_saved *saved)
{
  static const struct parameter none = {0};
  char word[sizeof saved->name];
  snprintf(word, sizeof word, "%.*s", (int)strcspn(saved->name, " "), saved->name);
  const struct integrand *known = integrand_find(word);
  struct integrand row = known ? *known : (struct integrand){.unit = ""};
  row.name = *saved->name ? saved->name : "an integrand without a name";
  row.parameters = &none;
  return row;
}

/* What the file is about, as a run that has just loaded it. The integrand is not called. */
static int show_page(const struct arguments *arguments)
{
  static struct arguments shown; /* several KiB */
  shown = *arguments;
  nis *s = NULL;
  int status = nis_inspect(arguments->from, &shown.saved);
  if (status == NIS_OK) status = load_saved(&s, arguments->from);
  if (status != NIS_OK) return complain(exit_code(status), "%s", nis_last_error());
  struct integrand row = saved_row(&shown.saved);
  struct run run = {.arguments = &shown, .row = &row, .options = shown.saved.options, .made = 1};
  run.points = points_make(run.options.dim);
  if (run.points) {
    run_note(&run, nis_current(s, &run.result));
    points_draw(run.points, s);
  }
  run_close(&run, s);
  int code = run.points ? run_page(&run, run_json)
                        : complain(FAILED, "no memory for the points of the report");
  points_free(run.points);
  return code;
}

int show_command(const struct arguments *arguments)
{
  int code = show_saved(arguments->from, arguments->json);
  return code == DONE && arguments->report ? show_page(arguments) : code;
}

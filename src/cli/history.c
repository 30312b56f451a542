/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "history.h"

#include "message.h"
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const share_names[NIS_SHARES] = {"uniform", "flow", "twin", "map", "peaks"};

/* What is known in one of the phases only is NaN in the other: an empty field, null in JSON. */
struct numbers {
  double estimate, estimate_error, chi2, beta, efficiency;
};

static struct numbers numbers_of(const nis_progress *row)
{
  struct numbers n = {NAN, NAN, NAN, NAN, NAN};
  if (row->phase == NIS_TRAINING)
    n.beta = row->beta;
  else
    n = (struct numbers){row->mean, row->sigma, row->dof > 0 ? row->chi2 : NAN, NAN,
                         row->efficiency};
  return n;
}

static void print_names(FILE *file)
{
  fputs("phase,round,calls,value,error,spread,estimate,estimate_error,chi2,dof,beta", file);
  for (int i = 0; i < NIS_SHARES; i++) fprintf(file, ",%s", share_names[i]);
  fputs(",efficiency,seconds\n", file);
}

static void print_number(FILE *file, double value)
{
  fputc(',', file);
  if (!isnan(value)) fprintf(file, "%.9g", value);
}

static void print_row(FILE *file, const nis_progress *row)
{
  struct numbers n = numbers_of(row);
  fprintf(file, "%s,%d,%" PRIu64, phase_name(row->phase), row->iteration, row->calls);
  print_number(file, row->value);
  print_number(file, row->error);
  print_number(file, row->spread);
  print_number(file, n.estimate);
  print_number(file, n.estimate_error);
  print_number(file, n.chi2);
  fprintf(file, ",%d", row->dof);
  print_number(file, n.beta);
  for (int i = 0; i < NIS_SHARES; i++) print_number(file, row->share[i]);
  print_number(file, n.efficiency);
  print_number(file, row->seconds);
  fputc('\n', file);
  fflush(file);
}

static int failed(const struct history *history)
{
  return complain(FAILED, "cannot write '%s': %s", history->path, strerror(errno));
}

int history_begin(struct history *history, const char *path)
{
  *history = (struct history){.path = path};
  if (!path) return DONE;
  history->file = fopen(path, "we");
  if (!history->file) return failed(history);
  print_names(history->file);
  return DONE;
}

static nis_progress *room_for_one(struct history *history)
{
  if (history->n == history->room) {
    size_t room = history->room ? 2 * history->room : 64;
    nis_progress *more = realloc(history->row, room * sizeof *more);
    if (!more) return NULL;
    history->row = more;
    history->room = room;
  }
  return &history->row[history->n++];
}

void history_add(struct history *history, const nis_progress *now)
{
  if (!now->finished || (now->phase != NIS_TRAINING && now->phase != NIS_INTEGRATING)) return;
  if (history->file) print_row(history->file, now);
  nis_progress *row = room_for_one(history);
  if (row) *row = *now;
}

int history_end(struct history *history)
{
  int bad = history->file && (ferror(history->file) | fclose(history->file));
  history->file = NULL;
  free(history->row);
  history->row = NULL;
  return bad ? failed(history) : DONE;
}

void history_json(struct json *json, const struct history *history)
{
  json_array(json, "history");
  for (size_t i = 0; i < history->n; i++) {
    const nis_progress *row = &history->row[i];
    struct numbers n = numbers_of(row);
    json_object(json, NULL);
    json_text(json, "phase", phase_name(row->phase));
    json_int(json, "round", row->iteration);
    json_whole(json, "calls", row->calls);
    json_real(json, "value", row->value);
    json_real(json, "error", row->error);
    json_real(json, "spread", row->spread);
    json_real(json, "estimate", n.estimate);
    json_real(json, "estimate_error", n.estimate_error);
    json_real(json, "chi2", n.chi2);
    json_int(json, "dof", row->dof);
    json_real(json, "beta", n.beta);
    json_object(json, "shares");
    for (int k = 0; k < NIS_SHARES; k++) json_real(json, share_names[k], row->share[k]);
    json_end(json);
    json_real(json, "efficiency", n.efficiency);
    json_real(json, "seconds", row->seconds);
    json_end(json);
  }
  json_end(json);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "histograms.h"

#include "files.h"
#include "message.h"
#include "numbers.h"
#include "plugin.h"
#include "run.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TEXT = 2048 };

/* ---- names ---------------------------------------------------------------------------------- */

/* "x3" of 5 dimensions is 2; SIZE_MAX for anything else */
static size_t find_coordinate(const char *name, size_t dim)
{
  char *end;
  if (name[0] != 'x' || name[1] < '1' || name[1] > '9') return SIZE_MAX;
  unsigned long number = strtoul(name + 1, &end, 10);
  return *end == '\0' && number <= dim ? number - 1 : SIZE_MAX;
}

static int unknown_observable(const struct arguments *arguments, const char *name)
{
  char list[LIST_TEXT];
  size_t dim = arguments->options.dim;
  int used = snprintf(list, sizeof list, dim > 1 ? "x1 .. x%zu" : "x%zu", dim);
  const struct observable *o = arguments->row->observables;
  const nis_plugin_observable *p = arguments->plugin_observables;
  for (; o && o->name && used < LIST_TEXT; o++)
    used += snprintf(list + used, sizeof list - (size_t)used, ", %s", o->name);
  for (; p && p->name && used < LIST_TEXT; p++)
    used += snprintf(list + used, sizeof list - (size_t)used, ", %s", p->name);
  return complain(BAD_USAGE, "--histogram: unknown observable '%s'; %s has %s", name,
                  arguments->row->name, list);
}

/* The range of a coordinate is the domain's; infinite or discrete ones have none: low = high. */
static void set_coordinate(struct axis_plan *axis, const nis_options *o, size_t coordinate)
{
  double low = o->lower ? o->lower[coordinate] : 0, high = o->upper ? o->upper[coordinate] : 1;
  axis->of.coordinate = coordinate;
  if (!isfinite(low) || !isfinite(high)) return;
  axis->low = fmin(low, high);
  axis->high = fmax(low, high);
}

static int find_observable(const struct arguments *arguments, struct axis_plan *axis)
{
  const struct observable *o = arguments->row->observables;
  const nis_plugin_observable *p = arguments->plugin_observables;
  size_t coordinate = find_coordinate(axis->name, arguments->options.dim);
  axis->unit = "";
  while (o && o->name && strcmp(o->name, axis->name) != 0) o++;
  while (p && p->name && strcmp(p->name, axis->name) != 0) p++;
  if (o && o->name) {
    axis->of.observable = o;
    axis->unit = o->unit, axis->low = o->low, axis->high = o->high;
  } else if (p && p->name) {
    axis->of.plugged = p;
    axis->unit = p->unit ? p->unit : "", axis->low = p->low, axis->high = p->high;
  } else if (coordinate != SIZE_MAX) {
    set_coordinate(axis, &arguments->options, coordinate);
  } else {
    return unknown_observable(arguments, axis->name);
  }
  return DONE;
}

/* ---- "OBS:BINS:LOW:HIGH" -------------------------------------------------------------------- */

static int bad_text(const char *text)
{
  return complain(BAD_USAGE,
                  "--histogram must be OBSERVABLE:BINS, OBSERVABLE:BINS:LOW:HIGH or "
                  "OBSERVABLE:EDGE,EDGE,..., or two of them with a comma between, got '%s'",
                  text);
}

static int check_axis(const struct axis_plan *axis, double bins, const char *text)
{
  if (!(bins >= 1 && bins <= NIS_MOST_BINS && bins == floor(bins)))
    return complain(BAD_USAGE, "--histogram: the bins of '%s' must be 1 .. %d, in '%s'", axis->name,
                    NIS_MOST_BINS, text);
  if (axis->low < axis->high) return DONE;
  return complain(BAD_USAGE,
                  "--histogram: '%s' needs a range, LOW < HIGH: %s:%.0f:LOW:HIGH, in '%s'",
                  axis->name, axis->name, bins, text);
}

/* The next of what stands between separators, which comes to lie behind it; 0 if it is empty or too
 * long. */
static int next_word(const char **from, const char *end, char separator, char word[HISTOGRAM_WORD])
{
  size_t length = 0, left = (size_t)(end - *from);
  while (length < left && (*from)[length] != separator) length++;
  if (length == 0 || length >= HISTOGRAM_WORD) return 0;
  memcpy(word, *from, length);
  word[length] = '\0';
  *from += length + 1;
  return 1;
}

/* "BINS" or "BINS:LOW:HIGH" */
static int parse_range(const char *from, const char *end, const char *text, struct axis_plan *axis)
{
  char word[3][HISTOGRAM_WORD];
  double bins;
  int words = 0;
  while (words < 3 && from <= end && next_word(&from, end, ':', word[words])) words++;
  if (from <= end || (words != 1 && words != 3) || parse_real(word[0], &bins))
    return bad_text(text);
  if (words == 3 && (parse_real(word[1], &axis->low) || parse_real(word[2], &axis->high)))
    return bad_text(text);
  int bad = check_axis(axis, bins, text);
  if (!bad) axis->bins = (size_t)bins;
  return bad;
}

/* "EDGE,EDGE,..." */
static int parse_edges(const char *from, const char *end, const char *text, struct axis_plan *axis)
{
  char word[HISTOGRAM_WORD];
  int n = 0;
  for (; from <= end; n++) {
    if (n == HISTOGRAM_EDGES)
      return complain(BAD_USAGE,
                      "--histogram: '%s' may have %d edges at most; more bins need "
                      "%s:BINS:LOW:HIGH",
                      axis->name, HISTOGRAM_EDGES, axis->name);
    if (!next_word(&from, end, ',', word) || parse_real(word, &axis->edges[n]))
      return bad_text(text);
    if (n > 0 && axis->edges[n] <= axis->edges[n - 1])
      return complain(BAD_USAGE,
                      "--histogram: each edge of '%s' must be above the one before, got "
                      "%g behind %g in '%s'",
                      axis->name, axis->edges[n], axis->edges[n - 1], text);
  }
  axis->bins = (size_t)n - 1;
  return DONE;
}

/* One axis, which ends at `end` of the text */
static int parse_axis(const struct arguments *arguments, const char *from, const char *end,
                      const char *text, struct axis_plan *axis)
{
  *axis = (struct axis_plan){.low = 0};
  if (!next_word(&from, end, ':', axis->name) || from > end) return bad_text(text);
  int bad = find_observable(arguments, axis);
  if (bad) return bad;
  return memchr(from, ',', (size_t)(end - from)) ? parse_edges(from, end, text, axis)
                                                 : parse_range(from, end, text, axis);
}

/* The comma before the second axis, which begins with a name; before an edge there is a number. */
static const char *find_second(const char *text)
{
  const char *comma = strchr(text, ',');
  while (comma && comma[1] && strchr("0123456789+-.", comma[1])) comma = strchr(comma + 1, ',');
  return comma;
}

static int parse_one(const struct arguments *arguments, const char *text,
                     struct histogram_plan *plan)
{
  const char *comma = find_second(text), *end = text + strlen(text);
  plan->naxes = comma ? 2 : 1;
  int bad = parse_axis(arguments, text, comma ? comma : end, text, &plan->axis[0]);
  if (!bad && comma) bad = parse_axis(arguments, comma + 1, end, text, &plan->axis[1]);
  return bad;
}

void histograms_path(const struct arguments *arguments, char *path, size_t size)
{
  const char *symbol = plugin_symbol(arguments->row->name);
  path[0] = '\0';
  if (arguments->nhistograms == 0) return;
  if (arguments->histogram_file)
    snprintf(path, size, "%s", arguments->histogram_file);
  else
    snprintf(path, size, "%s.yoda", *symbol ? symbol : arguments->row->name);
}

/* Before a long run, rather than after it */
static int check_path(const struct arguments *arguments)
{
  char path[PATH_MAX];
  histograms_path(arguments, path, sizeof path);
  const char *end = strrchr(path, '.');
  if (!end || (strcmp(end, ".yoda") != 0 && strcmp(end, ".csv") != 0 && strcmp(end, ".json") != 0))
    return complain(BAD_USAGE, "--histogram-file must end in .yoda, .csv or .json, got '%s'", path);
  return file_check(path, "no histograms");
}

int histograms_check(const struct arguments *arguments)
{
  struct histogram_plan plan;
  if (arguments->nhistograms == 0 && arguments->histogram_file)
    return complain(BAD_USAGE, "--histogram-file needs --histogram: what is to be in it");
  for (int i = 0; i < arguments->nhistograms; i++) {
    int bad = parse_one(arguments, arguments->histogram_texts[i], &plan);
    if (bad) return bad;
  }
  return arguments->nhistograms ? check_path(arguments) : DONE;
}

/* ---- those of a run ------------------------------------------------------------------------- */

static double observe(const double *x, size_t dim, const double *outputs, size_t extra,
                      void *params)
{
  const struct observed *of = params;
  if (of->observable) return of->observable->f(of->row, of->state, x, of->observable->which);
  return of->plugged ? of->plugged->f(x, dim, outputs, extra, NULL) : x[of->coordinate];
}

static nis_axis axis_of(struct axis_plan *plan, const struct run *run)
{
  plan->of.row = run->row;
  plan->of.state = run->state;
  return (nis_axis){.observable = observe,
                    .params = &plan->of,
                    .name = plan->name,
                    .unit = plan->unit,
                    .bins = plan->bins,
                    .edges = plan->edges[1] > plan->edges[0] ? plan->edges : NULL,
                    .low = plan->low,
                    .high = plan->high};
}

/* "thrust", "x1,x2" */
static void name_of(const struct histogram_plan *plan, char name[2 * HISTOGRAM_WORD])
{
  snprintf(name, 2 * HISTOGRAM_WORD, "%s%s%s", plan->axis[0].name, plan->naxes == 2 ? "," : "",
           plan->naxes == 2 ? plan->axis[1].name : "");
}

int histograms_make(struct run *run)
{
  if (run->arguments->nhistograms == 0) return DONE;
  struct histograms *all = run->histograms = calloc(1, sizeof *all);
  if (!all) return complain(FAILED, "no memory for histograms");
  for (int i = 0; i < run->arguments->nhistograms; i++) {
    struct histogram_plan *plan = &all->plan[i];
    nis_axis axes[HISTOGRAM_AXES];
    char name[2 * HISTOGRAM_WORD];
    int bad = parse_one(run->arguments, run->arguments->histogram_texts[i], plan);
    if (bad) return bad;
    for (size_t k = 0; k < plan->naxes; k++) axes[k] = axis_of(&plan->axis[k], run);
    name_of(plan, name);
    int status = nis_histogram_create(&all->h[i], name, axes, plan->naxes);
    if (status != NIS_OK) return complain(exit_code(status), "--histogram: %s", nis_last_error());
    all->n++;
  }
  return DONE;
}

int histograms_points(const nis_point_block *points, void *params)
{
  struct histograms *all = params;
  int status = NIS_OK;
  for (size_t i = 0; status == NIS_OK && i < all->n; i++)
    status = nis_histogram_points(points, all->h[i]);
  return status;
}

int histograms_events(const nis_event_block *events, void *params)
{
  struct histograms *all = params;
  int status = NIS_OK;
  for (size_t i = 0; status == NIS_OK && i < all->n; i++)
    status = nis_histogram_events(events, all->h[i]);
  return status;
}

void histograms_write(struct run *run)
{
  const struct histograms *all = run->histograms;
  char path[PATH_MAX];
  if (!all || nis_histogram_count(all->h[0]) == 0) return;
  histograms_path(run->arguments, path, sizeof path);
  int status = nis_histogram_write((const nis_histogram *const *)all->h, all->n, path,
                                   NIS_HISTOGRAM_BY_NAME, 1);
  if (status != NIS_OK) run_note(run, status);
}

void histograms_free(struct run *run)
{
  struct histograms *all = run->histograms;
  for (size_t i = 0; all && i < all->n; i++) nis_histogram_free(all->h[i]);
  free(all);
}

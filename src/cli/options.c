/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include "message.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define MEMBER(member) offsetof(struct arguments, member)

enum { ALL = RUNS | LIST | SHOW | MERGE | COMPARE | BENCH | MATRIX_ELEMENT, HELP_TEXT = 512 };

/* Rows as macro calls, so that clang-format keeps each on two lines. */
#define OWN(...)                                                                                   \
  {                                                                                                \
    __VA_ARGS__, NULL                                                                              \
  }
#define LIBRARY(type, commands, letter, name, help)                                                \
  {                                                                                                \
    commands, letter, name, NULL, type, 0, help, NULL                                              \
  }

/* In the order of --help. Of the library's rows those are named of which the command knows more
 * than the library: a letter, another sentence, who has it; "" stands for all others. */
static const struct option_row plan[] = {
    LIBRARY(EVENT_OPTION, EVENTS, 'n', "events",
            "events to write; this or --event-calls is needed"),
    OWN(EVENTS, 'o', "output", "FILE", TEXT, MEMBER(event_options.path),
        "where to write them; - is standard output, the report then goes to stderr"),
    OWN(MERGE, 'o', "output", "FILE", TEXT, MEMBER(output),
        "where the sum of estimates (FILE.nis) or of histograms (FILE.yoda), or all events, go"),
    OWN(INTEGRATE | EVENTS, 0, "part", "K/N", TEXT, MEMBER(part_text),
        "only part K of N of the points, with --from: 'nis merge' makes the whole of all"),
    OWN(INTEGRATE | TRAIN, 'o', "output", "FILE", TEXT, MEMBER(output),
        "where the trained flow and the estimate are saved, for --from; replaces such a file"),
    OWN(RUNS, 0, "from", "FILE", TEXT, MEMBER(from), "go on from what is saved there"),
    OWN(RUNS, 0, "checkpoint", "FILE", TEXT, MEMBER(options.checkpoint),
        "keep the integrand's values there; the same line again goes on after the process was "
        "killed"),
    LIBRARY(EVENT_OPTION, EVENTS | MERGE, 'f', "force", NULL),
    LIBRARY(EVENT_OPTION, EVENTS, 0, "", NULL),
    OWN(RUNS | MATRIX_ELEMENT, 'p', "param", "KEY=VALUE", SETTING, MEMBER(settings),
        "set a parameter of the integrand; may be repeated"),
    OWN(INTEGRATE | EVENTS, 0, "histogram", "O:B:LOW:HIGH", HISTOGRAM, MEMBER(histogram_texts),
        "a histogram of observable O ('nis list NAME' has them) in B bins from LOW to HIGH, which "
        "may be left out, or O:E0,E1,... with edges; of two with a comma between; may be repeated"),
    OWN(INTEGRATE | EVENTS, 0, "histogram-file", "FILE", TEXT, MEMBER(histogram_file),
        "where histograms go: .yoda (for Rivet), .csv or .json; replaces such a file; default: the "
        "integrand's name and .yoda"),
    OWN(RUNS, 0, "history", "FILE", TEXT, MEMBER(history),
        "how the run goes, as columns (.csv): a line for each round and iteration; replaces such a "
        "file"),
    OWN(RUNS | SHOW, 0, "report", "FILE", TEXT, MEMBER(report),
        "the result, its doubts and how it came about as a page with figures (.html); replaces "
        "such "
        "a file"),
    LIBRARY(OPTION, RUNS, 'd', "dim",
            "dimensions; default as 'nis list' says, or SYMBOL_dim in a plug-in"),
    OWN(RUNS, 0, "batch", NULL, FLAG, MEMBER(batch),
        "the plug-in's symbol takes many points at once: a nis_batch_integrand of nis.h"),
    LIBRARY(OPTION, RUNS, 0, "batch_points", NULL),
    OWN(RUNS, 0, "lower", "L1,L2,...", TEXT, MEMBER(lower_text),
        "limits of a plug-in's coordinates, D or one for all, or -inf; default 0"),
    OWN(RUNS, 0, "upper", "U1,U2,...", TEXT, MEMBER(upper_text), "likewise, or inf; default 1"),
    OWN(RUNS, 0, "periodic", "P1,P2,...", TEXT, MEMBER(periodic_text),
        "1 for each coordinate whose ends are one point, an azimuth, or else 0; D or one for all; "
        "default 0, or as 'nis list' says"),
    OWN(RUNS, 0, "discrete", "N1,N2,...", TEXT, MEMBER(discrete_text),
        "numbers of values of a plug-in's coordinates that are 0, 1 .. N-1, else 0; D or one for "
        "all; default 0"),
    LIBRARY(OPTION, RUNS, 0, "channels",
            "channels that a plug-in's last coordinate counts, each with its line in the report; "
            "or SYMBOL_channels in it"),
    LIBRARY(OPTION, RUNS, 'c', "calls", NULL),
    LIBRARY(OPTION, RUNS, 's', "seed", NULL),
    LIBRARY(OPTION, RUNS | BENCH, 't', "threads", NULL),
    LIBRARY(OPTION, RUNS | BENCH, 0, "coupling", NULL),
    LIBRARY(OPTION, 0, 0, "ncomp", NULL), /* a plug-in has one value a point ... */
    LIBRARY(OPTION, 0, 0, "follow", NULL),
    LIBRARY(OPTION, 0, 0, "goal_of", NULL),
    LIBRARY(OPTION, 0, 0, "nhints", NULL), /* ... and no hints */
    LIBRARY(OPTION, RUNS, 0, "", NULL),
    OWN(BENCH, 0, "quick", NULL, FLAG, MEMBER(quick), "fewer repeats and sizes"),
    OWN(BENCH, 0, "runs", NULL, FLAG, MEMBER(runs),
        "whole runs instead: seconds and bytes against dimensions, calls, threads"),
    OWN(COMPARE, 0, "pull", "N", TEXT, MEMBER(pull_text),
        "results agree where all differences are within so many errors; above 0; default 5"),
    OWN(INTEGRATE, 0, "explain", NULL, FLAG, MEMBER(explain),
        "say first which settings will be used, and why"),
    OWN(ALL, 0, "json", NULL, FLAG, MEMBER(json), "print JSON instead of text"),
    OWN(RUNS, 'q', "quiet", NULL, FLAG, MEMBER(quiet),
        "no table, no progress line and no pictures, only the result"),
    OWN(ALL | COMPLETION, 'h', "help", NULL, FLAG, MEMBER(help), "print this"),
};

enum { PLANNED = sizeof plan / sizeof *plan };

/* ---- the rows ------------------------------------------------------------------------------ */

static const nis_option *find(const nis_option *list, size_t n, const char *name)
{
  while (n > 0 && strcmp(list->name, name) != 0) list++, n--;
  return n > 0 ? list : NULL;
}

static int is_planned(enum option_type type, const char *name)
{
  for (int i = 0; i < PLANNED; i++)
    if (plan[i].type == type && strcmp(plan[i].name, name) == 0) return 1;
  return 0;
}

static struct option_row library_row(const struct option_row *planned, const nis_option *library)
{
  static const char *const argument[] = {
      [NIS_OPTION_WHOLE] = "N", [NIS_OPTION_REAL] = "X", [NIS_OPTION_WORD] = "WORD"};
  size_t n;
  const nis_option *list = nis_option_list(&n);
  struct option_row row = *planned;
  int of_events = row.type == EVENT_OPTION, twice = of_events && find(list, n, library->name);
  snprintf(row.name, NAME_TEXT, "%s%s", twice ? "event-" : "", library->name);
  for (char *dash; (dash = strchr(row.name, '_'));) *dash = '-';
  row.argument = library->type == NIS_OPTION_FLAG ? NULL : argument[library->type];
  row.offset = library->offset + (of_events ? MEMBER(event_options) : MEMBER(options));
  if (!row.help) row.help = library->help;
  row.library = library;
  return row;
}

static struct option_row *add_library(struct option_row *next, const struct option_row *planned)
{
  size_t n;
  const nis_option *list =
      planned->type == OPTION ? nis_option_list(&n) : nis_event_option_list(&n);
  for (const nis_option *o = list; o < list + n; o++) {
    int meant = *planned->name
                    ? strcmp(planned->name, o->name) == 0
                    : o->type != NIS_OPTION_POINTER && !is_planned(planned->type, o->name);
    if (meant && planned->commands) *next++ = library_row(planned, o);
  }
  return next;
}

const struct option_row *option_rows(void)
{
  static struct option_row rows[MAX_OPTIONS + 1];
  struct option_row *next = rows;
  if (*rows->name) return rows;
  for (int i = 0; i < PLANNED; i++) {
    if (plan[i].type == OPTION || plan[i].type == EVENT_OPTION)
      next = add_library(next, &plan[i]);
    else
      *next++ = plan[i];
    assert(next <= rows + MAX_OPTIONS);
  }
  return rows;
}

/* ---- values -------------------------------------------------------------------------------- */

static int store_library(const struct option_row *row, struct arguments *arguments,
                         const char *text)
{
  const char *name = row->library->name, *value = row->argument ? text : "1";
  int status = row->type == OPTION ? nis_options_set(&arguments->options, name, value)
                                   : nis_event_options_set(&arguments->event_options, name, value);
  if (status == NIS_OK) return DONE;
  return complain(BAD_USAGE, "--%s must be %s, got '%s'", row->name, row->library->range, value);
}

static int store_text(const struct option_row *row, const char **member, const char *text)
{
  if (!*text) return complain(BAD_USAGE, "--%s must not be empty", row->name);
  *member = text;
  return DONE;
}

int store_setting(struct arguments *arguments, const char *text)
{
  if (arguments->nsettings == MAX_SETTINGS)
    return complain(BAD_USAGE, "--param may be given %d times at most", MAX_SETTINGS);
  arguments->settings[arguments->nsettings++] = text;
  return DONE;
}

static int store_histogram(struct arguments *arguments, const char *text)
{
  if (arguments->nhistograms == MAX_HISTOGRAMS)
    return complain(BAD_USAGE, "--histogram may be given %d times at most", MAX_HISTOGRAMS);
  arguments->histogram_texts[arguments->nhistograms++] = text;
  return DONE;
}

int option_store(const struct option_row *row, struct arguments *arguments, const char *text)
{
  void *member = (char *)arguments + row->offset;
  arguments->given[row - option_rows()] = 1;
  switch (row->type) {
  case FLAG: *(int *)member = 1; return DONE;
  case TEXT: return store_text(row, member, text);
  case SETTING: return store_setting(arguments, text);
  case HISTOGRAM: return store_histogram(arguments, text);
  default: return store_library(row, arguments, text);
  }
}

int option_given(const struct arguments *arguments, const struct option_row *row)
{
  return arguments->given[row - option_rows()];
}

void option_format(char text[VALUE_TEXT], const struct option_row *row,
                   const struct arguments *arguments)
{
  const void *member = (const char *)arguments + row->offset;
  text[0] = '\0';
  if (!row->library) return;
  if (row->library->type == NIS_OPTION_REAL)
    format_number(text, *(const double *)member);
  else if (row->library->type == NIS_OPTION_WORD)
    nth_word(text, row->library->words, *(const int *)member);
  else if (row->library->size == sizeof(uint64_t))
    snprintf(text, VALUE_TEXT, "%" PRIu64, *(const uint64_t *)member);
  else
    snprintf(text, VALUE_TEXT, "%d", *(const int *)member);
}

void event_option_word(char text[VALUE_TEXT], const char *member, int n)
{
  size_t rows;
  const nis_option *list = nis_event_option_list(&rows);
  nth_word(text, find(list, rows, member)->words, n);
}

/* ---- help ---------------------------------------------------------------------------------- */

/* Words in lines of 100 columns, to the right of the names */
static void print_words(FILE *file, const char *text)
{
  enum { LEFT = 29, RIGHT = 100 };
  for (int column = LEFT, length; *text; text += length, text += *text == ' ') {
    length = (int)strcspn(text, " ");
    if (column > LEFT && column + 1 + length > RIGHT) fprintf(file, "\n%*s", column = LEFT, "");
    fprintf(file, "%s%.*s", column > LEFT ? " " : "", length, text);
    column += length + (column > LEFT);
  }
  fputc('\n', file);
}

static void print_help(FILE *file, const struct option_row *row)
{
  char letter[8] = "    ", name[2 * NAME_TEXT], text[HELP_TEXT];
  const nis_option *library = row->argument ? row->library : NULL; /* a flag's default is no news */
  const char *usual = library ? library->initial_text : NULL;
  if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
  snprintf(name, sizeof name, "--%s %s", row->name, row->argument ? row->argument : "");
  snprintf(text, sizeof text, "%s%s%s", row->help, usual ? "; default " : "", usual ? usual : "");
  fprintf(file, "  %s%-22s ", letter, name);
  print_words(file, text);
  if (library) fprintf(file, "  %26s %s\n", "", library->range);
}

void options_help(FILE *file, int command)
{
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (row->commands & command) print_help(file, row);
}

/* ---- the command line again ---------------------------------------------------------------- */

/* The values, not what was typed: that might hold a line break. */
static void print_settings(FILE *file, const struct arguments *arguments)
{
  const double *value = arguments->values;
  for (const struct parameter *p = arguments->row->parameters; p->name; p++, value++) {
    char text[VALUE_TEXT];
    value_format(text, p, *value);
    if (*value != p->initial) fprintf(file, " --param %s=%s", p->name, text);
  }
}

static int decides_numbers(const struct option_row *row)
{
  static const size_t others[] = {MEMBER(options.threads), MEMBER(options.serial),
                                  MEMBER(options.seed), MEMBER(event_options.format),
                                  MEMBER(event_options.force)};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (row->offset == others[i]) return 0;
  return row->library || row->offset == MEMBER(batch);
}

static void print_option(FILE *file, const struct option_row *row,
                         const struct arguments *arguments)
{
  char text[VALUE_TEXT];
  option_format(text, row, arguments);
  fprintf(file, " --%s", row->name);
  if (row->argument) fprintf(file, " %s", text);
}

static void print_box(FILE *file, const nis_options *o)
{
  if (o->lower) fputs(" --lower ", file), print_limits(file, o->dim, o->lower);
  if (o->upper) fputs(" --upper ", file), print_limits(file, o->dim, o->upper);
}

void print_word(FILE *file, const char *word)
{
  static const char plain[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,=+-";
  int quoted = !*word || word[strspn(word, plain)];
  if (quoted) fputc('\'', file);
  for (; *word; word++)
    if (*word == '\'')
      fputs("'\\''", file);
    else
      fputc(*word, file);
  if (quoted) fputc('\'', file);
}

void options_print(FILE *file, const struct arguments *arguments)
{
  fprintf(file, "nis %s ", arguments->command_name);
  print_word(file, arguments->row->name);
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (decides_numbers(row) && option_given(arguments, row)) print_option(file, row, arguments);
  print_box(file, &arguments->options);
  if (arguments->periodic_text)
    fputs(" --periodic ", file), print_list(file, arguments->options.dim, arguments->periodic);
  if (arguments->discrete_text)
    fputs(" --discrete ", file), print_list(file, arguments->options.dim, arguments->discrete);
  fprintf(file, " --seed %" PRIu64, arguments->options.seed);
  print_settings(file, arguments);
}

/* A list of the command line, with which plug-ins say what their coordinates are */
static const char *list_text(const struct option_row *row, const struct arguments *arguments)
{
  static const size_t lists[] = {MEMBER(lower_text), MEMBER(upper_text), MEMBER(periodic_text),
                                 MEMBER(discrete_text)};
  for (size_t i = 0; row->type == TEXT && i < sizeof lists / sizeof *lists; i++)
    if (row->offset == lists[i]) return *(const char *const *)((const char *)arguments + lists[i]);
  return NULL;
}

static void json_option(struct json *json, const struct option_row *row,
                        const struct arguments *arguments)
{
  char name[NAME_TEXT], value[VALUE_TEXT];
  const char *list = list_text(row, arguments);
  snprintf(name, sizeof name, "%s", row->name);
  for (char *dash; (dash = strchr(name, '-'));) *dash = '_';
  option_format(value, row, arguments);
  if (list)
    json_text(json, name, list);
  else if (!row->library)
    json_int(json, name, 1);
  else if (row->library->type == NIS_OPTION_WORD)
    json_text(json, name, value);
  else
    json_number(json, name, value);
}

void options_json(struct json *json, const struct arguments *arguments)
{
  json_object(json, "options");
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (option_given(arguments, row) && (decides_numbers(row) || list_text(row, arguments)))
      json_option(json, row, arguments);
  json_end(json);
}

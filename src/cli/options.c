/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include "message.h"
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MEMBER(member) offsetof(struct arguments, member)
#define OPTION(member) offsetof(struct arguments, options.member)
#define EVENT(member) offsetof(struct arguments, event_options.member)

enum { ALL = RUNS | LIST | BENCH | MATRIX_ELEMENT };

/* Rows as macro calls, so that clang-format keeps each on two lines. */
#define CHOICE_ROW(choices, ...)                                                                   \
  {                                                                                                \
    __VA_ARGS__, choices                                                                           \
  }
#define ROW(...) CHOICE_ROW(NULL, __VA_ARGS__)

/* In the order of nis_coupling. */
static const char couplings[] = "rational-quadratic,piecewise-quadratic,piecewise-linear,affine";

/* In the order of nis_signs. */
static const char sign_words[] = "apart,together";

/* In the order of nis_point_set. */
static const char point_sets[] = "default,random,nets";

/* In the order of nis_w_max_rule. */
static const char w_max_rules[] = "tail,largest,quantile,median";

/* In the order of nis_event_format. */
static const char formats[] = "default,lhe,lhe3,lheh5,hdf5,npy,text";

/* In the order of nis_loss_kind. */
static const char losses[] = "default,kl,variance,exponential,hellinger,jeffreys,forward-chi2";
_Static_assert(NIS_LOSS_KL == 1 && NIS_LOSS_VARIANCE == 2 && NIS_LOSS_EXPONENTIAL == 3 &&
                   NIS_LOSS_HELLINGER == 4 && NIS_LOSS_JEFFREYS == 5 && NIS_LOSS_FORWARD_CHI2 == 6,
               "the order of the words");

/* Limits and defaults are those of nis_options in nis.h. */
const struct option_row option_table[] = {
    ROW(EVENTS, "events", 'n', "N", WHOLE, EVENT(events), {1, 1e18, CLOSED},
        "events to write; this or --event-calls is required"),
    ROW(EVENTS, "output", 'o', "FILE", TEXT, EVENT(path), {0, 0, CLOSED},
        "where to write them; - is standard output, the report then goes to stderr"),
    ROW(EVENTS, "force", 'f', NULL, FLAG, EVENT(force), {0, 0, CLOSED},
        "replace FILE if it exists; default: refuse before anything is computed"),
    CHOICE_ROW(
        formats, EVENTS, "format", 0, "FORMAT", CHOICE, EVENT(format), {0, 0, CLOSED},
        "default: by FILE's name (.lhe .lheh5 .h5 .hdf5 .npy .txt .dat, .gz behind\n"
        "                             .lhe and text), else lhe if there are particles, or text"),
    ROW(EVENTS, "event-calls", 0, "N", WHOLE, EVENT(calls), {1, 1e18, CLOSED},
        "integrand calls for the events at most; default: as many as -n takes"),
    CHOICE_ROW(w_max_rules, EVENTS, "w-max", 0, "RULE", CHOICE, EVENT(w_max), {0, 0, CLOSED},
               "the weight that is accepted for certain; default: tail"),
    ROW(EVENTS, "tail", 0, "E", REAL, EVENT(tail), {0, 1, OPEN_LOW | OPEN_HIGH},
        "of --w-max tail: share of the weights that may lie above; default 1e-3"),
    ROW(EVENTS, "quantile", 0, "Q", REAL, EVENT(quantile), {0, 1, OPEN_LOW},
        "of --w-max quantile; default 0.999"),
    ROW(EVENTS, "whole-run", 0, NULL, FLAG, EVENT(whole_run), {0, 0, CLOSED},
        "a larger w_max that turns up later thins out the events before it"),
    ROW(EVENTS, "unit-weights", 0, NULL, FLAG, EVENT(unit_weights), {0, 0, CLOSED},
        "repeat overweight events instead of giving them weights"),
    ROW(RUNS | MATRIX_ELEMENT, "param", 'p', "KEY=VALUE", SETTING, MEMBER(settings), {0, 0, CLOSED},
        "set a parameter of the integrand; may be repeated"),
    ROW(RUNS, "dim", 'd', "D", SIZE, OPTION(dim), {1, 256, CLOSED},
        "dimensions; default as 'nis list' says, or SYMBOL_dim in a plug-in"),
    ROW(RUNS, "batch", 0, NULL, FLAG, MEMBER(batch), {0, 0, CLOSED},
        "the plug-in's symbol takes many points at once: a nis_batch_integrand of nis.h"),
    ROW(RUNS, "lower", 0, "L1,L2,...", TEXT, MEMBER(lower_text), {0, 0, CLOSED},
        "limits of a plug-in's coordinates, D or one for all, or -inf; default 0"),
    ROW(RUNS, "upper", 0, "U1,U2,...", TEXT, MEMBER(upper_text), {0, 0, CLOSED},
        "likewise, or inf; default 1"),
    ROW(RUNS, "calls", 'c', "N", WHOLE, OPTION(calls), {2, 1e18, CLOSED},
        "integrand calls in all, training included; default 1e6"),
    ROW(RUNS, "rel-error", 0, "E", REAL, OPTION(rel_error), {0, 1, OPEN_HIGH},
        "stop when the relative error is reached; default 0: never"),
    ROW(RUNS, "abs-error", 0, "E", REAL, OPTION(abs_error), {0, INFINITY, CLOSED},
        "stop when the absolute error is reached; default 0: never"),
    ROW(RUNS, "max-seconds", 0, "S", REAL, OPTION(max_seconds), {0, INFINITY, CLOSED},
        "wall time for the integral; default 0: no limit"),
    ROW(RUNS, "seed", 's', "S", WHOLE, OPTION(seed), {0, 0x1p64, CLOSED},
        "same seed, same numbers; default 0"),
    ROW(RUNS | BENCH, "threads", 't', "T", INT, OPTION(threads), {1, 1024, CLOSED},
        "default: all cores (OMP_NUM_THREADS)"),
    ROW(RUNS, "train-share", 0, "X", REAL, OPTION(train_share), {0, 1, OPEN_LOW | OPEN_HIGH},
        "share of the calls spent on training; default 0.4, 2e6 calls at most"),
    ROW(RUNS, "effort", 0, "X", REAL, OPTION(effort), {0, 1000, OPEN_LOW},
        "scales the gradient work; default 1"),
    ROW(RUNS, "layers", 0, "N", INT, OPTION(layers), {1, 64, CLOSED},
        "coupling layers; default 2 ceil(log2 D), 4 for D = 2, 1 for D = 1"),
    ROW(RUNS, "hidden-layers", 0, "N", INT, OPTION(hidden_layers), {1, 8, CLOSED},
        "hidden layers of each conditioner net; default 2"),
    ROW(RUNS, "hidden-width", 0, "N", INT, OPTION(hidden_width), {1, 1024, CLOSED},
        "units in each; default 32, 64 for 6 to 12 dimensions, 16 from 48 on"),
    ROW(RUNS, "bins", 0, "N", INT, OPTION(bins), {2, 128, CLOSED},
        "bins of each coordinate's map; default 16"),
    CHOICE_ROW(couplings, RUNS | BENCH, "coupling", 0, "NAME", CHOICE, OPTION(coupling),
               {0, 0, CLOSED}, "each coordinate's map; default rational-quadratic"),
    CHOICE_ROW(losses, RUNS, "loss", 0, "NAME", CHOICE, OPTION(loss), {0, 0, CLOSED},
               "training loss; default: kl, and variance for the last 45 % of the steps"),
    CHOICE_ROW(sign_words, RUNS, "signs", 0, "WAY", CHOICE, OPTION(signs), {0, 0, CLOSED},
               "a flow for each sign of f, or one for |f|; default apart"),
    CHOICE_ROW(point_sets, RUNS, "points", 0, "KIND", CHOICE, OPTION(points), {0, 0, CLOSED},
               "of the estimate; default: nets up to 64 dimensions without goal and time limit"),
    ROW(RUNS, "minibatch", 0, "N", INT, OPTION(minibatch), {64, 1048576, CLOSED},
        "points in a gradient step; default 1024, 512 below 2e5 training calls, 256 below 2e4"),
    ROW(RUNS, "replay", 0, "X", REAL, OPTION(replay), {0, 1000, OPEN_LOW},
        "gradient samples per training call; default 12, more below 4e5 training calls or\n"
        "                             4 dimensions, less for large nets; times the effort"),
    ROW(RUNS, "learning-rate", 0, "X", REAL, OPTION(learning_rate), {0, 1, OPEN_LOW},
        "Adam's at the start; default 4e-3, 2e-3 from 6 dimensions on"),
    ROW(BENCH, "quick", 0, NULL, FLAG, MEMBER(quick), {0, 0, CLOSED}, "fewer repeats and sizes"),
    ROW(BENCH, "runs", 0, NULL, FLAG, MEMBER(runs), {0, 0, CLOSED},
        "whole runs instead: seconds and bytes against dimensions, calls, threads"),
    ROW(RUNS, "replay-bytes", 0, "N", SIZE, OPTION(replay_bytes), {1, 1e18, CLOSED},
        "memory for stored training points; default 1 GiB"),
    ROW(INTEGRATE, "explain", 0, NULL, FLAG, MEMBER(explain), {0, 0, CLOSED},
        "say first which settings will be used, and why"),
    ROW(ALL, "json", 0, NULL, FLAG, MEMBER(json), {0, 0, CLOSED}, "print JSON instead of text"),
    ROW(RUNS, "quiet", 'q', NULL, FLAG, MEMBER(quiet), {0, 0, CLOSED},
        "no table and no progress line, only the result"),
    ROW(ALL, "help", 'h', NULL, FLAG, MEMBER(help), {0, 0, CLOSED}, "print this"),
    {0},
};

static int is_whole(const struct option_row *row)
{
  return row->type == INT || row->type == SIZE || row->type == WHOLE;
}

void option_describe(char text[RANGE_TEXT], const struct option_row *row)
{
  text[0] = '\0';
  if (row->type == CHOICE) snprintf(text, RANGE_TEXT, "one of %s", row->choices);
  if (is_whole(row) || row->type == REAL) describe_range(text, &row->range, is_whole(row));
}

static int wrong_value(const struct option_row *row, const char *text)
{
  char range[RANGE_TEXT];
  option_describe(range, row);
  return complain(BAD_USAGE, "--%s must be %s, got '%s'", row->name, range, text);
}

static int store_whole(const struct option_row *row, void *member, const char *text)
{
  uint64_t value;
  if (parse_whole(text, &row->range, &value)) return wrong_value(row, text);
  if (row->type == INT)
    *(int *)member = (int)value;
  else if (row->type == SIZE)
    *(size_t *)member = (size_t)value;
  else
    *(uint64_t *)member = value;
  return DONE;
}

static int store_real(const struct option_row *row, double *member, const char *text)
{
  return parse_real(text, &row->range, member) ? wrong_value(row, text) : DONE;
}

static int store_choice(const struct option_row *row, int *member, const char *text)
{
  size_t length = 0;
  int n = 0;
  for (const char *word = row->choices; *word; word += length + (word[length] == ','), n++) {
    length = strcspn(word, ",");
    if (strlen(text) != length || strncmp(text, word, length) != 0) continue;
    *member = n;
    return DONE;
  }
  return wrong_value(row, text);
}

static int store_text(const struct option_row *row, const char **member, const char *text)
{
  if (!*text) return complain(BAD_USAGE, "--%s must not be empty", row->name);
  *member = text;
  return DONE;
}

static int store_setting(struct arguments *arguments, const char *text)
{
  if (arguments->nsettings == MAX_SETTINGS)
    return complain(BAD_USAGE, "--param may be given %d times at most", MAX_SETTINGS);
  arguments->settings[arguments->nsettings++] = text;
  return DONE;
}

int option_store(const struct option_row *row, struct arguments *arguments, const char *text)
{
  void *member = (char *)arguments + row->offset;
  arguments->given |= (uint64_t)1 << (row - option_table);
  switch (row->type) {
  case FLAG: *(int *)member = 1; return DONE;
  case TEXT: return store_text(row, member, text);
  case SETTING: return store_setting(arguments, text);
  case REAL: return store_real(row, member, text);
  case CHOICE: return store_choice(row, member, text);
  default: return store_whole(row, member, text);
  }
}

int option_given(const struct arguments *arguments, const char *name)
{
  for (const struct option_row *row = option_table; row->name; row++)
    if (strcmp(row->name, name) == 0) return arguments->given >> (row - option_table) & 1;
  return 0;
}

static int lies_in(const struct option_row *row, size_t first, size_t size)
{
  return row->offset >= first && row->offset < first + size;
}

int option_is_setting(const struct option_row *row)
{
  return lies_in(row, offsetof(struct arguments, options), sizeof(nis_options));
}

void options_help(FILE *file, int command)
{
  for (const struct option_row *row = option_table; row->name; row++) {
    if (!(row->commands & command)) continue;
    char letter[8] = "    ", name[40];
    if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(name, sizeof name, "--%s %s", row->name, row->argument ? row->argument : "");
    fprintf(file, "  %s%-22s %s\n", letter, name, row->help);

    char range[RANGE_TEXT];
    option_describe(range, row);
    if (*range) fprintf(file, "  %26s %s\n", "", range);
  }
}

void option_format(char text[VALUE_TEXT], const struct option_row *row,
                   const struct arguments *arguments)
{
  const void *member = (const char *)arguments + row->offset;
  switch (row->type) {
  case REAL: format_number(text, *(const double *)member); break;
  case INT: snprintf(text, VALUE_TEXT, "%d", *(const int *)member); break;
  case SIZE: snprintf(text, VALUE_TEXT, "%zu", *(const size_t *)member); break;
  case WHOLE: snprintf(text, VALUE_TEXT, "%" PRIu64, *(const uint64_t *)member); break;
  case CHOICE: nth_word(text, row->choices, *(const int *)member); break;
  default: text[0] = '\0';
  }
}

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
  if (row->offset == OPTION(threads) || row->offset == OPTION(seed)) return 0;
  if (row->offset == EVENT(path) || row->offset == EVENT(format)) return 0;
  if (row->offset == EVENT(force)) return 0;
  if (row->offset == MEMBER(batch)) return 1;
  size_t events = offsetof(struct arguments, event_options);
  return option_is_setting(row) || lies_in(row, events, sizeof(nis_event_options));
}

static void print_option(FILE *file, const struct option_row *row,
                         const struct arguments *arguments)
{
  char text[VALUE_TEXT];
  option_format(text, row, arguments);
  fprintf(file, " --%s%s%s", row->name, *text ? " " : "", text);
}

static void print_box(FILE *file, const nis_options *o)
{
  if (o->lower) fputs(" --lower ", file), print_limits(file, o->dim, o->lower);
  if (o->upper) fputs(" --upper ", file), print_limits(file, o->dim, o->upper);
}

void options_print(FILE *file, const struct arguments *arguments)
{
  fprintf(file, "nis %s %s", arguments->command_name, arguments->row->name);
  for (const struct option_row *row = option_table; row->name; row++)
    if (decides_numbers(row) && option_given(arguments, row->name))
      print_option(file, row, arguments);
  print_box(file, &arguments->options);
  fprintf(file, " --seed %" PRIu64, arguments->options.seed);
  print_settings(file, arguments);
}

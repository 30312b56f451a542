/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arguments.h"

#include "message.h"
#include "options.h"
#include "plugin.h"
#include "report.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LONG = 256, LIST_TEXT = 2048, SENTENCE = 512 };

/* The table in the form that getopt_long wants. */
struct getopt_form {
  char letters[2 * MAX_OPTIONS + 2];
  struct option longs[MAX_OPTIONS + 1];
};

static void append(char list[LIST_TEXT], const char *before, const char *name)
{
  size_t used = strlen(list);
  snprintf(list + used, LIST_TEXT - used, "%s%s%s", used ? ", " : "", before, name);
}

static void make_form(struct getopt_form *form, int command)
{
  char *letter = form->letters;
  struct option *next = form->longs;
  *letter++ = ':'; /* report a missing value as ':', and never print */
  for (const struct option_row *row = option_rows(); *row->name; row++) {
    if (!(row->commands & command)) continue;
    int takes = row->argument ? required_argument : no_argument;
    *next++ = (struct option){row->name, takes, NULL, FIRST_LONG + (int)(row - option_rows())};
    if (!row->letter) continue;
    *letter++ = row->letter;
    if (row->argument) *letter++ = ':';
  }
  *letter = '\0';
  *next = (struct option){0};
}

static const struct option_row *find_option(const struct arguments *arguments, int code)
{
  const struct option_row *row = option_rows();
  if (code >= FIRST_LONG) return row + code - FIRST_LONG;
  while (*row->name && (row->letter != code || !(row->commands & arguments->command))) row++;
  return *row->name ? row : NULL;
}

static int unknown_option(const struct arguments *arguments, const char *text)
{
  char list[LIST_TEXT] = "";
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (row->commands & arguments->command) append(list, "--", row->name);
  return complain(BAD_USAGE, "unknown option '%s'; 'nis %s' knows %s", text,
                  arguments->command_name, list);
}

static int bad_option(const struct arguments *arguments, char **argv)
{
  if (optopt >= FIRST_LONG)
    return complain(BAD_USAGE, "--%s takes no value", find_option(arguments, optopt)->name);
  char letter[] = {'-', (char)optopt, '\0'};
  return unknown_option(arguments, optopt ? letter : argv[optind - 1]);
}

static int missing_value(const struct arguments *arguments)
{
  const struct option_row *row = find_option(arguments, optopt);
  return complain(BAD_USAGE, "--%s needs a value%s%s", row->name, row->library ? ": " : "",
                  row->library ? row->library->range : "");
}

static int parse_options(struct arguments *arguments, int argc, char **argv)
{
  struct getopt_form form;
  make_form(&form, arguments->command);
  int code, bad = DONE;
  while (!bad && (code = getopt_long(argc, argv, form.letters, form.longs, NULL)) != -1)
    bad = code == '?'   ? bad_option(arguments, argv)
          : code == ':' ? missing_value(arguments)
                        : option_store(find_option(arguments, code), arguments, optarg);
  return bad;
}

static int is_known(const struct arguments *arguments, const struct integrand *row)
{
  return arguments->command != MATRIX_ELEMENT || row->squared;
}

static void list_integrands(const struct arguments *arguments, char list[LIST_TEXT])
{
  list[0] = '\0';
  for (int i = 0; integrand_table[i]; i++)
    if (is_known(arguments, integrand_table[i])) append(list, "", integrand_table[i]->name);
}

static int refuse_plugin_options(const struct arguments *arguments)
{
  const char *name = arguments->name;
  if (arguments->batch)
    return complain(BAD_USAGE, "--batch is for plug-ins; '%s' is a built-in integrand", name);
  if (arguments->lower_text || arguments->upper_text)
    return complain(BAD_USAGE, "--%s is for plug-ins; '%s' is an integrand on the unit cube",
                    arguments->lower_text ? "lower" : "upper", name);
  if (arguments->discrete_text || arguments->options.channels)
    return complain(BAD_USAGE, "--%s is for plug-ins; 'nis list %s' says what '%s' has",
                    arguments->discrete_text ? "discrete" : "channels", name, name);
  return DONE;
}

static int unknown_name(const struct arguments *arguments)
{
  char list[LIST_TEXT];
  int elements = arguments->command == MATRIX_ELEMENT, runs = arguments->command & RUNS;
  list_integrands(arguments, list);
  if (!arguments->name)
    return complain(BAD_USAGE, "'nis %s' needs the name of %s; there are %s",
                    arguments->command_name, elements ? "a matrix element" : "an integrand", list);
  return complain(BAD_USAGE, "unknown %s '%s'; there are %s%s",
                  elements ? "matrix element" : "integrand", arguments->name, list,
                  runs ? ", and plug-ins FILE.so:SYMBOL" : "");
}

static int find_integrand(struct arguments *arguments)
{
  if (arguments->name) arguments->row = integrand_find(arguments->name);
  if (!arguments->row || !is_known(arguments, arguments->row)) return unknown_name(arguments);
  return refuse_plugin_options(arguments);
}

static int find_plugin(struct arguments *arguments)
{
  arguments->row = &arguments->plugin;
  if (arguments->command == LIST)
    return complain(BAD_USAGE, "'nis list' shows built-in integrands, got the plug-in '%s'",
                    arguments->name);
  if (arguments->nsettings)
    return complain(BAD_USAGE, "a plug-in has no parameters, got --param '%s'",
                    arguments->settings[0]);
  return plugin_load(&arguments->plugin, arguments->name,
                     arguments->batch ? &arguments->options.batch : NULL,
                     &arguments->options.channels, &arguments->plugin_observables);
}

static int check_saved_name(struct arguments *arguments)
{
  arguments->from = arguments->name;
  if (!arguments->from) return complain(BAD_USAGE, "'nis show' needs a FILE of 'nis train'");
  return report_check(arguments->report);
}

static int find_named(struct arguments *arguments)
{
  int named = arguments->name && arguments->command != MATRIX_ELEMENT;
  return named && plugin_is_named(arguments->name) ? find_plugin(arguments)
                                                   : find_integrand(arguments);
}

static int too_many(const struct arguments *arguments, const char *word)
{
  int command = arguments->command;
  return complain(BAD_USAGE, "unexpected argument '%s': 'nis %s' takes %s", word,
                  arguments->command_name,
                  command == BENCH            ? "none"
                  : command == MATRIX_ELEMENT ? "a name and a file"
                  : command == SHOW           ? "one file"
                  : command == COMPLETION     ? "bash or zsh"
                                              : "one integrand");
}

/* The file says what was trained: "NAME KEY=VALUE ...", or "FILE.so:SYMBOL" and perhaps --batch;
 * parameters on the command line come after it. */
static int read_saved(struct arguments *arguments)
{
  nis_saved *saved = &arguments->saved;
  const char *typed[MAX_SETTINGS];
  int ntyped = arguments->nsettings;
  int status = nis_inspect(arguments->from, saved);
  if (status != NIS_OK) return complain(exit_code(status), "%s", nis_last_error());
  memcpy(typed, arguments->settings, sizeof typed);
  arguments->nsettings = 0;
  char *rest, *word = strtok_r(saved->name, " ", &rest);
  if (!arguments->name) arguments->name = word;
  while (word && (word = strtok_r(NULL, " ", &rest))) {
    int bad = DONE;
    if (strcmp(word, "--batch") == 0)
      arguments->batch = 1;
    else
      bad = store_setting(arguments, word);
    if (bad) return bad;
  }
  for (int i = 0; i < ntyped; i++) {
    int bad = store_setting(arguments, typed[i]);
    if (bad) return bad;
  }
  if (!arguments->options.dim) arguments->options.dim = saved->options.dim;
  if (!arguments->options.seed) arguments->options.seed = saved->options.seed;
  return DONE;
}

static int check_pull(struct arguments *arguments)
{
  const char *text = arguments->pull_text;
  arguments->pull = 5;
  if (!text || (parse_real(text, &arguments->pull) == 0 && arguments->pull > 0)) return DONE;
  return complain(BAD_USAGE, "--pull must be a number above 0, got '%s'", text);
}

static int take_files(struct arguments *arguments, int argc, char **argv)
{
  arguments->files = (const char *const *)argv + optind;
  arguments->nfiles = argc - optind;
  if (arguments->command == COMPARE && arguments->nfiles < 2)
    return complain(BAD_USAGE, "'nis compare' needs two FILEs or more of 'nis integrate --json'");
  if (arguments->command == COMPARE) return check_pull(arguments);
  if (arguments->nfiles < 1) return complain(BAD_USAGE, "'nis merge' needs FILEs to merge");
  return arguments->output ? DONE : complain(BAD_USAGE, "'nis merge' needs -o FILE");
}

static int check_shell(struct arguments *arguments)
{
  const char *shell = arguments->shell = arguments->name;
  if (shell && (strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0)) return DONE;
  return complain(BAD_USAGE, "'nis completion' needs bash or zsh, got '%s'", shell ? shell : "");
}

static int take_name(struct arguments *arguments, int argc, char **argv)
{
  int command = arguments->command;
  if (command == MERGE || command == COMPARE) return take_files(arguments, argc, argv);
  if (optind < argc && command != BENCH) arguments->name = argv[optind++];
  if (optind < argc && command == MATRIX_ELEMENT) arguments->momenta = argv[optind++];
  if (optind < argc) return too_many(arguments, argv[optind]);
  if (command == SHOW) return check_saved_name(arguments);
  if (command == COMPLETION) return check_shell(arguments);
  if (command == BENCH || (command == LIST && !arguments->name)) return DONE;
  int bad = arguments->from ? read_saved(arguments) : DONE;
  return bad ? bad : find_named(arguments);
}

/* By the parameters too */
static int check_dim(struct arguments *arguments)
{
  const struct integrand *row = arguments->row;
  size_t *dim = &arguments->options.dim, usual = integrand_dim(row, arguments->values);
  size_t least = usual - row->dim_default + row->dim_min;
  size_t most = usual - row->dim_default + row->dim_max;
  if (!*dim) *dim = usual;
  if (!*dim)
    return complain(BAD_USAGE, "the plug-in '%s' needs --dim D; it exports no size_t %s_dim",
                    row->name, plugin_symbol(row->name));
  if (*dim >= least && *dim <= most) return DONE;
  if (least == most)
    return complain(BAD_USAGE, "--dim must be %zu for %s, got '%zu'", least, row->name, *dim);
  return complain(BAD_USAGE, "--dim must be a whole number between %zu and %zu for %s, got '%zu'",
                  least, most, row->name, *dim);
}

static int set_limits(struct arguments *arguments)
{
  nis_options *o = &arguments->options;
  if (arguments->lower_text) o->lower = arguments->lower;
  if (arguments->upper_text) o->upper = arguments->upper;
  int bad = parse_limits("lower", arguments->lower_text, o->dim, arguments->lower);
  return bad ? bad : parse_limits("upper", arguments->upper_text, o->dim, arguments->upper);
}

/* As the command line says, or else the integrand's row where the coupling can do it */
static int set_periodic(struct arguments *arguments)
{
  nis_options *o = &arguments->options;
  const struct integrand *row = arguments->row;
  int by_row = row->periodic && o->coupling != NIS_AFFINE && !arguments->from;
  for (size_t j = 0; j < o->dim; j++) arguments->periodic[j] = by_row && row->periodic(j);
  if (arguments->periodic_text || by_row) o->periodic = arguments->periodic;
  return parse_flags("periodic", arguments->periodic_text, o->dim, arguments->periodic);
}

/* As the command line says, or else the integrand's row, which knows them by its parameters */
static int set_discrete(struct arguments *arguments)
{
  nis_options *o = &arguments->options;
  const struct integrand *row = arguments->row;
  if (row->values) {
    void *state = integrand_make(row, o->dim, arguments->values);
    if (!state) return complain(FAILED, "no memory for the integrand '%s'", row->name);
    o->channels = integrand_discrete(row, state, o->dim, arguments->discrete);
    free(state);
  }
  if (arguments->discrete_text || row->values) o->discrete = arguments->discrete;
  return parse_counts("discrete", arguments->discrete_text, o->dim, arguments->discrete);
}

static int apply_settings(struct arguments *arguments)
{
  char sentence[SENTENCE];
  integrand_defaults(arguments->row, arguments->values);
  for (int i = 0; i < arguments->nsettings; i++)
    if (integrand_set(arguments->row, arguments->settings[i], arguments->values, sentence,
                      sizeof sentence))
      return complain(BAD_USAGE, "%s", sentence);
  return DONE;
}

static int check_output(const struct arguments *arguments)
{
  const nis_event_options *o = &arguments->event_options;
  if (!o->events && !o->calls)
    return complain(BAD_USAGE, "'nis events' needs -n N: how many, or --event-calls N");
  if (!o->path)
    return complain(BAD_USAGE, "'nis events' needs -o FILE, or -o - for standard output");
  return DONE;
}

/* What is about training has no meaning where none is to come. */
static int check_untrained(const struct arguments *arguments)
{
  static const char *const trained[] = {"rel-error",   "abs-error",   "call-seconds",
                                        "max-seconds", "train-share", "explain"};
  if (!arguments->from || arguments->command == TRAIN) return DONE;
  for (const struct option_row *row = option_rows(); *row->name; row++)
    for (size_t i = 0; i < sizeof trained / sizeof *trained; i++)
      if (option_given(arguments, row) && strcmp(row->name, trained[i]) == 0)
        return complain(BAD_USAGE, "--%s has no meaning with --from: nothing is trained",
                        row->name);
  return DONE;
}

/* As if it had been typed, so that the head of the file says it too */
static void set_option(struct arguments *arguments, const char *name, uint64_t value)
{
  char text[32];
  const struct option_row *row = option_rows();
  while (strcmp(row->name, name) != 0) row++;
  snprintf(text, sizeof text, "%" PRIu64, value);
  option_store(row, arguments, text);
}

/* The points of part K out of N; those of the parts before are passed over. */
static void cut_events(struct arguments *arguments)
{
  const nis_event_options *o = &arguments->event_options;
  uint64_t n = (uint64_t)arguments->parts, before = (uint64_t)arguments->part - 1;
  uint64_t each = o->calls / n, more = o->calls % n;
  set_option(arguments, "skip", o->skip + each * before + (before < more ? before : more));
  set_option(arguments, "event-calls", each + (before < more));
}

static int check_part(struct arguments *arguments)
{
  enum { MOST_PARTS = 1000000 };
  const nis_event_options *o = &arguments->event_options;
  const char *text = arguments->part_text;
  int end = 0, *part = &arguments->part, *parts = &arguments->parts;
  if (!text) return DONE;
  int read = sscanf(text, "%7d/%7d%n", part, parts, &end);
  if (read != 2 || text[end] || *part < 1 || *part > *parts || *parts > MOST_PARTS)
    return complain(BAD_USAGE, "--part must be K/N with 1 <= K <= N <= %d, got '%s'", MOST_PARTS,
                    text);
  if (!arguments->from)
    return complain(BAD_USAGE, "--part needs --from FILE: parts of one estimate have one flow");
  if (arguments->command == INTEGRATE) return DONE;
  if (o->events || o->whole_run || o->calls < (uint64_t)*parts)
    return complain(BAD_USAGE, "--part needs --event-calls N, a point for each part at least, and "
                               "neither -n nor --whole-run");
  cut_events(arguments);
  return DONE;
}

static int check_saving(const struct arguments *arguments)
{
  if (arguments->output) return DONE;
  return complain(BAD_USAGE, "'nis train' needs -o FILE, where the trained flow is saved");
}

static int check_momenta(const struct arguments *arguments)
{
  if (arguments->momenta && *arguments->momenta) return DONE;
  return complain(BAD_USAGE,
                  "'nis matrix-element' needs a FILE of momenta, or - for standard input");
}

int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
  int bad = parse_options(arguments, argc, argv);
  if (bad || arguments->help) return bad;
  if ((bad = take_name(arguments, argc, argv)) || !arguments->row) return bad;
  if ((bad = apply_settings(arguments)) || (bad = check_dim(arguments))) return bad;
  if ((bad = set_limits(arguments)) || (bad = set_periodic(arguments))) return bad;
  if ((bad = set_discrete(arguments))) return bad;
  if ((bad = histograms_check(arguments)) || (bad = report_check(arguments->report))) return bad;
  if ((bad = check_untrained(arguments)) || (bad = check_part(arguments))) return bad;
  if (arguments->command == MATRIX_ELEMENT) return check_momenta(arguments);
  if (arguments->command == TRAIN) return check_saving(arguments);
  return arguments->command == EVENTS ? check_output(arguments) : DONE;
}

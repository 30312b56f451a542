/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis: integrate and generate events from built-in integrands and plug-ins. */
#include "commands.h"
#include "message.h"
#include "options.h"
#include "streams.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

static const char names[] =
    "\nNAME is one of 'nis list', or FILE.so:SYMBOL, a function out of a shared object:"
    "\n  double SYMBOL(double *x, size_t dim, void *params);   params is NULL"
    "\nor with --batch a nis_batch_integrand of nis.h, with ncomp = 1. It is called from several"
    "\nthreads at once unless --serial is given. A 'const size_t SYMBOL_dim' in the file, if there"
    "\nis one, is the number of dimensions."
    "\nWith --from FILE.nis, what 'nis train' has saved, NAME and what defines it come out of the"
    "\nfile, and nothing is trained: 'integrate' adds --calls points to the estimate, or with "
    "another"
    "\n--seed makes an independent one; 'events' writes those of this --seed.\n";

static const char momenta[] =
    "\nFILE, or - for standard input, holds a line 'E px py pz' in GeV for each momentum of a "
    "point,"
    "\ne-, e+, q, qbar and the gluons, then those of the next point. Blank lines and lines that "
    "begin"
    "\nwith # are skipped. The value is averaged over the spins of the incoming two, summed over "
    "all"
    "\nother spins and colours, and in GeV^(8 - 2 n) for n momenta; cuts do not matter.\n";

static const struct command {
  const char *name;
  int bit;
  int (*run)(const struct arguments *arguments);
  const char *usage, *summary;
  const char *note; /* behind the options in its help, or NULL */
} commands[] = {
    {"list", LIST, list_command, "nis list [NAME] [--json]",
     "show the built-in integrands, or one of them in detail", NULL},
    {"integrate", INTEGRATE, integrate_command, "nis integrate NAME [options]",
     "train a flow on an integrand and integrate it; or integrate with a trained one", names},
    {"events", EVENTS, events_command, "nis events NAME -n N -o FILE [options]",
     "integrate, then write unweighted events; or write them with a trained flow", names},
    {"train", TRAIN, train_command, "nis train NAME -o FILE.nis [options]",
     "train a flow, integrate with it, and save it for other runs", names},
    {"show", SHOW, show_command, "nis show FILE.nis [options]", "say what is in a saved file",
     NULL},
    {"merge", MERGE, merge_command, "nis merge FILE FILE ... -o FILE",
     "add up saved estimates of one training, or put files of events together", NULL},
    {"bench", BENCH, bench_command, "nis bench [options]",
     "time the flow on this machine, as a share of what the core can do", NULL},
    {"matrix-element", MATRIX_ELEMENT, matrix_element_command,
     "nis matrix-element NAME FILE [options]", "print |M|^2 for momenta from a file, one a line",
     momenta},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
  for (int i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  return NULL;
}

static int unknown_command(const char *name)
{
  return complain(
      BAD_USAGE,
      "unknown command '%s'; there are list, integrate, events, train, show, merge, bench, "
      "matrix-element, help",
      name);
}

static int print_usage(FILE *file, int code)
{
  fputs("nis: neural importance sampling Monte Carlo\n\nusage:\n", file);
  for (int i = 0; i < COMMANDS; i++)
    fprintf(file, "  %-40s %s\n", commands[i].usage, commands[i].summary);
  fprintf(file, "  %-40s %s\n", "nis help [COMMAND]", "explain a command and its options");
  fprintf(file, "  %-40s %s\n", "nis --version", "print the version");
  fputs(
      "\nexit code: 0 success, 1 failure, 2 wrong usage, 3 the wanted error or number of events "
      "was not"
      "\n           reached or the time was over, 4 the error is not to be believed (the result is "
      "printed),"
      "\n           130 stopped by Ctrl-C or another signal (the result so far is printed)\n",
      file);
  return code;
}

static int print_help(const struct command *command)
{
  printf("usage: %s\n%s\n\noptions:\n", command->usage, command->summary);
  options_help(stdout, command->bit);
  if (command->note) fputs(command->note, stdout);
  return DONE;
}

static int help_command(int argc, char **argv)
{
  if (argc < 2) return print_usage(stdout, DONE);
  if (argc > 2) return complain(BAD_USAGE, "unexpected argument '%s' after help", argv[2]);
  const struct command *command = find_command(argv[1]);
  return command ? print_help(command) : unknown_command(argv[1]);
}

static int run_command(const struct command *command, int argc, char **argv)
{
  struct arguments arguments = {.command = command->bit, .command_name = command->name};
  int bad = arguments_parse(&arguments, argc, argv);
  if (bad) return bad;
  return arguments.help ? print_help(command) : command->run(&arguments);
}

/* argv[0] is the first word after "nis". */
static int dispatch(int argc, char **argv)
{
  if (argc < 1) return print_usage(stderr, BAD_USAGE);
  const char *word = argv[0];
  if (strcmp(word, "help") == 0) return help_command(argc, argv);
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return print_usage(stdout, DONE);
  if (strcmp(word, "--version") == 0) return printf("nis %s\n", nis_version()), DONE;
  const struct command *command = find_command(word);
  return command ? run_command(command, argc, argv) : unknown_command(word);
}

/* A full disk behind standard output must not pass for success. */
static int close_stdout(int code)
{
  int failed = ferror(stdout);
  errno = 0;
  if (failed) putchar('\n'); /* what failed before fails again, and says why */
  if (fclose(stdout) == 0 && !failed) return code;
  return complain(FAILED, "cannot write to standard output: %s",
                  errno ? strerror(errno) : "write error");
}

/* Numbers have a decimal point, also where a plug-in brings a locale of its own. */
static void keep_locale(void)
{
  uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

int main(int argc, char **argv)
{
  streams_prepare();
  keep_locale();
  return close_stdout(dispatch(argc - 1, argv + 1));
}

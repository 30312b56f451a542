/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis: integrate and generate events from built-in integrands and plug-ins. */
#include "commands.h"
#include "help.h"
#include "message.h"
#include "ranks.h"
#include "streams.h"

#include <errno.h>
#include <locale.h>
#include <string.h>

static const struct command *find_command(const char *name)
{
  const struct command *c = command_table;
  while (c->name && strcmp(c->name, name) != 0) c++;
  return c->name ? c : NULL;
}

static int unknown_command(const char *name)
{
  char list[256] = "";
  for (const struct command *c = command_table; c->name; c++) strcat(strcat(list, c->name), ", ");
  return complain(BAD_USAGE, "unknown command '%s'; there are %shelp", name, list);
}

static int help_command(int argc, char **argv)
{
  if (argc < 2) return help_all(stdout), DONE;
  if (argc > 2) return complain(BAD_USAGE, "unexpected argument '%s' after help", argv[2]);
  if (strcmp(argv[1], "--json") == 0) return help_json(), DONE;
  const struct command *command = find_command(argv[1]);
  return command ? help_one(command), DONE : unknown_command(argv[1]);
}

static int run_command(const struct command *command, int argc, char **argv)
{
  struct arguments arguments = {.command = command->bit, .command_name = command->name};
  int bad = ranks_begin();
  if (bad) return bad;
  bad = ranks_agree(arguments_parse(&arguments, argc, argv), last_complaint());
  if (bad) return ranks_end(bad);
  ranks_prepare(&arguments);
  if (arguments.help) return help_one(command), ranks_end(DONE);
  int idle = ranks_silent() && !(command->bit & RUNS);
  return ranks_end(idle ? DONE : command->run(&arguments));
}

/* argv[0] is the first word after "nis". */
static int dispatch(int argc, char **argv)
{
  if (argc < 1) return help_all(stderr), BAD_USAGE;
  const char *word = argv[0];
  if (strcmp(word, "help") == 0) return help_command(argc, argv);
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return help_all(stdout), DONE;
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

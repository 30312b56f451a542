/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nis completion: what shells complete words by, written out of the tables of commands, options and
 * integrands, so that it knows all that this nis knows.
 */
#include "commands.h"

#include "message.h"
#include "options.h"

#include <string.h>

/* What an option's value is */
enum value { NOTHING, WORDS, FILES, PARAMETERS, OBSERVABLES, SOMETHING };

static enum value value_of(const struct option_row *row)
{
  if (!row->argument) return NOTHING;
  if (row->library && row->library->type == NIS_OPTION_WORD) return WORDS;
  if (strcmp(row->argument, "FILE") == 0) return FILES;
  if (row->type == SETTING) return PARAMETERS;
  return row->type == HISTOGRAM ? OBSERVABLES : SOMETHING;
}

/* Those that the command knows */
static void print_integrands(const struct command *command)
{
  for (int i = 0; integrand_table[i]; i++)
    if (command->bit != MATRIX_ELEMENT || integrand_table[i]->squared)
      printf("%s ", integrand_table[i]->name);
}

static void print_commands(void)
{
  for (const struct command *c = command_table; c->name; c++) printf("%s ", c->name);
  printf("help");
}

/* "a,b,c" with blanks between */
static void print_words(const char *words)
{
  for (; *words; words++) putchar(*words == ',' ? ' ' : *words);
}

/* A function that sets `parameters` and `observables` to those of the integrand among the words */
static void print_rows(const char *words)
{
  printf("_nis_row() {\n  local word\n  parameters='' observables=''\n  for word in %s; do\n",
         words);
  puts("    case $word in");
  for (int i = 0; integrand_table[i]; i++) {
    const struct integrand *row = integrand_table[i];
    const struct observable *o = row->observables;
    printf("    %s) parameters='", row->name);
    for (const struct parameter *p = row->parameters; p->name; p++)
      printf("%s%s=", p == row->parameters ? "" : " ", p->name);
    fputs("' observables='", stdout);
    for (size_t j = 1; j <= row->dim_default; j++) printf("%sx%zu:", j > 1 ? " " : "", j);
    for (; o && o->name; o++) printf(" %s:", o->name);
    puts("'; return ;;");
  }
  puts("    esac\n  done\n}\n");
}

/* ---- bash ----------------------------------------------------------------------------------- */

static const char bash_head[] =
    "# bash completion for nis, as 'nis completion bash' prints it: . <(nis completion bash)\n\n";

static const char bash_begin[] =
    "_nis() {\n"
    "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  local options='' words='' files='' parameters observables\n"
    "  COMPREPLY=()\n"
    "  # --option=value comes as three words\n"
    "  if [[ $word == = || $before == = ]]; then\n"
    "    [[ $word == = ]] && word='' || before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    [[ $before == -* ]] || return 0\n"
    "  fi\n";

static const char bash_end[] =
    "  [[ $word == -* ]] && words=$options files=''\n"
    "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"\n"
    "    [[ $files ]] && compgen -f -- \"$word\")\n"
    "  [[ $files ]] && compopt -o filenames 2>/dev/null\n"
    "  [[ ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null\n"
    "  return 0\n"
    "}\n"
    "complete -F _nis nis\n";

/* "-c | --calls | --dim) ACTION ;;" for the options whose values are of a kind */
static void print_bash_values(const struct command *command, enum value kind, const char *action)
{
  int n = 0;
  for (const struct option_row *row = option_rows(); *row->name; row++) {
    if (!(row->commands & command->bit) || value_of(row) != kind) continue;
    fputs(n++ ? " | " : "    ", stdout);
    if (row->letter) printf("-%c | ", row->letter);
    printf("--%s", row->name);
  }
  if (n) printf(") options='' %s ;;\n", action);
}

static void print_bash_words(const struct command *command)
{
  for (const struct option_row *row = option_rows(); *row->name; row++) {
    if (!(row->commands & command->bit) || value_of(row) != WORDS) continue;
    printf("    --%s) options='' files='' words='", row->name);
    print_words(row->library->words);
    puts("' ;;");
  }
}

static void print_bash_command(const struct command *command)
{
  printf("  %s)\n    options='", command->name);
  for (const struct option_row *row = option_rows(); *row->name; row++) {
    if (!(row->commands & command->bit)) continue;
    if (row->letter) printf("-%c ", row->letter);
    printf("--%s ", row->name);
  }
  puts("'");
  if (command->bit & (RUNS | LIST | MATRIX_ELEMENT)) {
    fputs("    words='", stdout);
    print_integrands(command);
    puts("'");
  }
  if (command->bit & (RUNS | SHOW | MERGE | COMPARE | MATRIX_ELEMENT)) puts("    files=1");
  if (command->bit == COMPLETION) puts("    words='bash zsh'");
  puts("    case $before in");
  print_bash_words(command);
  print_bash_values(command, FILES, "words='' files=1");
  print_bash_values(command, PARAMETERS, "files='' words=$parameters");
  print_bash_values(command, OBSERVABLES, "files='' words=$observables");
  print_bash_values(command, SOMETHING, "files='' words=''");
  puts("    esac ;;");
}

static void print_bash(void)
{
  fputs(bash_head, stdout);
  print_rows("\"${COMP_WORDS[@]:2}\"");
  fputs(bash_begin, stdout);
  puts("  _nis_row\n  case $((COMP_CWORD > 1)):${COMP_WORDS[1]} in");
  fputs("  0:* | *:help) words='", stdout);
  print_commands();
  puts(
      "' options='--help --version' ;;\n  esac\n  ((COMP_CWORD == 1)) || case ${COMP_WORDS[1]} in");
  for (const struct command *c = command_table; c->name; c++) print_bash_command(c);
  puts("  esac");
  fputs(bash_end, stdout);
}

/* ---- zsh ------------------------------------------------------------------------------------ */

static const char zsh_head[] =
    "#compdef nis\n# zsh completion for nis, as 'nis completion zsh' prints it\n\n";

static const char zsh_values[] = "_nis_parameters() {\n"
                                 "  local parameters observables\n"
                                 "  _nis_row\n"
                                 "  compadd -S '' -- ${=parameters}\n"
                                 "}\n\n"
                                 "_nis_observables() {\n"
                                 "  local parameters observables\n"
                                 "  _nis_row\n"
                                 "  compadd -S '' -- ${=observables}\n"
                                 "}\n\n"
                                 "_nis_commands() {\n"
                                 "  local -a commands=(\n";

static const char zsh_main[] = "  )\n"
                               "  _describe command commands\n"
                               "}\n\n"
                               "_nis() {\n"
                               "  if ((CURRENT == 2)); then\n"
                               "    _nis_commands\n"
                               "    return\n"
                               "  fi\n"
                               "  local command=$words[2]\n"
                               "  shift words\n"
                               "  ((CURRENT--))\n"
                               "  case $command in\n"
                               "  help) _nis_commands ;;\n";

static const char zsh_end[] = "  esac\n"
                              "}\n\n"
                              "if [[ $funcstack[1] == _nis ]]; then\n"
                              "  _nis \"$@\"\n"
                              "else\n"
                              "  compdef _nis nis\n"
                              "fi\n";

/* Up to its first semicolon, inside of quotes '...', with a backslash before each of `special` */
static void print_quoted(const char *text, const char *special)
{
  for (; *text && *text != ';'; text++) {
    if (*text == '\'')
      fputs("'\\''", stdout);
    else
      printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
  }
}

static void print_zsh_value(const struct option_row *row)
{
  enum value value = value_of(row);
  if (value == NOTHING) return;
  putchar(':');
  print_quoted(row->argument, "\\:");
  putchar(':');
  switch (value) {
  case WORDS:
    putchar('(');
    print_words(row->library->words);
    putchar(')');
    break;
  case FILES: fputs("_files", stdout); break;
  case PARAMETERS: fputs("_nis_parameters", stdout); break;
  case OBSERVABLES: fputs("_nis_observables", stdout); break;
  default: putchar(' ');
  }
}

/* '(-c --calls)'{-c+,--calls=}'[help]:N: ' */
static void print_zsh_option(const struct option_row *row)
{
  const char *behind = row->argument ? "=" : "";
  int repeats = row->type == SETTING || row->type == HISTOGRAM;
  fputs(" \\\n      ", stdout);
  if (repeats)
    fputs("'*'", stdout);
  else if (row->letter)
    printf("'(-%c --%s)'", row->letter, row->name);
  if (row->letter)
    printf("{-%c%s,--%s%s}", row->letter, row->argument ? "+" : "", row->name, behind);
  else
    printf("--%s%s", row->name, behind);
  fputs("'[", stdout);
  print_quoted(row->help, "\\[]");
  putchar(']');
  print_zsh_value(row);
  putchar('\'');
}

static void print_zsh_command(const struct command *command)
{
  int bit = command->bit;
  printf("  %s)\n    _arguments -s", command->name);
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (row->commands & bit) print_zsh_option(row);
  if (bit & (RUNS | LIST | MATRIX_ELEMENT)) {
    fputs(" \\\n      '1:integrand:{ compadd -- ", stdout);
    print_integrands(command);
    printf("%s}'", bit & RUNS ? "; _files " : "");
  }
  if (bit & MATRIX_ELEMENT) fputs(" \\\n      '2:momenta:_files'", stdout);
  if (bit & (SHOW | MERGE | COMPARE)) fputs(" \\\n      '*:file:_files'", stdout);
  if (bit & COMPLETION) fputs(" \\\n      '1:shell:(bash zsh)'", stdout);
  puts(" ;;");
}

static void print_zsh(void)
{
  fputs(zsh_head, stdout);
  print_rows("$words");
  fputs(zsh_values, stdout);
  for (const struct command *c = command_table; c->name; c++) {
    printf("    '%s:", c->name);
    print_quoted(c->summary, "\\:");
    puts("'");
  }
  puts("    'help:explain a command and its options'");
  fputs(zsh_main, stdout);
  for (const struct command *c = command_table; c->name; c++) print_zsh_command(c);
  fputs(zsh_end, stdout);
}

int completion_command(const struct arguments *arguments)
{
  if (strcmp(arguments->shell, "bash") == 0)
    print_bash();
  else
    print_zsh();
  return DONE;
}

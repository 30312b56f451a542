/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "help.h"

#include "json.h"
#include "message.h"
#include "options.h"

static const struct {
  int code;
  const char *meaning;
} exits[] = {
    {DONE, "all well"},
    {FAILED, "failure"},
    {BAD_USAGE, "wrong usage"},
    {MISSED_GOAL, "the wanted error or number of events was not reached, or the time was over"},
    {DOUBTFUL, "the error is not to be believed (the result is printed)"},
    {INTERRUPTED, "stopped by Ctrl-C or another signal (the result so far is printed)"},
};

enum { EXITS = sizeof exits / sizeof *exits };

void help_all(FILE *file)
{
  fputs("nis: neural importance sampling Monte Carlo\n\nusage:\n", file);
  for (const struct command *c = command_table; c->name; c++)
    fprintf(file, "  %-40s %s\n", c->usage, c->summary);
  fprintf(file, "  %-40s %s\n", "nis help [COMMAND]", "explain a command and its options");
  fprintf(file, "  %-40s %s\n", "nis --version", "print the version");
  fputs("\nexit codes:\n", file);
  for (int i = 0; i < EXITS; i++) fprintf(file, "  %3d  %s\n", exits[i].code, exits[i].meaning);
}

void help_one(const struct command *command)
{
  printf("usage: %s\n%s\n\noptions:\n", command->usage, command->summary);
  options_help(stdout, command->bit);
  if (command->note) fputs(command->note, stdout);
}

static void json_text_or_null(struct json *json, const char *key, const char *text)
{
  if (text)
    json_text(json, key, text);
  else
    json_number(json, key, "null");
}

static void json_option(struct json *json, const struct option_row *row)
{
  const nis_option *library = row->argument ? row->library : NULL;
  char letter[] = {row->letter, '\0'};
  json_object(json, NULL);
  json_text(json, "name", row->name);
  json_text(json, "letter", letter);
  json_text_or_null(json, "argument", row->argument);
  json_text(json, "help", row->help);
  json_text_or_null(json, "default", library ? library->initial_text : NULL);
  json_text_or_null(json, "range", library ? library->range : NULL);
  json_array(json, "commands");
  for (const struct command *c = command_table; c->name; c++)
    if (row->commands & c->bit) json_text(json, NULL, c->name);
  json_end(json);
  json_end(json);
}

void help_json(void)
{
  struct json json = {.file = stdout};
  json_object(&json, NULL);
  json_text(&json, "version", nis_version());
  json_array(&json, "commands");
  for (const struct command *c = command_table; c->name; c++) {
    json_object(&json, NULL);
    json_text(&json, "name", c->name);
    json_text(&json, "usage", c->usage);
    json_text(&json, "summary", c->summary);
    json_text_or_null(&json, "note", c->note);
    json_end(&json);
  }
  json_end(&json);
  json_array(&json, "options");
  for (const struct option_row *row = option_rows(); *row->name; row++) json_option(&json, row);
  json_end(&json);
  json_object(&json, "exit_codes");
  for (int i = 0; i < EXITS; i++) {
    char code[16];
    snprintf(code, sizeof code, "%d", exits[i].code);
    json_text(&json, code, exits[i].meaning);
  }
  json_end(&json);
  json_end(&json);
}

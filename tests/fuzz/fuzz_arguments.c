/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines, a word a line: what is not refused is within its ranges, and prints in a form that
 * is read back as the same. */
#include "cli/arguments.h"
#include "cli/explain.h"
#include "cli/message.h"
#include "cli/numbers.h"
#include "cli/options.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { MOST_WORDS = 200 };

static const struct {
  const char *name;
  int bit;
} commands[] = {{"list", LIST},   {"integrate", INTEGRATE}, {"events", EVENTS},
                {"train", TRAIN}, {"bench", BENCH},         {"matrix-element", MATRIX_ELEMENT}};

/* A number that is read prints as one that reads the same. */
static void check_number(const char *word)
{
  double value, again;
  char text[NUMBER_TEXT];
  if (parse_real(word, &value)) return;
  if (!isfinite(value)) abort();
  format_number(text, value);
  if (parse_real(text, &again) || again != value) abort();
}

static void check_ranges(const struct arguments *a)
{
  const nis_options *o = &a->options;
  nis_options complete;
  if (!a->row) return;
  if (o->dim < a->row->dim_min || o->dim > a->row->dim_max || o->dim > NIS_MOST_DIM) abort();
  if (isnan(o->rel_error) || isnan(o->abs_error) || o->threads < 0 || o->threads > 1024) abort();
  if (!(a->command & RUNS)) return;
  /* The command's ranges are the library's. */
  if (nis_complete_options(o, &complete) == NIS_OK) {
    FILE *nowhere = fopen("/dev/null", "w");
    if (!nowhere) abort();
    explain_text(nowhere, a);
    options_print(nowhere, a);
    fclose(nowhere);
  }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  char *text = calloc(size + 1, 1), *argv[MOST_WORDS + 2], *rest = text;
  int argc = 1;
  if (size < 1) return free(text), 0;
  memcpy(text, data, size);
  size_t command = (unsigned char)text[0] % (sizeof commands / sizeof *commands);
  argv[0] = (char *)commands[command].name;
  rest = strchr(text, '\n');
  while (rest && argc <= MOST_WORDS) {
    *rest++ = '\0';
    argv[argc++] = rest;
    rest = strchr(rest, '\n');
  }
  argv[argc] = NULL;
  for (int i = 1; i < argc; i++) check_number(argv[i]);
  /* a plug-in would be code of whoever wrote the input */
  int plugin = 0;
  for (int i = 1; i < argc; i++) plugin |= strchr(argv[i], ':') != NULL;
  struct arguments a = {.command = commands[command].bit, .command_name = argv[0]};
  optind = 0; /* begins anew */
  if (!plugin) {
    int bad = arguments_parse(&a, argc, argv);
    if (bad != DONE && bad != BAD_USAGE && !(a.from && bad == FAILED)) abort(); /* no such file */
    if (bad == DONE && !a.help) check_ranges(&a);
  }
  free(text);
  return 0;
}

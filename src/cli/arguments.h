/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command line says. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "box.h"
#include "histograms.h"
#include "integrands.h"

enum { MAX_SETTINGS = 64, MAX_OPTIONS = 96 };

/* Subcommands, as bits for the option table. */
enum {
  LIST = 1,
  INTEGRATE = 2,
  EVENTS = 4,
  BENCH = 8,
  MATRIX_ELEMENT = 16,
  TRAIN = 32,
  SHOW = 64,
  MERGE = 128,
  COMPARE = 256,
  COMPLETION = 512,
  RUNS = INTEGRATE | EVENTS | TRAIN
};

struct arguments {
  int command;              /* one of the bits above */
  const char *command_name; /* "integrate" */

  const char *name;            /* of the integrand; NULL: none given */
  const struct integrand *row; /* of the table, or `plugin` */
  struct integrand plugin;
  double values[INTEGRAND_MAX_PARAMETERS];
  const char *settings[MAX_SETTINGS]; /* "key=value", in their order */
  int nsettings;

  nis_options options;                 /* without params, progress: those belong to the run */
  char given[MAX_OPTIONS];             /* [n]: is row n of the option table on the command line? */
  const char *lower_text, *upper_text; /* NULL: not given */
  double lower[NIS_MOST_DIM], upper[NIS_MOST_DIM];
  const char *periodic_text, *discrete_text; /* NULL: not given */
  int periodic[NIS_MOST_DIM], discrete[NIS_MOST_DIM];
  int batch; /* a plug-in takes many points at once */
  int json, quiet, help;
  int explain;     /* of integrate */
  int quick, runs; /* of bench */

  const char *from;   /* a file of nis_save, or NULL ... */
  nis_saved saved;    /* ... and what is in it */
  const char *output; /* such a file to write, or NULL */
  const char *part_text;
  int part, parts;          /* "3/10" of the points; 0: not given */
  const char *const *files; /* of merge and compare ... */
  int nfiles;               /* ... and how many they are */

  const char *pull_text; /* of compare: NULL: not given */
  double pull;           /* up to which results agree */

  const char *shell;   /* of completion: "bash" or "zsh" */
  const char *momenta; /* of matrix-element: the file, or "-" */

  const char *histogram_texts[MAX_HISTOGRAMS]; /* "O:B:LOW:HIGH", in their order */
  int nhistograms;
  const char *histogram_file;                      /* NULL: see histograms_path */
  const char *history;                             /* a file, or NULL */
  const char *report;                              /* likewise */
  const nis_plugin_observable *plugin_observables; /* or NULL */

  nis_event_options event_options; /* without particles and header */
};

/* Fills everything from argv (argv[0] is the subcommand). 0, or BAD_USAGE with a sentence
 * on stderr. With --help the rest may be missing. */
int arguments_parse(struct arguments *arguments, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* peers METHOD INTEGRAND [options]: one run, told as lines "key value" for peers.py, which makes
 * the table. METHOD is nis, vegas, miser; nis-cube: nis without a word of discrete coordinates;
 * vegas-channels: VEGAS in each channel; or show: the exact value; cost: the time of a call; or
 * serve: values for points that are read from a pipe. */
#include "peers.h"

#include <errno.h>
#include <gsl/gsl_errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE = 0, FAILED = 1, BAD_USAGE = 2, NOT_IN_TABLE = 3, SENTENCE = 512 };

static const char usage[] =
    "usage: peers nis|nis-cube|vegas|vegas-channels|miser|show|cost|serve INTEGRAND [-d DIM] "
    "[-p KEY=VALUE] [-c CALLS]\n             [-s SEED] [-t THREADS] "
    "[-e REL-ERROR] [-k CALL-SECONDS] [-f SECONDS-A-CALL] [-w WARMUP-SHARE] [-i ITERATIONS]\n";

static int complain(int code, const char *sentence)
{
  fprintf(stderr, "peers: %s\n", sentence);
  return code;
}

/* ---- the modes ----------------------------------------------------------------------- */

static int run(method *m, struct problem *problem, const struct plan *plan)
{
  struct outcome out = {0};
  if (m(problem, plan, &out)) return FAILED;
  printf("value %.17g\nerror %.17g\nseconds %.6f\n", out.value, out.error, out.seconds);
  printf("suspect %d\nspread %.6g\nefficiency %.6g\npoints %" PRIu64 "\n", out.suspect, out.spread,
         out.efficiency, out.points);
  printf("efficiency_tail %.6g\ncalls %" PRIuFAST64 "\n", out.efficiency_tail, problem->calls);
  return DONE;
}

static int show(const struct problem *problem)
{
  double exact;
  printf("dim %zu\n", problem->dim);
  if (problem->row->exact && problem->row->exact(problem->state, problem->dim, &exact))
    printf("exact %.17g\n", exact);
  return DONE;
}

static int answer(struct problem *problem, size_t n, double *x, double *f)
{
  if (fread(x, sizeof *x * problem->dim, n, stdin) != n) return -1;
  for (size_t i = 0; i < n; i++) f[i] = problem_cube(x + i * problem->dim, problem->dim, problem);
  return fwrite(f, sizeof *f, n, stdout) == n && fflush(stdout) == 0 ? 0 : -1;
}

/* A number n (8 bytes), then n points; back come n values. Until the pipe is closed. */
static int serve(struct problem *problem)
{
  uint64_t n;
  int bad = 0;
  while (!bad && fread(&n, sizeof n, 1, stdin) == 1) {
    double *x = calloc(n, sizeof *x * problem->dim), *f = calloc(n, sizeof *f);
    bad = !x || !f || answer(problem, n, x, f);
    free(x);
    free(f);
  }
  return bad ? complain(FAILED, "the points were cut short") : DONE;
}

static int dispatch(const char *word, struct problem *problem, const struct plan *plan)
{
  if (strcmp(word, "nis") == 0) return run(method_nis, problem, plan);
  if (strcmp(word, "nis-cube") == 0) return run(method_nis_cube, problem, plan);
  if (strcmp(word, "vegas-channels") == 0) return run(method_vegas_channels, problem, plan);
  if (strcmp(word, "vegas") == 0) return run(method_vegas, problem, plan);
  if (strcmp(word, "miser") == 0) return run(method_miser, problem, plan);
  if (strcmp(word, "show") == 0) return show(problem);
  if (strcmp(word, "cost") == 0) return print_cost(problem, plan) ? FAILED : DONE;
  if (strcmp(word, "serve") == 0) return serve(problem);
  return fputs(usage, stderr), BAD_USAGE;
}

/* ---- options ------------------------------------------------------------------------- */

static int set_parameter(struct problem *problem, const char *text)
{
  char sentence[SENTENCE];
  if (integrand_set(problem->row, text, problem->values, sentence, sizeof sentence) == 0) return 0;
  return complain(-1, sentence);
}

/* Whole numbers may be written 1e6. */
static int store(int letter, const char *text, struct problem *problem, struct plan *plan)
{
  char *end = NULL;
  if (letter == 'p') return set_parameter(problem, text);
  double number = letter == '?' ? -1 : strtod(text, &end);
  if (!(number >= 0 && number < 1e18) || *end) return -1;
  switch (letter) {
  case 'd': problem->dim = (size_t)number; return 0;
  case 'c': plan->calls = (uint64_t)number; return 0;
  case 's': plan->seed = (uint64_t)number; return 0;
  case 't': plan->threads = (int)number; return 0;
  case 'e': plan->goal = number; return 0;
  case 'k': plan->cost = number; return 0;
  case 'f': problem->spin = number; return 0;
  case 'w': plan->warmup = number; return 0;
  default: plan->iterations = (int)number; return 0;
  }
}

static int options(int argc, char **argv, struct problem *problem, struct plan *plan)
{
  int letter, bad = 0;
  while (!bad && (letter = getopt(argc, argv, "d:p:c:s:t:e:k:f:w:i:")) != -1)
    bad = store(letter, optarg, problem, plan);
  if (!bad && optind == argc && plan->calls >= 2 && plan->iterations >= 1 && plan->warmup < 1)
    return DONE;
  return fputs(usage, stderr), BAD_USAGE;
}

static int prepare(struct problem *problem)
{
  const struct integrand *row = problem->row;
  size_t usual = integrand_dim(row, problem->values), more = usual - row->dim_default;
  if (!problem->dim) problem->dim = usual;
  if (problem->dim < row->dim_min + more || problem->dim > row->dim_max + more)
    return complain(NOT_IN_TABLE, "no such dimension");
  problem->state = integrand_make(row, problem->dim, problem->values);
  return problem->state ? DONE : complain(FAILED, "out of memory");
}

/* GSL would abort the program on an error; here every status is looked at. */
int main(int argc, char **argv)
{
  struct problem problem = {0};
  struct plan plan = {.calls = 1000000, .warmup = 0.1, .iterations = 5};
  gsl_set_error_handler_off();
  if (argc < 3) return fputs(usage, stderr), BAD_USAGE;
  problem.row = integrand_find(argv[2]);
  if (!problem.row) return complain(NOT_IN_TABLE, "no such integrand");
  integrand_defaults(problem.row, problem.values);
  int bad = options(argc - 2, argv + 2, &problem, &plan);
  if (bad || (bad = prepare(&problem))) return bad;
  int code = dispatch(argv[1], &problem, &plan);
  free(problem.state);
  return code;
}

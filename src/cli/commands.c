/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of subcommands, with what their help says behind the options. */
#include "commands.h"

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

static const char pulls[] =
    "\nEach FILE, or - for standard input, holds what 'nis integrate --json' printed. All are "
    "compared"
    "\nwith the first; a pull is the difference over its error, where the results are taken as"
    "\nindependent, as those of other seeds are. Channels are compared where all have as many.\n"
    "\nexit code: 0 all pulls are within --pull, 1 one is not, 2 a file holds no result\n";

const struct command command_table[] = {
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
    {"compare", COMPARE, compare_command, "nis compare FILE FILE ... [options]",
     "do results agree? value, error, pull, calls, and what differs in the options", pulls},
    {"bench", BENCH, bench_command, "nis bench [options]",
     "time the flow on this machine, as a share of what the core can do", NULL},
    {"matrix-element", MATRIX_ELEMENT, matrix_element_command,
     "nis matrix-element NAME FILE [options]", "print |M|^2 for momenta from a file, one a line",
     momenta},
    {"completion", COMPLETION, completion_command, "nis completion bash|zsh",
     "print what that shell completes words by: . <(nis completion bash)", NULL},
    {NULL, 0, NULL, NULL, NULL, NULL},
};

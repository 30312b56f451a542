/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command under mpirun. Every process, a rank, runs the same command line, and the library
 * shares the calls of the integrand out among them; only rank 0 prints and writes files. MPI is
 * loaded, with libnis_mpi, when the environment says that there are several processes.
 */
#ifndef CLI_RANKS_H
#define CLI_RANKS_H

#include "arguments.h"

/* Joins the others, if there are any; DONE, or an exit code with a sentence. From then on ranks
 * above 0 are silent. */
int ranks_begin(void);

/* NULL: this process is alone */
const nis_ranks *ranks_world(void);
int ranks_silent(void); /* this rank is none that prints or writes */

/* Where all are at the same place: the exit code of the lowest rank whose `code` is not DONE. Where
 * that is another, rank 0 prints its sentence. */
int ranks_agree(int code, const char *sentence);

/* What rank 0 says */
int ranks_first(int value);

/* Files are rank 0's, and threads a share of the machine's where the user says nothing. */
void ranks_prepare(struct arguments *arguments);

/* One is gone: rank 0 ends the processes of all when it is through. */
void ranks_lost(void);

/* Leaves the others; returns `code`. */
int ranks_end(int code);

#endif

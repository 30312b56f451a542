/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The caller's world and the library's. A program may trap floating-point exceptions, round
 * upwards, flush small numbers to zero, write decimal commas; the library computes and writes the
 * same in each. So every public function enters its own world, where nothing traps, numbers round
 * to nearest and the locale is C, and leaves it in the end; the user's functions are called in the
 * user's world again.
 *
 * A C++ exception out of one of these is kept, the run ends as if the function had asked for that,
 * and it flies on where the public function that was called from outside is left.
 */
#ifndef NIS_HOST_H
#define NIS_HOST_H

#include "exception.h"

#include <fenv.h>
#include <locale.h>

/* What a public function has found */
struct host {
  int outermost; /* else it was called by another, and the rest is not set */
  fenv_t floats;
  locale_t locale;
  int cancel_state; /* a cancelled thread ends when the function is left */
  struct exception exception;
};

/* The first line of every public function; also clears nis_last_error(). */
#define NIS_ENTER()                                                                                \
  struct host host_ __attribute__((cleanup(nis_host_leave)));                                      \
  nis_host_enter(&host_)

void nis_host_enter(struct host *host);
void nis_host_leave(struct host *host);

/* For the threads of a team: into the library's world, once, and to work for a host. */
void nis_host_settle(void);
struct host *nis_host_current(void);
void nis_host_join(struct host *host);

/* Makes `call` call the user's function, in the user's world. Non-zero where it returns that, or an
 * exception came out of it, or was kept before (then it is not called), or nis_refuse() was called.
 * Takes some 200 ns: once for many points. `worker` is what nis_thread() says. */
int nis_host_call(nis_call *call, void *context, int worker);

/* What nis_extra() gives in the user's function that this thread is calling, until the next one */
void nis_host_set_extra(double *extra);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing that no signal cuts short and that raises none in the host: a reader that has gone and a
 * limit of file sizes are errors of the call, not the end of the process. */
#ifndef NIS_WRITING_H
#define NIS_WRITING_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct held_signals {
  sigset_t held, before; /* held: what is ours to swallow */
};

/* SIGPIPE and SIGXFSZ of this thread wait between these two, and are gone after them. errno stays.
 * */
void nis_hold_signals(struct held_signals *signals);
void nis_release_signals(const struct held_signals *signals);

/* All n bytes at that place of a regular file, or -1 with errno. */
int nis_write_at(int descriptor, const void *data, size_t n, uint64_t offset);

#endif

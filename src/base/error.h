/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failure is made in one place, with a sentence, and passed up by one macro. */
#ifndef NIS_ERROR_H
#define NIS_ERROR_H

#include "nis.h"

/* Keeps the sentence for nis_last_error() of this thread and returns status. */
int nis_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, and what the sentence said before comes after it. */
int nis_fail_too(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What nis_last_error() returns: room for all doubts and warnings of a run at once */
struct sentence {
  char text[1536];
};

/* From now on this thread's sentence is kept in *other; NULL: its own. Returns what was before, for
 * afterwards: a run inside of a callback has a sentence of its own. */
struct sentence *nis_use_sentence(struct sentence *other);

int nis_no_memory(void);
void nis_clear_error(void);

/* Passes every status but NIS_OK up to the caller. */
#define NIS_TRY(call)                                                                              \
  do {                                                                                             \
    int status_ = (call);                                                                          \
    if (status_ != NIS_OK) return status_;                                                         \
  } while (0)

#endif

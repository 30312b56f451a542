/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failure is made in one place, with a sentence, and passed up by one macro. */
#ifndef NIS_ERROR_H
#define NIS_ERROR_H

#include "nis.h"

/* Keeps the sentence for nis_last_error() of this thread and returns status. */
int nis_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

int nis_no_memory(void);
void nis_clear_error(void);

/* The sentence that callbacks of the user found, who may have called the library inside, to put back */
struct sentence {
  char text[512];
};

struct sentence nis_keep_error(void);
void nis_restore_error(const struct sentence *kept);

/* Passes every status but NIS_OK up to the caller. */
#define NIS_TRY(call)                                                                              \
  do {                                                                                             \
    int status_ = (call);                                                                          \
    if (status_ != NIS_OK) return status_;                                                         \
  } while (0)

#endif

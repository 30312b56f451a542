/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit codes of the command, and its one way to complain. */
#ifndef MESSAGE_H
#define MESSAGE_H

enum { DONE = 0, FAILED = 1, BAD_USAGE = 2, MISSED_GOAL = 3, DOUBTFUL = 4, INTERRUPTED = 130 };

/* Prints "nis: " and the sentence on stderr; returns `code`, so that it can be returned. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The latest sentence, or "" */
const char *last_complaint(void);

/* The exit code for a nis_status. */
int exit_code(int status);

/* The name of a nis_status in JSON: "ok", "stopped", ... */
const char *status_name(int status);

#endif

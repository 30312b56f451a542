/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include "run.h"

#include <stdio.h>

/* The result of a run for a person ... */
void report_text(FILE *file, const struct run *run);

/* ... as one JSON object ... */
void report_json(FILE *file, const struct run *run);

/* ... and as a page in the file of --report, with the JSON in it. DONE, or FAILED with a sentence.
 */
int report_html(const struct run *run, const char *json);

/* Can that file be written? path may be NULL. DONE, or an exit code with a sentence. */
int report_check(const char *path);

#endif

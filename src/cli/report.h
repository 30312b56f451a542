/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_H
#define REPORT_H

#include "run.h"

#include <stdio.h>

/* The result of a run for a person ... */
void report_text(FILE *file, const struct run *run);

/* ... and as one JSON object. */
void report_json(FILE *file, const struct run *run);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of nis_save that were tampered with, and what a handle out of one must survive. */
#ifndef SAVED_FILE_H
#define SAVED_FILE_H

#include "nis_events.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FILE_HEAD = 16, SECTION_HEAD = 16, SECTION_SUM = 4 };

/* Right checksums, so that the reader looks at what is wrong. */
static inline void repair_sums(unsigned char *bytes, size_t n)
{
  for (size_t at = FILE_HEAD;
       n >= SECTION_HEAD + SECTION_SUM && at <= n - SECTION_HEAD - SECTION_SUM;) {
    uint64_t length = 0, left = n - at - SECTION_HEAD - SECTION_SUM;
    for (int k = 0; k < 8; k++) length |= (uint64_t)bytes[at + 8 + (size_t)k] << 8 * k;
    if (length > left) return;
    size_t end = at + SECTION_HEAD + (size_t)length;
    uint32_t sum = (uint32_t)crc32(0, bytes + at, (uInt)(end - at));
    for (int k = 0; k < SECTION_SUM; k++) bytes[end + (size_t)k] = (unsigned char)(sum >> 8 * k);
    at = end + SECTION_SUM;
  }
}

/* Some of everything; what comes out is of no interest. */
static inline void use_handle(nis *s, size_t dim)
{
  enum { POINTS = 16 };
  nis_result r;
  nis_pulled_event event;
  double *x = calloc(POINTS * dim, sizeof *x);
  if (!x) abort();
  nis_current(s, &r);
  nis_sample(s, POINTS, x, NULL, NULL);
  nis_next_event(s, &(nis_event_options){.calls = 64}, &event);
  nis_estimate(s, 64, &r);
  nis_next_event(s, &(nis_event_options){.calls = 64, .w_max = NIS_W_MAX_QUANTILE}, &event);
  nis_train(s, 300);
  nis_estimate(s, 64, &r);
  free(x);
}

#endif

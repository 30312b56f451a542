/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in memory that grow at the end. */
#ifndef NIS_TEXT_H
#define NIS_TEXT_H

#include <stddef.h>

struct text {
  char *data; /* owned */
  size_t n, capacity;
  int short_of_memory; /* something could not be added */
};

void nis_text_clear(struct text *t);
void nis_text_bytes(struct text *t, const void *data, size_t n);
void nis_text_print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes at data + n; NULL when memory is short. */
char *nis_text_room(struct text *t, size_t n);

/* Compressed, a whole member of a .gz file; NIS_OK or NIS_NO_MEMORY */
int nis_text_pack(const struct text *plain, struct text *packed);
int nis_ends_with_gz(const char *name);

#endif

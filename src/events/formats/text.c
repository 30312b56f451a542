/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nis_text_clear(struct text *t)
{
  free(t->data);
  *t = (struct text){0};
}

char *nis_text_room(struct text *t, size_t n)
{
  if (t->n + n > t->capacity) {
    size_t capacity = 2 * t->capacity + n + 256;
    char *data = realloc(t->data, capacity);
    if (!data) {
      t->short_of_memory = 1;
      return NULL;
    }
    t->data = data;
    t->capacity = capacity;
  }
  return t->data + t->n;
}

void nis_text_bytes(struct text *t, const void *data, size_t n)
{
  char *room = nis_text_room(t, n);
  if (!room) return;
  memcpy(room, data, n);
  t->n += n;
}

/* With a decimal point whatever locale the host, or one of its threads, is in */
void nis_text_print(struct text *t, const char *format, ...)
{
  enum { LINE = 512 };
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
  va_list list, again;
  va_start(list, format);
  va_copy(again, list);
  char *room = nis_text_room(t, LINE);
  size_t n = room ? (size_t)vsnprintf(room, LINE, format, list) : 0;
  if (n >= LINE && (room = nis_text_room(t, n + 1))) vsnprintf(room, n + 1, format, again);
  if (room) t->n += n;
  va_end(again);
  va_end(list);
  uselocale(before);
  if (plain) freelocale(plain);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text.h"

#include "nis.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

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

int nis_ends_with_gz(const char *name)
{
  size_t n = strlen(name);
  return n >= 3 && strcmp(name + n - 3, ".gz") == 0;
}

/* Random digits hardly shrink below a half, whatever the effort. */
int nis_text_pack(const struct text *plain, struct text *packed)
{
  z_stream z = {.next_in = (unsigned char *)plain->data, .avail_in = (unsigned)plain->n};
  if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY))
    return NIS_NO_MEMORY;
  size_t most = deflateBound(&z, plain->n);
  packed->n = 0;
  z.next_out = (unsigned char *)nis_text_room(packed, most);
  z.avail_out = (unsigned)most;
  int status = z.next_out && deflate(&z, Z_FINISH) == Z_STREAM_END ? NIS_OK : NIS_NO_MEMORY;
  packed->n = most - z.avail_out;
  deflateEnd(&z);
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes JSON as it goes: commas, indentation, escapes. A key is NULL inside an array. */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 8 };

struct json {
  FILE *file;
  int depth;
  char closing[JSON_DEPTH]; /* of the open brackets */
  int filled[JSON_DEPTH];   /* does the bracket hold something already? */
};

/* Bytes of the UTF-8 sequence at s, 0 if it is not one (a file name may hold anything). */
int utf8_sequence(const unsigned char *s);

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); /* of the innermost; the outermost ends the line too */

void json_text(struct json *json, const char *key, const char *text);
void json_real(struct json *json, const char *key, double value); /* NaN, Inf: null */
void json_whole(struct json *json, const char *key, uint64_t value);
void json_int(struct json *json, const char *key, int value);
void json_number(struct json *json, const char *key, const char *text); /* written already */
void json_flag(struct json *json, const char *key, int value);

#endif

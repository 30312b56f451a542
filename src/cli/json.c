/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "json.h"

#include "numbers.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

static void new_line(struct json *json)
{
  fprintf(json->file, "\n%*s", 2 * json->depth, "");
}

int utf8_sequence(const unsigned char *s)
{
  static const struct {
    unsigned char low, high;
    int more;
    unsigned char second_low, second_high;
  } leads[] = {
      {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
      {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
      {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f}};
  for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
    if (s[0] < leads[i].low || s[0] > leads[i].high) continue;
    if (leads[i].more && (s[1] < leads[i].second_low || s[1] > leads[i].second_high)) return 0;
    for (int k = 2; k <= leads[i].more; k++)
      if (s[k] < 0x80 || s[k] > 0xbf) return 0;
    return leads[i].more + 1;
  }
  return 0;
}

static void quote(FILE *file, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  fputc('"', file);
  while (*s) {
    int bytes = utf8_sequence(s);
    if (*s == '"' || *s == '\\')
      fprintf(file, "\\%c", *s);
    else if (!bytes || *s < 0x20 || *s == 0x7f)
      fprintf(file, "\\u%04x", *s);
    else
      fwrite(s, 1, (size_t)bytes, file);
    s += bytes ? bytes : 1;
  }
  fputc('"', file);
}

static void begin(struct json *json, const char *key)
{
  if (json->depth) {
    int *filled = &json->filled[json->depth - 1];
    if (*filled) fputc(',', json->file);
    *filled = 1;
    new_line(json);
  }
  if (!key) return;
  quote(json->file, key);
  fputs(": ", json->file);
}

static void open_bracket(struct json *json, const char *key, char opening, char closing)
{
  assert(json->depth < JSON_DEPTH);
  begin(json, key);
  fputc(opening, json->file);
  json->closing[json->depth] = closing;
  json->filled[json->depth++] = 0;
}

void json_object(struct json *json, const char *key)
{
  open_bracket(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
  open_bracket(json, key, '[', ']');
}

void json_end(struct json *json)
{
  assert(json->depth > 0);
  json->depth--;
  if (json->filled[json->depth]) new_line(json);
  fputc(json->closing[json->depth], json->file);
  if (!json->depth) fputc('\n', json->file);
}

void json_text(struct json *json, const char *key, const char *text)
{
  begin(json, key);
  quote(json->file, text);
}

void json_real(struct json *json, const char *key, double value)
{
  char text[NUMBER_TEXT] = "null";
  if (isfinite(value)) format_number(text, value);
  begin(json, key);
  fputs(text, json->file);
}

void json_whole(struct json *json, const char *key, uint64_t value)
{
  begin(json, key);
  fprintf(json->file, "%" PRIu64, value);
}

void json_int(struct json *json, const char *key, int value)
{
  begin(json, key);
  fprintf(json->file, "%d", value);
}

void json_number(struct json *json, const char *key, const char *text)
{
  begin(json, key);
  fputs(text, json->file);
}

void json_flag(struct json *json, const char *key, int value)
{
  begin(json, key);
  fputs(value ? "true" : "false", json->file);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nis compare: results that 'nis integrate --json' wrote, all of them against the first. They are
 * taken as independent, so the error of a difference is that of both in quadrature.
 */
#include "commands.h"

#include "json.h"
#include "message.h"
#include "numbers.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ESTIMATE_WIDTH = 26, VALUE_WIDTH = 20, NAME_WIDTH = 20, MOST_NAME_WIDTH = 40 };

struct results {
  const struct arguments *arguments;
  int n;
  cJSON **root; /* [n], good ones as far as they are there; owned */
  int width;    /* of the files' names in a table */
  int channels; /* of all files, 0 where their numbers differ */
};

enum { WHOLE = -1 }; /* not a channel's part of a result */

struct difference {
  double value, error, pull; /* NaN where the one or the other has no value or no error */
};

/* ---- reading -------------------------------------------------------------------------------- */

static cJSON *get(const cJSON *object, const char *key)
{
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static double number(const cJSON *object, const char *key)
{
  const cJSON *value = get(object, key);
  return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* All of the file, to be freed; NULL with errno where that fails. "-" is standard input. */
static char *read_text(const char *path)
{
  char *text = NULL;
  size_t room = 0;
  FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
  if (!file) return NULL;
  errno = 0;
  ssize_t length = getdelim(&text, &room, '\0', file); /* JSON has no such byte */
  int bad = ferror(file) || length < 0 ? (errno ? errno : ENODATA) : 0;
  if (file != stdin) fclose(file);
  if (bad) free(text), text = NULL, errno = bad;
  return text;
}

static int line_of(const char *text, const char *place)
{
  int line = 1;
  for (; text < place; text++) line += *text == '\n';
  return line;
}

static int check(const char *path, const cJSON *root)
{
  if (!get(root, "value") || !get(root, "error"))
    return complain(BAD_USAGE, "'%s' is no result of 'nis integrate --json'", path);
  if (isnan(number(root, "value")) || isnan(number(root, "error")))
    return complain(BAD_USAGE, "'%s' has no value with an error: its run ended too early", path);
  return DONE;
}

static int read_one(const char *path, cJSON **root)
{
  char *text = read_text(path);
  const char *end;
  if (!text) return complain(BAD_USAGE, "cannot read '%s': %s", path, strerror(errno));
  *root = cJSON_ParseWithOpts(text, &end, 1);
  int bad = *root ? check(path, *root)
                  : complain(BAD_USAGE, "'%s' is no JSON: see line %d", path, line_of(text, end));
  free(text);
  return bad;
}

static int count_channels(const cJSON *root)
{
  return cJSON_GetArraySize(get(root, "channels"));
}

static int read_all(struct results *all)
{
  all->root = calloc((size_t)all->n, sizeof *all->root);
  if (!all->root) return complain(FAILED, "no memory for %d results", all->n);
  for (int i = 0; i < all->n; i++) {
    const char *path = all->arguments->files[i];
    int bad = read_one(path, &all->root[i]), length = (int)strlen(path);
    if (bad) return bad;
    if (length > all->width) all->width = length < MOST_NAME_WIDTH ? length : MOST_NAME_WIDTH;
  }
  all->channels = count_channels(all->root[0]);
  for (int i = 1; i < all->n; i++)
    if (count_channels(all->root[i]) != all->channels) all->channels = 0;
  return DONE;
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* A channel of file number i, or the WHOLE of it */
static const cJSON *part(const struct results *all, int i, int channel)
{
  return channel == WHOLE ? all->root[i]
                          : cJSON_GetArrayItem(get(all->root[i], "channels"), channel);
}

/* From the first file's */
static struct difference subtract(const struct results *all, int i, int channel)
{
  const cJSON *one = part(all, i, channel), *first = part(all, 0, channel);
  struct difference d = {.value = number(one, "value") - number(first, "value"),
                         .error = hypot(number(one, "error"), number(first, "error"))};
  d.pull = d.value == 0 && d.error == 0 ? 0 : d.value / d.error;
  return d;
}

/* Is each pull small enough? A channel without an error has none. */
static int agree(const struct results *all)
{
  for (int i = 1; i < all->n; i++)
    for (int k = WHOLE; k < all->channels; k++)
      if (fabs(subtract(all, i, k).pull) > all->arguments->pull) return 0;
  return 1;
}

/* ---- what differs --------------------------------------------------------------------------- */

/* A member of a result, or of an object in it; of what has a reason beside it, the value */
static const cJSON *member(const cJSON *root, const char *within, const char *key)
{
  const cJSON *value = get(within ? get(root, within) : root, key);
  return cJSON_IsObject(value) ? get(value, "value") : value;
}

static int is_same(const cJSON *one, const cJSON *other)
{
  return one == other || cJSON_Compare(one, other, 1);
}

/* Adds "key": [what each file has, or null], if that is not the same in all. */
static void note(const struct results *all, cJSON *differ, const char *within, const char *key)
{
  char name[2 * NAME_WIDTH];
  int same = 1, parameter = within && strcmp(within, "parameters") == 0;
  snprintf(name, sizeof name, "%s%s", parameter ? "param " : "", key);
  if (get(differ, name)) return;
  cJSON *values = cJSON_CreateArray();
  for (int i = 0; i < all->n; i++) {
    const cJSON *value = member(all->root[i], within, key);
    same = same && is_same(value, member(all->root[0], within, key));
    cJSON_AddItemToArray(values, value ? cJSON_Duplicate(value, 1) : cJSON_CreateNull());
  }
  if (same || !cJSON_AddItemToObject(differ, name, values)) cJSON_Delete(values);
}

static void note_all(const struct results *all, cJSON *differ, const char *within)
{
  for (int i = 0; i < all->n; i++) {
    const cJSON *value;
    cJSON_ArrayForEach (value, get(all->root[i], within)) note(all, differ, within, value->string);
  }
}

/* Of the problem and its options: those of the command lines, or, where all files are of --explain,
 * all settings. To be deleted. */
static cJSON *find_differing(const struct results *all)
{
  cJSON *differ = cJSON_CreateObject();
  int explained = 1;
  for (int i = 0; i < all->n; i++) explained &= get(all->root[i], "settings") != NULL;
  note(all, differ, NULL, "name");
  note(all, differ, NULL, "dim");
  note(all, differ, NULL, "seed");
  note_all(all, differ, "parameters");
  note_all(all, differ, explained ? "settings" : "options");
  return differ;
}

/* ---- as text -------------------------------------------------------------------------------- */

static void print_name(const struct results *all, const char *name)
{
  printf("%-*.*s ", all->width, all->width, name);
}

static void print_number(int width, double value)
{
  char text[NUMBER_TEXT] = "-";
  if (!isnan(value)) snprintf(text, sizeof text, "%.3g", value);
  printf(" %*s", width, text);
}

static void print_part(const struct results *all, int channel)
{
  char title[NAME_WIDTH] = "";
  if (channel != WHOLE) snprintf(title, sizeof title, "channel %d", channel);
  print_name(all, title);
  printf("%-*s %11s %8s %10s %10s%s\n", ESTIMATE_WIDTH, "value +- error", "difference", "pull",
         "calls", "efficiency", channel == WHOLE ? "    seconds" : "");
  for (int i = 0; i < all->n; i++) {
    const cJSON *one = part(all, i, channel);
    struct difference d = subtract(all, i, channel);
    char estimate[ESTIMATE_TEXT];
    format_estimate(estimate, number(one, "value"), number(one, "error"));
    print_name(all, all->arguments->files[i]);
    printf("%-*s", ESTIMATE_WIDTH, estimate);
    print_number(11, i ? d.value : NAN);
    print_number(8, i ? d.pull : NAN);
    printf(" %10.0f", number(one, "calls"));
    print_number(10, number(one, "efficiency"));
    if (channel == WHOLE) print_number(10, number(one, "seconds"));
    putchar('\n');
  }
  putchar('\n');
}

static void print_value(const cJSON *value)
{
  char text[NUMBER_TEXT] = "-";
  if (cJSON_IsNumber(value)) format_number(text, value->valuedouble);
  printf(" %-*s", VALUE_WIDTH, cJSON_IsString(value) ? value->valuestring : text);
}

static void print_differing(const struct results *all)
{
  cJSON *differ = find_differing(all);
  const cJSON *values, *value;
  if (cJSON_GetArraySize(differ) > 0) puts("differs, in the order of the files");
  cJSON_ArrayForEach (values, differ) {
    printf("  %-*s", NAME_WIDTH - 2, values->string);
    cJSON_ArrayForEach (value, values) print_value(value);
    putchar('\n');
  }
  if (cJSON_GetArraySize(differ) > 0) putchar('\n');
  cJSON_Delete(differ);
}

static void print_text(const struct results *all)
{
  for (int k = WHOLE; k < all->channels; k++) print_part(all, k);
  print_differing(all);
  printf("%s within %.3g errors of the first\n", agree(all) ? "all are" : "not all are",
         all->arguments->pull);
}

/* ---- as JSON -------------------------------------------------------------------------------- */

static void json_part(struct json *json, const struct results *all, int i, int channel)
{
  const cJSON *one = part(all, i, channel);
  struct difference d = subtract(all, i, channel);
  json_real(json, "value", number(one, "value"));
  json_real(json, "error", number(one, "error"));
  json_real(json, "difference", i ? d.value : NAN);
  json_real(json, "difference_error", i ? d.error : NAN);
  json_real(json, "pull", i ? d.pull : NAN);
  json_real(json, "calls", number(one, "calls"));
  json_real(json, "efficiency", number(one, "efficiency"));
}

static void json_file(struct json *json, const struct results *all, int i)
{
  json_object(json, NULL);
  json_text(json, "file", all->arguments->files[i]);
  json_part(json, all, i, WHOLE);
  json_real(json, "seconds", number(all->root[i], "seconds"));
  json_array(json, "channels");
  for (int k = 0; k < all->channels; k++) {
    json_object(json, NULL);
    json_part(json, all, i, k);
    json_end(json);
  }
  json_end(json);
  json_end(json);
}

static void json_differing(struct json *json, const struct results *all)
{
  cJSON *differ = find_differing(all);
  const cJSON *values, *value;
  json_object(json, "differ");
  cJSON_ArrayForEach (values, differ) {
    json_array(json, values->string);
    cJSON_ArrayForEach (value, values) {
      if (cJSON_IsString(value))
        json_text(json, NULL, value->valuestring);
      else
        json_real(json, NULL, cJSON_IsNumber(value) ? value->valuedouble : NAN);
    }
    json_end(json);
  }
  json_end(json);
  cJSON_Delete(differ);
}

static void print_json(const struct results *all)
{
  struct json json = {.file = stdout};
  json_object(&json, NULL);
  json_flag(&json, "agree", agree(all));
  json_real(&json, "most_pull", all->arguments->pull);
  json_array(&json, "files");
  for (int i = 0; i < all->n; i++) json_file(&json, all, i);
  json_end(&json);
  json_differing(&json, all);
  json_end(&json);
}

int compare_command(const struct arguments *arguments)
{
  struct results all = {.arguments = arguments, .n = arguments->nfiles, .width = NAME_WIDTH};
  int code = read_all(&all);
  if (code == DONE) {
    if (arguments->json)
      print_json(&all);
    else
      print_text(&all);
    code = agree(&all) ? DONE : FAILED;
  }
  for (int i = 0; all.root && i < all.n; i++) cJSON_Delete(all.root[i]);
  free(all.root);
  return code;
}

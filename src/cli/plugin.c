/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin.h"

#include "box.h"
#include "message.h"

#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <string.h>

enum { SYMBOL_TEXT = 1024 };

int plugin_is_named(const char *name)
{
  return strpbrk(name, "/:") || strstr(name, ".so");
}

const char *plugin_symbol(const char *name)
{
  const char *colon = strrchr(name, ':');
  return colon && !strchr(colon, '/') ? colon + 1 : "";
}

static int check_name(const char *name)
{
  const char *symbol = plugin_symbol(name);
  for (const char *c = name; *c; c++)
    if (iscntrl((unsigned char)*c)) /* it becomes a line in the head of event files */
      return complain(BAD_USAGE, "the name of a plug-in must not hold control characters");
  if (!*symbol || symbol == name + 1)
    return complain(BAD_USAGE, "a plug-in is FILE.so:SYMBOL, got '%s'", name);
  if (strlen(name) + 3 > PATH_MAX || strlen(symbol) + sizeof "_channels" > SYMBOL_TEXT)
    return complain(BAD_USAGE, "the name of a plug-in is too long: '%.40s...'", name);
  return DONE;
}

/* Never closed: threads of its own may still be running in it. NULL with a sentence on failure. */
static void *open_library(const char *name)
{
  char path[PATH_MAX];
  int length = (int)(plugin_symbol(name) - 1 - name);
  /* without a slash the loader would look in the system's folders */
  const char *here = memchr(name, '/', (size_t)length) ? "" : "./";
  snprintf(path, sizeof path, "%s%.*s", here, length, name);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) complain(FAILED, "cannot load the plug-in: %s", dlerror());
  return library;
}

/* A size_t SYMBOL_suffix of the file, or NULL; symbol has its name then. */
static const size_t *find_number(void *library, const char *name, const char *suffix,
                                 char symbol[SYMBOL_TEXT])
{
  snprintf(symbol, SYMBOL_TEXT, "%s_%s", plugin_symbol(name), suffix);
  return dlsym(library, symbol);
}

static int set_numbers(struct integrand *row, void *library, size_t *channels)
{
  char symbol[SYMBOL_TEXT];
  const size_t *counted = find_number(library, row->name, "channels", symbol);
  if (counted && *channels == 0) *channels = *counted;
  const size_t *dim = find_number(library, row->name, "dim", symbol);
  if (!dim) return DONE;
  if (*dim < 1 || *dim > NIS_MOST_DIM)
    return complain(FAILED, "%s must be between 1 and %d, got '%zu' in the plug-in '%s'", symbol,
                    NIS_MOST_DIM, *dim, row->name);
  row->dim_min = row->dim_max = row->dim_default = *dim;
  return DONE;
}

static int no_symbol(const char *name)
{
  return complain(FAILED,
                  "the plug-in '%s' has no symbol '%s'; C++ needs extern \"C\" for it, "
                  "Fortran bind(c)",
                  name, plugin_symbol(name));
}

int plugin_load(struct integrand *row, const char *name, nis_batch_integrand **batch,
                size_t *channels)
{
  static const struct parameter none = {0};
  int bad = check_name(name);
  if (bad) return bad;
  void *library = open_library(name);
  if (!library) return FAILED;
  void *symbol = dlsym(library, plugin_symbol(name));
  if (!symbol) return no_symbol(name);
  *row = (struct integrand){
      .name = name, .dim_min = 1, .dim_max = NIS_MOST_DIM, .parameters = &none, .unit = ""};
  if (batch)
    *batch = (nis_batch_integrand *)symbol;
  else
    row->f = (nis_integrand *)symbol;
  return set_numbers(row, library, channels);
}

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
  if (strlen(name) + 3 > PATH_MAX || strlen(symbol) + sizeof "_observables" > SYMBOL_TEXT)
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

static const void *find(void *library, const char *name, const char *ending)
{
  char symbol[SYMBOL_TEXT];
  snprintf(symbol, sizeof symbol, "%s%s", plugin_symbol(name), ending);
  return dlsym(library, symbol);
}

static int set_numbers(struct integrand *row, void *library, size_t *channels)
{
  const size_t *counted = find(library, row->name, "_channels");
  if (counted && *channels == 0) *channels = *counted;
  const size_t *dim = find(library, row->name, "_dim");
  if (!dim) return DONE;
  if (*dim < 1 || *dim > NIS_MOST_DIM)
    return complain(FAILED, "%s_dim must be between 1 and %d, got '%zu' in the plug-in '%s'",
                    plugin_symbol(row->name), NIS_MOST_DIM, *dim, row->name);
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
                size_t *channels, const nis_plugin_observable **observables)
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
  *observables = find(library, name, "_observables");
  return set_numbers(row, library, channels);
}

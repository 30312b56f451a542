/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* dladdr, secure_getenv */
#include "module.h"

#include "base/error.h"
#include "base/memory.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FOLDERS = 5, PATH_ROOM = 4096 };

static char *head_of(const struct event_file *file)
{
  struct text head = {0};
  nis_print_head(&head, file, "", 0);
  nis_text_bytes(&head, "", 1);
  if (head.short_of_memory) nis_text_clear(&head);
  return head.data;
}

const struct format_services nis_format_services = {.interface = FORMAT_INTERFACE,
                                                    .version = NIS_VERSION,
                                                    .fail = nis_fail,
                                                    .output_failed = nis_output_failed,
                                                    .make_particles = nis_make_particles,
                                                    .no_particles = nis_no_particles,
                                                    .head = head_of};

/* Where modules may be */
struct folders {
  int n;
  char name[MOST_FOLDERS][PATH_ROOM];
};

static void add(struct folders *folders, const char *base, const char *below)
{
  char *name = folders->name[folders->n];
  int length = snprintf(name, PATH_ROOM, "%s%s", base, below);
  if (length > 0 && length < PATH_ROOM) folders->n++;
}

/* The folder of the shared library, or of the program that this is linked to */
static int own_folder(char *name)
{
  Dl_info here;
  char *path = dladdr(&nis_format_services, &here) ? realpath(here.dli_fname, NULL) : NULL;
  char *slash = path ? strrchr(path, '/') : NULL;
  int length = slash ? snprintf(name, PATH_ROOM, "%.*s", (int)(slash - path), path) : -1;
  free(path);
  return length >= 0 && length < PATH_ROOM;
}

/* $NIS_MODULES; beside the library; for a program, where its prefix has libraries, and the folder
 * above, which is that of the library where both are built; and where this was to be installed. */
static void list_folders(struct folders *folders)
{
  char own[PATH_ROOM];
  const char *given = secure_getenv("NIS_MODULES");
  folders->n = 0;
  if (given && *given) add(folders, given, "");
  if (own_folder(own)) {
    add(folders, own, "");
    if (NIS_LIBDIR[0] != '/') add(folders, own, "/../" NIS_LIBDIR);
    add(folders, own, "/..");
  }
  add(folders, NIS_MODULE_DIR, "");
}

static int not_found(const char *module, const struct folders *folders)
{
  char list[256] = "";
  size_t used = 0;
  for (int i = 0; i < folders->n && used < sizeof list; i++)
    used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ":" : "", folders->name[i]);
  return nis_fail(NIS_INVALID,
                  "these files need libnis_%s.so, which comes with libnis when that is built where "
                  "lib%s-dev is installed; looked for in %s (NIS_MODULES names one more folder)",
                  module, module, list);
}

static int load(const char *path, const struct event_format **formats)
{
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!module) return nis_fail(NIS_INVALID, "cannot load %s", dlerror());
  void *symbol = dlsym(module, FORMAT_MODULE);
  format_module *get;
  memcpy(&get, &symbol, sizeof get); /* C has no cast from one to the other */
  *formats = symbol ? get(&nis_format_services) : NULL;
  if (*formats) return NIS_OK;
  return nis_fail(NIS_INVALID, "%s is not of this libnis, %s, or not of the HDF5 that is loaded",
                  path, NIS_VERSION);
}

static int find(const char *module, const struct event_format **formats)
{
  char path[PATH_ROOM + 64];
  struct folders *folders = NIS_NEW(struct folders, 1); /* much, for the stack of a thread */
  if (!folders) return nis_no_memory();
  list_folders(folders);
  int k = 0;
  for (; k < folders->n; k++) {
    snprintf(path, sizeof path, "%s/libnis_%s.so", folders->name[k], module);
    if (access(path, F_OK) == 0) break;
  }
  int status = k < folders->n ? load(path, formats) : not_found(module, folders);
  free(folders);
  return status;
}

int nis_format_load(const char *module, nis_event_format number, const struct event_format **format)
{
  const struct event_format *formats;
  NIS_TRY(find(module, &formats));
  for (; formats->name; formats++) {
    *format = formats;
    if (formats->number == number) return NIS_OK;
  }
  return nis_fail(NIS_INVALID, "libnis_%s.so has no format number %d", module, (int)number);
}

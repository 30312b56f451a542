/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formats that need a library of others are in a shared object of their own, which is loaded when
 * such a file is asked for, so that the rest does not need that library. It is not linked to this
 * one, whose symbols are hidden or in a program: what it calls of it is in a table. What keeps no
 * state, as events/writing.c, is compiled into both.
 */
#ifndef NIS_FORMAT_MODULE_H
#define NIS_FORMAT_MODULE_H

#include "format.h"

/* To be raised when a struct that both sides see changes; the versions must agree too. */
enum { FORMAT_INTERFACE = 2 };

struct format_services {
  int interface;
  const char *version;
  int (*fail)(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
  int (*output_failed)(const struct output *output);
  int (*make_particles)(const struct event_file *file, const nis_event_block *block, size_t first,
                        size_t n, int worker, nis_event *events);
  int (*no_particles)(void);
  char *(*head)(const struct event_file *file); /* the lines of nis_print_head, to be freed */
};

/* The one symbol of a module, by this name: its formats, after which a name is NULL; NULL where it
 * is made for another library than that of the services. */
typedef const struct event_format *format_module(const struct format_services *services);
#define FORMAT_MODULE "nis_format_module"

/* The format of this number from a module like "hdf5"; NIS_INVALID, with a sentence that says what
 * is missing. */
int nis_format_load(const char *module, nis_event_format number,
                    const struct event_format **format);

extern const struct format_services nis_format_services;

#endif

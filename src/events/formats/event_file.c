/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event_file.h"

#include "base/error.h"
#include "module.h"
#include "numerics/weights.h"

#include <stdio.h>
#include <string.h>

static const struct event_format formats[] = {
    {"LHE", NIS_FORMAT_LHE, 1, 0, &nis_lhe_stream, nis_stream_begin, nis_stream_write,
     nis_stream_end},
    {"LHE 3.0", NIS_FORMAT_LHE3, 1, 0, &nis_lhe3_stream, nis_stream_begin, nis_stream_write,
     nis_stream_end},
    {"NPY", NIS_FORMAT_NPY, 0, 1, &nis_npy_stream, nis_stream_begin, nis_stream_write,
     nis_stream_end},
    {"text", NIS_FORMAT_TEXT, 0, 0, &nis_text_stream, nis_stream_begin, nis_stream_write,
     nis_stream_end},
};

/* Those that are in a module */
static const struct {
  nis_event_format number;
  const char *module;
} loaded_formats[] = {{NIS_FORMAT_LHEH5, "hdf5"}, {NIS_FORMAT_HDF5, "hdf5"}};

static const struct ending {
  const char *text;
  nis_event_format number;
} endings[] = {{".lhe", NIS_FORMAT_LHE},   {".lheh5", NIS_FORMAT_LHEH5}, {".h5", NIS_FORMAT_HDF5},
               {".hdf5", NIS_FORMAT_HDF5}, {".npy", NIS_FORMAT_NPY},     {".txt", NIS_FORMAT_TEXT},
               {".dat", NIS_FORMAT_TEXT}};

enum { ENDINGS = sizeof endings / sizeof *endings };

static int ends_with(const char *name, size_t n, const char *ending)
{
  size_t length = strlen(ending);
  return n > length && strncmp(name + n - length, ending, length) == 0;
}

/* Without ".gz" */
static size_t plain_length(const char *path)
{
  size_t n = strlen(path);
  return ends_with(path, n, ".gz") ? n - strlen(".gz") : n;
}

static const struct ending *find_ending(const char *path)
{
  for (size_t i = 0; i < ENDINGS; i++)
    if (ends_with(path, plain_length(path), endings[i].text)) return &endings[i];
  return NULL;
}

static nis_event_format number_of(const nis_event_options *o)
{
  const struct ending *ending = find_ending(o->path);
  if (o->format != NIS_FORMAT_BY_NAME) return o->format;
  if (ending) return ending->number;
  return o->particles ? NIS_FORMAT_LHE : NIS_FORMAT_TEXT;
}

/* A dot inside of the last part of the name, neither its first nor its last byte */
static int has_ending(const char *path)
{
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t n = plain_length(path) - (size_t)(name - path);
  return n > 2 && memchr(name + 1, '.', n - 2) != NULL;
}

/* A file whose name promises another format would be of no use to its reader. */
static int check_ending(const nis_event_options *o)
{
  char known[128] = "";
  if (o->format != NIS_FORMAT_BY_NAME || !has_ending(o->path) || find_ending(o->path))
    return NIS_OK;
  for (size_t i = 0, used = 0; i < ENDINGS; i++)
    used += (size_t)snprintf(known + used, sizeof known - used, " %s", endings[i].text);
  return nis_fail(NIS_INVALID,
                  "%s: no format has this ending; known are%s, of LHE and text also with .gz; "
                  "options.format (nis events --format) goes with any name",
                  o->path, known);
}

static int find(nis_event_format number, const struct event_format **format)
{
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    *format = &formats[i];
    if (formats[i].number == number) return NIS_OK;
  }
  for (size_t i = 0; i < sizeof loaded_formats / sizeof *loaded_formats; i++)
    if (loaded_formats[i].number == number)
      return nis_format_load(loaded_formats[i].module, number, format);
  return nis_fail(NIS_INVALID, "format must be between %d and %d, got %d", NIS_FORMAT_BY_NAME,
                  NIS_FORMAT_TEXT, (int)number);
}

int nis_event_format_check(nis_event_format number)
{
  const struct event_format *unused;
  return number == NIS_FORMAT_BY_NAME ? NIS_OK : find(number, &unused);
}

static int choose(const nis_event_options *o, const struct event_format **format)
{
  NIS_TRY(find(number_of(o), format));
  if ((*format)->needs_particles && !o->particles)
    return nis_fail(NIS_INVALID, "%s: %s events need particles, which this integrand has not",
                    o->path, (*format)->name);
  if ((*format)->needs_file && ends_with(o->path, strlen(o->path), ".gz"))
    return nis_fail(NIS_INVALID, "%s: %s is not compressed; text is, and LHE", o->path,
                    (*format)->name);
  return NIS_OK;
}

/* The format of a file and its place; the place is to be discarded or opened. */
static int find_place(struct event_file *file)
{
  const nis_event_options *o = file->options;
  NIS_TRY(choose(o, &file->format));
  NIS_TRY(nis_output_find(&file->output, o->path, o->force));
  if (file->output.is_file) return check_ending(o);
  if (!file->format->needs_file) return NIS_OK;
  return nis_fail(NIS_INVALID, "%s: %s needs a file, not a pipe or a device", file->output.name,
                  file->format->name);
}

int nis_event_file_open(struct event_file *file, const nis_event_options *o,
                        const struct event_run *run)
{
  *file = (struct event_file){
      .options = o, .run = run, .services = &nis_format_services, .output.descriptor = -1};
  int status = find_place(file);
  if (status == NIS_OK) status = nis_output_open(&file->output, run->monitor);
  if (status != NIS_OK) nis_output_discard(&file->output);
  return status;
}

/* A FIFO is not opened: its reader would take the closing for the end. */
int nis_event_file_check(const nis_event_options *o)
{
  struct event_file file = {.options = o, .output.descriptor = -1};
  int status = find_place(&file);
  if (status == NIS_OK && !file.output.is_fifo) status = nis_output_open(&file.output, NULL);
  nis_output_discard(&file.output);
  return status;
}

static int begin(struct event_file *file, const nis_event_block *first)
{
  const struct event_run *run = file->run;
  file->all_one = file->options->unit_weights && run->weights->negatives == 0;
  return file->format->begin(file, first);
}

/* The head has promised that there is none. */
static int check_signs(const struct event_file *file, const nis_event_block *block)
{
  for (size_t i = 0; file->all_one && file->format->needs_particles && i < block->n; i++)
    if (block->weight[i] < 0)
      return nis_fail(
          NIS_NO_FILE,
          "%s: a negative weight after %llu events of weight 1, for which a Les Houches "
          "file has no place; whole_run knows of it in time",
          file->output.name, (unsigned long long)file->events);
  return NIS_OK;
}

int nis_event_file_write(struct event_file *file, const nis_event_block *block, size_t *taken)
{
  *taken = 0;
  if (file->events == 0) NIS_TRY(begin(file, block));
  NIS_TRY(check_signs(file, block));
  return file->format->write(file, block, taken);
}

int nis_event_file_close(struct event_file *file)
{
  int status = file->format->end(file);
  if (status == NIS_OK && file->events > 0)
    status = nis_output_commit(&file->output);
  else
    nis_output_discard(&file->output);
  if (status != NIS_OK && file->output.is_file) file->events = 0;
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "output.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_direct(const char *name)
{
  struct stat info;
  return stat(name, &info) == 0 && !S_ISREG(info.st_mode);
}

/* An existing file is replaced by renaming, which would not ask for its permission. */
static int is_protected(const char *path)
{
  return access(path, F_OK) == 0 && access(path, W_OK) != 0;
}

static int make_names(struct output *output)
{
  output->path = realpath(output->name, NULL);
  if (!output->path) output->path = strdup(output->name);
  if (!output->path) return -1;
  if (is_protected(output->path)) return -1;
  size_t size = strlen(output->path) + sizeof ".part";
  output->part = malloc(size);
  if (!output->part) return -1;
  snprintf(output->part, size, "%s.part", output->path);
  return 0;
}

static void forget(struct output *output)
{
  free(output->path);
  free(output->part);
  output->path = output->part = NULL;
}

static FILE *open_file(struct output *output)
{
  if (strcmp(output->name, "-") == 0) {
    output->name = "standard output";
    return stdout;
  }
  if (is_direct(output->name)) return fopen(output->name, "w");
  return make_names(output) ? NULL : fopen(output->part, "w");
}

int output_open(struct output *output, const char *name)
{
  *output = (struct output){.name = name};
  output->file = open_file(output);
  if (output->file) return DONE;
  complain(FAILED, "cannot write %s: %s", name, strerror(errno));
  forget(output);
  return FAILED;
}

static void note_error(struct output *output)
{
  if (!output->error) output->error = errno ? errno : EIO;
}

int output_flush(struct output *output)
{
  if (fflush(output->file) || ferror(output->file)) note_error(output);
  return output->error;
}

static void close_file(struct output *output)
{
  if (output->file == stdout) return; /* main closes it */
  if (fclose(output->file)) note_error(output);
}

int output_commit(struct output *output, char *message, size_t size)
{
  output_flush(output);
  close_file(output);
  if (output->part && !output->error && rename(output->part, output->path)) note_error(output);
  if (output->part && output->error) remove(output->part);
  if (output->error)
    snprintf(message, size, "cannot write %s: %s", output->name, strerror(output->error));
  forget(output);
  return output->error ? FAILED : DONE;
}

void output_discard(struct output *output)
{
  close_file(output);
  if (output->part) remove(output->part);
  forget(output);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "output.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_AND_WRITE_FOR_ALL = 0666 }; /* less the umask */

int nis_output_failed(const struct output *output)
{
  return nis_fail(NIS_NO_FILE, "cannot write %s: %s", output->name, strerror(errno ? errno : EIO));
}

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
  if (!output->path || is_protected(output->path)) return -1;
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
  output->descriptor = -1;
}

static int open_descriptor(struct output *output)
{
  if (strcmp(output->name, "-") == 0) {
    output->name = "standard output";
    return dup(STDOUT_FILENO);
  }
  if (is_direct(output->name)) return open(output->name, O_WRONLY | O_CLOEXEC);
  if (make_names(output)) return -1;
  return open(output->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, READ_AND_WRITE_FOR_ALL);
}

int nis_output_open(struct output *output, const char *name)
{
  *output = (struct output){.name = name};
  errno = 0;
  output->descriptor = open_descriptor(output);
  if (output->descriptor >= 0) return NIS_OK;
  nis_output_failed(output);
  forget(output);
  return NIS_NO_FILE;
}

int nis_output_is_file(const struct output *output)
{
  return output->part != NULL;
}

static int write_all(struct output *output, const char *data, size_t n)
{
  while (n > 0) {
    ssize_t written = write(output->descriptor, data, n);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return -1;
    data += written;
    n -= (size_t)written;
  }
  return 0;
}

int nis_output_write(struct output *output, const void *data, size_t n)
{
  errno = 0;
  if (write_all(output, data, n)) {
    nis_output_failed(output);
    nis_output_truncate(output, output->size);
    return NIS_NO_FILE;
  }
  output->size += n;
  return NIS_OK;
}

int nis_output_rewrite(struct output *output, uint64_t offset, const void *data, size_t n)
{
  errno = 0;
  if (pwrite(output->descriptor, data, n, (off_t)offset) != (ssize_t)n)
    return nis_output_failed(output);
  return NIS_OK;
}

int nis_output_truncate(struct output *output, uint64_t size)
{
  if (!nis_output_is_file(output)) return NIS_NO_FILE;
  errno = 0;
  if (ftruncate(output->descriptor, (off_t)size) ||
      lseek(output->descriptor, (off_t)size, SEEK_SET) < 0)
    return nis_output_failed(output);
  output->size = size;
  return NIS_OK;
}

int nis_output_commit(struct output *output)
{
  errno = 0;
  int failed = close(output->descriptor);
  if (!failed && output->part) failed = rename(output->part, output->path);
  if (failed) {
    nis_output_failed(output);
    if (output->part) remove(output->part);
  }
  forget(output);
  return failed ? NIS_NO_FILE : NIS_OK;
}

void nis_output_discard(struct output *output)
{
  if (output->descriptor >= 0) close(output->descriptor);
  if (output->part) remove(output->part);
  forget(output);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spool.h"

#include "base/error.h"
#include "base/writing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not /tmp, which often lies in memory. */
static const char *folder(void)
{
  const char *name = getenv("TMPDIR");
  return name && *name ? name : "/var/tmp";
}

static int failed(const char *what)
{
  return nis_fail(NIS_NO_FILE, "cannot %s a temporary file in %s: %s", what, folder(),
                  strerror(errno ? errno : EIO));
}

int nis_spool_open(struct spool *spool, size_t width)
{
  char name[PATH_MAX];
  *spool = (struct spool){.width = width};
  errno = ENAMETOOLONG;
  if (snprintf(name, sizeof name, "%s/nis-XXXXXX", folder()) >= (int)sizeof name)
    return failed("make");
  spool->descriptor = mkstemp(name);
  if (spool->descriptor < 0) return failed("make");
  unlink(name);
  fcntl(spool->descriptor, F_SETFD, FD_CLOEXEC);
  spool->is_open = 1;
  return NIS_OK;
}

void nis_spool_close(struct spool *spool)
{
  if (spool->is_open) close(spool->descriptor);
  *spool = (struct spool){0};
}

int nis_spool_add(struct spool *spool, const double *rows, size_t n)
{
  size_t row = spool->width * sizeof *rows;
  if (nis_write_at(spool->descriptor, rows, n * row, spool->rows * row)) return failed("write");
  spool->rows += n;
  return NIS_OK;
}

void nis_spool_rewind(struct spool *spool)
{
  spool->read = 0;
}

int nis_spool_read(struct spool *spool, double *rows, size_t most, size_t *n)
{
  uint64_t left = spool->rows - spool->read;
  size_t row = spool->width * sizeof *rows, done = 0;
  *n = most < left ? most : (size_t)left;
  while (done < *n * row) {
    errno = 0;
    ssize_t got = pread(spool->descriptor, (char *)rows + done, *n * row - done,
                        (off_t)(spool->read * row + done));
    if (got <= 0 && errno != EINTR) return failed("read");
    done += got > 0 ? (size_t)got : 0;
  }
  spool->read += *n;
  return NIS_OK;
}

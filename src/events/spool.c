/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spool.h"

#include "base/error.h"

#include <errno.h>
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
  char name[4096];
  *spool = (struct spool){.width = width};
  errno = ENAMETOOLONG;
  if (snprintf(name, sizeof name, "%s/nis-XXXXXX", folder()) >= (int)sizeof name)
    return failed("make");
  int descriptor = mkstemp(name);
  if (descriptor < 0) return failed("make");
  unlink(name);
  spool->file = fdopen(descriptor, "w+b");
  if (spool->file) return NIS_OK;
  close(descriptor);
  return failed("make");
}

void nis_spool_close(struct spool *spool)
{
  if (spool->file) fclose(spool->file);
  *spool = (struct spool){0};
}

int nis_spool_add(struct spool *spool, const double *rows, size_t n)
{
  errno = 0;
  if (fwrite(rows, spool->width * sizeof *rows, n, spool->file) != n) return failed("write");
  spool->rows += n;
  return NIS_OK;
}

int nis_spool_rewind(struct spool *spool)
{
  errno = 0;
  if (fflush(spool->file)) return failed("write");
  return fseek(spool->file, 0, SEEK_SET) ? failed("read") : NIS_OK;
}

int nis_spool_read(struct spool *spool, double *rows, size_t most, size_t *n)
{
  errno = 0;
  *n = fread(rows, spool->width * sizeof *rows, most, spool->file);
  return ferror(spool->file) ? failed("read") : NIS_OK;
}

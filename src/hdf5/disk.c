/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "disk.h"

#include "base/writing.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 2)
#include <H5FDdevelop.h>
#endif

/* HDF5's headers compare versions in every use of a flag, and abort: nis_format_module compares
 * them, and says so. */
#undef H5CHECK
#define H5CHECK

struct part {
  struct part *next;
  haddr_t at;
  size_t n;
  unsigned char bytes[];
};

/* What HDF5 knows of the file */
struct opened {
  H5FD_t base; /* its own, comes first */
  struct disk *disk;
  haddr_t end; /* of what is in use */
};

/* What the file's properties hold */
struct target {
  struct disk *disk;
};

static H5FD_t *open_disk(const char *name, unsigned flags, hid_t properties, haddr_t most)
{
  const struct target *target = H5Pget_driver_info(properties);
  struct opened *file = target ? calloc(1, sizeof *file) : NULL;
  (void)name, (void)flags, (void)most;
  if (file)
    file->disk = target->disk;
  else if (target)
    target->disk->error = ENOMEM;
  return (H5FD_t *)file;
}

static herr_t close_disk(H5FD_t *file)
{
  free(file);
  return 0;
}

/* As HDF5's driver for plain files */
static herr_t query(const H5FD_t *file, unsigned long *flags)
{
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t kind)
{
  (void)kind;
  return ((const struct opened *)file)->end;
}

static herr_t set_end(H5FD_t *file, H5FD_mem_t kind, haddr_t end)
{
  (void)kind;
  ((struct opened *)file)->end = end;
  return 0;
}

static haddr_t get_size(const H5FD_t *file, H5FD_mem_t kind)
{
  const struct disk *disk = ((const struct opened *)file)->disk;
  struct stat info;
  haddr_t size = fstat(disk->descriptor, &info) ? 0 : (haddr_t)info.st_size;
  (void)kind;
  for (const struct part *part = disk->kept; part; part = part->next)
    if (part->at + part->n > size) size = part->at + part->n;
  return size;
}

static void read_part(const struct part *part, haddr_t at, size_t n, unsigned char *to)
{
  haddr_t from = part->at > at ? part->at : at;
  haddr_t end = part->at + part->n < at + n ? part->at + part->n : at + n;
  if (from < end) memcpy(to + (from - at), part->bytes + (from - part->at), (size_t)(end - from));
}

/* Beyond the end there are zeros. */
static herr_t read_disk(H5FD_t *file, H5FD_mem_t kind, hid_t how, haddr_t at, size_t n, void *to)
{
  const struct disk *disk = ((struct opened *)file)->disk;
  (void)kind, (void)how;
  memset(to, 0, n);
  for (size_t done = 0; done < n;) {
    ssize_t got = pread(disk->descriptor, (char *)to + done, n - done, (off_t)(at + done));
    if (got < 0 && errno != EINTR) return -1;
    if (got == 0) break;
    if (got > 0) done += (size_t)got;
  }
  for (const struct part *part = disk->kept; part; part = part->next) read_part(part, at, n, to);
  return 0;
}

static herr_t keep(struct disk *disk, haddr_t at, size_t n, const void *from)
{
  struct part *part = malloc(sizeof *part + n);
  if (!part) return -1;
  *part = (struct part){.at = at, .n = n};
  memcpy(part->bytes, from, n);
  *disk->end = part;
  disk->end = &part->next;
  return 0;
}

static herr_t write_disk(H5FD_t *file, H5FD_mem_t kind, hid_t how, haddr_t at, size_t n,
                         const void *from)
{
  struct disk *disk = ((struct opened *)file)->disk;
  (void)kind, (void)how;
  if (!disk->error && nis_write_at(disk->descriptor, from, n, at))
    disk->error = errno ? errno : ENOSPC;
  return disk->error ? keep(disk, at, n, from) : 0;
}

/* The file becomes as long as what is in use. */
static herr_t truncate_disk(H5FD_t *file, hid_t how, hbool_t closing)
{
  const struct opened *f = (struct opened *)file;
  struct disk *disk = f->disk;
  struct held_signals signals;
  (void)how, (void)closing;
  nis_hold_signals(&signals); /* this may make it longer, beyond a limit of file sizes */
  if (!disk->error && get_size(file, H5FD_MEM_DEFAULT) != f->end &&
      ftruncate(disk->descriptor, (off_t)f->end))
    disk->error = errno;
  nis_release_signals(&signals);
  return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 2)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)0x6e69, /* of those for drivers that are not registered */
#endif
    .name = "nis",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct target),
    .open = open_disk,
    .close = close_disk,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_size,
    .read = read_disk,
    .write = write_disk,
    .truncate = truncate_disk,
    .fl_map = H5FD_FLMAP_DICHOTOMY};

hid_t nis_disk_create(struct disk *disk, int descriptor)
{
  *disk = (struct disk){.descriptor = descriptor, .driver = H5FDregister(&driver)};
  disk->end = &disk->kept;
  struct target target = {disk};
  hid_t how = H5Pcreate(H5P_FILE_ACCESS), file = -1;
  if (disk->driver >= 0 && H5Pset_driver(how, disk->driver, &target) >= 0)
    file = H5Fcreate("nis", H5F_ACC_TRUNC, H5P_DEFAULT, how);
  H5Pclose(how);
  if (file < 0) nis_disk_clear(disk);
  return file;
}

void nis_disk_clear(struct disk *disk)
{
  if (disk->driver > 0) H5FDunregister(disk->driver);
  while (disk->kept) {
    struct part *part = disk->kept;
    disk->kept = part->next;
    free(part);
  }
  disk->end = &disk->kept;
  disk->driver = 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "output.h"

#include "error.h"
#include "writing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ_AND_WRITE_FOR_ALL = 0666 /* less the umask */, MODES = 0777, MOST_LINKS = 40 };
enum { TICK = 100 /* ms between two looks at what is waited for */, LAST_TICKS = 20 };

int nis_output_failed(const struct output *output)
{
  if (errno == ENOMEM) return nis_no_memory();
  return nis_fail(NIS_NO_FILE, "cannot write %s: %s", output->name, strerror(errno ? errno : EIO));
}

/* ---- what a name stands for ------------------------------------------------------------- */

/* The number in "/dev/fd/1" and the like, or -1. Opened by that name, a regular file would be
 * another one, which begins at 0 and which the shell's >> does not reach. */
static int descriptor_named(const char *path)
{
  static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    size_t n = strlen(folders[i]);
    const char *number = strncmp(path, folders[i], n) == 0 ? path + n : "";
    size_t digits = strspn(number, "0123456789");
    if (digits > 0 && digits < 6 && !number[digits]) return atoi(number);
  }
  return -1;
}

static size_t folder_length(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static char *join(const char *folder, size_t n, const char *name)
{
  char *path = malloc(n + strlen(name) + 1);
  if (path) sprintf(path, "%.*s%s", (int)n, folder, name);
  return path;
}

/* Follows symbolic links, also to a file that is yet to be made. To be freed; NULL with errno. */
static char *follow_links(const char *name)
{
  char target[PATH_MAX], *path = strdup(name);
  for (int links = 0; path && descriptor_named(path) < 0; links++) {
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0) return path; /* no link, or something that opening will complain of */
    target[n] = '\0';
    char *next = join(path, target[0] == '/' ? 0 : folder_length(path), target);
    free(path);
    path = next;
    if (links < MOST_LINKS) continue;
    free(path);
    errno = ELOOP;
    return NULL;
  }
  return path;
}

/* The host may change its folder before the file is complete. */
static char *make_absolute(const char *path)
{
  size_t n = folder_length(path);
  char *folder = n ? join(path, n, "") : strdup("."),
       *real = folder ? realpath(folder, NULL) : NULL;
  char *joined = real ? malloc(strlen(real) + strlen(path) + 2) : NULL;
  if (joined) sprintf(joined, "%s/%s", real, path + n);
  free(folder);
  free(real);
  return joined;
}

static int refuse(const struct output *output)
{
  return nis_fail(NIS_NO_FILE,
                  "cannot write %s: it exists already; options.force (nis events --force) replaces "
                  "it",
                  output->name);
}

/* A regular file, or none yet. Replacing it by another would not ask for its own permission. */
static int find_file(struct output *output, const struct stat *info)
{
  output->is_file = 1;
  output->exists = info != NULL;
  if (!info) return NIS_OK;
  output->mode = info->st_mode & MODES;
  output->owner = info->st_uid;
  output->group = info->st_gid;
  if (!output->force) return refuse(output);
  return access(output->path, W_OK) ? nis_output_failed(output) : NIS_OK;
}

static int find_path(struct output *output, const char *path)
{
  struct stat info;
  output->path = make_absolute(path);
  if (!output->path) return nis_output_failed(output);
  if (stat(output->path, &info))
    return errno == ENOENT ? find_file(output, NULL) : nis_output_failed(output);
  if (S_ISREG(info.st_mode)) return find_file(output, &info);
  output->is_fifo = S_ISFIFO(info.st_mode);
  if (S_ISDIR(info.st_mode)) errno = EISDIR;
  return S_ISDIR(info.st_mode) || access(output->path, W_OK) ? nis_output_failed(output) : NIS_OK;
}

static int find_inherited(struct output *output, int number)
{
  int flags = fcntl(number, F_GETFL);
  output->inherited = number;
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return NIS_OK;
  errno = EBADF;
  return nis_output_failed(output);
}

int nis_output_find(struct output *output, const char *name, int force)
{
  int is_dash = strcmp(name, "-") == 0;
  *output =
      (struct output){.name = is_dash ? "standard output" : name, .force = force, .descriptor = -1};
  errno = 0;
  char *path = follow_links(is_dash ? "/dev/fd/1" : name);
  if (!path) return nis_output_failed(output);
  int number = descriptor_named(path);
  int status = number >= 0 ? find_inherited(output, number) : find_path(output, path);
  free(path);
  return status;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* PATH.XXXXXX.part; a name that would be too long loses its end. */
static int name_part(struct output *output, uint64_t number)
{
  static const char signs[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  enum { LETTERS = 6, SIGNS = sizeof signs - 1 };
  char letters[LETTERS + 1] = "";
  size_t folder = folder_length(output->path), n = strlen(output->path);
  size_t most = folder + NAME_MAX - strlen("..part") - LETTERS;
  for (int k = 0; k < LETTERS; k++, number /= SIGNS) letters[k] = signs[number % SIGNS];
  free(output->part);
  output->part = malloc(n + LETTERS + sizeof "..part");
  if (!output->part) return -1;
  sprintf(output->part, "%.*s.%s.part", (int)(n < most ? n : most), output->path, letters);
  return 0;
}

/* As the file that it will replace: its owner and group where that is allowed. Whoever could not
 * read that one cannot read this one either. */
static void keep_mode(const struct output *output, int descriptor)
{
  mode_t mode = output->mode;
  int same = fchown(descriptor, output->owner, output->group) == 0 ||
             fchown(descriptor, (uid_t)-1, output->group) == 0;
  if (!same) mode &= ~(mode_t)S_IRWXG | (mode & S_IRWXO) << 3;
  fchmod(descriptor, mode); /* or it stays private */
}

/* O_EXCL: neither a file nor a link that lies there is touched. */
static int open_part(struct output *output)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t number = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15 + (uint64_t)now.tv_sec;
  number ^= (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)output;
  mode_t mode = output->exists ? S_IRUSR | S_IWUSR : READ_AND_WRITE_FOR_ALL;
  int descriptor;
  do {
    number = number * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
    if (name_part(output, number >> 24)) return -1;
    descriptor = open(output->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  } while (descriptor < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor >= 0 && output->exists) keep_mode(output, descriptor);
  if (descriptor < 0) free(output->part), output->part = NULL;
  return descriptor;
}

/* Has the user's progress function said stop? */
static int is_stopped(struct output *output)
{
  return output->monitor && nis_monitor_report(output->monitor) == NIS_STOPPED;
}

/* Without O_NONBLOCK a FIFO would wait for its reader where nothing can stop it. */
static int open_in_place(struct output *output)
{
  for (;;) {
    int descriptor = open(output->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    if (errno == EINTR) continue;
    if (!output->is_fifo || errno != ENXIO) return -1;
    output->given_up = is_stopped(output);
    if (output->given_up) return -1;
    poll(NULL, 0, TICK);
  }
}

static int open_descriptor(struct output *output)
{
  if (output->is_file) return open_part(output);
  if (output->path) return open_in_place(output);
  return fcntl(output->inherited, F_DUPFD_CLOEXEC, 0);
}

int nis_output_open(struct output *output, struct monitor *monitor)
{
  struct stat info;
  output->monitor = monitor;
  errno = 0;
  output->descriptor = open_descriptor(output);
  if (output->given_up)
    return nis_fail(NIS_STOPPED, "stopped before %s had a reader", output->name);
  if (output->descriptor < 0) return nis_output_failed(output);
  output->waits = fstat(output->descriptor, &info) || !S_ISREG(info.st_mode);
  return NIS_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

static ssize_t write_once(struct output *output, const char *data, size_t n)
{
  struct held_signals signals;
  nis_hold_signals(&signals);
  ssize_t written = write(output->descriptor, data, n);
  nis_release_signals(&signals);
  return written;
}

/* A pipe that poll() calls ready takes PIPE_BUF bytes at least: a write of no more does not block,
 * whoever shares the descriptor and has set it up. Once the run is stopped, a reader who takes
 * nothing for two seconds is not waited for any longer. */
static ssize_t write_when_ready(struct output *output, const char *data, size_t n)
{
  struct pollfd place = {.fd = output->descriptor, .events = POLLOUT};
  for (int ticks = 0; ticks < LAST_TICKS;) {
    int ready = poll(&place, 1, TICK);
    if (ready > 0) return write_once(output, data, n < PIPE_BUF ? n : PIPE_BUF);
    if (ready < 0) return -1;
    ticks += is_stopped(output);
  }
  output->given_up = 1;
  return -1;
}

static int write_in_place(struct output *output, const char *data, size_t n)
{
  while (n > 0 && !output->given_up) {
    errno = 0;
    ssize_t written =
        output->waits ? write_when_ready(output, data, n) : write_once(output, data, n);
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return -1;
    data += written;
    n -= (size_t)written;
  }
  return n > 0 ? -1 : 0;
}

static int write_all(struct output *output, const void *data, size_t n)
{
  return output->is_file ? nis_write_at(output->descriptor, data, n, output->size)
                         : write_in_place(output, data, n);
}

int nis_output_write(struct output *output, const void *data, size_t n)
{
  if (write_all(output, data, n)) {
    if (output->given_up)
      return nis_fail(NIS_STOPPED, "stopped while the reader of %s took nothing", output->name);
    nis_output_failed(output);
    if (output->is_file) nis_output_truncate(output, output->size);
    return NIS_NO_FILE;
  }
  output->size += n;
  return NIS_OK;
}

int nis_output_rewrite(struct output *output, uint64_t offset, const void *data, size_t n)
{
  return nis_write_at(output->descriptor, data, n, offset) ? nis_output_failed(output) : NIS_OK;
}

int nis_output_truncate(struct output *output, uint64_t size)
{
  if (!output->is_file) return NIS_NO_FILE;
  errno = 0;
  if (ftruncate(output->descriptor, (off_t)size)) return nis_output_failed(output);
  output->size = size;
  return NIS_OK;
}

/* ---- the end ------------------------------------------------------------------------------ */

static void forget(struct output *output)
{
  if (output->descriptor >= 0) close(output->descriptor);
  free(output->path);
  free(output->part);
  output->path = output->part = NULL;
  output->descriptor = -1;
}

/* Some file systems cannot, and lose no more than the name by it. */
static int sync_folder(const struct output *output)
{
  char *folder = join(output->path, folder_length(output->path), "");
  if (!folder) return nis_no_memory();
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) fsync(descriptor), close(descriptor);
  free(folder);
  return NIS_OK;
}

/* link() never replaces a file; where a file system knows no links, a look beforehand has to do. */
static int give_name(const struct output *output)
{
  struct stat info;
  if (output->force) return rename(output->part, output->path);
  if (link(output->part, output->path) == 0) return unlink(output->part), 0;
  if (errno == EEXIST) return -1;
  if (lstat(output->path, &info) == 0) return errno = EEXIST, -1;
  return rename(output->part, output->path);
}

int nis_output_commit(struct output *output)
{
  int descriptor = output->descriptor, status = NIS_OK;
  output->descriptor = -1;
  errno = 0;
  int failed = output->durable && output->is_file && fsync(descriptor);
  failed |= close(descriptor) && errno != EINTR;
  if (failed || (output->is_file && give_name(output)))
    status = output->is_file ? nis_fail(NIS_NO_FILE, "cannot write %s: %s; the complete file is %s",
                                        output->name, strerror(errno), output->part)
                             : nis_output_failed(output);
  if (status == NIS_OK && output->durable && output->is_file) status = sync_folder(output);
  forget(output);
  return status;
}

void nis_output_discard(struct output *output)
{
  if (output->part) remove(output->part);
  forget(output);
}

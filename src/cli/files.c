/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "files.h"

#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_check(const char *path, const char *what)
{
  char folder[PATH_MAX], *slash;
  struct stat there;
  if (strlen(path) + sizeof ".XXXXXX.part" > sizeof folder)
    return complain(FAILED, "%s can be written in '%.40s...': the name is too long", what, path);
  if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
    return complain(FAILED, "%s can be written in '%s': it is a folder", what, path);
  strcpy(folder, path);
  if ((slash = strrchr(folder, '/'))) slash[slash == folder] = '\0';
  if (access(slash ? folder : ".", W_OK) == 0) return DONE;
  return complain(FAILED, "%s can be written in '%s': %s", what, slash ? folder : ".",
                  strerror(errno));
}

/* What the umask leaves; there is no other way to ask for it. */
static mode_t usual_mode(void)
{
  mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

static int write_whole(int descriptor, const char *text, size_t size)
{
  FILE *file = fdopen(descriptor, "w");
  if (!file) return close(descriptor), -1;
  int bad = fwrite(text, 1, size, file) < size;
  bad |= fflush(file) != 0 || fsync(descriptor) != 0;
  return fclose(file) != 0 || bad;
}

int file_write(const char *path, const char *text, size_t size)
{
  char target[PATH_MAX], part[PATH_MAX + sizeof ".XXXXXX.part"];
  struct stat there;
  int exists = realpath(path, target) && stat(target, &there) == 0;
  if (!exists) snprintf(target, sizeof target, "%s", path);
  snprintf(part, sizeof part, "%s.XXXXXX.part", target);
  int descriptor = mkstemps(part, (int)strlen(".part")), bad = descriptor < 0;
  if (!bad) {
    bad = fchmod(descriptor, exists ? there.st_mode & 07777 : usual_mode()) != 0;
    bad |= write_whole(descriptor, text, size) || rename(part, target) != 0;
    if (bad) {
      int reason = errno;
      unlink(part);
      errno = reason;
    }
  }
  return bad ? complain(FAILED, "cannot write '%s': %s", path, strerror(errno)) : DONE;
}

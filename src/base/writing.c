/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "writing.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

void nis_hold_signals(struct held_signals *signals)
{
  static const int numbers[] = {SIGPIPE, SIGXFSZ};
  sigset_t pending;
  sigpending(&pending); /* those are somebody else's */
  sigemptyset(&signals->held);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (!sigismember(&pending, numbers[i])) sigaddset(&signals->held, numbers[i]);
  pthread_sigmask(SIG_BLOCK, &signals->held, &signals->before);
}

void nis_release_signals(const struct held_signals *signals)
{
  const struct timespec now = {0};
  int before = errno;
  while (sigtimedwait(&signals->held, NULL, &now) > 0 || errno == EINTR) continue;
  pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
  errno = before;
}

int nis_write_at(int descriptor, const void *data, size_t n, uint64_t offset)
{
  const char *rest = data;
  struct held_signals signals;
  ssize_t written = 0;
  nis_hold_signals(&signals);
  for (; n > 0; rest += written, offset += (uint64_t)written, n -= (size_t)written) {
    errno = 0;
    written = pwrite(descriptor, rest, n, (off_t)offset);
    if (written < 0 && errno == EINTR)
      written = 0;
    else if (written <= 0)
      break;
  }
  nis_release_signals(&signals);
  return n > 0 ? -1 : 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* fopencookie */
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* Opened the wrong way round: to use it still fails. */
static void occupy(int descriptor)
{
  if (fcntl(descriptor, F_GETFD) >= 0) return;
  int other = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  if (other >= 0 && other != descriptor) dup2(other, descriptor), close(other);
}

/* Non-zero if it was not ready, and now may be */
static int wait_for(int descriptor, short event)
{
  struct pollfd place = {.fd = descriptor, .events = event};
  if (errno == EINTR) return 1;
  return (errno == EAGAIN || errno == EWOULDBLOCK) && (poll(&place, 1, -1) > 0 || errno == EINTR);
}

static ssize_t read_patiently(void *cookie, char *data, size_t n)
{
  int descriptor = (int)(intptr_t)cookie;
  ssize_t got;
  do got = read(descriptor, data, n);
  while (got < 0 && wait_for(descriptor, POLLIN));
  return got;
}

static ssize_t write_patiently(void *cookie, const char *data, size_t n)
{
  int descriptor = (int)(intptr_t)cookie;
  size_t done = 0;
  while (done < n) {
    ssize_t written = write(descriptor, data + done, n - done);
    if (written > 0) done += (size_t)written;
    if (written <= 0 && !wait_for(descriptor, POLLOUT)) return 0; /* this stands for an error */
  }
  return (ssize_t)n;
}

/* The mode of the descriptor is not ours to change: other processes share it. */
static void be_patient(FILE **stream, int descriptor, const char *mode, int buffering)
{
  const cookie_io_functions_t patient = {.read = read_patiently, .write = write_patiently};
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || !(flags & O_NONBLOCK)) return;
  FILE *file = fopencookie((void *)(intptr_t)descriptor, mode, patient);
  if (!file) return;
  setvbuf(file, NULL, buffering, BUFSIZ);
  *stream = file;
}

void streams_prepare(void)
{
  for (int descriptor = 0; descriptor < 3; descriptor++) occupy(descriptor);
  be_patient(&stdin, STDIN_FILENO, "r", _IOFBF);
  be_patient(&stdout, STDOUT_FILENO, "w", isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
  be_patient(&stderr, STDERR_FILENO, "w", _IONBF);
}

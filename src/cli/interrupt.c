/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "interrupt.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Signals that ask the command to end, and after how many seconds a repetition is meant to kill.
 * They are repeated without a meaning too: at once by timeout(1), by the kernel after the shell
 * when a terminal closes, every second beyond a limit of CPU time. */
static const struct {
  int number;
  double again; /* seconds */
} requests[] = {{SIGINT, 0.1}, {SIGTERM, 1}, {SIGHUP, INFINITY}, {SIGXCPU, INFINITY}};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

static volatile sig_atomic_t signalled;
static const char *volatile farewell;
static struct timespec first;

static double since_first(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec);
}

static double patience(int number)
{
  int i = 0;
  while (requests[i].number != number) i++;
  return requests[i].again;
}

static void remember(int number)
{
  if (!signalled) {
    clock_gettime(CLOCK_MONOTONIC, &first);
    signalled = 1;
    const char *words = farewell;
    if (number == SIGTERM && words && write(STDERR_FILENO, words, strlen(words)) < 0)
      farewell = NULL;
  } else if (since_first() > patience(number)) {
    signal(number, SIG_DFL);
    raise(number); /* delivered when this returns */
  }
}

void interrupt_catch(void)
{
  for (int i = 0; i < REQUESTS; i++) {
    struct sigaction before, action = {.sa_handler = remember, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int k = 0; k < REQUESTS; k++) sigaddset(&action.sa_mask, requests[k].number);
    sigaction(requests[i].number, NULL, &before);
    if (before.sa_handler != SIG_IGN) sigaction(requests[i].number, &action, NULL);
  }
}

void interrupt_say(const char *words)
{
  farewell = words;
}

int interrupted(void)
{
  return signalled;
}

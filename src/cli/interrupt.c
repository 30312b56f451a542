/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

/* Signals that ask the command to end. The last two come more than once on their own: from a shell
 * and then the kernel when a terminal closes, and every second beyond a limit of CPU time. */
static const struct {
  int number, second_kills;
} requests[] = {{SIGINT, 1}, {SIGTERM, 1}, {SIGHUP, 0}, {SIGXCPU, 0}};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

/* timeout(1) sends its signal twice at once: that is one request. */
static const double one_request = 0.1; /* seconds */

static volatile sig_atomic_t signalled;
static struct timespec first;

static double since_first(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec);
}

static void remember(int number)
{
  (void)number;
  if (!signalled) clock_gettime(CLOCK_MONOTONIC, &first);
  signalled = 1;
}

/* The second time it kills, as it would have the first time. */
static void remember_or_die(int number)
{
  if (signalled && since_first() > one_request) {
    signal(number, SIG_DFL);
    raise(number);
    return; /* it is delivered now */
  }
  remember(number);
}

void interrupt_catch(void)
{
  for (int i = 0; i < REQUESTS; i++) {
    struct sigaction before, action = {.sa_flags = SA_RESTART};
    action.sa_handler = requests[i].second_kills ? remember_or_die : remember;
    for (int k = 0; k < REQUESTS; k++) sigaddset(&action.sa_mask, requests[k].number);
    sigaction(requests[i].number, NULL, &before);
    if (before.sa_handler != SIG_IGN) sigaction(requests[i].number, &action, NULL);
  }
}

int interrupted(void)
{
  return signalled;
}

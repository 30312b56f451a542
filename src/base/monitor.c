/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor.h"

#include "clock.h"
#include "error.h"
#include "host.h"

static int call_progress(void *context, const struct callback *self)
{
  const struct monitor *m = context;
  (void)self;
  return m->callback(&m->now, m->params);
}

static const double pause = 0.1;    /* seconds between two reports */
static const double patience = 0.5; /* with ranks that do not come, after a stop */

enum { LEAST_BLOCK = 64 };
static const double short_block = 0.02, long_block = 0.05; /* seconds */

size_t nis_monitor_block(const struct monitor *m, size_t most)
{
  size_t n = m->block > LEAST_BLOCK ? m->block : LEAST_BLOCK;
  return m->deadline > 0 && n < most ? n : most;
}

void nis_monitor_took(struct monitor *m, size_t points, double seconds)
{
  size_t n = m->block > LEAST_BLOCK ? m->block : LEAST_BLOCK;
  if (seconds < short_block && points >= n) n *= 2;
  if (seconds > long_block && n > LEAST_BLOCK) n /= 2;
  m->block = n;
  m->block_seconds = seconds;
}

double nis_monitor_clock(const struct monitor *m)
{
  return m->ranks ? nis_ranks_clock(m->ranks) : nis_clock();
}

int nis_monitor_over(const struct monitor *m)
{
  return m->deadline > 0 && nis_monitor_clock(m) + m->block_seconds > m->deadline;
}

static int is_stopped(const struct monitor *m)
{
  return m->ranks ? (m->ranks->own.flags & RANKS_STOP) != 0 : m->stopped;
}

int nis_monitor_is_silent(const struct monitor *m)
{
  return m->ranks && m->ranks->link.rank > 0;
}

void nis_monitor_wish_stop(struct monitor *m)
{
  m->ranks->own.flags |= RANKS_STOP;
  m->waiting = nis_clock();
}

static void tell(struct monitor *m)
{
  int always = m->now.finished || m->now.done >= m->now.total;
  if (!m->callback || is_stopped(m) || (!always && nis_clock() < m->due)) return;
  m->now.seconds = nis_clock() - m->begun;
  int stop = nis_host_call(call_progress, m, 0) != 0;
  if (m->ranks && stop)
    nis_monitor_wish_stop(m);
  else
    m->stopped = stop;
  m->due = nis_clock() + pause;
}

int nis_monitor_wait(void *monitor)
{
  struct monitor *m = monitor;
  tell(m);
  return is_stopped(m) && nis_clock() - m->waiting > patience;
}

static int stopped(const struct monitor *m)
{
  return nis_fail(NIS_STOPPED, "the progress callback asked to stop after %llu calls",
                  (unsigned long long)m->now.calls);
}

int nis_monitor_agree(struct monitor *m, int status)
{
  if (!m->ranks) return status;
  if (status > NIS_OK) nis_monitor_wish_stop(m);
  NIS_TRY(nis_ranks_meet(m->ranks, status));
  m->stopped = nis_ranks_any(m->ranks, RANKS_STOP);
  return status == NIS_OK && m->stopped ? stopped(m) : status;
}

int nis_monitor_report(struct monitor *m)
{
  tell(m);
  if (m->ranks) m->stopped = nis_ranks_any(m->ranks, RANKS_STOP);
  if (m->stopped) return stopped(m);
  if (m->deadline > 0 && nis_monitor_clock(m) > m->deadline)
    return nis_fail(NIS_TIME_LIMIT, "max_seconds were over after %llu calls",
                    (unsigned long long)m->now.calls);
  return NIS_OK;
}

void nis_monitor_begin(struct monitor *m, int phase, uint64_t total)
{
  m->stopped = 0;
  if (m->ranks) nis_ranks_forget(m->ranks, RANKS_STOP);
  m->due = 0;
  if (m->begun == 0) m->begun = nis_clock();
  m->now = (nis_progress){.phase = phase, .total = total, .calls = m->now.calls};
}

int nis_monitor_iteration(struct monitor *m, double value, double error, double spread)
{
  m->now.iteration++;
  m->now.value = value;
  m->now.error = error;
  m->now.spread = spread;
  m->now.finished = 1;
  int status = nis_monitor_report(m);
  m->now.finished = 0;
  return status;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host.h"

#include "error.h"

#include <pthread.h>

static _Thread_local struct host
    *current; /* for whom this thread works; NULL in the host's world */
static _Thread_local struct callback *inside;

static locale_t c_locale;

static void make_locale(void)
{
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void nis_host_settle(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_locale);
  fesetenv(FE_DFL_ENV);
  if (c_locale) uselocale(c_locale);
}

static void go_back(const struct host *h)
{
  fesetenv(&h->floats);
  uselocale(h->locale);
}

void nis_host_enter(struct host *h)
{
  h->outermost = !current;
  if (!h->outermost) return;
  h->exception = (struct exception){0};
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &h->cancel_state);
  fegetenv(&h->floats);
  h->locale = uselocale((locale_t)0);
  nis_host_settle();
  nis_clear_error();
  current = h;
}

void nis_host_leave(struct host *h)
{
  if (!h->outermost) return;
  current = NULL;
  go_back(h);
  pthread_setcancelstate(h->cancel_state, NULL);
  if (h->exception.thrown) nis_exception_throw(&h->exception);
}

struct host *nis_host_current(void)
{
  return current;
}

void nis_host_join(struct host *host)
{
  current = host;
}

static int call_in_world(struct host *h, nis_call *call, void *context, const struct callback *self)
{
  if (__atomic_load_n(&h->exception.thrown, __ATOMIC_RELAXED)) return 1;
  current = NULL;
  go_back(h);
  int status = nis_exception_catch(call, context, self, &h->exception);
  nis_host_settle();
  current = h;
  return status;
}

int nis_host_call(nis_call *call, void *context, int worker)
{
  struct callback self = {.outer = inside, .worker = worker};
  struct sentence theirs = {""}, *ours = nis_use_sentence(&theirs);
  inside = &self;
  /* Without a host the library's parts are being used by themselves, as tests do. */
  int status = current ? call_in_world(current, call, context, &self) : call(context, &self);
  inside = self.outer;
  nis_use_sentence(ours);
  return status || self.refused;
}

void nis_host_set_extra(double *extra)
{
  inside->extra = extra;
}

/* ---- for the user's functions ------------------------------------------------------------- */

void nis_refuse(void)
{
  if (inside) inside->refused = 1;
}

int nis_thread(void)
{
  return inside ? inside->worker : 0;
}

double *nis_extra(void)
{
  return inside ? inside->extra : NULL;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "exception.h"

#include <cxxabi.h>
#include <exception>
#include <new>
#include <utility>

static_assert(sizeof(std::exception_ptr) == sizeof(void *) &&
                  alignof(std::exception_ptr) <= alignof(void *),
              "fits where C has a pointer");

static void keep(struct exception *exception)
{
  if (__atomic_exchange_n(&exception->thrown, 1, __ATOMIC_RELAXED)) return;
  new (&exception->kept) std::exception_ptr(std::current_exception());
}

int nis_exception_catch(nis_call *call, void *context, const struct callback *self,
                        struct exception *exception)
{
  try {
    return call(context, self);
#ifdef __GLIBCXX__
  } catch (abi::__forced_unwind &) {
    throw; // the thread is being ended, which must not be stopped
#endif
  } catch (...) {
    keep(exception);
    return 1;
  }
}

void nis_exception_throw(struct exception *exception)
{
  auto kept = reinterpret_cast<std::exception_ptr *>(&exception->kept);
  std::exception_ptr flying = std::move(*kept);
  kept->~exception_ptr();
  if (!flying) throw std::bad_exception(); // it was of another language
  std::rethrow_exception(std::move(flying));
}

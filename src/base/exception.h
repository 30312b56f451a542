/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Carries C++ exceptions out of the user's functions past the library's C, from any thread. */
#ifndef NIS_EXCEPTION_H
#define NIS_EXCEPTION_H

#ifdef __cplusplus
extern "C" {
#endif

/* The first of a run */
struct exception {
  int thrown; /* set and read atomically */
  void *kept; /* a std::exception_ptr */
};

/* A function of the user's while it runs */
struct callback {
  struct callback *outer; /* in which that run was called; may be NULL */
  int worker;
  int refused;   /* nis_refuse() was called */
  double *extra; /* what nis_extra() gives; NULL: no point is being worked on, or no outputs */
};

/* Calls the user's function; non-zero ends the run. */
typedef int nis_call(void *context, const struct callback *self);

/* What call returns, or 1 where it threw: *exception keeps that if it is the first. */
int nis_exception_catch(nis_call *call, void *context, const struct callback *self,
                        struct exception *exception);

/* Throws what was kept. */
void nis_exception_throw(struct exception *exception);

#ifdef __cplusplus
}
#endif

#endif

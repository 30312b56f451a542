/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis.h is all that a C++17 program needs, alone and first. */
#include "nis.h"

static double one(double *x, size_t, void *)
{
  return x[0] > 0 ? 1 : 0;
}

static bool near_one(const nis_result &r, uint64_t calls)
{
  return r.status == NIS_OK && r.calls == calls && r.value > 0.9 && r.value < 1.1;
}

/* Compiled, but run with arguments only: a million calls on all cores. */
static bool defaults()
{
  return near_one(nis_integrate(one, 1), 1000000);
}

int main(int argc, char **)
{
  nis_options options{};
  options.calls = 2000;
  options.threads = 1;
  nis *handle = nullptr;
  options.dim = 2;
  bool made = nis_create(&handle, one, &options) == NIS_OK;
  nis_free(handle);
  return !(made && (argc == 1 || defaults()) && near_one(nis_integrate(one, 2, options), 2000));
}

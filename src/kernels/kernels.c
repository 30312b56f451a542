/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which instruction set runs: decided once, by asking the processor. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

extern const struct kernels nis_kernels_baseline, nis_kernels_avx2, nis_kernels_avx512;

enum { SETS = 3 };

int nis_transform_rows(const struct transform *transform, int bins)
{
  return transform->bin_rows * bins + transform->other_rows;
}

const struct kernels *nis_kernels_available(int i)
{
  const struct kernels *sets[SETS + 1] = {&nis_kernels_baseline};
  int n = 1;
#ifdef NIS_X86
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    sets[n++] = &nis_kernels_avx2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    sets[n++] = &nis_kernels_avx512;
#endif
  return i < n ? sets[i] : NULL;
}

const struct kernels *nis_kernels(void)
{
  const char *wanted = getenv("NIS_KERNELS");
  const struct kernels *set, *fastest = NULL;
  for (int i = 0; (set = nis_kernels_available(i)); i++) {
    fastest = set;
    if (wanted && strcmp(set->name, wanted) == 0) return set;
  }
  return wanted && *wanted ? NULL : fastest;
}

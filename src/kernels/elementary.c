/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exp, log and erfc of arrays. Where each number stands does not change its bits. */
#include "elementary.h"

/* y[n] of x[n], which may be the same array. All passes are over whole blocks, so that no number
 * goes through a remainder loop of other instructions. */
#define OVER_ARRAY(name, function)                                                                 \
  static void name##_block(const double *restrict x, double *restrict y)                           \
  {                                                                                                \
    for (int l = 0; l < LANES; l++) y[l] = function(x[l]);                                         \
  }                                                                                                \
  void KERNEL(name)(size_t n, const double *x, double *y)                                          \
  {                                                                                                \
    double from[LANES] = {0}, to[LANES];                                                           \
    for (size_t i = 0; i < n; i += LANES) {                                                        \
      size_t bytes = (n - i < LANES ? n - i : LANES) * sizeof *x;                                  \
      memcpy(from, x + i, bytes);                                                                  \
      name##_block(from, to);                                                                      \
      memcpy(y + i, to, bytes);                                                                    \
    }                                                                                              \
  }

OVER_ARRAY(exp, exp_double)
OVER_ARRAY(log, log_any)
OVER_ARRAY(erfc, erfc_double)

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adam: Kingma and Ba, arXiv:1412.6980, algorithm 1, with decoupled weight decay: Loshchilov and
 * Hutter, arXiv:1711.05101, algorithm 2. */
#include "isa.h"

void KERNEL(adam_step)(size_t n, const struct adam *adam, const float *restrict gradient,
                       float *restrict mean, float *restrict square, float *restrict parameters)
{
  const struct adam a = *adam;
  for (size_t i = 0; i < n; i++) {
    float g = a.scale * gradient[i];
    mean[i] += (1 - a.beta1) * (g - mean[i]);
    square[i] += (1 - a.beta2) * (g * g - square[i]);
    parameters[i] =
        a.keep * parameters[i] - a.rate * mean[i] / (__builtin_sqrtf(square[i]) + a.epsilon);
  }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "isa.h"

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .name = STRING(ISA),
    .transform = {[RATIONAL_QUADRATIC] = &KERNEL(rational_quadratic),
                  [PIECEWISE_QUADRATIC] = &KERNEL(piecewise_quadratic),
                  [PIECEWISE_LINEAR] = &KERNEL(piecewise_linear),
                  [AFFINE] = &KERNEL(affine)},
    .uniforms = KERNEL(uniforms),
    .nested = KERNEL(nested),
    .net_forward = KERNEL(net_forward),
    .net_backward = KERNEL(net_backward),
    .circle_see = KERNEL(circle_see),
    .circle_see_backward = KERNEL(circle_see_backward),
    .circle_turn = KERNEL(circle_turn),
    .circle_turn_backward = KERNEL(circle_turn_backward),
    .exp = KERNEL(exp),
    .log = KERNEL(log),
    .erfc = KERNEL(erfc),
    .peak = KERNEL(peak),
    .adam_step = KERNEL(adam_step),
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "isa.h"

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .name = STRING(ISA),
    .uniforms = KERNEL(uniforms),
    .net_forward = KERNEL(net_forward),
    .net_backward = KERNEL(net_backward),
    .spline_density = KERNEL(spline_density),
    .spline_sample = KERNEL(spline_sample),
    .spline_backward = KERNEL(spline_backward),
    .peak = KERNEL(peak),
    .adam_step = KERNEL(adam_step),
};

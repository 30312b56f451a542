/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes that do not depend on the instruction set. */
#include "kernels.h"

size_t nis_net_parameters(const struct net_shape *s)
{
  size_t in = (size_t)s->inputs, width = (size_t)s->width, out = (size_t)s->outputs;
  if (in == 0) return out;
  size_t hidden = width * (in + 1) + (size_t)(s->hidden_layers - 1) * width * (width + 1);
  return hidden + out * (width + 1);
}

int nis_net_hidden_rows(const struct net_shape *s)
{
  return s->inputs > 0 ? s->hidden_layers * s->width : 0;
}

/* Two gradient tiles and one transposed input, padded to the widest vector. */
size_t nis_net_work_floats(const struct net_shape *s)
{
  int columns = s->width > s->inputs ? s->width : s->inputs;
  return (size_t)(2 * s->width + columns + 16) * LANES;
}

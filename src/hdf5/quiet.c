/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quiet.h"

/* Most calls clear the stack when they begin, so it goes first and comes back last. */
struct quiet nis_quiet_begin(void)
{
  struct quiet q = {.stack = H5Eget_current_stack(), .v2 = 1};
  H5Eauto_is_v2(H5E_DEFAULT, &q.v2);
  if (q.v2)
    H5Eget_auto2(H5E_DEFAULT, &q.handler, &q.data);
  else
    H5Eget_auto1(&q.old_handler, &q.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return q;
}

void nis_quiet_end(const struct quiet *q)
{
  if (q->v2)
    H5Eset_auto2(H5E_DEFAULT, q->handler, q->data);
  else
    H5Eset_auto1(q->old_handler, q->data);
  if (q->stack >= 0) H5Eset_current_stack(q->stack); /* which closes it */
}

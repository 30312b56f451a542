/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "handout.h"

#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"

int nis_handout_init(struct handout *h, size_t most, int nets, const nis_options *o)
{
  *h = (struct handout){.sink = o->sink, .params = o->sink_params};
  h->block = (nis_point_block){.dim = o->dim, .ncomp = o->ncomp, .extra = o->extra, .nets = nets};
  if (!h->sink) return NIS_OK;
  h->x = NIS_RAW(double, nis_product(most, o->dim + 2 + o->extra));
  if (!h->x) return nis_no_memory();
  h->log_q = h->x + most * o->dim;
  h->weight = h->log_q + most;
  h->outputs = o->extra > 0 ? h->weight + most : NULL;
  h->block.x = h->x, h->block.log_q = h->log_q;
  h->block.weight = h->weight, h->block.outputs = h->outputs;
  return NIS_OK;
}

void nis_handout_clear(struct handout *h)
{
  free(h->x);
  *h = (struct handout){0};
}

static int call_sink(void *context, const struct callback *self)
{
  const struct handout *h = context;
  (void)self;
  return h->sink(&h->block, h->params);
}

int nis_handout_give(struct handout *h, const struct domain *domain, const struct points *p,
                     const double *components, uint64_t before, int iteration)
{
  nis_point_block *block = &h->block;
  if (!h->sink || p->n == 0) return NIS_OK;
  for (size_t i = 0; i < p->n; i++) {
    const double *cube = p->x + i * domain->dim;
    nis_domain_out(domain, cube, h->x + i * domain->dim);
    h->log_q[i] = p->log_q[i] - nis_domain_log_jacobian(domain, cube);
  }
  block->n = p->n;
  block->components = block->ncomp > 1 ? components : h->weight;
  block->before = before;
  block->iteration = iteration;
  if (nis_host_call(call_sink, h, 0) == 0) return NIS_OK;
  return nis_fail(NIS_STOPPED, "the point sink asked to stop after %llu points of the estimate",
                  (unsigned long long)(before + p->n));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "flow.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/streams.h"

#include <float.h>
#include <math.h>

/* Binary digits of the largest coordinate index: ceil(log2 dim). */
static int digits(size_t dim)
{
  int n = 0;
  while (((size_t)1 << n) < dim) n++;
  return n;
}

/* Masks of i-flow (arXiv:2001.05486): layer 2k moves the coordinates whose number has binary digit
 * k set, layer 2k + 1 the others; then from the start again. One dimension moves alone. */
static int moves(size_t dim, int layer, size_t number)
{
  if (dim == 1) return 1;
  size_t digit = (size_t)(layer / 2 % digits(dim));
  return (number >> digit & 1) == (layer % 2 == 0);
}

static int values_of(const struct flow *flow, size_t j)
{
  return flow->values ? flow->values[j] : 0;
}

static size_t count_continuous(const struct flow *flow)
{
  size_t n = 0;
  for (size_t j = 0; j < flow->dim; j++) n += values_of(flow, j) == 0;
  return n;
}

static int coupling_init(struct coupling *c, struct flow *flow, const struct flow_shape *shape)
{
  c->pass = NIS_NEW(int, shape->dim);
  c->move = NIS_NEW(int, shape->dim);
  c->values = flow->values;
  if (!c->pass || !c->move) return nis_no_memory();
  if (!shape->periodic) return NIS_OK;
  c->circle = NIS_NEW(int, shape->dim);
  if (!c->circle) return nis_no_memory();
  memcpy(c->circle, shape->periodic, shape->dim * sizeof *c->circle);
  return NIS_OK;
}

/* Once it is known what passes and what moves */
static void finish_coupling(struct coupling *c, struct flow *flow, const struct flow_shape *shape,
                            int transform, int bins)
{
  const struct transform *t = flow->kernels->transform[transform];
  int inputs = 0, turned = 0;
  for (int i = 0; i < c->passing; i++) inputs += nis_coupling_seen_rows(c, c->pass[i]);
  for (int i = 0; i < c->moving; i++) turned += c->circle && c->circle[c->move[i]];
  c->transform = transform;
  c->bins = bins;
  c->raw_rows = nis_transform_rows(t, bins);
  c->kept_rows = t->kept_rows;
  c->net = (struct net_shape){inputs, shape->hidden_layers, shape->hidden_width,
                              c->moving * c->raw_rows + 2 * turned};
  c->first_parameter = flow->nparameters;
  flow->nparameters += nis_net_parameters(&c->net);
}

/* Discrete coordinate j after those before it, or of a grid alone */
static int add_discrete(struct flow *flow, const struct flow_shape *shape, size_t j)
{
  struct coupling *c = &flow->coupling[flow->layers++];
  NIS_TRY(coupling_init(c, flow, shape));
  for (size_t i = 0; i < j && shape->layers > 0; i++)
    if (values_of(flow, i) > 0) c->pass[c->passing++] = (int)i;
  c->move[c->moving++] = (int)j;
  finish_coupling(c, flow, shape, PIECEWISE_LINEAR, values_of(flow, j));
  return NIS_OK;
}

/* Layer number `layer` of the others, of which there are n; or the only one of a grid */
static int add_continuous(struct flow *flow, const struct flow_shape *shape, int layer, size_t n)
{
  struct coupling *c = &flow->coupling[flow->layers++];
  int grid = shape->layers == 0;
  NIS_TRY(coupling_init(c, flow, shape));
  for (size_t j = 0, number = 0; j < flow->dim; j++) {
    int discrete = values_of(flow, j) > 0;
    if (!discrete && (grid || moves(n, layer, number)))
      c->move[c->moving++] = (int)j;
    else if (!grid)
      c->pass[c->passing++] = (int)j;
    number += !discrete;
  }
  finish_coupling(c, flow, shape, shape->transform, shape->bins);
  return NIS_OK;
}

struct parameter_source {
  const struct kernels *kernels;
  uint64_t seed, *next;
};

/* n numbers, uniform in (-bound, bound) */
static void fill_uniform(const struct parameter_source *source, float *w, size_t n, double bound)
{
  double u[LANES];
  for (size_t i = 0; i < n; i += LANES, *source->next += LANES) {
    source->kernels->uniforms(source->seed, STREAM_PARAMETERS, *source->next, 1, u);
    for (size_t l = 0; l < LANES && i + l < n; l++) w[i + l] = (float)(bound * (2 * u[l] - 1));
  }
}

/* He's uniform initialisation (arXiv:1502.01852, eq. 14); the last layer stays zero, so that the
 * flow starts as the identity. */
void nis_net_start(const struct net_shape *net, const struct kernels *kernels, uint64_t seed,
                   uint64_t *next, float *w)
{
  const struct parameter_source source = {kernels, seed, next};
  size_t columns = (size_t)net->inputs, rows = (size_t)net->width;
  if (columns == 0) return;
  for (int i = 0; i < net->hidden_layers; i++) {
    fill_uniform(&source, w, rows * columns, sqrt(6. / (double)columns));
    fill_uniform(&source, w + rows * columns, rows, 1 / sqrt((double)columns));
    w += rows * (columns + 1);
    columns = rows;
  }
}

static int layers_init(struct flow *flow, const struct flow_shape *shape)
{
  size_t n = count_continuous(flow);
  for (size_t j = 0; j < flow->dim; j++)
    if (values_of(flow, j) > 0) NIS_TRY(add_discrete(flow, shape, j));
  int layers = n == 0 ? 0 : shape->layers > 0 ? shape->layers : 1;
  for (int i = 0; i < layers; i++) NIS_TRY(add_continuous(flow, shape, i, n));
  return NIS_OK;
}

static int unknown_kernels(void)
{
  char names[64] = "";
  const struct kernels *set;
  for (int i = 0; (set = nis_kernels_available(i)); i++) {
    if (i > 0) strcat(names, ", ");
    strcat(names, set->name);
  }
  return nis_fail(NIS_INVALID, "NIS_KERNELS must be one of %s on this processor, got '%s'", names,
                  getenv("NIS_KERNELS"));
}

/* All but the parameters */
static int shape_init(struct flow *flow, const struct flow_shape *shape)
{
  *flow = (struct flow){.dim = shape->dim, .kernels = nis_kernels()};
  if (!flow->kernels) return unknown_kernels();
  flow->coupling = NIS_NEW(struct coupling, shape->dim + (size_t)shape->layers + 1);
  if (shape->values) flow->values = NIS_NEW(int, shape->dim);
  if (!flow->coupling || (shape->values && !flow->values)) return nis_no_memory();
  if (shape->values) memcpy(flow->values, shape->values, shape->dim * sizeof *flow->values);
  return layers_init(flow, shape);
}

int nis_flow_count(const struct flow_shape *shape, size_t *parameters)
{
  struct flow flow;
  int status = shape_init(&flow, shape);
  *parameters = flow.nparameters;
  nis_flow_clear(&flow);
  return status;
}

int nis_flow_init(struct flow *flow, const struct flow_shape *shape, uint64_t seed)
{
  NIS_TRY(shape_init(flow, shape));
  flow->parameters = NIS_NEW(float, flow->nparameters);
  if (!flow->parameters) return nis_no_memory();
  uint64_t next = 0;
  for (int i = 0; i < flow->layers; i++) {
    const struct coupling *c = &flow->coupling[i];
    nis_net_start(&c->net, flow->kernels, seed, &next, flow->parameters + c->first_parameter);
  }
  return NIS_OK;
}

void nis_flow_clear(struct flow *flow)
{
  for (int i = 0; flow->coupling && i < flow->layers; i++) {
    free(flow->coupling[i].pass);
    free(flow->coupling[i].move);
    free(flow->coupling[i].circle);
  }
  free(flow->coupling);
  free(flow->values);
  free(flow->parameters);
  *flow = (struct flow){0};
}

int nis_flow_scratch_init(struct flow_scratch *s, const struct flow *flow)
{
  size_t rows = flow->dim, most = 0, inputs = 0, work = 0; /* adjoint */
  for (int i = 0; i < flow->layers; i++) {
    size_t in = (size_t)flow->coupling[i].net.inputs;
    size_t floats = nis_net_work_floats(&flow->coupling[i].net);
    size_t here = nis_coupling_rows(&flow->coupling[i]);
    rows += here;
    most = here > most ? here : most;
    inputs = in > inputs ? in : inputs;
    work = floats > work ? floats : work;
  }
  rows += most + inputs;
  s->block = NIS_RAW(float, rows *LANES + work);
  s->tile = NIS_NEW(float *, flow->layers);
  if (!s->block || !s->tile) return nis_no_memory();
  float *next = s->block;
  s->adjoint = next, next += flow->dim * LANES;
  s->din = next, next += inputs * LANES;
  s->any = next, next += most * LANES;
  for (int i = 0; i < flow->layers; i++) {
    s->tile[i] = next;
    next += nis_coupling_rows(&flow->coupling[i]) * LANES;
  }
  s->work = next;
  return NIS_OK;
}

void nis_flow_scratch_clear(struct flow_scratch *s)
{
  free(s->block);
  free(s->tile);
  *s = (struct flow_scratch){0};
}

void nis_flow_sample(const struct flow *flow, double *u_to_x, double *log_q, struct flow_scratch *s)
{
  memset(log_q, 0, LANES * sizeof *log_q);
  for (int i = 0; i < flow->layers; i++) {
    const struct coupling *c = &flow->coupling[i];
    nis_coupling_sample(c, flow->kernels, flow->parameters, u_to_x, log_q,
                        nis_coupling_slices(c, s->any));
  }
}

void nis_flow_density(const struct flow *flow, double *x_to_u, double *log_q,
                      struct flow_scratch *s)
{
  memset(log_q, 0, LANES * sizeof *log_q);
  for (int i = flow->layers - 1; i >= 0; i--) {
    const struct coupling *c = &flow->coupling[i];
    nis_coupling_density(c, flow->kernels, flow->parameters, x_to_u, log_q,
                         nis_coupling_slices(c, s->tile[i]));
  }
}

void nis_flow_backward(const struct flow *flow, const float *dlog_q, float *gradient,
                       struct flow_scratch *s)
{
  memset(s->adjoint, 0, flow->dim * LANES * sizeof *s->adjoint);
  for (int i = 0; i < flow->layers; i++) {
    const struct coupling *c = &flow->coupling[i];
    nis_coupling_backward(c, flow->kernels, flow->parameters, dlog_q, s->adjoint, gradient,
                          nis_coupling_slices(c, s->tile[i]), s->din, s->work);
  }
}

void nis_flow_archive(struct archive *a, struct flow *flow)
{
  nis_archive_floats(a, "a parameter", flow->nparameters, flow->parameters, FLT_MAX);
}

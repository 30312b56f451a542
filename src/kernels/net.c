/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The conditioner net on a tile, in register blocks: ROWS rows of the result times VECS vectors
 * of lanes stay in registers while the sum runs. Each element is summed in the same
 * order for every width, so all instruction sets with fused multiply-add agree to the bit.
 */
#include "isa.h"

#include <string.h>

/* 6 x 4 needs 29 of AVX-512's 32 registers, 6 x 2 needs 15 of the 16 that others have. */
enum { ROWS = 6, VECS = WIDTH == 16 ? 4 : 2, OUTER_ROWS = WIDTH == 16 ? 12 : 6 };

static const float leak = 0.01f; /* slope of a hidden unit below zero */

/* A matrix seen through steps, so that one kernel serves W and its transpose. */
struct matrix {
  const float *at;
  ptrdiff_t row_step, column_step;
};

/* Values of y below zero times `slope`; 1 leaves them alone. */
INLINE vec bend(vec y, float slope)
{
  return choose(y > 0, y, slope * y);
}

/* out[rows][VECS * WIDTH of LANES] = bend(bias[rows] + sum_k w[rows][k] in[k][...], slope) */
INLINE void affine_block(int rows, int terms, struct matrix w, const float *bias, const float *in,
                         float slope, float *out)
{
  vec sum[ROWS][VECS];
  UNROLLED (r, rows)
    UNROLLED (v, VECS) sum[r][v] = (vec){0} + (bias ? bias[r] : 0);
  for (int k = 0; k < terms; k++) {
    vec x[VECS];
    UNROLLED (v, VECS) x[v] = load(in + k * LANES + v * WIDTH);
    UNROLLED (r, rows) {
      float weight = w.at[r * w.row_step + k * w.column_step];
      UNROLLED (v, VECS) sum[r][v] += weight * x[v];
    }
  }
  UNROLLED (r, rows)
    UNROLLED (v, VECS) store(out + r * LANES + v * WIDTH, bend(sum[r][v], slope));
}

/* The same with `rows` made a constant, so that the block stays in registers. */
static void affine_rows(int rows, int terms, struct matrix w, const float *bias, const float *in,
                        float slope, float *out)
{
  switch (rows) {
  case 1: affine_block(1, terms, w, bias, in, slope, out); break;
  case 2: affine_block(2, terms, w, bias, in, slope, out); break;
  case 3: affine_block(3, terms, w, bias, in, slope, out); break;
  case 4: affine_block(4, terms, w, bias, in, slope, out); break;
  case 5: affine_block(5, terms, w, bias, in, slope, out); break;
  default: affine_block(ROWS, terms, w, bias, in, slope, out);
  }
}

/* out[rows][LANES] = bend(bias[rows] + w[rows][terms] in[terms][LANES]); bias may be NULL */
static void affine(int rows, int terms, struct matrix w, const float *bias, const float *in,
                   float slope, float *out)
{
  for (int r = 0; r < rows; r += ROWS) {
    struct matrix part = {w.at + r * w.row_step, w.row_step, w.column_step};
    int n = rows - r < ROWS ? rows - r : ROWS;
    for (int l = 0; l < LANES; l += VECS * WIDTH)
      affine_rows(n, terms, part, bias ? bias + r : NULL, in + l, slope,
                  out + (ptrdiff_t)r * LANES + l);
  }
}

/* dL/dactivation -> dL/dz, from the sign that the activation kept */
static void deactivate(int rows, const float *activation, float *d)
{
  for (int i = 0; i < rows * LANES; i++) d[i] *= activation[i] > 0 ? 1 : leak;
}

/* The perfect shuffle, WIDTH = 4, 8 or 16: first and second halves of a and b interleaved. */
#if VECTOR_BYTES == 64
enum { STAGES = 4 };
#define LOW(a, b)                                                                                  \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b)                                                                                 \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VECTOR_BYTES == 32
enum { STAGES = 3 };
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
enum { STAGES = 2 };
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* log2(WIDTH) perfect shuffles of the rows transpose a WIDTH x WIDTH block. */
INLINE void transpose_block(const float *in, int in_step, float *out, int out_step)
{
  vec a[WIDTH], b[WIDTH];
  UNROLLED (i, WIDTH) a[i] = load(in + i * in_step);
  UNROLLED (stage, STAGES) {
    UNROLLED (i, WIDTH / 2) {
      b[2 * i] = LOW(a[i], a[i + WIDTH / 2]);
      b[2 * i + 1] = HIGH(a[i], a[i + WIDTH / 2]);
    }
    UNROLLED (i, WIDTH) a[i] = b[i];
  }
  UNROLLED (i, WIDTH) store(out + i * out_step, a[i]);
}

static int padded(int columns)
{
  return (columns + WIDTH - 1) / WIDTH * WIDTH;
}

/* in[rows][LANES] -> out[LANES][padded(rows)]; the padding is zero */
static void transpose(int rows, const float *in, float *out)
{
  int whole = rows / WIDTH * WIDTH, step = padded(rows);
  for (int r = 0; r < whole; r += WIDTH)
    for (int l = 0; l < LANES; l += WIDTH)
      transpose_block(in + r * LANES + l, LANES, out + l * step + r, step);
  for (int l = 0; l < LANES; l++)
    for (int r = whole; r < step; r++) out[l * step + r] = r < rows ? in[r * LANES + l] : 0;
}

/* gradient[rows][0..columns) += sum_l d[rows][l] x[l][...], columns <= vectors * WIDTH */
INLINE void outer_block(int rows, int vectors, const float *d, const float *x, int x_step,
                        int columns, float *gradient, int gradient_step)
{
  vec sum[OUTER_ROWS][2];
  UNROLLED (r, rows)
    UNROLLED (v, vectors) sum[r][v] = (vec){0};
  for (int l = 0; l < LANES; l++) {
    vec in[2];
    UNROLLED (v, vectors) in[v] = load(x + l * x_step + v * WIDTH);
    UNROLLED (r, rows)
      UNROLLED (v, vectors) sum[r][v] += d[r * LANES + l] * in[v];
  }
  float flat[OUTER_ROWS][2 * WIDTH];
  UNROLLED (r, rows)
    UNROLLED (v, vectors) store(&flat[r][v * WIDTH], sum[r][v]);
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) gradient[r * gradient_step + c] += flat[r][c];
}

/* Again with the rows made a constant: whole blocks, then one row at a time. */
INLINE void outer_columns(int rows, int vectors, const float *d, const float *x, int x_step,
                          int columns, float *gradient, int gradient_step)
{
  int r = 0;
  for (; r + OUTER_ROWS <= rows; r += OUTER_ROWS)
    outer_block(OUTER_ROWS, vectors, d + r * LANES, x, x_step, columns,
                gradient + r * gradient_step, gradient_step);
  for (; r + 2 <= rows; r += 2)
    outer_block(2, vectors, d + r * LANES, x, x_step, columns, gradient + r * gradient_step,
                gradient_step);
  if (r < rows)
    outer_block(1, vectors, d + r * LANES, x, x_step, columns, gradient + r * gradient_step,
                gradient_step);
}

/* gradient[rows][columns] += sum_l d[rows][l] x[l][columns], x as transpose() made it */
static void outer(int rows, int columns, const float *d, const float *x, float *gradient)
{
  int step = padded(columns);
  for (int c = 0; c < columns; c += 2 * WIDTH) {
    int left = columns - c < 2 * WIDTH ? columns - c : 2 * WIDTH;
    if (left > WIDTH)
      outer_columns(rows, 2, d, x + c, step, left, gradient + c, columns);
    else
      outer_columns(rows, 1, d, x + c, step, left, gradient + c, columns);
  }
}

/* bias[rows] += sum_l d[rows][l], as a tree whose shape does not depend on WIDTH */
static void add_row_sums(int rows, const float *d, float *bias)
{
  for (int r = 0; r < rows; r++) {
    float part[16];
    const float *row = d + r * LANES;
    for (int i = 0; i < 16; i++) part[i] = (row[i] + row[i + 16]) + (row[i + 32] + row[i + 48]);
    for (int half = 8; half > 0; half /= 2)
      for (int i = 0; i < half; i++) part[i] += part[i + half];
    bias[r] += part[0];
  }
}

void KERNEL(net_forward)(const struct net_shape *shape, const float *parameters, const float *in,
                         float *hidden, float *out)
{
  int columns = shape->inputs;
  int layers = columns > 0 ? shape->hidden_layers : 0;
  for (int i = 0; i < layers; i++) {
    struct matrix w = {parameters, columns, 1};
    affine(shape->width, columns, w, parameters + (ptrdiff_t)shape->width * columns, in, leak,
           hidden);
    parameters += shape->width * (columns + 1);
    in = hidden;
    hidden += shape->width * LANES;
    columns = shape->width;
  }
  struct matrix w = {parameters, columns, 1};
  affine(shape->outputs, columns, w, parameters + (ptrdiff_t)shape->outputs * columns, in, 1, out);
}

/* One layer: dL/d(its output) d -> gradient of its parameters, and dL/d(its input) */
static void layer_backward(int rows, int columns, const float *parameters, const float *in,
                           const float *d, float *gradient, float *din, float *transposed)
{
  transpose(columns, in, transposed);
  outer(rows, columns, d, transposed, gradient);
  add_row_sums(rows, d, gradient + (ptrdiff_t)rows * columns);
  struct matrix w_transposed = {parameters, 1, columns};
  affine(columns, rows, w_transposed, NULL, d, 1, din);
}

void KERNEL(net_backward)(const struct net_shape *shape, const float *parameters, const float *in,
                          float *hidden, const float *dout, float *gradient, float *din,
                          float *work)
{
  const int width = shape->width, inputs = shape->inputs, layers = shape->hidden_layers;
  if (inputs == 0) {
    add_row_sums(shape->outputs, dout, gradient);
    return;
  }
  float *d = work, *dnext = work + width * LANES, *transposed = work + 2 * width * LANES;
  ptrdiff_t at = width * (inputs + 1) + (ptrdiff_t)(layers - 1) * width * (width + 1);
  const float *top = hidden + (ptrdiff_t)(layers - 1) * width * LANES;
  layer_backward(shape->outputs, width, parameters + at, top, dout, gradient + at, d, transposed);
  for (int i = layers - 1; i >= 0; i--) {
    deactivate(width, hidden + (ptrdiff_t)i * width * LANES, d);
    int columns = i > 0 ? width : inputs;
    const float *below = i > 0 ? hidden + (ptrdiff_t)(i - 1) * width * LANES : in;
    at -= width * (columns + 1);
    layer_backward(width, columns, parameters + at, below, d, gradient + at, i > 0 ? dnext : din,
                   transposed);
    float *swap = d;
    d = dnext;
    dnext = swap;
  }
}

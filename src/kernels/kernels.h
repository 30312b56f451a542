/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inner loops, on one tile of LANES points. Arrays are [row][LANES]; the innermost loop
 * always runs over lanes. Everything in this folder is compiled once per instruction set
 * and picked when the program starts. Kernels do not allocate, fail or branch on a lane.
 */
#ifndef NIS_KERNELS_H
#define NIS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { LANES = 64, TILE_ALIGN = 64 };

/* A fully connected net: leaky-ReLU hidden layers, a linear last one. With no inputs it is its
 * last bias alone. Weights of a layer are [rows][columns], followed by its biases [rows]. */
struct net_shape {
  int inputs, hidden_layers, width, outputs;
};

size_t nis_net_parameters(const struct net_shape *shape);
int nis_net_hidden_rows(const struct net_shape *shape); /* of all hidden layers together */

/* Which transform a coupling layer gives to each coordinate; the numbers of nis_coupling. */
enum { RATIONAL_QUADRATIC, PIECEWISE_QUADRATIC, PIECEWISE_LINEAR, AFFINE, TRANSFORMS };

/* One coordinate's increasing map u = F(x) of [0,1] onto itself. Its parameters raw[rows][LANES]
 * come from the net; all zero is the identity. The three spoil raw as they like. */
struct transform {
  const char *name;
  int bin_rows, other_rows; /* raw rows: so many for each bin, and besides */
  int kept_rows;            /* that density leaves for backward */
  int ends; /* 1: the last bins + 1 raw rows belong to the knots, from 0 to 1: with the first and
               the last equal the slope goes on smoothly round a circle */

  /* log_slope[LANES] += log dF/dx, in both directions. */
  void (*density)(int bins, float *raw, double *x_to_u, double *log_slope, float *kept);
  void (*sample)(int bins, float *raw, double *u_to_x, double *log_slope);

  /* After density, with the raw that it left: adjoint[LANES] holds dL/du and becomes dL/dx;
   * dlog[LANES] is dL/dlog_slope; raw becomes dL/draw. */
  void (*backward)(int bins, float *raw, const float *kept, const float *dlog, float *adjoint);
};

int nis_transform_rows(const struct transform *transform, int bins);

struct adam {
  float rate, beta1, beta2, epsilon; /* rate includes the bias corrections */
  float keep;                        /* multiplies the parameters: decay */
  float scale;                       /* multiplies the gradient: clipping */
};

struct kernels {
  const char *name;
  const struct transform *transform[TRANSFORMS];

  /* u[dim][LANES] in (0,1): coordinate j of points first_point .. first_point + LANES - 1, a
   * pure function of (seed, stream, point, j). */
  void (*uniforms)(uint64_t seed, uint32_t stream, uint64_t first_point, size_t dim, double *u);

  /* u[LANES] in (0,1) of digits[LANES], binary, the first one in the lowest bit: each is flipped at
   * random by those before it, and random ones follow. key[2] says how. */
  void (*nested)(const uint32_t *digits, const uint32_t *key, double *u);

  /* in[inputs][LANES] -> out[outputs][LANES]; hidden[hidden_rows][LANES] is kept for backward. */
  void (*net_forward)(const struct net_shape *shape, const float *parameters, const float *in,
                      float *hidden, float *out);

  /* dout[outputs][LANES] is dL/dout. Adds dL/dparameters to gradient, writes dL/din to
   * din[inputs][LANES], and spoils hidden. work holds nis_net_work_floats floats. */
  void (*net_backward)(const struct net_shape *shape, const float *parameters, const float *in,
                       float *hidden, const float *dout, float *gradient, float *din, float *work);

  /* A periodic coordinate z[LANES] as a net sees it: in[2][LANES] = cos and sin of 2 pi z. The way
   * back adds dL/dz to adjoint, for din[2][LANES] and the same in. */
  void (*circle_see)(const double *z, float *in);
  void (*circle_see_backward)(const float *in, const float *din, float *adjoint);

  /* z turned on the circle by `sign` (1 or -1) times the angle of (1 + 3 raw[0], 3 raw[1]), which
   * the net gives as raw[2][LANES]: zeros are the identity. Backward is for sign 1: adjoint, dL/dz,
   * is the same before and after the turn, and raw becomes dL/draw. */
  void (*circle_turn)(const float *raw, double sign, double *z);
  void (*circle_turn_backward)(float *raw, const float *adjoint);

  /* One pass of Adam over n parameters. */
  void (*adam_step)(size_t n, const struct adam *adam, const float *gradient, float *mean,
                    float *square, float *parameters);

  /* y[n] of x[n], each as libm has it but for a few last bits; y may be x. The bits do not depend
   * on where in the array a number stands. */
  void (*exp)(size_t n, const double *x, double *y);
  void (*log)(size_t n, const double *x, double *y);
  void (*erfc)(size_t n, const double *x, double *y);

  /* Multiplies and adds as fast as it can; returns how many floating-point operations. */
  double (*peak)(uint64_t rounds);
};

size_t nis_net_work_floats(const struct net_shape *shape);

/* The fastest set that this processor runs, or the one that the environment's NIS_KERNELS names
 * (baseline, avx2, avx512); NULL when it names one that is not there. */
const struct kernels *nis_kernels(void);

/* Set number i among those this processor runs, slowest first; NULL past the end. */
const struct kernels *nis_kernels_available(int i);

#endif

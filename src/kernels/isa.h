/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and widths of the instruction set that this compilation is for. */
#ifndef NIS_ISA_H
#define NIS_ISA_H

#include "kernels.h"

#ifndef ISA
#define ISA baseline
#define VECTOR_BYTES 16
#endif

#define JOIN_(a, b) nis_##a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define KERNEL(name) JOIN(name, ISA) /* nis_net_forward_avx2, ... */
#define STRING_(a) #a
#define STRING(a) STRING_(a)

#define INLINE static inline __attribute__((always_inline))

/* One machine register of floats. Wider types than the machine has are not split well. */
typedef float vec __attribute__((vector_size(VECTOR_BYTES)));
enum { WIDTH = VECTOR_BYTES / 4 };

/* The same anywhere in an array of floats. */
typedef float loose_vec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

INLINE vec load(const float *from)
{
  return *(const loose_vec *)from;
}

INLINE void store(float *to, vec v)
{
  *(loose_vec *)to = v;
}

typedef int32_t mask __attribute__((vector_size(VECTOR_BYTES))); /* all bits set, or none */

/* m ? a : b, lane by lane */
INLINE vec choose(mask m, vec a, vec b)
{
  return (vec)((m & (mask)a) | (~m & (mask)b));
}

/* One register of doubles, and as many floats. */
typedef double wide __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t wide_mask __attribute__((vector_size(VECTOR_BYTES)));
typedef float half_vec __attribute__((vector_size(VECTOR_BYTES / 2), aligned(4), may_alias));
typedef double loose_wide __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));
enum { WIDE_WIDTH = WIDTH / 2 };

INLINE wide load_wide(const double *from)
{
  return *(const loose_wide *)from;
}

INLINE wide widen(const float *from)
{
  return __builtin_convertvector(*(const half_vec *)from, wide);
}

INLINE void store_wide(double *to, wide v)
{
  *(loose_wide *)to = v;
}

INLINE wide choose_wide(wide_mask m, wide a, wide b)
{
  return (wide)((m & (wide_mask)a) | (~m & (wide_mask)b));
}

/* A loop over a block of registers: these stay in registers only if all of it is unrolled. */
#ifdef __clang__
#define UNROLLED(i, n) _Pragma("clang loop unroll(full)") for (int i = 0; i < (n); i++)
#else
#define UNROLLED(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)
#endif

void KERNEL(uniforms)(uint64_t, uint32_t, uint64_t, size_t, double *);
void KERNEL(nested)(const uint32_t *, const uint32_t *, double *);
void KERNEL(net_forward)(const struct net_shape *, const float *, const float *, float *, float *);
void KERNEL(net_backward)(const struct net_shape *, const float *, const float *, float *,
                          const float *, float *, float *, float *);
extern const struct transform KERNEL(rational_quadratic), KERNEL(piecewise_quadratic),
    KERNEL(piecewise_linear), KERNEL(affine);
void KERNEL(circle_see)(const double *, float *);
void KERNEL(circle_see_backward)(const float *, const float *, float *);
void KERNEL(circle_turn)(const float *, double, double *);
void KERNEL(circle_turn_backward)(float *, const float *);
void KERNEL(exp)(size_t, const double *, double *);
void KERNEL(log)(size_t, const double *, double *);
void KERNEL(erfc)(size_t, const double *, double *);
double KERNEL(peak)(uint64_t);
void KERNEL(adam_step)(size_t, const struct adam *, const float *, float *, float *, float *);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exp, log and erfc of one double without a branch, so that a loop over them becomes vectors. NaN
 * stays NaN, infinities and results beyond the range of doubles are what libm makes of them; errors
 * are a few units in the last place (tests/test_kernels.c says how many).
 */
#ifndef NIS_ELEMENTARY_H
#define NIS_ELEMENTARY_H

#include "isa.h"

#include <string.h>

INLINE double double_of(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE uint64_t bits_of(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* 2^n times the series of exp on |r| <= ln2/2; 2^n in two factors, for results that are no normal
 * numbers. */
INLINE double exp_double(double x)
{
  const double to_integer = 0x1.8p52; /* added to a small number, it rounds that to an integer */
  x = x < -746 ? -746 : x;
  x = x > 710 ? 710 : x;
  double shifted = x * 1.44269504088896340736 + to_integer, n = shifted - to_integer;
  double r = (x - n * 0x1.62e42fefa38p-1) - n * 0x1.ef35793c7673p-45; /* ln2 in two parts */
  double p = 1. / 6227020800;
  p = p * r + 1. / 479001600;
  p = p * r + 1. / 39916800;
  p = p * r + 1. / 3628800;
  p = p * r + 1. / 362880;
  p = p * r + 1. / 40320;
  p = p * r + 1. / 5040;
  p = p * r + 1. / 720;
  p = p * r + 1. / 120;
  p = p * r + 1. / 24;
  p = p * r + 1. / 6;
  p = p * r + 1. / 2;
  p = p * r + 1;
  p = p * r + 1;
  uint64_t power = (bits_of(shifted) + 2048) & 0xFFF, half = power >> 1; /* n + 2048 */
  return p * double_of((half - 1) << 52) * double_of((power - half - 1) << 52);
}

/* log(v) for normal v > 0: exponent, and 2 atanh((m-1)/(m+1)) of a mantissa around 1 */
INLINE double log_double(double v)
{
  uint64_t bits = bits_of(v), exponent;
  bits -= 0x3FE6A09E667F3BCDu; /* sqrt(1/2): now the exponent field counts from there */
  exponent = (uint64_t)((int64_t)bits >> 52);
  bits = (bits & 0xFFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu;
  double m = double_of(bits);
  double e = double_of((exponent + 2048) | 0x4330000000000000u); /* 2^52 + exponent + 2048 */
  e -= 0x1p52 + 2048;
  double s = (m - 1) / (m + 1), z = s * s, p = 1. / 21;
  p = p * z + 1. / 19;
  p = p * z + 1. / 17;
  p = p * z + 1. / 15;
  p = p * z + 1. / 13;
  p = p * z + 1. / 11;
  p = p * z + 1. / 9;
  p = p * z + 1. / 7;
  p = p * z + 1. / 5;
  p = p * z + 1. / 3;
  p = p * z + 1;
  return e * 0.69314718055994530942 + 2 * s * p;
}

/* log(v) for any v */
INLINE double log_any(double v)
{
  int small = v < 0x1p-1022;
  double log = log_double(small ? v * 0x1p54 : v) - (small ? 54 * 0.69314718055994530942 : 0);
  double other = v == 0 ? -__builtin_inf() : v < 0 ? __builtin_nan("") : v; /* or infinity, NaN */
  return v > 0 && v <= 0x1.fffffffffffffp1023 ? log : other;
}

/* exp(-a^2) g(t)/(1 + 2a) for a = |x|, t = (a-3)/(a+3): g is smooth over the whole half line
 * (Shepherd, Laframboise, Math. Comp. 36 (1981) 249), here its Chebyshev series to 1e-17 as a
 * polynomial in t. a^2 is the square of its leading 26 bits, which is exact, and a small rest. */
INLINE double erfc_double(double x)
{
  double a = x < 0 ? -x : x;
  a = a > 28 ? 28 : a;
  double t = (a - 3) / (a + 3), g = -3.451481264481676e-11;
  g = g * t + 8.393735055762137e-10;
  g = g * t + 1.2019709068236482e-09;
  g = g * t + -8.217595202792447e-09;
  g = g * t + -1.3906142887071352e-08;
  g = g * t + 4.106401411138989e-08;
  g = g * t + 1.0277997019985459e-07;
  g = g * t + -1.4047654391568907e-07;
  g = g * t + -6.175617630948992e-07;
  g = g * t + 3.5576086765035753e-07;
  g = g * t + 3.473024164567788e-06;
  g = g * t + -7.308281474354375e-07;
  g = g * t + -2.0100843093343383e-05;
  g = g * t + 4.949196650219499e-06;
  g = g * t + 0.00012509943557082153;
  g = g * t + -0.00010515971958455397;
  g = g * t + -0.0007798322884822171;
  g = g * t + 0.0018886903449991852;
  g = g * t + 0.0025293918180474555;
  g = g * t + -0.02377051491717134;
  g = g * t + 0.06830802734384515;
  g = g * t + -0.11927366341538638;
  g = g * t + 0.12964515870276475;
  g = g * t + -0.0475622943534492;
  g = g * t + -0.1356211061245812;
  g = g * t + 1.2530080582697296;
  double head = double_of(bits_of(a) & 0xFFFFFFFFF8000000u), rest = (a - head) * (a + head);
  double exp_rest = 1 - rest * (1 - rest * (1. / 2 - rest * (1. / 6)));
  double tail = exp_double(-head * head) * exp_rest * (g / (1 + 2 * a));
  return x < 0 ? 2 - tail : tail;
}

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the transforms share: functions of one number, shares of the bins and their gradient. */
#ifndef NIS_TRANSFORM_H
#define NIS_TRANSFORM_H

#include "elementary.h"

#include <string.h>

static const float least = 1e-3f; /* size of a bin, and slope, before scaling */

#define FOR_LANES() for (int l = 0; l < LANES; l++)

/* exp(x) for x <= 0, zero below -87: 2^n times the series of exp on |r| <= ln2/2 */
INLINE float exp_negative(float x)
{
  x = x < -87 ? -87 : x;
  float n = __builtin_rintf(x * 1.44269504f);
  float r = (x - n * 0.693359375f) + n * 2.12194440e-4f; /* ln2 in two parts */
  float p = 1.f / 720;
  p = p * r + 1.f / 120;
  p = p * r + 1.f / 24;
  p = p * r + 1.f / 6;
  p = p * r + 1.f / 2;
  p = p * r + 1;
  p = p * r + 1;
  int32_t bits = ((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof bits);
  return p * power;
}

INLINE double below_one(double x)
{
  return x < 1 - 0x1p-53 ? x : 1 - 0x1p-53;
}

/* raw[rows][LANES] -> exp(raw), scaled so that the largest of a lane is 1; and their sum */
INLINE void exponentials(int rows, float *restrict raw, float *restrict sum)
{
  float largest[LANES];
  memcpy(largest, raw, sizeof largest);
  for (int k = 1; k < rows; k++)
    FOR_LANES () largest[l] = raw[k * LANES + l] > largest[l] ? raw[k * LANES + l] : largest[l];
  for (int k = 0; k < rows; k++)
    FOR_LANES () {
      float e = exp_negative(raw[k * LANES + l] - largest[l]);
      raw[k * LANES + l] = e;
      sum[l] += e;
    }
}

/* raw[bins][LANES] -> shares that add up to 1 */
static inline void softmax(int bins, float *restrict raw)
{
  float sum[LANES] = {0};
  exponentials(bins, raw, sum);
  FOR_LANES () sum[l] = 1 / sum[l];
  for (int k = 0; k < bins; k++)
    FOR_LANES () raw[k * LANES + l] *= sum[l];
}

/* The largest float <= x, so that comparing it with a float knot is comparing x. */
static inline void round_down(const double *restrict x, float *restrict key)
{
  FOR_LANES () {
    float nearest = (float)x[l];
    int32_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    bits -= nearest > x[l];
    memcpy(&key[l], &bits, sizeof bits);
  }
}

/* dL/dsize of bin k, where a knot is the sum of the sizes below it: dL/dknot below the lane's bin,
 * dL/dsize in it, 0 above. */
INLINE vec size_adjoint(vec bin, float k, vec dknot, vec dsize)
{
  return choose(bin > k, dknot, choose(bin == k, dsize, (vec){0}));
}

/* shares[bins][LANES] -> dL/draw: size = least + stretch * share, share = softmax(raw) */
static inline void softmax_backward(int bins, float *shares, const float *bin_of,
                                    const float *dknot_of, const float *dsize_of)
{
  const float stretch = 1 - (float)bins * least;
  for (int l = 0; l < LANES; l += WIDTH) {
    vec bin = load(bin_of + l), dknot = load(dknot_of + l), dsize = load(dsize_of + l);
    vec mean = {0};
    for (int k = 0; k < bins; k++)
      mean += load(shares + k * LANES + l) * size_adjoint(bin, (float)k, dknot, dsize);
    for (int k = 0; k < bins; k++) {
      vec d = size_adjoint(bin, (float)k, dknot, dsize) - mean;
      store(shares + k * LANES + l, stretch * load(shares + k * LANES + l) * d);
    }
  }
}

#endif

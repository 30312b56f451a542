/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sobol.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/streams.h"

enum { MOST_DEGREE = 9 };

/* Primitive polynomials, leading and last coefficient included, and the first direction numbers
 * m_1, m_2, ... of the second coordinate and those after it: the table new-joe-kuo-6 of
 * https://web.maths.unsw.edu.au/~fkuo/sobol/ (Joe, Kuo, SIAM J. Sci. Comput. 30 (2008) 2635). */
static const struct {
  unsigned polynomial, m[MOST_DEGREE];
} joe_kuo[SOBOL_MOST_DIM - 1] = {
    {3, {1}},
    {7, {1, 3}},
    {11, {1, 3, 1}},
    {13, {1, 1, 1}},
    {19, {1, 1, 3, 3}},
    {25, {1, 3, 5, 13}},
    {37, {1, 1, 5, 5, 17}},
    {41, {1, 1, 5, 5, 5}},
    {47, {1, 1, 7, 11, 19}},
    {55, {1, 1, 5, 1, 1}},
    {59, {1, 1, 1, 3, 11}},
    {61, {1, 3, 5, 5, 31}},
    {67, {1, 3, 3, 9, 7, 49}},
    {91, {1, 1, 1, 15, 21, 21}},
    {97, {1, 3, 1, 13, 27, 49}},
    {103, {1, 1, 1, 15, 7, 5}},
    {109, {1, 3, 1, 15, 13, 25}},
    {115, {1, 1, 5, 5, 19, 61}},
    {131, {1, 3, 7, 11, 23, 15, 103}},
    {137, {1, 3, 7, 13, 13, 15, 69}},
    {143, {1, 1, 3, 13, 7, 35, 63}},
    {145, {1, 3, 5, 9, 1, 25, 53}},
    {157, {1, 3, 1, 13, 9, 35, 107}},
    {167, {1, 3, 1, 5, 27, 61, 31}},
    {171, {1, 1, 5, 11, 19, 41, 61}},
    {185, {1, 3, 5, 3, 3, 13, 69}},
    {191, {1, 1, 7, 13, 1, 19, 1}},
    {193, {1, 3, 7, 5, 13, 19, 59}},
    {203, {1, 1, 3, 9, 25, 29, 41}},
    {211, {1, 3, 5, 13, 23, 1, 55}},
    {213, {1, 3, 7, 3, 13, 59, 17}},
    {229, {1, 3, 1, 3, 5, 53, 69}},
    {239, {1, 1, 5, 5, 23, 33, 13}},
    {241, {1, 1, 7, 7, 1, 61, 123}},
    {247, {1, 1, 7, 9, 13, 61, 49}},
    {253, {1, 3, 3, 5, 3, 55, 33}},
    {285, {1, 3, 1, 15, 31, 13, 49, 245}},
    {299, {1, 3, 5, 15, 31, 59, 63, 97}},
    {301, {1, 3, 1, 11, 11, 11, 77, 249}},
    {333, {1, 3, 1, 11, 27, 43, 71, 9}},
    {351, {1, 1, 7, 15, 21, 11, 81, 45}},
    {355, {1, 3, 7, 3, 25, 31, 65, 79}},
    {357, {1, 3, 1, 1, 19, 11, 3, 205}},
    {361, {1, 1, 5, 9, 19, 21, 29, 157}},
    {369, {1, 3, 7, 11, 1, 33, 89, 185}},
    {391, {1, 3, 3, 3, 15, 9, 79, 71}},
    {397, {1, 3, 7, 11, 15, 39, 119, 27}},
    {425, {1, 1, 3, 1, 11, 31, 97, 225}},
    {451, {1, 1, 1, 3, 23, 43, 57, 177}},
    {463, {1, 3, 7, 7, 17, 17, 37, 71}},
    {487, {1, 3, 1, 5, 27, 63, 123, 213}},
    {501, {1, 1, 3, 5, 11, 43, 53, 133}},
    {529, {1, 3, 5, 5, 29, 17, 47, 173, 479}},
    {539, {1, 3, 3, 11, 3, 1, 109, 9, 69}},
    {545, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
    {557, {1, 3, 1, 5, 25, 15, 31, 103, 499}},
    {563, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
    {601, {1, 1, 5, 11, 9, 29, 97, 231, 363}},
    {607, {1, 1, 5, 15, 19, 45, 41, 7, 383}},
    {617, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
    {623, {1, 1, 1, 3, 23, 15, 111, 223, 83}},
    {631, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
    {637, {1, 1, 3, 13, 25, 47, 39, 87, 257}},
    {647, {1, 1, 1, 11, 21, 53, 125, 249, 293}},
};

static int degree(unsigned polynomial)
{
  int n = 0;
  while (polynomial >> (n + 1)) n++;
  return n;
}

/* v[k] = m_{k+1} 2^(31-k), the first binary digit in the highest bit: what bit k of a point's
 * number adds to the coordinate. */
static void direction_numbers(size_t coordinate, uint32_t *v)
{
  if (coordinate == 0) {
    for (int k = 0; k < SOBOL_BITS; k++) v[k] = 1u << (31 - k);
    return;
  }
  unsigned polynomial = joe_kuo[coordinate - 1].polynomial;
  int d = degree(polynomial);
  for (int k = 0; k < d; k++) v[k] = joe_kuo[coordinate - 1].m[k] << (31 - k);
  for (int k = d; k < SOBOL_BITS; k++) {
    v[k] = v[k - d] ^ v[k - d] >> d;
    for (int i = 1; i < d; i++)
      if (polynomial >> (d - i) & 1) v[k] ^= v[k - i];
  }
}

int nis_replicate_init(struct replicate *replicate, size_t dim)
{
  *replicate = (struct replicate){.dim = dim};
  replicate->plain = NIS_NEW(uint32_t, dim * SOBOL_BITS);
  replicate->v = NIS_NEW(uint32_t, dim * (SOBOL_BITS + 3));
  replicate->random = NIS_NEW(double, dim *LANES);
  if (!replicate->plain || !replicate->v || !replicate->random) return nis_no_memory();
  replicate->shift = replicate->v + dim * SOBOL_BITS;
  replicate->key = replicate->shift + dim;
  for (size_t j = 0; j < dim; j++) direction_numbers(j, replicate->plain + j * SOBOL_BITS);
  return NIS_OK;
}

void nis_replicate_clear(struct replicate *replicate)
{
  free(replicate->plain);
  free(replicate->v);
  free(replicate->random);
  *replicate = (struct replicate){0};
}

/* Row i of a random lower triangular matrix with ones on the diagonal, acting on digits with the
 * first one in the highest bit. */
static uint32_t matrix_row(int i, uint32_t random)
{
  uint32_t diagonal = 1u << (31 - i), above = i == 0 ? 0 : ~0u << (32 - i);
  return (random & above) | diagonal;
}

static uint32_t random_bits(double u)
{
  return (uint32_t)(u * 0x1p32);
}

void nis_replicate_scramble(struct replicate *replicate, const struct kernels *kernels,
                            uint64_t seed, uint64_t number)
{
  kernels->uniforms(seed, STREAM_SCRAMBLE, number * LANES, replicate->dim, replicate->random);
  memset(replicate->v, 0, replicate->dim * SOBOL_BITS * sizeof *replicate->v);
  for (size_t j = 0; j < replicate->dim; j++) {
    const double *random = replicate->random + j * LANES;
    const uint32_t *plain = replicate->plain + j * SOBOL_BITS;
    uint32_t *v = replicate->v + j * SOBOL_BITS;
    for (int i = 0; i < SOBOL_BITS; i++) {
      uint32_t row = matrix_row(i, random_bits(random[i]));
      for (int k = 0; k < SOBOL_BITS; k++) v[k] |= (uint32_t)__builtin_parity(row & plain[k]) << i;
    }
    replicate->shift[j] = random_bits(random[SOBOL_BITS]);
    for (int i = 0; i < 2; i++)
      replicate->key[2 * j + (size_t)i] = random_bits(random[SOBOL_BITS + 1 + i]);
  }
}

void nis_replicate_tile(const struct replicate *replicate, const struct kernels *kernels,
                        size_t coordinate, uint64_t first, double *u)
{
  const uint32_t *v = replicate->v + coordinate * SOBOL_BITS;
  uint32_t digits[LANES] = {replicate->shift[coordinate]};
  for (int k = 0; first >> k; k++)
    if (first >> k & 1) digits[0] ^= v[k];
  for (int k = 0; 1 << k < LANES; k++)
    for (int l = 0; l < 1 << k; l++) digits[l + (1 << k)] = digits[l] ^ v[k];
  kernels->nested(digits, replicate->key + 2 * coordinate, u);
}

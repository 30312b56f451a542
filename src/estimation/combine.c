/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "combine.h"

#include <math.h>

struct estimate nis_component(const struct tally *t, const struct components *c, size_t a)
{
  if (a == 0) return nis_tally_estimate(t);
  return (struct estimate){nis_components_value(c, a),
                           nis_components_error(c, a, nis_tally_factor(t), t->blurred), NAN};
}

struct estimate nis_components_sum(const struct tally *t, const struct components *c,
                                   const double *coefficients)
{
  size_t n = c->n > 0 ? c->n : 1;
  double value = 0, top = 0, square = 0, factor = nis_tally_factor(t), term[NIS_MOST_COMPONENTS];
  for (size_t a = 0; a < n; a++) {
    struct estimate part = nis_component(t, c, a);
    value += coefficients[a] * part.value;
    term[a] = coefficients[a] == 0 ? 0 : coefficients[a] * part.error;
    top = fmax(top, fabs(term[a]));
  }
  if (top == 0 || isinf(top)) return (struct estimate){value, top, NAN};
  /* In units of the largest term: its square might be no double. */
  for (size_t a = 0; a < n; a++) {
    double of_a = term[a] / top, others = 0;
    for (size_t b = 0; b < a && of_a != 0; b++)
      others += term[b] / top * nis_components_correlation(c, a, b, factor, t->blurred);
    square += of_a * (of_a + 2 * others);
  }
  return (struct estimate){value, top * sqrt(fmax(square, 0)), NAN};
}

/* d(a/b) = da/b - (a/b) db/b, which may be the difference of what is almost the same */
struct estimate nis_components_ratio(const struct tally *t, const struct components *c, size_t i,
                                     size_t j)
{
  struct estimate a = nis_component(t, c, i), b = nis_component(t, c, j);
  if (b.value == 0) return (struct estimate){NAN, HUGE_VAL, NAN};
  double ratio = a.value / b.value, x = a.error / b.value, y = ratio * (b.error / b.value);
  double top = fmax(fabs(x), fabs(y));
  if (top == 0 || isinf(top)) return (struct estimate){ratio, top, NAN};
  x /= top, y /= top;
  double together =
      i == j ? 1 : nis_components_correlation(c, i, j, nis_tally_factor(t), t->blurred);
  double square = x * x + y * y - 2 * x * y * together;
  return (struct estimate){ratio, top * sqrt(fmax(square, 0)), NAN};
}

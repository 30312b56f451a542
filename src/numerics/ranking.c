/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ranking.h"

static int better(const struct ranking *r, size_t a, size_t b)
{
  return r->score[a] > r->score[b] || (r->score[a] == r->score[b] && a < b);
}

static void sift_down(struct ranking *r, size_t i)
{
  size_t *order = r->order, moving = order[i];
  for (size_t child; (child = 2 * i + 1) < r->left; i = child) {
    if (child + 1 < r->left && better(r, order[child + 1], order[child])) child++;
    if (!better(r, order[child], moving)) break;
    order[i] = order[child];
  }
  order[i] = moving;
}

void nis_ranking_start(struct ranking *r, size_t n, const double *score, size_t *order)
{
  *r = (struct ranking){score, order, n};
  for (size_t i = 0; i < n; i++) order[i] = i;
  for (size_t i = n / 2; i-- > 0;) sift_down(r, i);
}

size_t nis_ranking_take(struct ranking *r)
{
  size_t best = r->order[0];
  r->order[0] = r->order[--r->left];
  if (r->left > 0) sift_down(r, 0);
  return best;
}

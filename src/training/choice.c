/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "choice.h"

#include "base/error.h"
#include "mixture/control.h"
#include "rounds.h"

#include <math.h>
#include <string.h>

enum { LEAST_EVIDENCE = 16 /* points that a training is judged by */ };

static const double rehearsed_variance = 100; /* times the least, at most */
static const double flat_most = 4; /* times the mean of |f|, where nothing learnt is to be used */
static const double net_gain = 3;  /* in error, what nets may make of a mixture */
static const double clear_gain = 1.5;   /* in error, for what has more variance */
static const double least_share = 1e-3; /* of a channel in the end; less is none */

/* The newest round under the tempered target */
struct share_points nis_choice_newest(struct trainer *t)
{
  for (size_t i = 0; i < t->fresh.n; i++)
    t->fit[i] = t->fresh.f[i] == 0 ? -HUGE_VAL : t->at.beta * log(fabs(t->fresh.f[i]));
  return (struct share_points){.n = t->fresh.n,
                               .log_target = t->fit,
                               .log_p = t->fresh.log_q,
                               .log_channel = t->fresh.log_channel,
                               .kernels = t->s->mixture.flow.kernels,
                               .work = t->fit + t->fresh.n};
}

static void set_shares(struct trainer *t, const struct share_points *p, const double *given)
{
  double sum = 0, *share = t->s->mixture.share;
  for (int c = 0; c < CHANNELS; c++) sum += share[c] = given[c] < least_share ? 0 : given[c];
  for (int c = 0; c < CHANNELS; c++) share[c] /= sum;
  if (!t->s->integrand.norm)
    nis_control_fit(p->n, t->fresh.f, p->log_p, p->log_channel, share, t->s->mixture.beta);
}

/* One channel, and as much of the uniform one as its variance asks for */
static void alone(int channel, double variance, double *share)
{
  for (int c = 0; c < CHANNELS; c++) share[c] = c == channel;
  nis_shares_defend(share, variance);
}

/* What each fresh point adds to the variance of the estimate by the mixture that the sampler holds,
 * in units of the square of the integral of |f|; infinite where the mixture never comes though f is
 * not 0. */
static void spreads(struct trainer *t, double unit, double *spread)
{
  enum { BLOCK = 4 * LANES };
  const struct mixture *m = &t->s->mixture;
  const struct points *p = &t->fresh;
  double log_q[BLOCK], log_channel[BLOCK * CHANNELS], weight[LANES], value[LANES];
  double mean = t->weight.mean / unit;
  for (size_t at = 0; at < p->n; at += BLOCK) {
    size_t n = p->n - at < BLOCK ? p->n - at : BLOCK;
    nis_sampler_density(t->s, NULL, n, p->x + at * m->dim, log_q, log_channel);
    for (size_t i = 0; i < n; i++) {
      if (i % LANES == 0)
        nis_control_values(n - i < LANES ? n - i : LANES, p->f + at + i, log_q + i,
                           log_channel + i * CHANNELS, m->beta, m->flow.kernels, weight, value);
      double off = value[i % LANES] / unit - mean;
      spread[at + i] = off * off * exp(log_q[i] - p->log_q[at + i]);
      if (isinf(log_q[i])) spread[at + i] = p->f[at + i] == 0 ? 0 : HUGE_VAL;
    }
  }
}

/* What nets may make more of than of the shares that spread the weights least, which come first:
 * the best channel alone, and the map. Returns how many there are. */
static int rivals(const struct share_points *p, double share[REHEARSALS][CHANNELS])
{
  double variance[CHANNELS], most = rehearsed_variance * nis_shares_variance(p, share[0]);
  int n = 1, main = CHANNEL_FLOW;
  for (int c = 0; c < CHANNELS; c++) {
    alone(c, 0, share[n]);
    variance[c] = nis_shares_variance(p, share[n]);
    if (variance[c] < variance[main]) main = c;
  }
  if (share[0][main] < 1 - least_share && variance[main] <= most)
    alone(main, variance[main], share[n++]);
  if (main != CHANNEL_MAP && variance[CHANNEL_MAP] <= most)
    alone(CHANNEL_MAP, variance[CHANNEL_MAP], share[n++]);
  return n;
}

/* Of the first n shares those whose nets have the least error, and this error in nets of the
 * estimate */
static int rehearse(struct trainer *t, const struct share_points *p, int n,
                    double share[REHEARSALS][CHANNELS], double *least_error)
{
  double error;
  int kept = 0;
  *least_error = HUGE_VAL;
  for (int i = 0; i < n; i++) {
    set_shares(t, p, share[i]);
    NIS_TRY(nis_rehearse(&t->rehearsal, t->s, &error));
    t->drawn += REHEARSED_NETS * t->rehearsal.net;
    if (i > 0 && error * clear_gain >= *least_error) continue;
    *least_error = error, kept = i;
  }
  set_shares(t, p, share[kept]);
  return NIS_OK;
}

static struct share_points choose_shares(struct trainer *t, double *share)
{
  struct share_points p = nis_choice_newest(t);
  memcpy(share, t->s->mixture.share, sizeof t->s->mixture.share);
  nis_shares_choose(&p, share, !t->at.two_signs);
  return p;
}

/* The error of a net of the estimate by the mixture of the sampler, at the worst: as if its points
 * were random */
static double random_error(struct trainer *t)
{
  struct moments spread = {0};
  double *each = t->fit, unit = exp(t->log_z);
  spreads(t, unit, each);
  for (size_t i = 0; i < t->fresh.n; i++) nis_moments_add(&spread, each[i]);
  return unit * sqrt(spread.mean / t->final_net);
}

/* Uniform points, where nets make more of them than of what has been learnt. Not where f has a peak
 * or a singular end: the few points there would make the error, and the survey knows little of
 * it. */
static void forget_where_worse(struct trainer *t, double error)
{
  double *share = t->s->mixture.share, largest = 0;
  for (size_t i = 0; i < t->fresh.n; i++) largest = fmax(largest, fabs(t->fresh.f[i]));
  if (t->unlearnt >= error || largest > flat_most * exp(t->log_z)) return;
  for (int c = 0; c < CHANNELS; c++) share[c] = c == CHANNEL_UNIFORM, t->s->mixture.beta[c] = 0;
}

/* Fresh points that nothing has learnt from choose between the channels, and calls that no
 * rehearsal takes are more of them. */
int nis_choice_make(struct trainer *t, uint64_t first)
{
  double share[REHEARSALS][CHANNELS], error;
  struct share_points p = choose_shares(t, share[0]);
  int n = t->reserved > 0 && !t->at.two_signs ? rivals(&p, share) : 1;
  size_t used = n > 1 ? (size_t)n * REHEARSED_NETS * t->rehearsal.net : 0;
  if (used < t->reserved) {
    NIS_TRY(nis_round_more(t, STREAM_TRAIN, first + t->drawn, t->reserved - used));
    p = choose_shares(t, share[0]);
  }
  set_shares(t, &p, share[0]);
  if (n > 1)
    NIS_TRY(rehearse(t, &p, n, share, &error));
  else
    error = random_error(t) / net_gain;
  forget_where_worse(t, error / clear_gain);
  return NIS_OK;
}

/* Whether the fresh points show that the mixture of the sampler is better than that in the backup,
 * which is not to give way to one that is so by chance. */
int nis_choice_is_better(struct trainer *t)
{
  double *now = t->fit, *before = now + t->fresh.n, unit = exp(t->log_z);
  if (t->fresh.n < LEAST_EVIDENCE || !(unit > 0)) return 0;
  struct moments gain = {0};
  int never = 0;
  spreads(t, unit, now);
  nis_backup_swap(&t->backup, &t->s->mixture);
  nis_round_weigh(t);
  spreads(t, unit, before);
  nis_backup_swap(&t->backup, &t->s->mixture);
  nis_round_weigh(t);
  for (size_t i = 0; i < t->fresh.n; i++) {
    if (isinf(now[i])) never = 1;
    nis_moments_add(&gain, before[i] - now[i]);
  }
  return !never && !(gain.mean <= nis_moments_error(&gain));
}

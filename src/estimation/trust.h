/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a result's error bar is to be believed. All counts are those of the estimate: what else
 * the handle has done is no evidence. */
#ifndef NIS_TRUST_H
#define NIS_TRUST_H

#include "components.h"
#include "tally.h"

/* Whether so few values are not 0 that their spread says little. Of several components the first is
 * judged, unless it is 0 everywhere: then all together. */
int nis_trust_few(const struct tally *t, const struct components *c);

/* Whether an error is not yet one to end a run by: few values, few that carry the sum, or a heavy
 * tail. Where large weights have not been seen it would be too small. */
int nis_trust_too_early(const struct tally *t, const struct components *c);

/* The bits of nis_result.suspect for the result r of t and c; 0: nothing speaks against it. */
int nis_trust_doubts(const struct tally *t, const struct components *c, const nis_result *r);

/* Leaves the sentence of the gravest doubt in r->suspect, with what to do; returns NIS_SUSPECT. */
int nis_trust_explain(const struct tally *t, const struct components *c, const nis_result *r);

#endif

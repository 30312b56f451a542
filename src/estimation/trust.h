/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a result's error bar is to be believed. */
#ifndef NIS_TRUST_H
#define NIS_TRUST_H

#include "nis.h"

/* The bits of nis_result.suspect that r's own numbers say; 0: nothing speaks against it. */
int nis_trust_doubts(const nis_result *r);

/* Leaves the sentence of the gravest doubt in r->suspect, with what to do; returns NIS_SUSPECT. */
int nis_trust_explain(const nis_result *r);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Squared matrix elements at tree level, for momenta of one's own.
 *
 *     char sentence[256];
 *     const char *settings[] = {"quark=u", "alpha_s=0.118"};
 *     nis_matrix_element *m =
 *         nis_matrix_element_make("ee4j", settings, 2, sentence, sizeof sentence);
 *     double squared = nis_matrix_element_value(m, p);
 *     nis_matrix_element_free(m);
 *
 * The value is averaged over the spins of e- and e+, summed over all other spins and colours, and
 * without a factor for identical particles; with quark=all over flavours too. All particles are
 * massless; photon and Z (fixed width) and the couplings are those of electroweak.h. `nis list`
 * shows the parameters; of them those of the cuts and of the energy do not matter here.
 *
 *     name      momenta p[legs][4], each (E, px, py, pz) in GeV      parameters         |M|^2 in
 *     ee_mumu   e-, e+, mu-, mu+                                                        1
 *     ee3j      e-, e+, q, qbar, g                                   quark, alpha_s     GeV^-2
 *     ee4j      e-, e+, q, qbar, g, g                                quark, alpha_s     GeV^-4
 *     ee5j      e-, e+, q, qbar, g, g, g                             quark, alpha_s     GeV^-6
 *     ee4q      e-, e+, q, qbar, Q, Qbar                             and quark2, of Q   GeV^-4
 *     ee4qg     e-, e+, q, qbar, Q, Qbar, g                          and quark2, of Q   GeV^-6
 */
#ifndef NIS_MATRIX_ELEMENT_H
#define NIS_MATRIX_ELEMENT_H

#include "nis.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nis_matrix_element nis_matrix_element;

/* Settings are words "key=value"; what they leave out has its default. NULL on failure, with a
 * sentence in sentence[0..size). To be freed. */
NIS_API nis_matrix_element *nis_matrix_element_make(const char *name, const char *const *settings,
                                                    size_t nsettings, char *sentence, size_t size);
NIS_API void nis_matrix_element_free(nis_matrix_element *m); /* NULL is fine */

/* How many momenta it takes, the two incoming ones included */
NIS_API int nis_matrix_element_legs(const nis_matrix_element *m);

/* |M|^2 of momenta that are massless and conserved to rounding, in any frame. May be called from
 * several threads at once. */
NIS_API double nis_matrix_element_value(const nis_matrix_element *m, const double (*p)[4]);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif

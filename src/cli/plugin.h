/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integrands out of shared objects, FILE.so:SYMBOL. To the rest of the command they look like a row
 * of the table, one without parameters and state: their params is NULL. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "integrands.h"
#include "nis_histogram.h"

/* Is it the name of a plug-in, rather than one of the table? */
int plugin_is_named(const char *name);

/* Fills the row, name and all. The symbol is a nis_integrand, which goes to row->f; where `batch`
 * is not NULL it is a nis_batch_integrand, which goes there. dim_default is 0 unless the file
 * exports a size_t SYMBOL_dim; *channels, where it is 0, becomes its size_t SYMBOL_channels, and
 * *observables is NULL unless it exports SYMBOL_observables. 0, or an exit code with a sentence on
 * stderr. */
int plugin_load(struct integrand *row, const char *name, nis_batch_integrand **batch,
                size_t *channels, const nis_plugin_observable **observables);

/* The part of the name behind the colon */
const char *plugin_symbol(const char *name);

#endif

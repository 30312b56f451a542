/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include "numerics/weights.h"

#define MEMBER(name) OPTION_MEMBER(nis_event_options, name)

static const nis_option rows[] = {
    {MEMBER(events), WHOLE_63_BITS(1), RULE(NULL, "0, as many as the calls give"),
     "events that are wanted"},
    {MEMBER(calls), WHOLE_63_BITS(1), RULE(NULL, "0, as many as it takes"), "points tried at most"},
    {MEMBER(w_max), FIRST_OF(NIS_W_MAX_MEDIAN, "tail", "largest,quantile,median"),
     "the weight that is accepted for certain"},
    {MEMBER(tail), ABOVE_BELOW(0, 1), VALUE(DEFAULT_TAIL),
     "with w_max tail: share of the weights that may lie above it"},
    {MEMBER(quantile), ABOVE_UP_TO(0, 1), VALUE(DEFAULT_QUANTILE),
     "with w_max quantile: which one of the weights"},
    {MEMBER(whole_run), ZERO_OR_ONE, VALUE(0),
     "a larger w_max that turns up later thins out the events before it"},
    {MEMBER(unit_weights), ZERO_OR_ONE, VALUE(0),
     "repeat overweight events instead of giving them weights"},
    {MEMBER(sink), POINTER, NO_DEFAULT, "takes the events"},
    {MEMBER(sink_params), POINTER, NO_DEFAULT, "handed to it"},
    {MEMBER(path), POINTER, NO_DEFAULT, "of the file that takes the events"},
    {MEMBER(format), WORDS(NIS_FORMAT_TEXT, "default,lhe,lhe3,lheh5,hdf5,npy,text"),
     RULE(NULL, "by the ending of the file's name (.lhe .lheh5 .h5 .hdf5 .npy .txt .dat, also .gz "
                "behind .lhe and text), without one lhe with particles, or text"),
     "what kind of file"},
    {MEMBER(particles), POINTER, NO_DEFAULT, "turns a point into particles"},
    {MEMBER(particles_params), POINTER, NO_DEFAULT, "handed to it"},
    {MEMBER(header), POINTER, NO_DEFAULT, "lines for the head of the file"},
    {MEMBER(force), ZERO_OR_ONE, VALUE(0),
     "replace a file that exists; else it is refused before anything is computed"},
    {MEMBER(skip), WHOLE_63_BITS(0), VALUE(0), "points that are passed over beforehand"},
};

const struct option_table nis_event_option_table = {rows, sizeof rows / sizeof *rows};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To add an option: a field in nis.h and a row here, in the same place of the list. */
#include "options.h"

#include "events/options.h"
#include "nis_events.h"

#define MEMBER(name) OPTION_MEMBER(nis_options, name)
#define FIRST_TEXT(value) #value
#define FROM_TEXT(value, bound) ", " #value " from " #bound

static const nis_option rows[] = {
    {MEMBER(dim), WHOLE(1, NIS_MOST_DIM), NO_DEFAULT, "dimensions"},
    {MEMBER(params), POINTER, NO_DEFAULT, "handed to the integrand"},
    {MEMBER(calls), WHOLE_63_BITS(1), VALUE(1e6), "integrand calls in all, training included"},
    {MEMBER(rel_error), FROM_BELOW(0, 1), RULE(NULL, "0, no goal"),
     "stop when the relative error is reached"},
    {MEMBER(abs_error), FROM(0), RULE(NULL, "0, no goal"),
     "stop when the absolute error is reached"},
    {MEMBER(call_seconds), FROM(0),
     RULE(NULL, "0, measured in the first calls where there is a goal"),
     "time of a call, by which a goal's way is chosen"},
    {MEMBER(max_seconds), FROM(0), RULE(NULL, "0, no limit"), "wall time for the integral"},
    {MEMBER(seed), WHOLE_64_BITS(0), VALUE(0), "same seed, same numbers"},
    {MEMBER(threads), WHOLE(1, MOST_THREADS), RULE(NULL, "all cores (OMP_NUM_THREADS)"),
     "threads to work with"},
    {MEMBER(lower), POINTER, NO_DEFAULT, "limits of the coordinates"},
    {MEMBER(upper), POINTER, NO_DEFAULT, "limits of the coordinates"},
    {MEMBER(periodic), POINTER, NO_DEFAULT, "which coordinates are periodic"},
    {MEMBER(batch), POINTER, NO_DEFAULT, "an integrand that takes many points at once"},
    {MEMBER(batch_points), WHOLE(1, 1048576), VALUE(1024),
     "points in one call of a batch integrand"},
    {MEMBER(ncomp), WHOLE(1, NIS_MOST_COMPONENTS), VALUE(1), "values that it has at each point"},
    {MEMBER(covariance), ZERO_OR_ONE, VALUE(0), "the covariance of more than 64 of them is kept"},
    {MEMBER(follow), FIRST_OF(NIS_FOLLOW_FIRST, "norm", "first"),
     "what of several values the flow learns"},
    {MEMBER(scales), POINTER, NO_DEFAULT, "of the values in their norm"},
    {MEMBER(serial), ZERO_OR_ONE, VALUE(0), "the integrand is called by one thread only"},
    {MEMBER(progress), POINTER, NO_DEFAULT, "is called as the run goes on"},
    {MEMBER(progress_params), POINTER, NO_DEFAULT, "handed to it"},
    {MEMBER(train_share), ABOVE_BELOW(0, 1),
     RULE("calls", OPTION_TEXT(TRAIN_SHARE) ", at most " OPTION_TEXT(MOST_TRAIN_CALLS) " calls"),
     "share of the calls spent on training"},
    {MEMBER(effort), ABOVE_UP_TO(0, 1000), VALUE(1), "scales the gradient work"},
    {MEMBER(hints), POINTER, NO_DEFAULT, "points where the integrand is known to peak"},
    {MEMBER(nhints), WHOLE(0, NIS_MOST_HINTS), VALUE(0), "how many these are"},
    {MEMBER(layers), WHOLE(1, 64),
     RULE("dim", OPTION_TEXT(LAYERS_A_DIGIT) " ceil(log2 dim), at least " OPTION_TEXT(
                     LEAST_LAYERS) "; 1 for dim = 1"),
     "coupling layers"},
    {MEMBER(hidden_layers), WHOLE(1, 8), VALUE(2), "hidden layers of each conditioner net"},
    {MEMBER(hidden_width), WHOLE(1, 1024),
     RULE("dim", HIDDEN_WIDTH(FIRST_TEXT, FROM_TEXT) " dimensions on"), "units in each of these"},
    {MEMBER(bins), WHOLE(2, 128), VALUE(8), "bins of each coordinate's map"},
    {MEMBER(minibatch), WHOLE(64, 1048576),
     RULE("calls,train_share", MINIBATCH(FIRST_TEXT, FROM_TEXT) " training calls on"),
     "points in a gradient step"},
    {MEMBER(replay), ABOVE_UP_TO(0, MOST_REPLAY),
     RULE("effort,dim,calls,train_share,layers,hidden_layers,hidden_width,bins",
          "effort times " OPTION_TEXT(REPLAY) " for " OPTION_TEXT(
              REPLAY_CALLS) " training calls, more for fewer calls and fewer dimensions (a "
                            "hundredth of "
                            "the training calls at most, within " OPTION_TEXT(
                                LEAST_TOP_REPLAY) " .. " OPTION_TEXT(MOST_TOP_REPLAY) "), less for "
                                                                                      "large nets"),
     "gradient samples per training call"},
    {MEMBER(replay_bytes), WHOLE_64_BITS(1), VALUE(1073741824),
     "memory for stored training points"},
    {MEMBER(learning_rate), ABOVE_UP_TO(0, 1),
     RULE("dim", LEARNING_RATE(FIRST_TEXT, FROM_TEXT) " dimensions on"), "Adam's at the start"},
    {MEMBER(decay), ABOVE_UP_TO(0, 1000), VALUE(1),
     "of the parameters of a second learner, in units of the learning rate"},
    {MEMBER(coupling),
     FIRST_OF(NIS_AFFINE, "rational-quadratic", "piecewise-quadratic,piecewise-linear,affine"),
     "each coordinate's map"},
    {MEMBER(loss),
     WORDS(NIS_LOSS_FORWARD_CHI2,
           "default,kl,variance,exponential,hellinger,jeffreys,forward-chi2"),
     RULE(NULL, "kl, and variance for the last 45 % of the steps"), "training loss"},
    {MEMBER(signs), FIRST_OF(NIS_SIGNS_TOGETHER, "apart", "together"),
     "a flow for each sign of f, or one for |f|"},
    {MEMBER(points), WORDS(NIS_POINTS_NETS, "default,random,nets"),
     RULE("dim,max_seconds", "nets in up to " OPTION_TEXT(
                                 MOST_SOBOL_DIM) " dimensions without max_seconds, else random"),
     "points of the estimate"},
    {MEMBER(goal_of), FIRST_OF(NIS_GOAL_FIRST, "all", "first"),
     "which of several values the goals are for"},
    {MEMBER(name), POINTER, NO_DEFAULT, "of the integrand, kept in files"},
    {MEMBER(checkpoint), POINTER, NO_DEFAULT, "file that a killed run goes on from"},
    {MEMBER(checkpoint_seconds), ABOVE_UP_TO(0, 1e6), VALUE(600),
     "of a killed run that may be lost"},
    {MEMBER(sink), POINTER, NO_DEFAULT, "takes the points of the estimate"},
    {MEMBER(sink_params), POINTER, NO_DEFAULT, "handed to it"},
    {MEMBER(extra), WHOLE(0, NIS_MOST_EXTRA), VALUE(0), "outputs at each point besides the values"},
    {MEMBER(discrete), POINTER, NO_DEFAULT,
     "which coordinates are discrete, and their numbers of values"},
    {MEMBER(channels), WHOLE(2, NIS_MOST_VALUES), RULE(NULL, "0, none"),
     "channels that the last coordinate counts"},
    {MEMBER(channel_weights), ZERO_OR_ONE, VALUE(0),
     "the first outputs are prior channel weights, and f is multiplied by that of its channel"},
    {MEMBER(features), WHOLE(0, NIS_MOST_FEATURES), VALUE(0),
     "outputs behind these that channel weights are learnt from"},
};

const struct option_table nis_option_table = {rows, sizeof rows / sizeof *rows};

const nis_option *nis_option_list(size_t *n)
{
  if (n) *n = nis_option_table.n;
  return rows;
}

const nis_option *nis_event_option_list(size_t *n)
{
  if (n) *n = nis_event_option_table.n;
  return nis_event_option_table.rows;
}

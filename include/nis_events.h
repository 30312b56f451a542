/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unweighted events of a handle that has an estimate, for the user's function or in a file:
 *
 *     nis_run(s, &result);
 *     nis_events(s, &(nis_event_options){.events = 10000, .path = "events.npy"}, &summary);
 *
 * The same events for any number of threads. nis.h does not include this.
 */
#ifndef NIS_EVENTS_H
#define NIS_EVENTS_H

#include "nis.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A point of weight w = f/q is accepted with probability min(1, |w|/w_max) and becomes an event of
 * weight sign(w) max(1, |w|/w_max): almost all are +-1, and the few overweights are carried, so
 * nothing is lost and nothing counts twice. Four ways to choose w_max: */
typedef enum {
  NIS_W_MAX_TAIL,    /* it leaves at most a share `tail` of sum|w| above it: sum over |w| > w_max of
                         (|w| - w_max) (Sherpa's Max_Epsilon, MadGraph's trunc_error, Foam) */
  NIS_W_MAX_LARGEST, /* the largest |w|: the efficiency falls with the number of points */
  NIS_W_MAX_QUANTILE, /* the `quantile` of the |w| that are not 0 */
  NIS_W_MAX_MEDIAN    /* the median maximum of n/50 weights (i-flow, arXiv:2001.10028), exactly: the
                         order statistic that a bootstrap tends to */
} nis_w_max_rule;
enum { NIS_W_MAX_RULES = 4 };

/* n events. The arrays are the library's, and valid during the call only. */
typedef struct {
  size_t n, dim;
  const double *x;        /* [n][dim] */
  const double *weight;   /* [n] sign(w) max(1, |w|/w_max) */
  const double *log_q;    /* [n] log-density of x per unit of the domain's volume */
  const uint64_t *trials; /* [n] points tried since the event before, this one included; 0 for one
                             more copy of an event (unit_weights) */
  size_t extra;
  const double *outputs; /* [n][extra] what the integrand gave besides (options.extra of nis.h);
                            NULL without any */
  double unit;           /* integral that a weight of 1 stands for, the same for all of a call: the
                            mean of unit * weight over events estimates the integral of f */
} nis_event_block;

/* Takes events: called from the calling thread, in an order that does not depend on the number of
 * threads. Non-zero ends with NIS_STOPPED; the events of that block count as taken, and the next
 * call goes on behind them. */
typedef int nis_event_sink(const nis_event_block *events, void *params);

/* A leg of an event as in the Les Houches accord (hep-ph/0109068). Incoming ones come first, the
 * one with pz > 0 before the other. */
typedef struct {
  int pdg;       /* Particle Data Group number */
  int status;    /* -1 incoming, 1 outgoing, 2 decayed */
  int mother[2]; /* numbers of particles, from 1; 0: none */
  int colour[2]; /* colour and anticolour line; 0: none */
  double p[4];   /* E, px, py, pz in GeV */
  double mass;   /* GeV */
  double spin;   /* cosine of the angle between spin and momentum; 9: unknown */
} nis_particle;

enum { NIS_MOST_PARTICLES = 16 };

typedef struct {
  int nparticles;
  double scale;             /* GeV, where showers begin */
  double alpha_em, alpha_s; /* at that scale */
  nis_particle particle[NIS_MOST_PARTICLES];
} nis_event;

/* Turns a point into particles: fills *event, which is all zero. The points that it gets had an f
 * that was not 0, and nis_extra() has what the integrand gave there besides, to be read only.
 * Called from several threads at once unless options.serial is set. Non-zero ends with
 * NIS_CALLBACK. */
typedef int nis_particles(const double *x, size_t dim, nis_event *event, void *params);

/* Kinds of files. In each the mean of the weights estimates the integral, but for LHEH5, whose
 * readers divide the sum of weights by that of trials, and unit weights in Les Houches files. Text
 * files are compressed when their names end in .gz. */
typedef enum {
  NIS_FORMAT_BY_NAME, /* .lhe .lheh5 .h5 .hdf5 .npy .txt .dat. Without an ending, and for what is no
                         file, LHE with particles, or text; any other ending is refused */
  NIS_FORMAT_LHE,     /* Les Houches events 1.0 (hep-ph/0609017), in pb: strategy -4, weights whose
                         mean is the cross section; for unit weights of one sign strategy 3. With
                         options.channels each event ends with a line "# channel k" */
  NIS_FORMAT_LHE3,    /* the same 3.0 (arXiv:1405.1067): generator, trials, named weights */
  NIS_FORMAT_LHEH5,   /* HDF5 2.0.1 (arXiv:2309.13154). This and the next are in libnis_hdf5.so,
                         which is loaded when it is asked for: from $NIS_MODULES, from beside the
                         library (or the program), or from where it was installed. HDF5 is called
                         by the calling thread only, and its state (handlers of errors, what is done
                         at exit) is left as it is */
  NIS_FORMAT_HDF5, /* data sets x, weight, log_q, with options.extra of nis.h also outputs; the run
                         in attributes */
  NIS_FORMAT_NPY,  /* numpy's: records of x, weight, log_q, likewise outputs */
  NIS_FORMAT_TEXT  /* columns x1 ... weight, likewise o1 ..., after lines that begin with # */
} nis_event_format;

/* Zero means default for every field. */
typedef struct {
  uint64_t events;      /* wanted, 1 .. 2^62; default 0, as many as the calls give */
  uint64_t calls;       /* points tried at most, 1 .. 2^62; default 0, as many as it takes. One
                              of the two is needed */
  nis_w_max_rule w_max; /* one of the above; default NIS_W_MAX_TAIL */
  double tail;          /* of NIS_W_MAX_TAIL, in (0, 1); default 1e-3 */
  double quantile;      /* of NIS_W_MAX_QUANTILE, in (0, 1]; default 0.999 */
  int whole_run;        /* 1: w_max is the largest that the rule gives at any time of the run, and
                              events accepted before are thinned out to fit it, as if it had been
                              known: with NIS_W_MAX_LARGEST no weight is ever above 1. What was
                              accepted waits in a temporary file (in $TMPDIR or /var/tmp,
                              8 (dim + extra + 4) bytes an event). Default 0: w_max is that of the
                              estimate */
  int unit_weights;     /* 1: every weight is 1 or -1; an overweight point becomes several equal
                              events, |w|/w_max on the average; default 0 */
  nis_event_sink *sink; /* takes the events ... */
  void *sink_params;    /* handed to it */
  const char *path;     /* ... or a file does, or both; "-": standard output. See below */
  nis_event_format format;  /* of the file; one of the above; default NIS_FORMAT_BY_NAME */
  nis_particles *particles; /* needed for the three Les Houches formats */
  void *particles_params;   /* handed to it */
  const char *header;       /* lines of UTF-8 for the head of the file, "key: value\n", but for NPY.
                                 Other bytes and control characters come out as \xNN */
  int force;     /* 1: an existing file at `path` is replaced; default 0: that is NIS_NO_FILE */
  uint64_t skip; /* points that are passed over, 0 .. 2^62; default 0. Runs of `calls` points each,
                    that skip those of the runs before, make the events of one run of all: parts of
                    it for other handles and machines */
} nis_event_options;

/* As nis_option_list and nis_options_set of nis.h */
NIS_API const nis_option *nis_event_option_list(size_t *n);
NIS_API int nis_event_options_set(nis_event_options *options, const char *name, const char *value);

/* A file bears its name when it is complete. Until then it is PATH.XXXXXX.part beside it, with six
 * letters and digits that no other writer has (`ls PATH.*.part`). Stopped early, or on a full disk,
 * it holds the events so far and is as valid. What a killed process leaves stays under that name:
 * HDF5 and NPY files can be read up to the latest block of events, the others lack their last line
 * and may end inside an event. Where the name was taken meanwhile, or cannot be given, the sentence
 * says where the complete file is.
 *
 * A new file has the mode that the umask leaves; one that replaces another has its mode, and its
 * owner and group where the process may give them. A symbolic link stays, and the file that it
 * leads to is made or replaced. Standard output, devices and FIFOs are written in place and
 * waited for: before the first event for the reader of a FIFO, later for a slow one, whether or
 * not the descriptor is non-blocking. Meanwhile the progress function is called and can end the
 * run. A reader that has gone is NIS_NO_FILE, without a signal. */

/* A number with its standard error */
typedef struct {
  double value, error;
} nis_share;

typedef struct {
  double w_max;
  double efficiency; /* mean|w| / w_max, at most 1 */
  double error;      /* of the efficiency: of the mean and of w_max */
} nis_unweighting;

typedef struct {
  int status;      /* nis_status */
  uint64_t events; /* handed on; without a sink, those that the file holds */
  uint64_t calls;  /* integrand calls made: with those at points that wait for the next call, and
                           without those at points that had waited for this one */
  uint64_t trials; /* points tried: those up to the last event, or all where the run ended before
                      it had as many as wanted. Over several calls each point is in one of them */
  uint64_t overweights;    /* events whose point has |w| > w_max */
  uint64_t negatives;      /* events of weight below 0 */
  double sum_weights;      /* over the events */
  double sum_squares;      /* of the weights */
  double overweight_share; /* share of sum|w| of the events' points that lies above w_max */
  double w_max;            /* above which points are overweight */
  double unit;             /* integral that a weight of 1 stands for: the mean of unit * weight over
                              events estimates the integral of f. Known before the first event */
  nis_share efficiency;    /* events per point tried */
  nis_share partial;       /* mean of min(1, |w|/w_max): the probability to be accepted */
  nis_share cut;           /* share of points whose f is not 0 */
  nis_unweighting rules[NIS_W_MAX_RULES]; /* what each rule would give, from all weights of the
                                             estimate and of these points */
} nis_event_summary;

/* Generates events for the sink, the file, or both; nis_estimate or nis_run comes first. A second
 * call goes on behind the last event that was taken: n calls for one event each give the events
 * that one call for n gives, to the bit, and points that were evaluated beyond the last event wait
 * in the handle (at most 16,384, each 8 (dim + extra + 9) bytes). How they are weighted is decided
 * when they are looked at, so another rule or another estimate in between is the next call's;
 * nis_train drops them. A few are evaluated at first, and up to a sixteenth of those tried before,
 * 64 at least, at a time later on. With whole_run each call is a run of its own. summary may be
 * NULL; it is of this call. NIS_GOAL_MISSED where the calls ran out first; then, and whenever a run
 * ends early, what was made is handed on. Events that a sink which stopped, or a full disk, did not
 * take come again. */
NIS_API int nis_events(nis *s, const nis_event_options *options, nis_event_summary *summary);

/* One event, for programs that pull */
typedef struct {
  const double *x; /* [dim] the handle's, valid until its next call; NULL where there is no event */
  size_t dim;
  double weight;   /* sign(w) max(1, |w|/w_max), or with unit_weights 1 or -1 */
  double log_q;    /* log-density of x per unit of the domain's volume */
  uint64_t trials; /* points tried in this call, up to the event: 0 for one more copy of the event
                      before (unit_weights). Known without an event too */
  uint64_t calls;  /* integrand calls made in this call: mostly 0, then those of a block */
  double unit,
      w_max; /* as in nis_event_summary: the mean of unit * weight over events estimates the
                         integral of f */
  const double *outputs; /* [extra] as in nis_event_block, valid as long as x; NULL without any */
} nis_pulled_event;

/* The next event: what nis_events would hand to its sink next, to the bit; calls of both may be
 * mixed. A few hundred nanoseconds and the integrand. Of the options, w_max, tail, quantile,
 * unit_weights and calls (for this event, default as many as it takes) count, sink, path and
 * whole_run must be 0, and NULL means defaults. NIS_GOAL_MISSED where the calls gave none. After
 * NIS_STOPPED (by the progress callback) or NIS_CALLBACK the next call goes on where this one was.
 */
NIS_API int nis_next_event(nis *s, const nis_event_options *options, nis_pulled_event *event);

/* Could nis_events begin with these options? NIS_INVALID or NIS_NO_FILE with a sentence where not,
 * also where a file exists that may not be replaced or whole_run has no place for its temporary
 * file: for the moment before a long training. */
NIS_API int nis_check_events(const nis_event_options *options);

/* Puts n files of events of one estimate (nis_load with other seeds, or options.skip) one behind
 * the other, into a file that is written as those of nis_events are: LHE, NPY and text, also
 * compressed ones, in memory that does not grow with them. Integral, unit and w_max of the head are
 * those that all have in common, its largest weight is that of all, and the seeds are listed.
 * NIS_INVALID where the heads are of different estimates, integrands or kinds, or two files hold
 * the same events; NIS_NO_FILE where one cannot be read or written, NIS_BAD_FILE where one is cut
 * short or was not written by nis. */
NIS_API int nis_merge_events(const char *const *paths, size_t n, const char *path, int force);

/* Can files of this format be written here? NIS_INVALID with a sentence that says what is missing.
 */
NIS_API int nis_check_format(nis_event_format format);

/* For structs that grow, as at the end of nis.h */
NIS_API int nis_event_options_set_sized(nis_event_options *options, const char *name,
                                        const char *value, size_t options_size);
NIS_API int nis_events_sized(nis *s, const nis_event_options *options, nis_event_summary *summary,
                             size_t options_size, size_t summary_size);
NIS_API int nis_next_event_sized(nis *s, const nis_event_options *options, nis_pulled_event *event,
                                 size_t options_size, size_t event_size);
NIS_API int nis_check_events_sized(const nis_event_options *options, size_t options_size);

#ifndef NIS_PLAIN
#define nis_event_options_set(...)                                                                 \
  nis_event_options_set_sized(__VA_ARGS__, sizeof(nis_event_options))
#define nis_events(...)                                                                            \
  nis_events_sized(__VA_ARGS__, sizeof(nis_event_options), sizeof(nis_event_summary))
#define nis_next_event(...)                                                                        \
  nis_next_event_sized(__VA_ARGS__, sizeof(nis_event_options), sizeof(nis_pulled_event))
#define nis_check_events(...) nis_check_events_sized(__VA_ARGS__, sizeof(nis_event_options))
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif

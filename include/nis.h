/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libnis: neural importance sampling for people who integrate expensive functions.
 *
 *     double f(double *x, size_t dim, void *params);
 *     nis_result r = nis_integrate(f, 4, .calls = 2000000, .seed = 7);
 *     printf("%g +- %g\n", r.value, r.error);
 *
 * A coupling-layer flow q(x) on the unit cube, by default of rational-quadratic splines (Durkan et
 * al., arXiv:1906.04032; Gao et al., arXiv:2001.05486), is trained while the integrand is
 * sampled, then frozen; the integral is the mean of the weights w = f(x)/q(x) of fresh
 * points. Only those fresh points enter the value, so it is unbiased. They come from nets of
 * scrambled Sobol points, whose spread is the error. nis_result.suspect says when the error is not
 * to be believed.
 *
 * The same seed gives the same bits on the same machine for any number of threads, unless the clock
 * has its say: with max_seconds, or a goal without call_seconds.
 * The library never prints, exits, installs signal handlers, or touches GSL's error handler. Its
 * functions work in the default floating-point environment and the C locale, call the user's
 * functions in those of the caller, and leave all as it was; they are no cancellation points.
 */
#ifndef NIS_H
#define NIS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define NIS_API __attribute__((visibility("default")))
#else
#define NIS_API
#endif

/* ---- the integrand ------------------------------------------------------------- */

/* One point: the shape of gsl_monte_function's f. x[0..dim-1] lies strictly inside the
 * domain. Called from several threads at once unless options.serial is set, or threads is 1, which
 * is for what is not thread-safe (static variables, Fortran COMMON). The training tries two threads
 * at once on 2 % of its points, at most 4096, against one; where bits differ one thread goes on
 * alone (nis_result.serialized). A rare race can escape that, and runs of less than 2,000 calls. */
typedef double nis_integrand(double *x, size_t dim, void *params);

/* n points at once: coordinate j of point i is x[i*dim + j], component c of its value goes
 * to f[i*ncomp + c]. Same threading. A non-zero return stops the run with NIS_CALLBACK;
 * what was finished before stays a valid result. */
typedef int nis_batch_integrand(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                                void *params);

/* What an integrand may call; elsewhere they do nothing and give 0. nis_refuse() ends the run that
 * it is called for, as a batch integrand's non-zero return does. nis_thread() is the number of the
 * thread that calls, 0 .. options.threads-1, none of them twice at a time: params can hold an array
 * of scratch for each. Sinks, progress callbacks and makers of particles may call both as well. */
NIS_API void nis_refuse(void);
NIS_API int nis_thread(void);

/* [options.extra] where a scalar integrand writes its outputs besides the value, all 0 at first,
 * and where a maker of particles finds those of its point. Of the calling thread's point, until it
 * returns. NULL elsewhere, and without options.extra. */
NIS_API double *nis_extra(void);

/* C++: an exception out of any of the functions that are called ends the run in the same way, and
 * comes out of the library's function, on the thread that called that. The handle stays good. */

/* ---- what can happen ------------------------------------------------------------ */

/* Zero: all well. Positive: a valid result, and why the run ended early or short.
 * Negative: an error; nis_last_error() says which value was wrong and what is allowed. */
typedef enum {
  NIS_OK = 0,
  NIS_STOPPED = 1, /* a progress callback, or a sink of points or of events, returned non-zero */
  NIS_GOAL_MISSED = 2, /* the calls were spent before rel_error or abs_error was reached, or before
                          there were enough events */
  NIS_TIME_LIMIT = 3,  /* max_seconds were over before the calls were spent or a goal was met */
  NIS_SUSPECT = 4,     /* the error is not to be believed: see nis_result.suspect */
  NIS_INVALID = -1,    /* an argument or an option is out of range */
  NIS_NO_MEMORY = -2,
  NIS_CALLBACK = -3,   /* an integrand returned non-zero, or nis_refuse() was called */
  NIS_BAD_VALUES = -4, /* NaN or Inf fill more than a tenth of the domain, as the training's points
                          tell, or were more than a tenth of the estimate's values; or all of the
                          first 4096 values, and the run ends there */
  NIS_NO_EVENTS = -5,  /* the integrand was zero wherever it was looked at */
  NIS_NO_FILE = -6,    /* a file could not be written, and what is in it is said in the sentence;
                          or it could not be read */
  NIS_BAD_FILE = -7,   /* a file is cut, damaged, of a newer version, or not what it should be */
  NIS_RANKS = -8 /* processes that share a run (nis_set_ranks) have come apart, or one is gone */
} nis_status;

/* The meaning of a status, in a few words; a static string, never NULL. */
NIS_API const char *nis_strerror(int status);

/* The sentence of the calling thread's latest failure or warning (non-finite values are
 * warned of with NIS_OK); "" if there was none. Valid until the thread's next call into
 * the library. */
NIS_API const char *nis_last_error(void);

/* "major.minor.patch" */
NIS_API const char *nis_version(void);

/* ---- results ---------------------------------------------------------------------- */

typedef enum {
  NIS_STOP_CALLS = 0, /* all calls were spent */
  NIS_STOP_GOAL,      /* rel_error or abs_error was reached */
  NIS_STOP_TIME,      /* max_seconds were over */
  NIS_STOP_CALLBACK,  /* a progress callback, a point sink or the integrand asked for it */
} nis_stop;

/* Doubts about an error bar. With one of them a status that would be NIS_OK, NIS_GOAL_MISSED or
 * NIS_TIME_LIMIT is NIS_SUSPECT; `stop` still says how the run ended. */
typedef enum {
  NIS_HEAVY_TAIL = 1, /* khat > min(0.7, 1 - 1/log10 n) (Vehtari et al.), and the largest weight has
                          more than 1 % of the sum of squares and 10 times its mean */
  NIS_LARGE_CHI2 = 2, /* p_value < 1e-4 */
  NIS_FEW_WEIGHTS = 4, /* fewer than 30 weights of the estimate are not 0; of ncomp > 1 the first
                          component's, or, where it is 0 at all points, of all together */
  NIS_LATE_PEAK = 8    /* late_peaks > 0 */
} nis_doubt;

/* Weights w = f/q are those of the frozen flow, zeros included; a run that ended before the first
 * of them has value and error from its latest training's points, NaN without any. An unweighting
 * efficiency is mean|w| / w_max; the three differ in the choice of w_max. */
typedef struct {
  int status;            /* nis_status */
  double value;          /* the integral */
  double error;          /* its standard error: sqrt(var(w) / n), or with nets from their spread
                               (NIS_POINTS_NETS), and in quadrature blurred_volume * mean |w|;
                               infinite below 2 points */
  double chi2;           /* sum over iterations of n_i (value_i - value)^2 / variance, with the
                               variance of all w inside their iterations: dof times the F of as many
                               groups. Nets agree better than that */
  int dof;               /* iterations of positive error - 1 */
  double p_value;        /* probability of a larger F; NaN below two iterations, near 1 with nets */
  uint64_t calls;        /* integrand calls in all, training included */
  uint64_t train_calls;  /* of these, calls spent on training */
  uint64_t bad_calls;    /* of these, calls that gave NaN or Inf (counted as 0) */
  uint64_t zero_calls;   /* integration calls that gave exactly 0 (outside cuts) */
  double ess;            /* Kish effective sample size (sum w)^2 / sum w^2 */
  double efficiency;     /* w_max lets at most 1e-3 of sum|w| lie above it (Sherpa, MadGraph) */
  double efficiency_max; /* w_max is the largest |w| seen */
  double efficiency_median; /* w_max is the median maximum of n/50 weights (i-flow, 2001.10028) */
  double max_weight;        /* largest |w| seen, in units of the integral */
  double max_weight_share;  /* of sum|w| */
  double khat;              /* shape of the generalised Pareto distribution of the largest weights
                               (PSIS, Vehtari et al., arXiv:1507.02646): above 0.7 the variance is
                               as good as infinite; NaN when there are too few */
  int peaks_found;          /* by the search, where fewer than three training points had been */
  int late_peaks; /* found when the latest training was over, with at least 1e-3 of the integral
                               each, where fewer than three training points had been */
  uint64_t search_calls; /* of train_calls, spent on the search */
  uint64_t seed;         /* what the run was made with */
  int stop;              /* nis_stop: what ended the run, whatever the status says */
  int suspect;           /* sum of nis_doubt: why the error bar is not to be believed; 0: nothing
                               speaks against it */
  int serialized;        /* 1: the integrand turned out not to be thread-safe, and only one thread
                               calls it from then on (see nis_integrand) */
  double unseen_volume;  /* of the unit cube, in which singular ends have been stretched, in
                            (0, 1]: into any given part of it that is larger a point has fallen
                            with a probability of at least 95 %. It is log(20) / n, with the
                            uniform share of all trainings' and of this estimate's points for n
                            (those of nets count as random ones). So a region where f is large
                            is not lost unless it is smaller, nor, as a rule, a peak whose
                            basin, from where f rises towards it, is larger: the search climbs
                            from what stands out among the training's points. Of a smaller
                            basin it says nothing. 0: lower and upper are equal */
  double blurred_volume; /* of the same cube: so near to a singular end that doubles cannot tell the
                            points apart. Rounding where that end is 0, as doubles are dense there;
                            (1-x)^-0.9 on [0, 1] has 0.025 of its integral there, and no number of
                            calls has a smaller error */
  double call_seconds;   /* what the way to a goal was chosen by, which options.call_seconds takes
                            for the same bits; 0 without a goal */
} nis_result;

/* ---- progress ---------------------------------------------------------------------- */

enum { NIS_TRAINING = 0, NIS_INTEGRATING, NIS_GENERATING, NIS_SAMPLING, NIS_WRITING };

/* What points are drawn from: uniformly, the flow, a second one (of the other sign, or one that
 * learns with another decay), a map without correlations as a VEGAS grid is, Gaussian peaks */
enum {
  NIS_SHARE_UNIFORM = 0,
  NIS_SHARE_FLOW,
  NIS_SHARE_TWIN,
  NIS_SHARE_MAP,
  NIS_SHARE_PEAKS,
  NIS_SHARES
};

typedef struct {
  int phase;           /* one of the above */
  int iteration;       /* iterations of this phase finished so far */
  int finished;        /* 1: an iteration has just ended; 0: somewhere inside one */
  uint64_t done;       /* calls done in this phase (events while generating towards a number of
                          them, and while writing) ... */
  uint64_t total;      /* ... and to do */
  uint64_t calls;      /* integrand calls since the handle was made */
  uint64_t events;     /* generation: accepted so far; writing: written so far */
  double value, error; /* of the iteration that ended last */
  double spread;       /* its relative standard deviation of one weight */
  double mean, sigma;  /* integration: value and error over all iterations so far */
  double efficiency;   /* integration: as in nis_result; generation: events per call */
  double chi2;         /* integration: as in nis_result, over all iterations so far ... */
  int dof;             /* ... and its degrees of freedom */
  double beta;         /* training: the flow's target is |f|^beta; what this iteration's points were
                          drawn by, from 0, uniform points, up to 1 */
  double share[NIS_SHARES]; /* training, integration: of the points, by what they are drawn from;
                               they add up to 1 */
  double seconds;           /* since the handle's first phase began */
} nis_progress;

/* Called from the thread that called the library, some ten times a second at most, and at the end
 * of every iteration, if the integrand allows. Non-zero ends the run with NIS_STOPPED and what is
 * known so far. */
typedef int nis_progress_callback(const nis_progress *now, void *params);

/* ---- options ------------------------------------------------------------------------ */

/* The map of one coordinate inside a coupling layer, an increasing u = F(x) of [0,1]; its slope is
 * the density. Each has `bins` bins, in one of which xi runs from 0 to 1. */
typedef enum {
  /* u = y0 + h (s xi^2 + d0 xi(1-xi)) / (s + (d0 + d1 - 2s) xi(1-xi)), s = h/w: free widths w,
   * heights h and slopes d at the knots; Durkan et al., arXiv:1906.04032 */
  NIS_RATIONAL_QUADRATIC = 0,
  /* u = y0 + w xi (v0 + xi (v1 - v0)/2): a density of straight lines, with free widths w and
   * vertices v; Mueller et al., arXiv:1808.03856 */
  NIS_PIECEWISE_QUADRATIC = 1,
  /* u = y0 + h xi: a histogram, with free heights h in bins of equal width; Mueller et al. */
  NIS_PIECEWISE_LINEAR = 2,
  /* logit u = s (logit x + t), 1/2 < s < 32, |t| < 8, no bins: RealNVP, Dinh et al.,
   * arXiv:1605.08803. One peak for each coordinate; for comparison */
  NIS_AFFINE = 3
} nis_coupling;

/* The training loss on the normalised target p = |f|/I and the density q of the flow, with t = p/q;
 * each is the integral of q phi(t). Every gradient step uses stored values of f at points of known
 * density, and vanishes where t = 1.
 *
 * NIS_LOSS_KL            phi = t log t: Kullback-Leibler divergence of q from p
 * NIS_LOSS_VARIANCE      phi = (t-1)^2: Pearson's chi2, the variance of f/q (arXiv:1808.03856)
 * NIS_LOSS_EXPONENTIAL   phi = t log^2 t (i-flow, arXiv:2001.05486)
 * NIS_LOSS_HELLINGER     phi = (1 - sqrt t)^2: squared Hellinger distance (arXiv:2001.05486)
 * NIS_LOSS_JEFFREYS      phi = (t-1) log t: Kullback-Leibler both ways (arXiv:2001.05486)
 * NIS_LOSS_FORWARD_CHI2  phi = (t-1)^2/t: Neyman's chi2, p below (arXiv:2001.05486)
 *
 * t is cut to [e^-5, 5]: single points must not rule. */
typedef enum {
  NIS_LOSS_DEFAULT = 0, /* Kullback-Leibler, and the variance for the last 45 % of the steps */
  NIS_LOSS_KL,
  NIS_LOSS_VARIANCE,
  NIS_LOSS_EXPONENTIAL,
  NIS_LOSS_HELLINGER,
  NIS_LOSS_JEFFREYS,
  NIS_LOSS_FORWARD_CHI2
} nis_loss_kind;

/* What a flow learns of an integrand of both signs, when each has at least 2 % of |f|: with a
 * density in proportion to |f| the error would not fall below sqrt((1/r^2 - 1) / n), r =
 * |I|/I(|f|). */
typedef enum {
  /* a flow for each sign; their densities serve as control variates, which cancel between the
   * signs (Owen, Zhou, J. Am. Stat. Assoc. 95 (2000) 135) */
  NIS_SIGNS_APART = 0,
  NIS_SIGNS_TOGETHER = 1 /* one flow, for |f| */
} nis_signs;

/* The points of the estimate, before the flow; the training draws random ones.
 *
 * NIS_POINTS_DEFAULT  nets in up to 64 dimensions without max_seconds, else random points
 * NIS_POINTS_RANDOM   independent
 * NIS_POINTS_NETS     16 to 31 nets of 2^m Sobol points, in up to 64 dimensions, each scrambled
 *                     anew (Owen, Ann. Statist. 25 (1997) 1541; Joe, Kuo, SIAM J. Sci. Comput.
 *                     30 (2008) 2635). An iteration is a net; the error is that of the spread of
 *                     the nets, times Student's t (1.03 for 16; of estimates with nets of
 *                     different sizes that of the large ones). What calls are left over go to the
 *                     training, or stay unspent where that would make it a quarter longer. With a
 *                     goal the nets grow together, by doubling, until it is met; the error of such
 *                     a run is 6 % larger, as its being small is what ended it */
typedef enum { NIS_POINTS_DEFAULT = 0, NIS_POINTS_RANDOM, NIS_POINTS_NETS } nis_point_set;

/* What the flow learns when the batch integrand has several values a point */
typedef enum {
  NIS_FOLLOW_NORM = 0, /* sqrt(sum_c (f_c / scales[c])^2): all of them; events, which are of f_0,
                          then take the more calls the less the others are where f_0 is */
  NIS_FOLLOW_FIRST = 1 /* |f_0|: what the others have elsewhere may be lost, without a doubt */
} nis_follow;

/* Which of several values a point rel_error and abs_error are for */
typedef enum {
  NIS_GOAL_ALL = 0, /* each: error <= rel_error * |value| or error <= abs_error. One that is 0
                       everywhere meets them; one that cancels to 0 meets no rel_error */
  NIS_GOAL_FIRST = 1
} nis_goal_of;

/* n points of an estimate. The arrays are the library's, and valid during the call only. */
typedef struct {
  size_t n, dim, ncomp, extra;
  const double *x;          /* [n][dim] */
  const double *weight;     /* [n] w = f/q: the mean over all points of weight times an observable
                               estimates the integral of f times it. (The mean of weight itself may
                               differ from nis_result.value within the error, where that has
                               control variates) */
  const double *components; /* [n][ncomp] the weight of each component; weight is the first */
  const double *log_q;      /* [n] log-density of x per unit of the domain's volume */
  const double *outputs;    /* [n][extra] what the integrand gave besides (options.extra) */
  uint64_t before;          /* points of this estimate before these. 0: an estimate begins, and what
                               was handed out before is of none that is still there (a training came
                               between, or one on the way to a goal was given up) */
  int iteration; /* from 0: with nets its number, and the spread of the nets' means is the
                               error of an observable. Nets that grow come again in turn */
  int nets;      /* 1: the points are of nets, those of one depend on each other; 0: random ones */
} nis_point_block;

/* Takes the points of nis_estimate, nis_run and nis_integrate, so that histograms and observables
 * are made in the same pass: called from the calling thread, in an order that does not depend on
 * the number of threads. Non-zero ends with NIS_STOPPED; the points of that block count. `before`
 * has also points that were not handed out: those of nis_merge, and of the block in which a C++
 * exception flew. */
typedef int nis_point_sink(const nis_point_block *points, void *params);

#define NIS_MOST_DIM 256
#define NIS_MOST_HINTS 16
#define NIS_MOST_COMPONENTS 1024
#define NIS_MOST_CORRELATED 64 /* whose covariance is kept without being asked for */
#define NIS_MOST_EXTRA 4096
#define NIS_MOST_VALUES 128
#define NIS_MOST_FEATURES 64

/* Zero means default for every field, so a compound literal is enough. */
typedef struct {
  size_t dim;          /* dimensions, 1 .. 256; required */
  void *params;        /* handed to the integrand; never looked at, never freed */
  uint64_t calls;      /* integrand calls in all, training included, 1 .. 2^62; default 1,000,000 */
  double rel_error;    /* stop when error <= rel_error * |value|, in [0, 1) ... */
  double abs_error;    /* ... or error <= abs_error, >= 0; default for both 0, no goal. An error
                          from fewer than 30 weights that are not 0 meets neither. Of several
                          values a point goal_of says which are meant. The way there
                          is the shortest: from uniform points on, with as much training as the
                          rest of it is worth */
  double call_seconds; /* with a goal: the time that one thread takes for a call, >= 0, by which
                          calls are weighed against the library's own work; INFINITY: the fewest
                          calls, whatever they take. A given one makes the same seed give the same
                          bits; default 0, measured in the first calls where there is a goal: one of
                          1e-7, 1e-6 .. 1e-2 (nis_result.call_seconds) */
  double max_seconds;  /* wall time of nis_run and nis_integrate, >= 0; default 0, no limit. A
                                 share goes to training; results then depend on the machine */
  uint64_t seed;       /* default 0, like any other */
  int threads;         /* 1 .. 1024; default: all cores (OMP_NUM_THREADS) */
  const double *lower; /* dim limits, finite or -INFINITY; default 0; copied. Infinite ranges are
                          mapped as x = a + u/(1-u), b - (1-u)/u, tan(pi (u - 1/2)): put what
                          matters at distances of order 1 */
  const double
      *upper; /* dim limits, finite or INFINITY; default 1; copied. Below `lower` it changes
                          the sign, equal to it the integral is 0, without a call */
  const int *periodic;        /* dim flags, 0 or 1: the coordinate is periodic, an azimuth, and its
                          finite limits, a whole period apart, are the same point: densities go on
                          smoothly across it (Rezende et al., arXiv:2002.02428). For what
                          peaks there, or depends on sums or differences of angles. Not with
                          NIS_AFFINE; default: none is; copied */
  nis_batch_integrand *batch; /* used instead of the scalar integrand, which is then NULL */
  size_t batch_points;        /* points in one call of batch, 1 .. 1,048,576; default 1024 */
  size_t ncomp;   /* values per point of batch, 1 .. 1024; default 1. nis_result and events are of
                   component 0, nis_values has all, goals are of all (goal_of); a point with a
                   value that is not finite counts as 0 in all */
  int covariance; /* 1: that of all components is kept (nis_covariance); default 0, for up to 64
                     of them only */
  nis_follow follow;    /* one of the above; default NIS_FOLLOW_NORM */
  const double *scales; /* [ncomp], above 0, for NIS_FOLLOW_NORM; copied. Default: the integral of
                              |f_c|, as the training's points tell it, so that all get about the
                              same relative error; above 64 components its first 1 % alone (1024
                              at most), uniform, which narrow peaks escape */
  int serial;           /* 1: the integrand is called by the calling thread only; same bits;
                              default 0 */
  nis_progress_callback *progress;
  void *progress_params;

  double train_share;     /* share of calls spent on training, in (0, 1); default 0.4, at most 2e6
                            calls */
  double effort;          /* scales the gradient work, in (0, 1000]; default 1: about half a
                            minute on one core for 1,000,000 calls */
  const double *hints;    /* nhints points where f is known to peak, hints[i*dim + j], inside the
                            domain; copied; climbed from and sampled from the start */
  size_t nhints;          /* 0 .. 16; default 0 */
  int layers;             /* coupling layers, 1 .. 64; default 2 ceil(log2 dim), at least 4; 1 for
                            dim = 1 */
  int hidden_layers;      /* of each conditioner net, 1 .. 8; default 2 */
  int hidden_width;       /* units in each, 1 .. 1024; default 32, 16 from 48
                            dimensions on */
  int bins;               /* of each coordinate's map, 2 .. 128; default 8 */
  int minibatch;          /* points in a gradient step, 64 .. 1,048,576; default 256, 512
                            from 2e4, 1024 from 2e5 training calls on */
  double replay;          /* gradient samples per training call, in (0, 1000]; default: effort times
                            12 for 4e5 training calls, more for fewer calls and fewer dimensions
                            (a hundredth of the training calls at most, within 20 .. 80), less for
                            large nets */
  size_t replay_bytes;    /* memory for stored training points, which the handle keeps for further
                            trainings; the oldest go; 1 .. 2^64 - 1; default
                            1,073,741,824 */
  double learning_rate;   /* Adam's at the start, in (0, 1]; falls to 0; default 4e-3, 2e-3
                            from 6 dimensions on */
  double decay;           /* a second learner of the same target shrinks its parameters by the
                            learning rate times this at each step (AdamW, arXiv:1711.05101), in
                            (0, 1000]; fresh points choose one of the two or a mixture; default 1 */
  nis_coupling coupling;  /* one of the above; default NIS_RATIONAL_QUADRATIC */
  nis_loss_kind loss;     /* one of the above; default: kl, and variance for the last 45 % of the
                            steps */
  nis_signs signs;        /* one of the above; default NIS_SIGNS_APART */
  nis_point_set points;   /* one of the above; default: nets in up to 64 dimensions without
                            max_seconds, else random */
  nis_goal_of goal_of;    /* one of the above; default NIS_GOAL_ALL */
  const char *name;       /* of the integrand, kept in files (nis_save): a word, behind which its
                            parameters may stand, "camel sigma=0.2", of up to 255 bytes; copied;
                            default: none */
  const char *checkpoint; /* path of a file, made by nis_create or nis_load, in which the values of
                             the integrand are kept, 4 + 8 (ncomp + extra) bytes a call, for
                             nis_resume; copied; default: none. Not with max_seconds, and with a
                             goal call_seconds is needed: measured times are not repeated */
  double checkpoint_seconds; /* of a killed run that may be lost, in (0, 1e6]; default 600 */
  nis_point_sink *sink;      /* takes the points of the estimate; default: none */
  void *sink_params;         /* handed to it */
  size_t
      extra; /* outputs of the integrand at each point besides its values, momenta say, 0 .. 4096;
                   default 0. They may be anything, and travel with the point to sink, particles and
                   events. A batch integrand gets ncomp + extra for its ncomp, and they come behind
                   the values in each row of f; a scalar one writes them to nis_extra() */
  const int *discrete; /* dim numbers of values, 2 .. 128, or 0: the coordinate is continuous. A
                          discrete one is 0, 1 .. number - 1, as a double, and the integral is the
                          sum over them: helicities, flavours, channels. Their probabilities are
                          learnt, and the flow of the others knows them. Not with limits, and not
                          periodic; default: none is; copied */
  size_t channels; /* 2 .. 128; default 0, none. The last of the dim coordinates counts them from 0
                      on: a discrete one, and nis_channel has what each gave. The integral is the
                      sum over them: of f_k, or of alpha_k f where the maps of several channels can
                      give the same point, which is what channel_weights are for */
  int channel_weights; /* 1: f comes without its alpha_k, and the library multiplies all values by
                          it. The first `channels` outputs (extra) are the prior channel weights of
                          the physical point that the channel's map gave: >= 0, one of them above 0,
                          such as the density of each channel's map there; they are divided by their
                          sum. Where they are none of this and f is not 0, the point is a bad one
                          (bad_calls). Outputs go on as they are, weights are those with alpha_k;
                          default 0 */
  size_t features; /* with channel_weights: so many outputs, 0 .. 64, behind the prior are what a
                      net sees of the physical point, such as momenta, or better invariants and
                      their logarithms; prior and features depend on that point alone, not on the
                      channel that gave it. The training then learns alpha_k = prior_k exp(net_k)
                      over the sum of these, for the least variance of the whole
                      (arXiv:2212.06172), by views of 4 (channels + features) + 8 bytes a stored
                      point; default 0: the prior stays. It pays where the prior is poor: densities
                      of good maps are near the best, and are left alone unless fresh points say
                      that the net halves the variance for uniform points. With a goal the points
                      of estimates that are given up are not learnt from */
} nis_options;

/* The options with every default filled in, as a run would use them; they depend on dim and calls
 * alone, never on a measured time. NIS_INVALID with a sentence where one is out of range. */
NIS_API int nis_complete_options(const nis_options *given, nis_options *complete);

/* ---- options by name ------------------------------------------------------------------ */

/* Each member of nis_options is a row of a table, for commands, files of settings and other
 * languages. The table lives as long as the program. Defaults are those of the struct: a zero asks
 * for them. */
typedef enum {
  NIS_OPTION_WHOLE = 0, /* int, or unsigned of 8 bytes */
  NIS_OPTION_REAL,      /* double */
  NIS_OPTION_WORD,      /* an enum, 0 .. high: the number of a word */
  NIS_OPTION_FLAG,      /* int, 0 or 1 */
  NIS_OPTION_POINTER    /* not to be set from text */
} nis_option_type;

enum { NIS_OPEN_LOW = 1, NIS_OPEN_HIGH = 2 };

typedef struct {
  const char *name;    /* of the member */
  size_t offset, size; /* of the member in the struct, in bytes */
  int type;            /* nis_option_type */
  double low, high;    /* the range ... */
  int open;            /* ... and which of its ends are outside: sum of the two above */
  const char *range;   /* the same as a phrase: "a whole number between 1 and 64" */
  const char *words;   /* of NIS_OPTION_WORD: "a,b,c"; else NULL */
  double initial;      /* the default, or 0 where it follows from other options or is no number */
  const char *initial_text; /* the default as a phrase; NULL: there is none */
  const char *depends;      /* the options that the default follows from, "a,b"; or NULL */
  const char *help;         /* what it is, a phrase */
} nis_option;

/* The n rows (n may be NULL) in the order of the members of nis_options */
NIS_API const nis_option *nis_option_list(size_t *n);

/* Sets a member from text: a number (whole ones also as 1e6), a word, 0 or 1. NIS_INVALID with a
 * sentence that says what is allowed, and nothing set, for an unknown name, for a pointer, and for
 * a value outside of the range; 0 for "default" is one where it is outside. */
NIS_API int nis_options_set(nis_options *options, const char *name, const char *value);

/* ---- all in one ---------------------------------------------------------------------- */

/* Trains on a share of the calls, integrates with the rest. From C use nis_integrate below. f is
 * NULL when options->batch is set. A wrong argument gives a result with status NIS_INVALID and
 * value and error NaN. Returns result->status. */
NIS_API int nis_integrate_sized(nis_integrand *f, const nis_options *options, nis_result *result,
                                size_t options_size, size_t result_size);

static inline nis_result nis_integrate_with(nis_integrand *f, const nis_options *options)
{
  nis_result r;
  nis_integrate_sized(f, options, &r, sizeof *options, sizeof r);
  return r;
}

/* ---- step by step --------------------------------------------------------------------- */

/* A flow, its integrand, and the running estimate. Not to be used from two threads at once. */
typedef struct nis nis;

/* Makes a handle with an untrained flow (q = 1). Options are copied; `calls`, `train_share` and the
 * goals are for nis_run. *out is NULL on failure. Free it with nis_free; NULL is fine there. */
NIS_API int nis_create(nis **out, nis_integrand *f, const nis_options *options);
NIS_API void nis_free(nis *s);

/* All that nis_integrate does, on a handle that is still there afterwards: trains on its share of
 * options.calls and integrates with the rest. With a goal estimates and trainings, each as long as
 * all before it, take turns until it is met: an estimate goes on while that is cheaper than the
 * next training; of train_share all of them together have no more. Returns result->status. */
NIS_API int nis_run(nis *s, nis_result *result);

/* Trains the flow on `calls` more integrand calls (>= 1), from what earlier trainings have learnt
 * and the points that they stored. The learning rate runs through its whole schedule in each call,
 * so one long training beats many short ones; the last points of each decide whether the flow
 * became better, else it stays as it was. Earlier estimates are dropped. Where the status is not
 * NIS_OK flow and estimate are as before, though the calls are spent. */
NIS_API int nis_train(nis *s, uint64_t calls);

/* Integrates with the frozen flow: `calls` (>= 2) more points join the estimate, which is
 * written to *result (may be NULL). With NIS_POINTS_NETS as many as fill whole nets: up to a
 * sixteenth of the calls stays unspent. */
NIS_API int nis_estimate(nis *s, uint64_t calls, nis_result *result);

/* All components of the result, [ncomp] each, from the same points as nis_result, as the latest
 * call left them; either may be NULL. Component 0 is nis_result's value and error. Without a point
 * they are NaN. */
NIS_API int nis_values(nis *s, double *values, double *errors);

/* [ncomp * ncomp] of these values; its diagonal is errors^2. NIS_INVALID for more than 64
 * components without options.covariance. */
NIS_API int nis_covariance(nis *s, double *covariance);

/* What a channel has of the estimate: a value of the last coordinate, with options.channels */
typedef struct {
  double value, error; /* its part of the integral: the mean of f/q over all points, those of other
                          channels as 0. They add up to nis_result.value, but for the control
                          variates that that may have */
  uint64_t calls;      /* points of the estimate that fell into it: as many as pay, so that about
                          the same spread is left everywhere */
  uint64_t zero_calls; /* of these, where f was 0 */
  double efficiency;   /* of unweighting its points alone, as nis_result.efficiency */
  double max_weight;   /* its largest |f/q| */
} nis_channel_result;

/* Of channel number 0 .. channels-1. NIS_INVALID without options.channels. */
NIS_API int nis_channel(nis *s, size_t channel, nis_channel_result *result);

/* Of components of the estimate, with the error that their covariance gives: sum_c coefficients[c]
 * value_c, [ncomp]; and value_i / value_j. Points are shared, so the error of a ratio or a
 * difference of what is alike is far below that of each. For up to 64 components, or with
 * options.covariance. The ratio's error is that of first order, and its bias, of second order, is
 * left: below a tenth of the error where value_j is known to 10 %; else the status is NIS_SUSPECT,
 * with value and error as they are (NaN and infinite where value_j is 0). Doubts about the estimate
 * are doubts about these, and goals are not for them. */
NIS_API int nis_combine(nis *s, const double *coefficients, double *value, double *error);
NIS_API int nis_ratio(nis *s, size_t i, size_t j, double *value, double *error);

/* The weights of the estimate by their size: counts[n + 1] of those with |w| / mean |w| below
 * edges[0], zeros included, from edges[i - 1] to below edges[i], and from edges[n - 1] on. The
 * edges are n >= 1 finite numbers above 0, each above the one before; near to them, within 2 %, a
 * weight may be counted on the other side. All are 0 without a point. */
NIS_API int nis_weights(nis *s, size_t n, const double *edges, uint64_t *counts);

/* Draws n points from the flow: point i is x[i*dim ..], log_q[i] its log-density per unit of
 * the domain's volume, weight[i] = f/q. log_q and weight may be NULL; without weight the
 * integrand is not called. Points continue where the last call ended, and are not part
 * of the estimate. Ended early, weights that were not reached are NaN. */
NIS_API int nis_sample(nis *s, size_t n, double *x, double *log_q, double *weight);

/* log_q[i] of n given points, strictly inside the domain. */
NIS_API int nis_density(nis *s, size_t n, const double *x, double *log_q);

/* The result of the estimate so far, without a call; as nis_estimate leaves it. */
NIS_API int nis_current(nis *s, nis_result *result);

/* Part number `part` of 1 .. parts of the estimate that nis_estimate(s, calls) would make: as many
 * whole nets, or iterations of random points, of which there are 16 or more. Merged in their order
 * the parts have the value, error and chi2 of the whole, to the bit. In each of the handles the
 * points of all parts count as used. NIS_INVALID where a part is left without points. */
NIS_API int nis_estimate_part(nis *s, uint64_t calls, int part, int parts, nis_result *result);

/* The estimate of another handle with the same flow joins that of s; value and error are then those
 * of the points of both, and nis_result.calls has the other's points of the estimate added.
 * NIS_INVALID, and nothing changed, where flow, domain, name or the kind of points differ, or where
 * a point of a seed would be counted twice; NIS_NO_MEMORY too. */
NIS_API int nis_merge(nis *s, nis *other);

/* The next estimate begins anew, on points that none before had; the flow stays as it is. */
NIS_API int nis_drop_estimate(nis *s);

/* ---- files ------------------------------------------------------------------------------ */

/* Everything about the handle into one file: what it has learnt, the estimate, the statistics that
 * w_max follows from, its place in each random stream, the stored points of the training (which
 * are most of it: 8 (dim + 2) + 1 bytes a training call, and with options.features as much as
 * stands there), the options, and options.name. An
 * existing file is replaced when the new one is complete and on the disk, and until then stays as
 * it is. Any machine reads it. NIS_NO_FILE where it cannot be written. */
NIS_API int nis_save(nis *s, const char *path);

/* Makes a handle that goes on as the saved one would have, to the bit: training, estimate, samples
 * and events. f and options.batch, params, progress and the arrays of results are the caller's. Any
 * other member of options that is not 0 takes the place of the file's, options may be NULL where
 * there is none, and of these dim, lower, upper, periodic, ncomp, points, coupling and the shape of
 * the nets must be the file's, else that is NIS_INVALID. With another `extra` the points that wait
 * for events are evaluated again, and the events stay what they were.
 *
 * Another seed gives points that are independent of the file's. An options.name of another first
 * word is refused; where what follows that word differs, the integrand has other parameters:
 * then the estimate and all its values are dropped, and the flow is where training and estimate
 * begin. Without a name the caller takes care of that. nis_save's own points of a training are
 * learnt from in the next one.
 *
 * NIS_NO_FILE where there is no such file, NIS_BAD_FILE where it is something else, cut, damaged,
 * or from a newer libnis; *out is then NULL. */
NIS_API int nis_load(nis **out, const char *path, nis_integrand *f, const nis_options *options);

/* Goes on from options.checkpoint after a run was killed, or begins one where there is no such
 * file: makes the handle as it was made before, to which the program does the same as then. As long
 * as values are in the file, they come from there and nothing is called; then the integrand is
 * called again. The bits are those of a run that was never killed. It takes the time of the
 * library's own work again, but at most checkpoint_seconds of calls. Options that are not 0 must be
 * what they were; threads may differ. Also after nis_load with that option.
 *
 * NIS_INVALID where options differ, NIS_BAD_FILE (also by later calls) where the file is damaged or
 * turns out to be of another run, NIS_NO_FILE where another process is using it. */
NIS_API int nis_resume(nis **out, nis_integrand *f, const nis_options *options);

/* What is in a file. This has no members but these, of which two grow. */
typedef struct {
  char name[256];      /* options.name, or "" */
  uint64_t stored;     /* points that the next training learns from too */
  nis_options options; /* complete; its pointers are NULL */
  nis_result result;   /* as nis_current gives it */
} nis_saved;

/* Fills *saved, without an integrand; fails as nis_load does. */
NIS_API int nis_inspect(const char *path, nis_saved *saved);

/* ---- many processes --------------------------------------------------------------------- */

/* Ranks are the processes of a run, with a handle each. These two functions are how they reach each
 * other; nis_mpi.h has them over MPI. They return 0, or something else where the others are lost,
 * which ends the call on all ranks that notice it with NIS_RANKS. The thread that called the
 * library calls them, and all ranks do so in the same order.
 *
 * nis_claim gives the next number of a counter that all share, which begins anywhere: each number
 * once. It waits for nobody. nis_gather gives each rank's bytes[rank] bytes, `mine`, to all, which
 * get them one behind the other. While it waits it calls patience(patient) some ten times a second
 * or more; where that says 1, it gives up. */
typedef int nis_claim(uint64_t *number, void *params);
typedef int nis_gather(const void *mine, void *all, const size_t *bytes,
                       int (*patience)(void *patient), void *patient, void *params);

typedef struct {
  int rank, size; /* 0 .. size - 1 */
  void *params;   /* handed to both */
  nis_claim *claim;
  nis_gather *gather;
} nis_ranks;

/* From now on the calls of the integrand are shared out: each rank makes a handle of its own with
 * the same options (threads, params, progress and checkpoint may differ), and then all call the
 * same functions of the library with the same arguments. All get the same results and handles, with
 * the bits of a run of one process, for any number of ranks and threads. Each chunk of points goes
 * to the rank that is free next, so that none waits for more than one chunk of another. Drawing and
 * large gradient steps are shared, too; the rest of the library's work is done by each rank.
 *
 * Rank 0 calls the sinks of points and events and writes files of events. Progress callbacks are
 * called by all ranks; one that says stop stops all. A failure of one rank's, out of the integrand
 * too, becomes everybody's status, with its sentence. max_seconds go by rank 0's clock. The values
 * for options.checkpoint are kept by rank 0, for which the others have none: see below.
 *
 * *ranks is copied, but what it points to must live as long as the handle is shared; NULL: this
 * process is alone again, as with one rank. NIS_INVALID where there is no such rank, or where a
 * rank above 0 has a checkpoint.
 * NIS_RANKS by later calls where a process has ended or the ranks have come apart: other arguments,
 * other kinds of processors, another integrand. */
NIS_API int nis_set_ranks(nis *s, const nis_ranks *ranks);

/* nis_resume by all ranks, to be shared with nis_set_ranks then: rank 0 has the file, which the
 * others must be able to read too. The number of ranks may be another than before. */
NIS_API int nis_resume_shared(nis **out, nis_integrand *f, const nis_options *options,
                              const nis_ranks *ranks);

/* ---- structs that grow ------------------------------------------------------------------ */

/* nis_options and the structs of results get new members at their ends. So each function that takes
 * one has a twin that is told the size of the caller's, and from C and C++ it is the twin that is
 * called: a program that was compiled with an older or a newer header goes on working. Members
 * that the caller does not have are 0 and are not written; those that the library does not have
 * must be 0, else that is NIS_INVALID, and are 0 in results.
 *
 * Other languages call the twins, or the functions themselves, also by dlsym: to these the structs
 * are for ever those of version 0.2, and there nis_integrate_with returns that nis_result by value.
 * The rows of nis_option_list do not grow. */
NIS_API int nis_complete_options_sized(const nis_options *given, nis_options *complete,
                                       size_t options_size);
NIS_API int nis_options_set_sized(nis_options *options, const char *name, const char *value,
                                  size_t options_size);
NIS_API int nis_create_sized(nis **out, nis_integrand *f, const nis_options *options,
                             size_t options_size);
NIS_API int nis_load_sized(nis **out, const char *path, nis_integrand *f,
                           const nis_options *options, size_t options_size);
NIS_API int nis_resume_sized(nis **out, nis_integrand *f, const nis_options *options,
                             size_t options_size);
NIS_API int nis_resume_shared_sized(nis **out, nis_integrand *f, const nis_options *options,
                                    const nis_ranks *ranks, size_t options_size);
NIS_API int nis_run_sized(nis *s, nis_result *result, size_t result_size);
NIS_API int nis_estimate_sized(nis *s, uint64_t calls, nis_result *result, size_t result_size);
NIS_API int nis_estimate_part_sized(nis *s, uint64_t calls, int part, int parts, nis_result *result,
                                    size_t result_size);
NIS_API int nis_current_sized(nis *s, nis_result *result, size_t result_size);
NIS_API int nis_channel_sized(nis *s, size_t channel, nis_channel_result *result,
                              size_t result_size);
NIS_API int nis_inspect_sized(const char *path, nis_saved *saved, size_t options_size,
                              size_t result_size);

#ifndef NIS_PLAIN /* defined: the functions themselves */
#define nis_complete_options(...) nis_complete_options_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_options_set(...) nis_options_set_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_create(...) nis_create_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_load(...) nis_load_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_resume(...) nis_resume_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_resume_shared(...) nis_resume_shared_sized(__VA_ARGS__, sizeof(nis_options))
#define nis_run(...) nis_run_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_estimate(...) nis_estimate_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_estimate_part(...) nis_estimate_part_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_current(...) nis_current_sized(__VA_ARGS__, sizeof(nis_result))
#define nis_channel(...) nis_channel_sized(__VA_ARGS__, sizeof(nis_channel_result))
#define nis_inspect(...) nis_inspect_sized(__VA_ARGS__, sizeof(nis_options), sizeof(nis_result))
#endif

#ifdef __cplusplus
} /* extern "C" */

/* C++: nis_options o{}; o.calls = 2000000; nis_result r = nis_integrate(f, 4, o); */
inline nis_result nis_integrate(nis_integrand *f, size_t dim, nis_options options = nis_options())
{
  options.dim = dim;
  return nis_integrate_with(f, &options);
}
#else
/* C: nis_integrate(f, dim), or nis_integrate(f, dim, .calls = 2000000, .params = &p, ...) with
 * the members of nis_options. */
#define nis_integrate(f, ...) nis_integrate_with((f), &(const nis_options){.dim = __VA_ARGS__})
#endif

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
//
// libnis for C++17: callables with state, exceptions, values that free themselves.
//
//     auto f = [width](nis::point x) { return std::exp(-std::pow(x[0] / width, 2)); };
//     nis::options o;
//     o.calls = 1e6;
//     nis::result r = nis::integrate(f, 4, o);              // C++20: (f, 4, {.calls = 1e6})
//     std::printf("%g +- %g\n", r.value, r.error);
//
// Names and meanings are those of nis.h and nis_events.h, which say more; all of C's functions are
// there too. What fails (a negative status) throws nis::error; what ends early or is suspect is a
// result that says so in `status` and `message`. An exception out of a function of the user's ends
// the run, comes out of the member that was called as what it is, and leaves a sampler that works.
#ifndef NIS_HPP
#define NIS_HPP

#include "nis.h"
#include "nis_events.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

// Where all of it is; programs say nis::, see the end.
namespace nis_cpp
{

// ---- what can happen ------------------------------------------------------------------------

// A negative nis_status, and its sentence in what()
class error : public std::runtime_error
{
public:
  error(int status, const std::string &sentence) : std::runtime_error(sentence), status_(status)
  {
  }
  int status() const noexcept
  {
    return status_;
  }

private:
  int status_;
};

// A status that is not negative, and its sentence: "" where there is nothing to say
struct outcome {
  int status = NIS_OK;
  std::string message;
};

// Of the library's call that has just ended with `status`
inline outcome outcome_of(int status)
{
  std::string sentence = nis_last_error();
  if (sentence.empty() && status != NIS_OK) sentence = nis_strerror(status);
  if (status < 0) throw error(status, sentence);
  return {status, sentence};
}

inline void of_length(std::size_t n, std::size_t right, const char *what)
{
  if (n == right) return;
  throw error(NIS_INVALID, std::string(what) + " must have " + std::to_string(right) +
                               " numbers, got " + std::to_string(n));
}

// ---- numbers and views ------------------------------------------------------------------------

// A number of calls or events, which may be written 1e6
class count
{
public:
  constexpr count() = default;
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  constexpr count(T n) : n_(whole(n))
  {
  }
  constexpr operator std::uint64_t() const
  {
    return n_;
  }

private:
  template <class T> static constexpr std::uint64_t whole(T n)
  {
    if constexpr (std::is_floating_point_v<T>) {
      if (!(n >= 0 && n < T(18446744073709551616.)) || n != T(std::uint64_t(n))) refuse(double(n));
    } else if constexpr (std::is_signed_v<T>) {
      if (n < 0) refuse(double(n));
    }
    return std::uint64_t(n);
  }
  [[noreturn]] static void refuse(double n)
  {
    throw error(NIS_INVALID, "a number of calls or events must be whole and at least 0, got " +
                                 std::to_string(n));
  }
  std::uint64_t n_ = 0;
};

// Numbers of somebody else's, as C++20's std::span, to which it converts
template <class T> class view
{
public:
  constexpr view() = default;
  constexpr view(T *data, std::size_t size) : data_(data), size_(size)
  {
  }
  template <class C, class = std::enable_if_t<std::is_convertible_v<
                         decltype(std::data(std::declval<const C &>())), T *>>>
  constexpr view(const C &numbers) : data_(std::data(numbers)), size_(std::size(numbers))
  {
  }
  constexpr T *data() const
  {
    return data_;
  }
  constexpr std::size_t size() const
  {
    return size_;
  }
  constexpr T *begin() const
  {
    return data_;
  }
  constexpr T *end() const
  {
    return data_ + size_;
  }
  constexpr T &operator[](std::size_t i) const
  {
    return data_[i];
  }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

using point = view<const double>; // [dim] coordinates
using components = view<double>;  // [ncomp] values of one point, to be filled

} // namespace nis_cpp

#if __cplusplus >= 202002L
// So that one that is handed over becomes a std::span<double>
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<nis_cpp::view<T>> = true;
#endif

namespace nis_cpp
{

// ---- options ------------------------------------------------------------------------------------

// The members of nis_options in their order, without those that belong to the callable (dim,
// params, batch). Empty and 0 mean default.
struct options {
  count calls = {};
  double rel_error = 0;
  double abs_error = 0;
  double call_seconds = 0;
  double max_seconds = 0;
  std::uint64_t seed = 0;
  int threads = 0;
  std::vector<double> lower = {};
  std::vector<double> upper = {};
  std::vector<int> periodic = {};
  std::size_t batch_points = 0; // default 64 for callables that take one point at a time
  std::size_t ncomp = 0;        // of callables whose type does not say it
  bool covariance = false;      // result.covariance of more than 64 components is wanted
  nis_follow follow = NIS_FOLLOW_NORM;
  std::vector<double> scales = {};
  bool serial = false;
  std::function<int(const nis_progress &)> progress = {}; // non-zero ends the run
  double train_share = 0;
  double effort = 0;
  std::vector<std::vector<double>> hints = {}; // points
  int layers = 0;
  int hidden_layers = 0;
  int hidden_width = 0;
  int bins = 0;
  int minibatch = 0;
  double replay = 0;
  std::size_t replay_bytes = 0;
  double learning_rate = 0;
  double decay = 0;
  nis_coupling coupling = NIS_RATIONAL_QUADRATIC;
  nis_loss_kind loss = NIS_LOSS_DEFAULT;
  nis_signs signs = NIS_SIGNS_APART;
  nis_point_set points = NIS_POINTS_DEFAULT;
  nis_goal_of goal_of = NIS_GOAL_ALL;
  std::string name = {};
  std::string checkpoint = {};
  double checkpoint_seconds = 0;
  std::function<int(const nis_point_block &)> sink = {}; // non-zero ends the run
  std::size_t extra = 0;
  std::vector<int> discrete = {}; // [dim]
  std::size_t channels = 0;
  bool channel_weights = false;
  std::size_t features = 0;
};

// Likewise the members of nis_event_options
struct event_options {
  count events = {};
  count calls = {};
  nis_w_max_rule w_max = NIS_W_MAX_TAIL;
  double tail = 0;
  double quantile = 0;
  bool whole_run = false;
  bool unit_weights = false;
  std::string path = {};
  nis_event_format format = NIS_FORMAT_BY_NAME;
  std::function<int(point, nis_event &)> particles = {};
  std::string header = {};
  bool force = false;
  count skip = {};
};

// ---- results ------------------------------------------------------------------------------------

struct result : nis_result {
  std::vector<double> values, errors; // [ncomp]
  std::vector<double> covariance;     // [ncomp * ncomp]; empty above 64 without that option
  std::string message;                // why status is not NIS_OK, or a warning; else ""
};

struct event_summary : nis_event_summary {
  std::string message;
};

// A number with its standard error
struct quantity : outcome {
  double value = 0, error = 0;
};

// Points drawn from the flow, with log-density and, where they were asked for, weights
struct samples : outcome {
  std::size_t dim = 0;
  std::vector<double> x, log_q, weight;

  std::size_t size() const
  {
    return log_q.size();
  }
  point operator[](std::size_t i) const
  {
    return {x.data() + i * dim, dim};
  }
};

// As a sink takes them one at a time; x is valid during the call only
struct event {
  point x;
  double weight, log_q;
  std::uint64_t trials;
  point outputs; // [options.extra]
};

// As next_event gives them; true where there is one. x is valid until the sampler's next call.
struct pulled_event : nis_pulled_event {
  std::string message;

  explicit operator bool() const
  {
    return x != nullptr;
  }
};

// ---- callables ----------------------------------------------------------------------------------

// What an integrand may look like; options.serial says whether several threads may call it at once.
//
//     double f(nis::point x)                             also std::span<const double> in C++20
//     double f(const double *x, size_t dim)
//     std::array<double, N> f(nis::point x)              N components
//     void f(nis::point x, nis::components values)       options.ncomp of them, and then
//                                                        options.extra outputs
//     void f(size_t n, size_t dim, const double *x, size_t ncomp, double *values)
//                                                        n points at once, as nis_batch_integrand
//
// The last two may return an int instead, of which one that is not 0 ends the run: NIS_CALLBACK.
namespace shape
{

template <class T> constexpr std::size_t array_size = 0;
template <std::size_t N> constexpr std::size_t array_size<std::array<double, N>> = N;

// N of an array that is returned, else 0
template <class F> constexpr std::size_t returned()
{
  if constexpr (std::is_invocable_v<F &, point>) {
    return array_size<std::decay_t<std::invoke_result_t<F &, point>>>;
  } else {
    return 0;
  }
}

template <class F>
constexpr bool takes_pointer = std::is_invocable_r_v<double, F &, double *, std::size_t>;
template <class F>
constexpr bool single = takes_pointer<F> || std::is_invocable_r_v<double, F &, point>;
template <class F> constexpr bool fills = std::is_invocable_v<F &, point, components>;
template <class F>
constexpr bool batch =
    std::is_invocable_v<F &, std::size_t, std::size_t, const double *, std::size_t, double *>;

// Asked for what is not single only: a generic lambda may not compile for other arguments
template <class F> constexpr bool many = returned<F>() > 0 || fills<F> || batch<F>;

// Calls what returns nothing, or a status
template <class F, class... A> int status_of(F &f, A &&...arguments)
{
  if constexpr (std::is_void_v<std::invoke_result_t<F &, A...>>) {
    f(std::forward<A>(arguments)...);
    return 0;
  } else {
    return static_cast<int>(f(std::forward<A>(arguments)...));
  }
}

template <class F> int one_of_many(F &f, point x, components values)
{
  if constexpr (returned<F>() > 0) {
    auto all = f(x);
    for (std::size_t c = 0; c < values.size(); c++) values[c] = all[c];
    return 0;
  } else {
    return status_of(f, x, values);
  }
}

template <class F> double call(double *x, std::size_t dim, void *params)
{
  F &f = *static_cast<F *>(params);
  if constexpr (takes_pointer<F>) {
    return f(x, dim);
  } else {
    return f(point(x, dim));
  }
}

template <class F>
int call_many(std::size_t n, std::size_t dim, const double *x, std::size_t ncomp, double *values,
              void *params)
{
  F &f = *static_cast<F *>(params);
  if constexpr (batch<F>) {
    return status_of(f, n, dim, x, ncomp, values);
  } else {
    int status = 0;
    for (std::size_t i = 0; i < n && status == 0; i++)
      status = one_of_many(f, point(x + i * dim, dim), components(values + i * ncomp, ncomp));
    return status;
  }
}

} // namespace shape

// ---- the sampler --------------------------------------------------------------------------------

// What lives as long as the handle, at an address that does not change
struct state {
  std::shared_ptr<void> f;
  nis_integrand *scalar = nullptr;
  nis_batch_integrand *batch = nullptr;
  std::size_t batch_points = 0, dim = 0, ncomp = 0;
  std::function<int(const nis_progress &)> progress;
  std::function<int(const nis_point_block &)> sink;
  bool covariance = false;
  std::unique_ptr<nis, void (*)(nis *)> handle{nullptr, nis_free}; // goes before all of these
};

template <class F> std::unique_ptr<state> state_of(F f)
{
  auto s = std::make_unique<state>();
  s->f = std::make_shared<F>(std::move(f));
  s->ncomp = shape::returned<F>();
  if constexpr (shape::single<F>) {
    s->scalar = shape::call<F>;
  } else {
    static_assert(shape::many<F>, "not one of the integrands that nis.hpp lists");
    s->batch = shape::call_many<F>;
    s->batch_points = shape::batch<F> ? 0 : 64; // few, so that all threads get some
  }
  return s;
}

inline int call_progress(const nis_progress *now, void *params)
{
  return static_cast<state *>(params)->progress(*now);
}

inline int call_point_sink(const nis_point_block *points, void *params)
{
  return static_cast<state *>(params)->sink(*points);
}

// nis_options of options, whose arrays must stay until the handle is made
class plain_options
{
public:
  nis_options c{};

  plain_options(const options &o, std::size_t dim, std::size_t ncomp) : dim_(dim), ncomp_(ncomp)
  {
    numbers(o);
    learning(o);
    c.lower = array(o.lower, dim_, "lower");
    c.upper = array(o.upper, dim_, "upper");
    c.periodic = array(o.periodic, dim_, "periodic");
    c.discrete = array(o.discrete, dim_, "discrete");
    c.scales = array(o.scales, ncomp_, "scales");
    c.name = text(o.name);
    c.checkpoint = text(o.checkpoint);
    points(o);
  }

private:
  std::size_t dim_, ncomp_;
  std::vector<double> hints_;

  void numbers(const options &o)
  {
    c.calls = o.calls;
    c.rel_error = o.rel_error;
    c.abs_error = o.abs_error;
    c.call_seconds = o.call_seconds;
    c.max_seconds = o.max_seconds;
    c.seed = o.seed;
    c.threads = o.threads;
    c.batch_points = o.batch_points;
    c.ncomp = o.ncomp;
    c.follow = o.follow;
    c.serial = o.serial;
    c.points = o.points;
    c.goal_of = o.goal_of;
    c.checkpoint_seconds = o.checkpoint_seconds;
    c.covariance = o.covariance;
    c.extra = o.extra;
    c.channels = o.channels;
    c.channel_weights = o.channel_weights;
    c.features = o.features;
  }
  void learning(const options &o)
  {
    c.train_share = o.train_share;
    c.effort = o.effort;
    c.layers = o.layers;
    c.hidden_layers = o.hidden_layers;
    c.hidden_width = o.hidden_width;
    c.bins = o.bins;
    c.minibatch = o.minibatch;
    c.replay = o.replay;
    c.replay_bytes = o.replay_bytes;
    c.learning_rate = o.learning_rate;
    c.decay = o.decay;
    c.coupling = o.coupling;
    c.loss = o.loss;
    c.signs = o.signs;
  }
  void points(const options &o)
  {
    for (const auto &hint : o.hints) {
      array(hint, dim_, "a point of hints");
      hints_.insert(hints_.end(), hint.begin(), hint.end());
    }
    c.hints = hints_.empty() ? nullptr : hints_.data();
    c.nhints = o.hints.size();
  }
  template <class T>
  static const T *array(const std::vector<T> &given, std::size_t n, const char *name)
  {
    if (given.empty()) return nullptr;
    of_length(given.size(), n, name);
    return given.data();
  }
  static const char *text(const std::string &given)
  {
    return given.empty() ? nullptr : given.c_str();
  }
};

// nis_event_options of event_options, for one call
inline nis_event_options plain(const event_options &o)
{
  nis_event_options c{};
  c.events = o.events;
  c.calls = o.calls;
  c.w_max = o.w_max;
  c.tail = o.tail;
  c.quantile = o.quantile;
  c.whole_run = o.whole_run;
  c.unit_weights = o.unit_weights;
  c.path = o.path.empty() ? nullptr : o.path.c_str();
  c.format = o.format;
  c.header = o.header.empty() ? nullptr : o.header.c_str();
  c.force = o.force;
  c.skip = o.skip;
  if (!o.particles) return c;
  c.particles = [](const double *x, std::size_t dim, nis_event *event, void *params) {
    return (*static_cast<decltype(o.particles) *>(params))(point(x, dim), *event);
  };
  c.particles_params = const_cast<void *>(static_cast<const void *>(&o.particles));
  return c;
}

// Single events, which a generic sink gets too, or whole blocks with a status
template <class S> int call_sink(const nis_event_block *block, void *params)
{
  S &sink = *static_cast<S *>(params);
  if constexpr (std::is_invocable_v<S &, const event &>) {
    for (std::size_t i = 0; i < block->n; i++) {
      point x(block->x + i * block->dim, block->dim);
      point outputs(block->outputs + i * block->extra, block->extra);
      sink(event{x, block->weight[i], block->log_q[i], block->trials[i], outputs});
    }
    return 0;
  } else {
    return shape::status_of(sink, *block);
  }
}

// A flow, its integrand, and the running estimate: nis.h's handle, freed at the end. It owns a copy
// of the callable (std::ref spares that). Moved, not copied; what it was moved from throws.
class sampler
{
public:
  // nis_create
  template <class F>
  sampler(F f, std::size_t dim, const options &o = {}) : state_(state_of(std::move(f)))
  {
    make(o, dim, 1, [](nis **out, nis_integrand *scalar, const nis_options *c) {
      return nis_create(out, scalar, c);
    });
  }

  // nis_load: goes on as the saved one would have
  template <class F> static sampler load(const std::string &path, F f, const options &o = {})
  {
    nis_saved saved;
    outcome_of(nis_inspect(path.c_str(), &saved));
    sampler s(state_of(std::move(f)));
    s.make(o, saved.options.dim, saved.options.ncomp,
           [&](nis **out, nis_integrand *scalar, const nis_options *c) {
             return nis_load(out, path.c_str(), scalar, c);
           });
    return s;
  }

  // nis_resume: goes on from options.checkpoint
  template <class F> static sampler resume(F f, std::size_t dim, const options &o)
  {
    sampler s(state_of(std::move(f)));
    s.make(o, dim, 1, [](nis **out, nis_integrand *scalar, const nis_options *c) {
      return nis_resume(out, scalar, c);
    });
    return s;
  }

  // Trains on a share of options.calls and integrates with the rest
  result run()
  {
    return result_of([](nis *s, nis_result *r) { return nis_run(s, r); });
  }
  outcome train(count calls)
  {
    return outcome_of(nis_train(c(), calls));
  }
  result estimate(count calls)
  {
    return result_of([=](nis *s, nis_result *r) { return nis_estimate(s, calls, r); });
  }
  // Part number `part` of 1 .. parts
  result estimate_part(count calls, int part, int parts)
  {
    return result_of(
        [=](nis *s, nis_result *r) { return nis_estimate_part(s, calls, part, parts, r); });
  }
  // The estimate so far, without a call
  result current()
  {
    return result_of([](nis *s, nis_result *r) { return nis_current(s, r); });
  }
  // What channel number k of options.channels gave
  nis_channel_result channel(std::size_t k)
  {
    nis_channel_result r{};
    outcome_of(nis_channel(c(), k, &r));
    return r;
  }
  // counts[edges.size() + 1] of the weights |w| / mean |w| below, between and from the edges on
  std::vector<std::uint64_t> weights(const std::vector<double> &edges)
  {
    std::vector<std::uint64_t> counts(edges.size() + 1);
    outcome_of(nis_weights(c(), edges.size(), edges.data(), counts.data()));
    return counts;
  }
  void drop_estimate()
  {
    outcome_of(nis_drop_estimate(c()));
  }
  // The other's estimate joins this one
  void merge(sampler &other)
  {
    outcome_of(nis_merge(c(), other.c()));
  }

  // value_i / value_j of the components
  quantity ratio(std::size_t i, std::size_t j)
  {
    quantity q;
    set(q, nis_ratio(c(), i, j, &q.value, &q.error));
    return q;
  }
  // sum_c coefficients[c] value_c
  quantity combine(const std::vector<double> &coefficients)
  {
    quantity q;
    of_length(coefficients.size(), ncomp(), "coefficients");
    set(q, nis_combine(c(), coefficients.data(), &q.value, &q.error));
    return q;
  }

  // n points of the flow; without weights the integrand is not called
  samples sample(std::size_t n, bool weights = true)
  {
    samples p;
    nis *s = c();
    p.dim = dim();
    p.x.resize(n * p.dim), p.log_q.resize(n), p.weight.resize(weights ? n : 0);
    set(p, nis_sample(s, n, p.x.data(), p.log_q.data(), weights ? p.weight.data() : nullptr));
    return p;
  }
  // log q at points one behind the other: a std::vector, an array, samples.x
  std::vector<double> density(view<const double> x)
  {
    nis *s = c();
    std::vector<double> log_q(x.size() / dim());
    of_length(x.size(), log_q.size() * dim(), "x, for whole points,");
    outcome_of(nis_density(s, log_q.size(), x.data(), log_q.data()));
    return log_q;
  }

  // Unweighted events into the file options.path
  event_summary events(const event_options &o)
  {
    return summary_of(plain(o));
  }
  // Unweighted events for a sink, and a file if there is a path: void sink(const nis::event &), or
  // sink(const nis_event_block &), which may return an int, where one that is not 0 ends the run.
  // It is called from this thread only.
  template <class S> event_summary events(const event_options &o, S &&sink)
  {
    auto held = std::ref(sink); // an object, also where the sink is a plain function
    nis_event_options with = plain(o);
    with.sink = call_sink<decltype(held)>;
    with.sink_params = &held;
    return summary_of(with);
  }
  // The next event; of the options those that nis_next_event knows
  pulled_event next_event(const event_options &o = {})
  {
    pulled_event e{};
    nis_event_options plain_o = plain(o);
    e.message = outcome_of(nis_next_event(c(), &plain_o, &e)).message;
    return e;
  }

  void save(const std::string &path)
  {
    outcome_of(nis_save(c(), path.c_str()));
  }

  std::size_t dim() const
  {
    return state_ ? state_->dim : 0;
  }
  std::size_t ncomp() const
  {
    return state_ ? state_->ncomp : 0;
  }
  // For all that C can do besides; still owned by this
  nis *handle() const
  {
    return state_ ? state_->handle.get() : nullptr;
  }

private:
  std::unique_ptr<state> state_;

  explicit sampler(std::unique_ptr<state> s) : state_(std::move(s))
  {
  }

  nis *c() const
  {
    if (!state_) throw error(NIS_INVALID, "this sampler has been moved to another");
    return state_->handle.get();
  }

  template <class Create>
  void make(const options &o, std::size_t dim, std::size_t ncomp, Create create)
  {
    state &s = *state_;
    if (o.ncomp > 0 && s.ncomp > 0) of_length(s.ncomp, o.ncomp, "the array that is returned");
    if (s.ncomp == 0) s.ncomp = o.ncomp > 0 ? o.ncomp : ncomp;
    s.dim = dim;
    plain_options given(o, s.dim, s.ncomp);
    attach(o, given.c);
    nis *made = nullptr;
    outcome_of(create(&made, s.scalar, &given.c));
    s.handle.reset(made);
  }

  // What is this sampler's in C's options
  void attach(const options &o, nis_options &given)
  {
    state &s = *state_;
    given.dim = s.dim, given.ncomp = s.ncomp;
    given.params = s.f.get(), given.batch = s.batch;
    if (given.batch_points == 0) given.batch_points = s.batch_points;
    s.covariance = o.covariance || s.ncomp <= NIS_MOST_CORRELATED;
    s.progress = o.progress, s.sink = o.sink;
    if (s.progress) given.progress = call_progress, given.progress_params = &s;
    if (s.sink) given.sink = call_point_sink, given.sink_params = &s;
  }

  template <class Call> result result_of(Call call)
  {
    result r{};
    r.message = outcome_of(call(c(), &r)).message;
    std::size_t n = ncomp();
    r.values.resize(n), r.errors.resize(n), r.covariance.resize(state_->covariance ? n * n : 0);
    outcome_of(nis_values(c(), r.values.data(), r.errors.data()));
    if (state_->covariance) outcome_of(nis_covariance(c(), r.covariance.data()));
    return r;
  }
  event_summary summary_of(const nis_event_options &o)
  {
    event_summary e{};
    e.message = outcome_of(nis_events(c(), &o, &e)).message;
    return e;
  }
  static void set(outcome &to, int status)
  {
    to = outcome_of(status);
  }
};

// Trains on a share of the calls, integrates with the rest. The callable is not copied.
template <class F> result integrate(F &&f, std::size_t dim, const options &o = {})
{
  return sampler(std::ref(f), dim, o).run();
}

} // namespace nis_cpp

// nis:: is the struct that nis.h calls its handle, whose name leaves none for a namespace. C++ does
// not see what is in the handle, and makes none.
struct nis {
  nis() = delete;

  using error = nis_cpp::error;
  using outcome = nis_cpp::outcome;
  using count = nis_cpp::count;
  template <class T> using view = nis_cpp::view<T>;
  using point = nis_cpp::point;
  using components = nis_cpp::components;
  using options = nis_cpp::options;
  using event_options = nis_cpp::event_options;
  using result = nis_cpp::result;
  using event_summary = nis_cpp::event_summary;
  using quantity = nis_cpp::quantity;
  using samples = nis_cpp::samples;
  using event = nis_cpp::event;
  using pulled_event = nis_cpp::pulled_event;
  using sampler = nis_cpp::sampler;

  template <class F> static result integrate(F &&f, std::size_t dim, const options &o = {})
  {
    return nis_cpp::integrate(f, dim, o);
  }
};

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// nis.hpp as C++17 and as C++20: what callables may look like, what comes out of them and out of
// the library, and the sampler.
#include "nis.hpp"

#include "suite.h"

#include <atomic>
#include <cmath>
#include <numeric>
#include <string>
#include <unistd.h>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace
{

nis::options quick(int threads = 2)
{
  nis::options o;
  o.calls = 2000;
  o.threads = threads;
  o.effort = 0.01;
  return o;
}

void check_near(const nis::result &r, double exact)
{
  ck_assert_msg(r.status == NIS_OK, "%d: %s", r.status, r.message.c_str());
  ck_assert_str_eq(r.message.c_str(), "");
  ck_assert(std::fabs(r.value - exact) < 0.02);
  ck_assert(r.values[0] == r.value && r.errors[0] == r.error);
}

// The status of what the library refuses, with a sentence that has the word
template <class F> int refused(const char *word, F call)
{
  try {
    call();
  } catch (const nis::error &e) {
    ck_assert_msg(strstr(e.what(), word), "%s: %s", word, e.what());
    return e.status();
  }
  return NIS_OK;
}

// As in C
double plain(double *x, size_t)
{
  return 0.5 + x[0];
}

double of_point(nis::point x)
{
  return 0.5 + x[0];
}

struct functor {
  double operator()(const double *x, size_t dim) const
  {
    return 0.5 + std::accumulate(x, x + dim, 0.) / double(dim);
  }
};

std::array<double, 2> two(nis::point x)
{
  return {0.5 + x[0], 2 * (0.5 + x[0])};
}

// A file of its own, gone afterwards
struct file {
  char path[32] = "/tmp/test_hpp_XXXXXX";
  file()
  {
    close(mkstemp(path));
    remove(path);
  }
  ~file()
  {
    remove(path);
  }
};

START_TEST(one_value)
{
  double half = 0.5;
  std::atomic<uint64_t> seen{0};
  auto pointer = [&](const double *x, size_t) { return ++seen, half + x[0]; };
  auto point = [half](nis::point x) { return half + (*x.begin() + x[x.size() - 1]) / 2; };
  const functor constant;
  nis::result r = nis::integrate(pointer, 2, quick());
  check_near(r, 1);
  ck_assert_uint_eq(seen, r.calls);
  check_near(nis::integrate(point, 2, quick()), 1);
  check_near(nis::integrate(functor(), 3, quick()), 1);
  check_near(nis::integrate(constant, 3, quick()), 1);
  check_near(nis::integrate([](auto x) { return 0.5 + x[0]; }, 2, quick()), 1);
  check_near(nis::integrate([](auto x, auto dim) { return 0.5 + x[dim - 1]; }, 2, quick()), 1);
  check_near(nis::integrate(plain, 2, quick()), 1);
  check_near(nis::integrate(of_point, 2, quick()), 1);
  nis::options serial = quick();
  serial.serial = true;
  uint64_t calls = 0;
  auto counting = [calls](nis::point) mutable { return double(++calls > 0); };
  check_near(nis::integrate(counting, 1, serial), 1);
}
END_TEST

START_TEST(the_bits_of_c)
{
  nis_options c{};
  c.dim = 2, c.calls = 2000, c.threads = 1, c.effort = 0.01;
  nis_result expected =
      nis_integrate_with([](double *x, size_t dim, void *) { return plain(x, dim); }, &c);
  nis::result r = nis::integrate(plain, 2, quick());
  ck_assert(r.value == expected.value && r.error == expected.error);
}
END_TEST

START_TEST(many_points)
{
  size_t largest = 0;
  nis::options o = quick();
  o.ncomp = 2, o.batch_points = 50, o.serial = true;
  auto batch = [&](size_t n, size_t dim, const double *x, size_t ncomp, double *f) {
    largest = std::max(largest, n);
    for (size_t i = 0; i < n * ncomp; i++) f[i] = 0.5 + x[i / ncomp * dim];
  };
  check_near(nis::integrate(batch, 2, o), 1);
  ck_assert(largest > 1 && largest <= 50);
  auto stops = [](size_t, size_t, const double *, size_t, double *) { return 1; };
  ck_assert_int_eq(refused("", [&] { nis::integrate(stops, 2, o); }), NIS_CALLBACK);
}
END_TEST

void check_two(const nis::result &r)
{
  check_near(r, 1);
  ck_assert_uint_eq(r.values.size(), 2);
  ck_assert(std::fabs(r.values[1] - 2) < 0.04 && r.errors[1] > 0);
  ck_assert_uint_eq(r.covariance.size(), 4);
  ck_assert(std::fabs(r.covariance[3] - r.errors[1] * r.errors[1]) < 1e-9 * r.covariance[3]);
}

START_TEST(several_values)
{
  nis::options o = quick();
  o.covariance = true;
  check_two(nis::integrate(two, 2, o));
  o.ncomp = 2;
  auto fills = [](nis::point x, nis::components f) { f[0] = 0.5 + x[0], f[1] = 2 * f[0]; };
  check_two(nis::integrate(fills, 2, o));
  auto stops = [](nis::point, nis::components) { return true; };
  ck_assert_int_eq(refused("", [&] { nis::integrate(stops, 2, o); }), NIS_CALLBACK);
  nis::sampler s(two, 2, o);
  s.run();
  nis::quantity ratio = s.ratio(1, 0), difference = s.combine({2, -1});
  ck_assert(std::fabs(ratio.value - 2) < 1e-9 && ratio.error < 1e-6);
  ck_assert(std::fabs(difference.value) < 1e-9 && difference.status == NIS_OK);
  ck_assert_int_eq(refused("coefficients must have 2", [&] { s.combine({1}); }), NIS_INVALID);
  ck_assert_int_eq(refused("2", [&] { s.ratio(2, 0); }), NIS_INVALID);
  o.ncomp = 3;
  ck_assert_int_eq(refused("array", [&] { nis::integrate(two, 2, o); }), NIS_INVALID);
}
END_TEST

START_TEST(domains)
{
  nis::options o = quick();
  o.lower = {-1, 0}, o.upper = {1, INFINITY}, o.periodic = {1, 0};
  o.hints = {{0, 0.1}, {0.5, 0.2}};
  check_near(nis::integrate([](nis::point x) { return std::exp(-x[1]) / 2; }, 2, o), 1);
  o.hints = {{0}};
  ck_assert_int_eq(refused("hints must have 2 numbers, got 1", [&] { nis::sampler(plain, 2, o); }),
                   NIS_INVALID);
  o.hints = {{0, -1}};
  ck_assert_int_eq(refused("hint 0", [&] { nis::sampler(plain, 2, o); }), NIS_INVALID);
  o.lower = {0};
  ck_assert_int_eq(refused("lower must have 2", [&] { nis::sampler(plain, 2, o); }), NIS_INVALID);
}
END_TEST

START_TEST(failures_and_warnings)
{
  nis::options o = quick();
  o.bins = 1000;
  ck_assert_int_eq(refused("bins", [&] { nis::integrate(plain, 2, o); }), NIS_INVALID);
  ck_assert_int_eq(refused("dim", [&] { nis::integrate(plain, 0); }), NIS_INVALID);
  o = quick(), o.ncomp = 100000;
  auto fills = [](nis::point, nis::components) {};
  ck_assert_int_eq(refused("ncomp", [&] { nis::integrate(fills, 2, o); }), NIS_INVALID);
  o = quick(), o.rel_error = 1e-9;
  nis::result r = nis::integrate([](nis::point x) { return std::exp(-x[0] * x[1]); }, 2, o);
  ck_assert_int_eq(r.status, NIS_GOAL_MISSED);
  ck_assert(!r.message.empty() && r.value > 0);
  r = nis::integrate([](nis::point x) { return double(x[0] * x[1] > 0.999); }, 2, quick());
  ck_assert_int_eq(r.status, NIS_SUSPECT);
  ck_assert(!r.message.empty() && r.suspect != 0);
  r = nis::integrate([](nis::point x) { return x[0] < 0.01 ? NAN : 1; }, 1, quick());
  ck_assert_msg(r.message.find("finite") != std::string::npos, "%s", r.message.c_str());
  ck_assert_int_eq(refused("", [] { nis::integrate([](nis::point) { return NAN; }, 2, quick()); }),
                   NIS_BAD_VALUES);
}
END_TEST

START_TEST(counts)
{
  nis::count from_real = 1e6, from_int = 7;
  ck_assert(from_real == 1000000u && from_int == 7u && nis::count() == 0u);
  for (double wrong : {0.5, -1., double(NAN), double(INFINITY), 1e20})
    ck_assert_int_eq(refused("whole", [=] { nis::count n(wrong); }), NIS_INVALID);
  ck_assert_int_eq(refused("whole", [] { nis::count n(-3); }), NIS_INVALID);
}
END_TEST

// Neither a standard exception nor one that fits into a pointer
struct trouble {
  std::string where;
};

template <class F> bool throws(const std::string &where, F call)
{
  try {
    call();
  } catch (const trouble &t) {
    return t.where == where;
  }
  return false;
}

// Throws at the call of this number and after it
struct fuse {
  std::atomic<int64_t> left{INT64_MAX};
  void burn(const char *where)
  {
    if (--left < 0) throw trouble{where};
  }
};

template <class F> void check_throws(F f, fuse &fuse, nis::options o)
{
  nis::sampler s(f, 2, o);
  auto armed = [&](auto call) {
    fuse.left = 1;
    bool thrown = throws("integrand", call);
    fuse.left = INT64_MAX;
    ck_assert(thrown);
    check_near(s.run(), 1);
  };
  armed([&] { s.run(); });
  armed([&] { s.train(2000); });
  armed([&] { s.estimate(2000); });
  armed([&] { s.sample(300); });
  armed([&] {
    nis::event_options events;
    events.events = 2000;
    s.events(events, [](const nis::event &) {});
  });
  armed([&] { nis::integrate(f, 2, o); });
}

START_TEST(exceptions_of_integrands)
{
  fuse fuse;
  nis::options o = quick(_i);
  auto one = [&](nis::point x) { return fuse.burn("integrand"), 0.5 + x[0]; };
  auto array = [&](nis::point x) { return fuse.burn("integrand"), two(x); };
  auto batch = [&](size_t n, size_t dim, const double *x, size_t, double *f) {
    fuse.burn("integrand");
    for (size_t i = 0; i < n; i++) f[i] = 0.5 + x[i * dim];
  };
  check_throws(one, fuse, o);
  check_throws(array, fuse, o);
  o.batch_points = 50;
  check_throws(batch, fuse, o);
}
END_TEST

#ifdef _OPENMP
// The one that throws is not the one that called.
START_TEST(exceptions_of_another_thread)
{
  auto f = [](nis::point x) {
    usleep(20); // so that both get some
    if (nis_thread() == 1) throw trouble{"there"};
    return 0.5 + x[0];
  };
  ck_assert(throws("there", [&] { nis::integrate(f, 2, quick(2)); }));
  check_near(nis::integrate(f, 2, quick(1)), 1);
}
END_TEST
#endif

START_TEST(exceptions_of_the_others)
{
  fuse fuse;
  nis::options o = quick(_i);
  o.progress = [&](const nis_progress &) { return fuse.burn("progress"), 0; };
  nis::sampler s(plain, 2, o);
  fuse.left = 0;
  ck_assert(throws("progress", [&] { s.run(); }));
  fuse.left = INT64_MAX;
  check_near(s.run(), 1);
  file out;
  nis::event_options events;
  events.events = 500;
  auto sink = [](const nis::event &e) {
    if (e.weight > 0) throw trouble{"sink"};
  };
  ck_assert(throws("sink", [&] { s.events(events, sink); }));
  events.path = out.path, events.format = NIS_FORMAT_LHE;
  events.particles = [](nis::point, nis_event &) -> int { throw trouble{"particles"}; };
  ck_assert(throws("particles", [&] { s.events(events); }));
  check_near(s.run(), 1);
}
END_TEST

START_TEST(progress)
{
  nis::options o = quick();
  int seen = 0;
  o.progress = [&](const nis_progress &now) { return ++seen, now.phase == NIS_INTEGRATING; };
  nis::sampler first(plain, 2, o), s = std::move(first);
  nis::result r = s.run();
  ck_assert(seen > 0);
  ck_assert_int_eq(r.status, NIS_STOPPED);
  ck_assert(!r.message.empty());
}
END_TEST

// Neither copied, nor left behind
START_TEST(moves)
{
  auto held = std::make_unique<double>(0.5);
  nis::sampler a([held = std::move(held)](nis::point x) { return *held + x[0]; }, 2, quick());
  a.train(1000);
  nis::sampler b = std::move(a);
  check_near(b.estimate(1000), 1);
  ck_assert_int_eq(refused("moved", [&] { a.run(); }), NIS_INVALID);
  ck_assert_int_eq(refused("moved", [&] { a.sample(1); }), NIS_INVALID);
  ck_assert(!a.handle() && b.handle() && a.dim() == 0 && b.dim() == 2 && b.ncomp() == 1);
  a = std::move(b);
  nis::result r = a.current();
  check_near(r, 1);
  ck_assert(a.estimate(1000).calls > r.calls);
  static_assert(!std::is_copy_constructible_v<nis::sampler>, "");
  static_assert(std::is_nothrow_move_constructible_v<nis::sampler>, "");
}
END_TEST

START_TEST(draws)
{
  uint64_t calls = 0;
  nis::options o = quick();
  o.serial = true;
  nis::sampler s([&](nis::point x) { return ++calls, 0.5 + x[0]; }, 2, o);
  s.run();
  nis::samples p = s.sample(300);
  ck_assert(p.status == NIS_OK && p.size() == 300 && p.weight.size() == 300);
  std::vector<double> log_q = s.density(p.x), of_last = s.density(p[299]);
  for (size_t i = 0; i < 300; i++) {
    double weight = (0.5 + p[i][0]) / std::exp(p.log_q[i]);
    require(std::fabs(p.weight[i] / weight - 1) < 1e-6, "weight of %zu", i);
    require(std::fabs(log_q[i] - p.log_q[i]) < 1e-6, "density of %zu", i);
  }
  ck_assert(of_last.size() == 1 && of_last[0] == log_q[299]);
  uint64_t before = calls;
  ck_assert(s.sample(10, false).weight.empty() && calls == before);
  ck_assert_int_eq(refused("x", [&] { s.density(std::vector<double>{0.5}); }), NIS_INVALID);
}
END_TEST

START_TEST(events)
{
  nis::sampler s(plain, 2, quick());
  s.run();
  nis::event_options o;
  o.events = 500;
  double sum = 0;
  nis::event_summary all = s.events(o, [&](const auto &e) { sum += e.weight * (e.x[1] > 0); });
  ck_assert(all.status == NIS_OK && all.events == 500);
  ck_assert(std::fabs(sum - all.sum_weights) < 1e-9);
  size_t taken = 0;
  auto stops = [&](const nis_event_block &b) { return taken += b.n, 1; };
  all = s.events(o, stops);
  ck_assert(all.status == NIS_STOPPED && all.events == taken && !all.message.empty());
  nis::pulled_event next = s.next_event();
  ck_assert(next && next.x[0] > 0 && next.weight >= 1 && next.dim == 2);
  file out;
  o.path = out.path, o.format = NIS_FORMAT_TEXT, o.force = true;
  ck_assert_uint_eq(s.events(o).events, 500);
  o.format = NIS_FORMAT_LHE;
  o.particles = [](nis::point, nis_event &e) { return e.nparticles = 2, 0; };
  ck_assert_uint_eq(s.events(o).events, 500);
  ck_assert_int_eq(refused("", [&] { s.events({}); }), NIS_INVALID);
}
END_TEST

START_TEST(files)
{
  file out;
  nis::options o = quick();
  o.name = "two width=1";
  nis::sampler a(two, 2, o);
  a.run();
  a.save(out.path);
  nis::sampler b = nis::sampler::load(out.path, two);
  ck_assert(b.dim() == 2 && b.ncomp() == 2);
  ck_assert(a.current().values == b.current().values);
  nis::result r = a.estimate(1000), same = b.estimate(1000);
  ck_assert(r.values == same.values && r.errors == same.errors && r.calls == same.calls);
  o.seed = 7;
  nis::sampler other = nis::sampler::load(out.path, two, o);
  other.drop_estimate();
  other.estimate(1000);
  b.drop_estimate();
  ck_assert(b.estimate_part(1000, 1, 2).error > 0);
  b.merge(other);
  ck_assert(std::fabs(b.current().values[1] - 2) < 0.05);
  o.name = "three";
  ck_assert_int_eq(refused("three", [&] { nis::sampler::load(out.path, two, o); }), NIS_INVALID);
  ck_assert_int_eq(refused("", [] { nis::sampler::load("/nowhere/at/all", two); }), NIS_NO_FILE);
  ck_assert_int_eq(refused("", [&] { a.save("/nowhere/at/all"); }), NIS_NO_FILE);
}
END_TEST

START_TEST(checkpoints)
{
  file out;
  nis::options o = quick();
  o.checkpoint = out.path;
  std::atomic<int> calls{0};
  auto f = [&](nis::point x) { return ++calls, 0.5 + x[0]; };
  double value = nis::sampler::resume(f, 2, o).run().value;
  int before = calls;
  ck_assert(nis::sampler::resume(f, 2, o).run().value == value);
  ck_assert_int_eq(calls, before);
}
END_TEST

#if __cplusplus >= 202002L
START_TEST(as_cpp20)
{
  auto f = [](std::span<const double> x) { return 0.5 + x[0]; };
  check_near(nis::integrate(f, 2, {.calls = 2e3, .threads = 2, .effort = 0.01}), 1);
  check_near(nis::integrate([](auto x) { return 0.5 + x[0]; }, 1,
                            {.calls = 2000, .lower = {0}, .upper = {1}}),
             1);
  auto fills = [](std::span<const double> x, std::span<double> v) { v[0] = 0.5 + x[0]; };
  check_near(nis::integrate(fills, 2, {.calls = 2e3, .effort = 0.01}), 1);
  nis::sampler s(f, 2, {.calls = 2000, .effort = 0.01});
  s.run();
  size_t n = 0;
  s.events({.events = 1e2}, [&](const nis::event &) { n++; });
  ck_assert_uint_eq(n, 100);
}
END_TEST
#endif

} // namespace

START_TEST(channels_and_values)
{
  nis::options o;
  o.calls = 20000;
  o.channels = 3;
  nis::sampler s([](nis::point x) { return (x[2] + 1) * x[0] * x[1]; }, 3, o);
  nis::result r = s.run();
  ck_assert(std::fabs(r.value - 1.5) < 0.02);
  const auto counts = s.weights({0.5, 2});
  ck_assert(counts.size() == 3 && counts[1] > 0);
  ck_assert(std::fabs(s.channel(2).value - 0.75) < 0.05 && s.channel(0).calls > 0);
  try {
    s.channel(3);
    ck_abort();
  } catch (const nis::error &e) {
    ck_assert_int_eq(e.status(), NIS_INVALID);
  }
  o.channels = 0;
  o.discrete = {0, 0, 2};
  r = nis::integrate([](nis::point x) { return x[2] * x[0]; }, 3, o);
  ck_assert(std::fabs(r.value - 0.5) < 0.02);
}
END_TEST

// Points of the estimate for a sink, with what the integrand gave besides; on to events
START_TEST(points_and_outputs)
{
  std::size_t points = 0;
  double sum = 0, weights = 0;
  nis::options o;
  o.calls = 20000;
  o.points = NIS_POINTS_RANDOM;
  o.extra = 2;
  o.sink = [&](const nis_point_block &b) {
    for (std::size_t i = 0; i < b.n; i++) {
      sum += b.weight[i] * b.outputs[2 * i + 1], weights += b.weight[i];
      ck_assert(b.outputs[2 * i] == b.x[2 * i]);
    }
    points += b.n;
    return 0;
  };
  nis::sampler s(
      [](nis::point x, nis::components v) {
        ck_assert_uint_eq(v.size(), 3);
        v[0] = x[0], v[1] = x[0], v[2] = x[1];
      },
      2, o);
  nis::result r = s.run();
  ck_assert_uint_eq(points, r.calls - r.train_calls);
  ck_assert(std::fabs(weights / double(points) - 0.5) < 0.02);
  ck_assert(std::fabs(sum / double(points) - 0.25) < 0.02);
  nis::event_options some;
  some.events = 100;
  s.events(some, [](const nis::event &e) {
    ck_assert(e.outputs.size() == 2 && e.outputs[0] == e.x[0] && e.outputs[1] == e.x[1]);
  });
  o.sink = [](const nis_point_block &) -> int { throw std::domain_error("enough"); };
  try {
    nis::integrate([](nis::point x) { return x[0]; }, 2, o);
    ck_abort();
  } catch (const std::domain_error &e) {
    ck_assert_str_eq(e.what(), "enough");
  }
}
END_TEST

int main()
{
  Suite *suite = suite_create("hpp");
  TCase *tcase = tcase_create("hpp");
  tcase_set_timeout(tcase, 100);
  tcase_add_test(tcase, one_value);
  tcase_add_test(tcase, the_bits_of_c);
  tcase_add_test(tcase, many_points);
  tcase_add_test(tcase, several_values);
  tcase_add_test(tcase, domains);
  tcase_add_test(tcase, failures_and_warnings);
  tcase_add_test(tcase, counts);
  tcase_add_loop_test(tcase, exceptions_of_integrands, 1, 3);
  tcase_add_loop_test(tcase, exceptions_of_the_others, 1, 3);
#ifdef _OPENMP
  tcase_add_test(tcase, exceptions_of_another_thread);
#endif
  tcase_add_test(tcase, progress);
  tcase_add_test(tcase, moves);
  tcase_add_test(tcase, draws);
  tcase_add_test(tcase, events);
  tcase_add_test(tcase, files);
  tcase_add_test(tcase, checkpoints);
  tcase_add_test(tcase, channels_and_values);
  tcase_add_test(tcase, points_and_outputs);
#if __cplusplus >= 202002L
  tcase_add_test(tcase, as_cpp20);
#endif
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

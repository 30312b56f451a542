// SPDX-License-Identifier: GPL-3.0-or-later
// C++ exceptions out of each of the user's functions, on any thread, come out of the function of
// the library that was called, and leave a handle that works.
#include "nis_events.h"

#include "suite.h"

#include <atomic>
#include <cmath>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace
{

const uint64_t calls = 2000;

std::atomic<int> alive{0};

// Neither a standard exception nor one that can do without its destructor
struct trouble {
  std::string where;
  explicit trouble(const std::string &name) : where(name + ", a name too long to lie in the string")
  {
    ++alive;
  }
  trouble(const trouble &other) : where(other.where)
  {
    ++alive;
  }
  ~trouble()
  {
    --alive;
  }
  bool is(const char *name) const
  {
    return where.compare(0, std::string(name).size(), name) == 0;
  }
};

struct plan {
  std::atomic<uint64_t> seen{0};
  uint64_t at = 0;        // number of the call that throws, and of all after it; 0: none
  bool elsewhere = false; // only on other threads than the caller's
  pthread_t caller = pthread_self();

  void meet(const char *name)
  {
    bool here = pthread_equal(caller, pthread_self());
    if (++seen >= at && at > 0 && !(elsewhere && here)) throw trouble(name);
  }
};

double scalar(double *x, size_t, void *params)
{
  if (static_cast<plan *>(params)->elsewhere) usleep(20); // so that others get some
  static_cast<plan *>(params)->meet("scalar");
  return 0.5 + x[0];
}

int batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  std::vector<double> scratch(n * ncomp);
  static_cast<plan *>(params)->meet("batch");
  for (size_t i = 0; i < n * ncomp; i++) f[i] = 0.5 + x[i / ncomp * dim] + scratch[i];
  return 0;
}

int progress(const nis_progress *, void *params)
{
  static_cast<plan *>(params)->meet("progress");
  return 0;
}

int sink(const nis_event_block *, void *params)
{
  static_cast<plan *>(params)->meet("sink");
  return 0;
}

int point_sink(const nis_point_block *, void *params)
{
  static_cast<plan *>(params)->meet("point sink");
  return 0;
}

int particles(const double *, size_t, nis_event *event, void *params)
{
  static_cast<plan *>(params)->meet("particles");
  event->nparticles = 2;
  return 0;
}

// Calls it, and says whether the expected exception came.
template <class F> bool throws(const char *name, F call)
{
  try {
    call();
  } catch (const trouble &t) {
    return t.is(name) && alive == 1;
  }
  return false;
}

nis_options options_for(int threads)
{
  nis_options o{};
  o.dim = 2;
  o.calls = calls;
  o.threads = threads;
  o.batch_points = 50;
  o.effort = 0.01;
  return o;
}

struct handle {
  nis *s = nullptr;
  handle(nis_integrand *f, const nis_options &o)
  {
    ck_assert_int_eq(nis_create(&s, f, &o), NIS_OK);
  }
  ~handle()
  {
    nis_free(s);
  }
};

void check_works(nis *s)
{
  nis_result r;
  ck_assert_int_eq(alive, 0);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  ck_assert(std::fabs(r.value - 1) < 0.02);
}

// All that calls the integrand, with the place of the throw early and late
void check_integrand(const char *name, nis_integrand *f, nis_options o, plan &p, uint64_t scale)
{
  double x[600], weight[300];
  nis_result r;
  for (uint64_t at : {1, 600, 1600}) {
    handle h(f, o);
    p.seen = 0, p.at = at / scale + 1;
    ck_assert(throws(name, [&] { nis_run(h.s, &r); }));
    p.at = 0;
    check_works(h.s);
    p.seen = 0, p.at = at / scale + 1;
    ck_assert(throws(name, [&] { nis_train(h.s, calls); }));
    p.at = 0;
    check_works(h.s);
    p.seen = 0, p.at = at / scale + 1;
    ck_assert(throws(name, [&] { nis_estimate(h.s, calls, &r); }));
    p.at = 0;
    check_works(h.s);
    p.seen = 0, p.at = at / scale / 10 + 1;
    ck_assert(throws(name, [&] { nis_sample(h.s, 300, x, nullptr, weight); }));
    nis_event_options events{};
    plan quiet;
    events.events = calls, events.sink = sink, events.sink_params = &quiet;
    for (int whole_run : {0, 1}) {
      p.at = 0;
      check_works(h.s);
      p.seen = 0, p.at = at / scale / 2 + 1;
      events.whole_run = whole_run;
      ck_assert(throws(name, [&] { nis_events(h.s, &events, nullptr); }));
    }
    p.at = 0;
    check_works(h.s);
    p.seen = 0, p.at = at / scale + 1;
    ck_assert(throws(name, [&] { nis_integrate_with(f, &o); }));
    p.at = 0;
  }
}

START_TEST(out_of_an_integrand)
{
  nis_options o = options_for(_i);
  plan p;
  o.params = &p;
  check_integrand("scalar", scalar, o, p, 1);
}
END_TEST

START_TEST(out_of_a_batch)
{
  nis_options o = options_for(_i);
  plan p;
  o.params = &p, o.batch = batch, o.ncomp = 3;
  check_integrand("batch", nullptr, o, p, 50);
}
END_TEST

#ifdef _OPENMP
START_TEST(out_of_another_thread)
{
  nis_options o = options_for(3);
  plan p;
  o.params = &p;
  p.elsewhere = true;
  p.at = 100;
  handle h(scalar, o);
  nis_result r;
  ck_assert(throws("scalar", [&] { nis_run(h.s, &r); }));
  p.at = 0;
  check_works(h.s);
}
END_TEST
#endif

START_TEST(out_of_progress)
{
  nis_options o = options_for(_i);
  plan p, quiet;
  double x[600], weight[300];
  nis_result r;
  o.progress = progress, o.progress_params = &p, o.params = &quiet;
  handle h(scalar, o);
  auto armed = [&](auto call) {
    p.seen = 0, p.at = 1;
    ck_assert(throws("progress", call));
    p.at = 0;
    check_works(h.s);
  };
  nis_event_options events{};
  events.events = calls, events.sink = sink, events.sink_params = &quiet;
  armed([&] { nis_run(h.s, &r); });
  armed([&] { nis_train(h.s, calls); });
  armed([&] { nis_estimate(h.s, calls, &r); });
  armed([&] { nis_sample(h.s, 300, x, nullptr, weight); });
  armed([&] { nis_events(h.s, &events, nullptr); });
  p.at = 1;
  ck_assert(throws("progress", [&] { nis_integrate_with(scalar, &o); }));
}
END_TEST

START_TEST(out_of_sink_and_particles)
{
  nis_options o = options_for(_i);
  plan p, quiet;
  o.params = &quiet;
  handle h(scalar, o);
  check_works(h.s);
  char path[] = "/tmp/test_exceptions_XXXXXX";
  close(mkstemp(path));
  remove(path);
  for (int whole_run : {0, 1}) {
    nis_event_options events{};
    events.events = calls, events.whole_run = whole_run;
    events.sink = sink, events.sink_params = &p;
    p.seen = 0, p.at = 1;
    ck_assert(throws("sink", [&] { nis_events(h.s, &events, nullptr); }));
    events.sink = nullptr;
    events.path = path, events.format = NIS_FORMAT_LHE;
    events.particles = particles, events.particles_params = &p;
    for (uint64_t at : {1, 100, 1500}) {
      p.seen = 0, p.at = at;
      ck_assert(throws("particles", [&] { nis_events(h.s, &events, nullptr); }));
      remove(path);
    }
    p.at = 0;
    check_works(h.s);
    ck_assert_int_eq(nis_events(h.s, &events, nullptr), NIS_OK);
    remove(path);
  }
}
END_TEST

START_TEST(out_of_a_point_sink)
{
  nis_options o = options_for(_i);
  plan p, quiet;
  nis_result r;
  o.params = &quiet, o.sink = point_sink, o.sink_params = &p, o.extra = 2;
  for (double goal : {0., 1e-3}) {
    o.rel_error = goal, o.call_seconds = 1e-6;
    for (uint64_t at : {1, 10}) {
      handle h(scalar, o);
      p.seen = 0, p.at = at;
      ck_assert(throws("point sink", [&] { nis_run(h.s, &r); }));
      p.seen = 0, p.at = at;
      ck_assert(throws("point sink", [&] { nis_estimate(h.s, calls, &r); }));
      p.at = 0;
      ck_assert_int_eq(nis_estimate(h.s, calls, &r), NIS_OK);
      ck_assert(std::fabs(r.value - 1) < 0.02);
      p.seen = 0, p.at = at;
      ck_assert(throws("point sink", [&] { nis_integrate_with(scalar, &o); }));
    }
  }
}
END_TEST

// One library run inside of another: the inner one's caller may catch, or let it fly on.
double nested(double *x, size_t, void *params)
{
  plan inner;
  inner.at = 50;
  nis_options o = options_for(2);
  o.dim = 1, o.calls = 100, o.params = &inner;
  bool flies_on = ++static_cast<plan *>(params)->seen == static_cast<plan *>(params)->at;
  try {
    nis_integrate_with(scalar, &o);
    return 1e6;
  } catch (const trouble &) {
    if (flies_on) throw;
  }
  return 0.5 + x[0];
}

START_TEST(out_of_a_run_inside_of_a_run)
{
  nis_options o = options_for(_i);
  plan p;
  o.params = &p, o.calls = 600;
  nis_result r = nis_integrate_with(nested, &o);
  ck_assert_int_eq(alive, 0);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert(std::fabs(r.value - 1) < 0.05);
  p.seen = 0, p.at = 300;
  ck_assert(throws("scalar", [&] { nis_integrate_with(nested, &o); }));
  ck_assert_int_eq(alive, 0);
}
END_TEST

double standard(double *, size_t, void *)
{
  throw std::domain_error("no such point");
}

START_TEST(with_their_types)
{
  std::string what;
  try {
    nis_integrate(standard, 2, options_for(_i));
  } catch (const std::domain_error &e) {
    what = e.what();
  }
  ck_assert_str_eq(what.c_str(), "no such point");
}
END_TEST

// The thread that calls ends inside of the integrand: destructors run, nothing is caught.
double leaving(double *, size_t, void *)
{
  pthread_exit(nullptr);
}

void *leave(void *params)
{
  struct guard {
    bool &left;
    ~guard()
    {
      left = true;
    }
  } g{*static_cast<bool *>(params)};
  nis_integrate(leaving, 1, options_for(1));
  *static_cast<bool *>(params) = false;
  return params;
}

// It leaves the run's memory behind, which the sanitizers would report.
START_TEST(the_end_of_a_thread_is_none)
{
  pthread_t thread;
  void *returned;
  bool left = false;
  pthread_create(&thread, nullptr, leave, &left);
  pthread_join(thread, &returned);
  ck_assert(left && !returned);
}
END_TEST

} // namespace

int main()
{
  Suite *suite = suite_create("exceptions");
  TCase *flights = tcase_create("flights"), *ends = tcase_create("ends");
  tcase_set_timeout(flights, 280);
  tcase_add_loop_test(flights, out_of_an_integrand, 1, 4);
  tcase_add_loop_test(flights, out_of_a_batch, 1, 4);
#ifdef _OPENMP
  tcase_add_test(flights, out_of_another_thread);
#endif
  tcase_add_loop_test(flights, out_of_progress, 1, 3);
  tcase_add_loop_test(flights, out_of_sink_and_particles, 1, 3);
  tcase_add_loop_test(flights, out_of_a_point_sink, 1, 3);
  tcase_add_loop_test(flights, out_of_a_run_inside_of_a_run, 1, 3);
  tcase_add_loop_test(flights, with_their_types, 1, 3);
#ifndef __SANITIZE_ADDRESS__
  tcase_add_test(ends, the_end_of_a_thread_is_none);
#else
  (void)the_end_of_a_thread_is_none;
#endif
  suite_add_tcase(suite, flights);
  suite_add_tcase(suite, ends);
  return run_suite(suite);
}

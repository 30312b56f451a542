/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that uses HDF5 itself finds it as it was after events were written, and what it leaves
 * open is closed at exit as ever. */
#include "events.h"
#include "suite.h"

#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64], own_path[64];

static double ramp(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0];
}

static int a_photon(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)x, (void)dim, (void)params;
  event->nparticles = 3;
  event->particle[0] = (nis_particle){.pdg = 11, .status = -1, .p = {1, 0, 0, 1}};
  event->particle[1] = (nis_particle){.pdg = -11, .status = -1, .p = {1, 0, 0, -1}};
  event->particle[2] = (nis_particle){.pdg = 22, .status = 1, .p = {2, 0, 0, 0}};
  return 0;
}

/* Events for the file, and for the sink */
static int write_events(uint64_t n, nis_event_format format, nis_event_sink *sink, void *params)
{
  nis *s;
  nis_options o = {.dim = 2, .threads = 2, .layers = 1, .hidden_width = 8, .bins = 4};
  nis_event_options e = {.events = n,
                         .path = path,
                         .force = 1,
                         .format = format,
                         .particles = a_photon,
                         .sink = sink,
                         .sink_params = params};
  ck_assert_int_eq(nis_create(&s, ramp, &o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 2000, NULL), NIS_OK);
  int status = nis_events(s, &e, NULL);
  nis_free(s);
  return status;
}

static int write_too_many(nis_event_format format)
{
  const struct rlimit limit = {300000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
  signal(SIGXFSZ, SIG_DFL); /* which ends the process, where it is raised */
  setrlimit(RLIMIT_FSIZE, &limit);
  int status = write_events(100000, format, NULL, NULL);
  setrlimit(RLIMIT_FSIZE, &none);
  return status;
}

static void set_up(void)
{
  snprintf(path, sizeof path, "/tmp/test_hdf5_host-%d.h5", (int)getpid());
  snprintf(own_path, sizeof own_path, "/tmp/test_hdf5_host-own-%d.h5", (int)getpid());
}

static void tear_down(void)
{
  remove(path);
  remove(own_path);
}

/* A file of its own with one data set, all left open */
static hid_t begin_own_file(int value)
{
  hsize_t one = 1;
  hid_t file = H5Fcreate(own_path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple(1, &one, NULL);
  hid_t set =
      H5Dcreate2(file, "value", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ck_assert_int_ge(H5Dwrite(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value), 0);
  return file;
}

static int read_own_file(void)
{
  int value = -1;
  hid_t file = H5Fopen(own_path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t set = file >= 0 ? H5Dopen2(file, "value", H5P_DEFAULT) : -1;
  if (set >= 0) H5Dread(set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value);
  H5Dclose(set);
  H5Fclose(file);
  return value;
}

/* ---- what the process shares ------------------------------------------------------------- */

static int complaints;

static herr_t complain(hid_t stack, void *params)
{
  (void)stack, (void)params;
  complaints++;
  return 0;
}

static herr_t complain_as_of_old(void *params)
{
  return complain(0, params);
}

struct state {
  hsize_t drivers, types, spaces, properties, stacks;
  ssize_t open;
};

static struct state state_now(void)
{
  struct state s = {0};
  H5Inmembers(H5I_VFL, &s.drivers);
  H5Inmembers(H5I_DATATYPE, &s.types);
  H5Inmembers(H5I_DATASPACE, &s.spaces);
  H5Inmembers(H5I_GENPROP_LST, &s.properties);
  H5Inmembers(H5I_ERROR_STACK, &s.stacks);
  s.open = H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
  return s;
}

static void fail_somehow(void)
{
  int before = complaints;
  ck_assert_int_lt(H5Fopen("/nonexistent", H5F_ACC_RDONLY, H5P_DEFAULT), 0);
  ck_assert_int_eq(complaints, before + 1);
}

/* The host's handler is at work in its sink too. */
static int use_hdf5(const nis_event_block *events, void *params)
{
  (void)events;
  ++*(int *)params;
  fail_somehow();
  return 0;
}

static void set_handler(int old)
{
  if (old)
    H5Eset_auto1(complain_as_of_old, &complaints);
  else
    H5Eset_auto2(H5E_DEFAULT, complain, &complaints);
}

static void check_handler(int old)
{
  void *params = NULL;
  if (old) {
    H5E_auto1_t handler;
    ck_assert_int_ge(H5Eget_auto1(&handler, &params), 0);
    ck_assert(handler == complain_as_of_old);
  } else {
    H5E_auto2_t handler;
    ck_assert_int_ge(H5Eget_auto2(H5E_DEFAULT, &handler, &params), 0);
    ck_assert(handler == complain);
  }
  ck_assert_ptr_eq(params, &complaints);
}

START_TEST(nothing_of_its_state_changes)
{
  static const nis_event_format formats[] = {NIS_FORMAT_HDF5, NIS_FORMAT_LHEH5};
  for (int i = 0; i < 4; i++) {
    int calls = 0, old = i / 2;
    ck_assert_int_eq(write_events(100, formats[i % 2], NULL, NULL), NIS_OK); /* tables of HDF5's */
    set_handler(old);
    struct state before = state_now();
    fail_somehow();
    ssize_t errors = H5Eget_num(H5E_DEFAULT);
    int said = complaints;
    ck_assert_int_eq(write_events(3000, formats[i % 2], NULL, NULL), NIS_OK);
    ck_assert_int_eq(write_too_many(formats[i % 2]), NIS_NO_FILE);
    ck_assert_ptr_nonnull(strstr(nis_last_error(), "cannot write"));
    ck_assert_int_eq(complaints, said);
    ck_assert_int_gt(errors, 0);
    ck_assert_int_eq(H5Eget_num(H5E_DEFAULT), errors);
    struct state after = state_now();
    ck_assert_mem_eq(&after, &before, sizeof after);
    check_handler(old);
    ck_assert_int_eq(write_events(3000, formats[i % 2], use_hdf5, &calls), NIS_OK);
    ck_assert_int_gt(calls, 0);
  }
  ck_assert_int_ge(begin_own_file(1), 0);
}
END_TEST

/* ---- at exit -------------------------------------------------------------------------------- */

/* In a process of its own that ends with exit() */
static int status_of(void (*work)(void))
{
  int status;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    work();
    exit(0);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return status;
}

static void write_and_leave_open(void)
{
  if (write_events(3000, NIS_FORMAT_HDF5, NULL, NULL) != NIS_OK) _exit(1);
  begin_own_file(7);
}

static void fail_and_leave_open(void)
{
  if (write_too_many(NIS_FORMAT_HDF5) != NIS_NO_FILE) _exit(1);
  if (write_too_many(NIS_FORMAT_LHEH5) != NIS_NO_FILE) _exit(1);
  begin_own_file(8);
}

START_TEST(what_is_left_open_is_closed_at_exit)
{
  ck_assert_int_eq(status_of(write_and_leave_open), 0);
  ck_assert_int_eq(read_own_file(), 7);
}
END_TEST

START_TEST(so_it_is_after_a_full_disk)
{
  ck_assert_int_eq(status_of(fail_and_leave_open), 0);
  ck_assert_int_eq(read_own_file(), 8);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("hdf5_host");
  TCase *all = tcase_create("hdf5_host");
  tcase_set_timeout(all, 300);
  tcase_add_checked_fixture(all, set_up, tear_down);
  tcase_add_test(all, nothing_of_its_state_changes);
  tcase_add_test(all, what_is_left_open_is_closed_at_exit);
  tcase_add_test(all, so_it_is_after_a_full_disk);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}

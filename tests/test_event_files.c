/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of events among the files of others, through the public interface: what is there stays,
 * what is new is whole, and nothing ends or stops the host. */
#include "nis_events.h"
#include "suite.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVENTS = 300, TEXT = 1 << 16 };

static char folder[32], path[64], other[64];
static nis *handle;

static double slope(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 + x[0];
}

static int stop(const nis_progress *now, void *params)
{
  (void)params;
  return now->phase == NIS_GENERATING;
}

static void make_handle(nis_progress_callback *progress)
{
  const nis_options options = {.dim = 1, .calls = 2000, .threads = 1, .progress = progress};
  ck_assert_int_eq(nis_create(&handle, slope, &options), NIS_OK);
  ck_assert_int_eq(nis_estimate(handle, 1000, NULL), NIS_OK);
}

static void set_up(void)
{
  strcpy(folder, "/tmp/nis-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/events.txt", folder);
  snprintf(other, sizeof other, "%s/other", folder);
  umask(022);
  make_handle(NULL);
}

static void tear_down(void)
{
  char pattern[64];
  glob_t found;
  nis_free(handle);
  snprintf(pattern, sizeof pattern, "%s/*", folder);
  ck_assert_int_eq(glob(pattern, 0, NULL, &found) % GLOB_NOMATCH, 0);
  for (size_t i = 0; i < found.gl_pathc; i++) unlink(found.gl_pathv[i]);
  globfree(&found);
  ck_assert_int_eq(rmdir(folder), 0);
}

/* ---- small helpers ---------------------------------------------------------------------- */

static nis_event_options to(const char *name)
{
  return (nis_event_options){.events = EVENTS, .path = name};
}

static void put(const char *name, const char *text)
{
  FILE *file = fopen(name, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

static const char *get(const char *name)
{
  static char text[TEXT];
  FILE *file = fopen(name, "r");
  ck_assert_msg(file != NULL, "there is no %s", name);
  text[fread(text, 1, TEXT - 1, file)] = '\0';
  fclose(file);
  return text;
}

static void check_whole(const char *name, int events)
{
  char end[64];
  const char *text = get(name);
  int lines = 0;
  for (const char *c = text; *c; c++) lines += c[0] == '\n' && c[1] >= '0' && c[1] <= '9';
  snprintf(end, sizeof end, "\n# end of %d events\n", events);
  ck_assert_int_eq(lines, events);
  ck_assert_str_eq(text + strlen(text) - strlen(end), end);
}

static void check_sentence(const char *part)
{
  ck_assert_msg(strstr(nis_last_error(), part) != NULL, "'%s' not in '%s'", part, nis_last_error());
}

static unsigned mode_of(const char *name)
{
  struct stat info;
  ck_assert_int_eq(stat(name, &info), 0);
  return info.st_mode & 07777u;
}

static size_t count_files(void)
{
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/*", folder);
  size_t n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
  globfree(&found);
  return n;
}

/* ---- what is there ------------------------------------------------------------------------ */

START_TEST(existing_file)
{
  nis_event_options o = to(path);
  nis_event_summary summary;
  put(path, "precious\n");
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
  check_sentence(path);
  check_sentence("it exists already");
  check_sentence("--force");
  ck_assert_int_eq(nis_events(handle, &o, &summary), NIS_NO_FILE);
  ck_assert_uint_eq(summary.events, 0);
  ck_assert_str_eq(get(path), "precious\n");
  ck_assert_uint_eq(count_files(), 1);
  o.force = 1;
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_str_eq(get(path), "precious\n");
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  check_whole(path, EVENTS);
  ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(modes)
{
  static const mode_t modes[] = {0600, 0640, 0777, 0664, 0400};
  nis_event_options o = to(path);
  umask(027);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_uint_eq(mode_of(path), 0640);
  o.force = 1;
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    ck_assert_int_eq(chmod(path, modes[i]), 0);
    int allowed = access(path, W_OK) == 0; /* root may always */
    ck_assert_int_eq(nis_events(handle, &o, NULL), allowed ? NIS_OK : NIS_NO_FILE);
    ck_assert_uint_eq(mode_of(path), modes[i]);
  }
}
END_TEST

START_TEST(owner)
{
  nis_event_options o = to(path);
  struct stat info;
  if (geteuid() != 0) return; /* only root may give a file away */
  put(path, "");
  ck_assert_int_eq(chown(path, 12345, 54321), 0);
  o.force = 1;
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_int_eq(stat(path, &info), 0);
  ck_assert_uint_eq(info.st_uid, 12345);
  ck_assert_uint_eq(info.st_gid, 54321);
}
END_TEST

/* Files and links with the name that temporary files once had */
START_TEST(part_of_the_user)
{
  char part[80];
  nis_event_options o = to(path);
  snprintf(part, sizeof part, "%s.part", path);
  put(part, "mine\n");
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_str_eq(get(part), "mine\n");
  unlink(part);
  put(other, "linked\n");
  ck_assert_int_eq(symlink(other, part), 0);
  o.force = 1;
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_str_eq(get(other), "linked\n");
  ck_assert_uint_eq(count_files(), 3);
}
END_TEST

START_TEST(symbolic_links)
{
  nis_event_options o = to(path);
  struct stat info;
  ck_assert_int_eq(symlink("other", path), 0); /* of a file that is yet to be made */
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_int_eq(lstat(path, &info), 0);
  ck_assert(S_ISLNK(info.st_mode));
  check_whole(other, EVENTS);
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE); /* now it is there */
  put(other, "");
  o.force = 1;
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_int_eq(lstat(path, &info), 0);
  ck_assert(S_ISLNK(info.st_mode));
  check_whole(other, EVENTS);
  unlink(other);
  ck_assert_int_eq(symlink("events.txt", other), 0); /* a ring */
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
  check_sentence("symbolic links");
}
END_TEST

START_TEST(long_name)
{
  char name[32 + 300], *base = name + snprintf(name, sizeof name, "%s/", folder);
  memset(base, 'x', 255);
  base[255] = '\0';
  nis_event_options o = to(name);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  check_whole(name, EVENTS);
  memset(base, 'x', 256);
  base[256] = '\0';
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
  check_sentence("too long");
}
END_TEST

START_TEST(relative_path)
{
  nis_event_options o = to("events.txt");
  int before = open(".", O_RDONLY);
  ck_assert_int_eq(chdir(folder), 0);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_int_eq(fchdir(before), 0);
  close(before);
  check_whole(path, EVENTS);
}
END_TEST

/* ---- others at the same time ------------------------------------------------------------ */

struct rival {
  nis *handle;
  const nis_event_options *options;
  int done;
};

/* Another writer of the same path comes and goes while the first one is at it. */
static int write_too(const nis_event_block *events, void *params)
{
  struct rival *rival = params;
  (void)events;
  if (!rival->done++) ck_assert_int_eq(nis_events(rival->handle, rival->options, NULL), NIS_OK);
  return 0;
}

static struct rival make_rival(const nis_event_options *options)
{
  const nis_options o = {.dim = 1, .calls = 2000, .threads = 1, .seed = 5};
  struct rival rival = {.options = options};
  ck_assert_int_eq(nis_create(&rival.handle, slope, &o), NIS_OK);
  ck_assert_int_eq(nis_estimate(rival.handle, 1000, NULL), NIS_OK);
  return rival;
}

START_TEST(two_writers)
{
  nis_event_options first = to(path), second = to(path);
  second.events = 10;
  second.force = first.force = 1;
  struct rival rival = make_rival(&second);
  first.sink = write_too;
  first.sink_params = &rival;
  ck_assert_int_eq(nis_events(handle, &first, NULL), NIS_OK);
  nis_free(rival.handle);
  check_whole(path, EVENTS); /* the last one wins */
  ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* Without force the one who comes first wins, and the other's events are not lost. */
START_TEST(taken_meanwhile)
{
  nis_event_options first = to(path), second = to(path);
  second.events = 10;
  struct rival rival = make_rival(&second);
  first.sink = write_too;
  first.sink_params = &rival;
  ck_assert_int_eq(nis_check_events(&first), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &first, NULL), NIS_NO_FILE);
  check_sentence("File exists; the complete file is ");
  check_whole(path, 10);
  const char *where = strstr(nis_last_error(), " file is ") + strlen(" file is ");
  ck_assert_int_eq(strncmp(where, path, strlen(path)), 0);
  ck_assert_str_eq(where + strlen(where) - 5, ".part");
  check_whole(where, EVENTS);
  nis_free(rival.handle);
}
END_TEST

/* ---- pipes, devices, limits --------------------------------------------------------------- */

START_TEST(reader_has_gone)
{
  int ends[2];
  char name[32];
  ck_assert_int_eq(pipe(ends), 0);
  close(ends[0]);
  snprintf(name, sizeof name, "/dev/fd/%d", ends[1]);
  nis_event_options o = to(name);
  signal(SIGPIPE, SIG_DFL);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_NO_FILE);
  check_sentence("Broken pipe");
  close(ends[1]);
}
END_TEST

START_TEST(limit_of_file_sizes)
{
  nis_event_options o = to(path);
  struct rlimit limit, small;
  nis_event_summary summary;
  o.events = 100000;
  signal(SIGXFSZ, SIG_DFL);
  getrlimit(RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 30000;
  setrlimit(RLIMIT_FSIZE, &small);
  int status = nis_events(handle, &o, &summary);
  setrlimit(RLIMIT_FSIZE, &limit);
  ck_assert_int_eq(status, NIS_NO_FILE);
  check_sentence("File too large");
  ck_assert_uint_gt(summary.events, 100);
  check_whole(path, (int)summary.events);
}
END_TEST

/* The reader of a FIFO must not see an end before the events, and without one a run can be ended.
 * */
START_TEST(fifo)
{
  char byte;
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  nis_event_options o = to(path);
  nis_free(handle);
  make_handle(stop);
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_STOPPED);
  check_sentence("reader");
  int reader = open(path, O_RDONLY | O_NONBLOCK);
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  int writer = open(path, O_WRONLY);
  ck_assert_int_eq(read(reader, &byte, 1), -1); /* else it would be 0 */
  close(writer);
  o.format = NIS_FORMAT_NPY;
  ck_assert_int_eq(nis_check_events(&o), NIS_INVALID);
  nis_free(handle);
  make_handle(NULL);
  o.format = NIS_FORMAT_BY_NAME;
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  ck_assert_int_eq(read(reader, &byte, 1), 1);
  close(reader);
  ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* A shell's >> FILE: the events go where the descriptor stands, and nothing is replaced. */
START_TEST(descriptor)
{
  char name[32];
  put(path, "before\n");
  int file = open(path, O_WRONLY | O_APPEND);
  snprintf(name, sizeof name, "/dev/fd/%d", file);
  nis_event_options o = to(name);
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  close(file);
  check_whole(path, EVENTS);
  ck_assert_int_eq(strncmp(get(path), "before\n# generator", 18), 0);
  file = open(path, O_RDONLY);
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE); /* not for writing */
  close(file);
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
}
END_TEST

START_TEST(no_place_for_the_whole_run)
{
  nis_event_options o = to(path);
  o.whole_run = 1;
  setenv("TMPDIR", other, 1);
  ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
  check_sentence("temporary file in ");
  ck_assert_uint_eq(count_files(), 0);
  unsetenv("TMPDIR");
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  check_whole(path, EVENTS);
}
END_TEST

/* What looks like a format must be one, unless the format is said or there is no file. */
START_TEST(endings)
{
  static const char *const known[] = {"a.txt", "a.dat.gz", "a.xyz.txt", "a", "a.gz", ".a", "a."};
  static const char *const unknown[] = {"a.xyz", "a.xyz.gz", "a.txt.b", "a.TXT", "a.lhe_"};
  char name[64] = "";
  nis_event_options o = to(name);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    snprintf(name, sizeof name, "%s/%s", folder, known[i]);
    ck_assert_msg(nis_check_events(&o) == NIS_OK, "%s: %s", name, nis_last_error());
  }
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    snprintf(name, sizeof name, "%s/%s", folder, unknown[i]);
    ck_assert_int_eq(nis_check_events(&o), NIS_INVALID);
    check_sentence(name);
    check_sentence(".lhe .lheh5 .h5 .hdf5 .npy .txt .dat");
    ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_INVALID);
  }
  o.format = NIS_FORMAT_TEXT;
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  o.format = NIS_FORMAT_BY_NAME;
  ck_assert_int_eq(mkfifo(name, 0600), 0);
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_uint_eq(count_files(), 1);
  unlink(name);
  snprintf(name, sizeof name, "%s/b.xyz", folder);
  ck_assert_int_eq(mkdir(name, 0700), 0);
  strcat(name, "/a");
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  *strrchr(name, '/') = '\0';
  rmdir(name);
}
END_TEST

START_TEST(other_places)
{
  nis_event_options o = to("/dev/null");
  ck_assert_int_eq(nis_check_events(&o), NIS_OK);
  ck_assert_int_eq(nis_events(handle, &o, NULL), NIS_OK);
  static const char *const names[] = {"/dev/null/x", "/nonexistent/x", "/", "/tmp/", "/dev/full/"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    o.path = names[i];
    for (o.force = 0; o.force < 2; o.force++) {
      ck_assert_int_eq(nis_check_events(&o), NIS_NO_FILE);
      check_sentence(names[i]);
    }
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("event files");
  TCase *tcase = tcase_create("event files");
  tcase_set_timeout(tcase, 60);
  tcase_add_checked_fixture(tcase, set_up, tear_down);
  tcase_add_test(tcase, existing_file);
  tcase_add_test(tcase, modes);
  tcase_add_test(tcase, owner);
  tcase_add_test(tcase, part_of_the_user);
  tcase_add_test(tcase, symbolic_links);
  tcase_add_test(tcase, long_name);
  tcase_add_test(tcase, relative_path);
  tcase_add_test(tcase, two_writers);
  tcase_add_test(tcase, taken_meanwhile);
  tcase_add_test(tcase, reader_has_gone);
  tcase_add_test(tcase, limit_of_file_sizes);
  tcase_add_test(tcase, fifo);
  tcase_add_test(tcase, descriptor);
  tcase_add_test(tcase, no_place_for_the_whole_run);
  tcase_add_test(tcase, endings);
  tcase_add_test(tcase, other_places);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "message.h"
#include "saved.h"

#include <string.h>

static int add(nis *all, const char *path)
{
  nis *s;
  int status = load_saved(&s, path);
  if (status != NIS_OK) return complain(exit_code(status), "%s", nis_last_error());
  status = nis_merge(all, s);
  nis_free(s);
  return status == NIS_OK ? DONE : complain(exit_code(status), "%s: %s", path, nis_last_error());
}

static int merge_saved(const struct arguments *arguments)
{
  nis *all;
  int status = load_saved(&all, arguments->files[0]), code = DONE;
  if (status != NIS_OK) return complain(exit_code(status), "%s", nis_last_error());
  for (int i = 1; i < arguments->nfiles && code == DONE; i++) code = add(all, arguments->files[i]);
  if (code == DONE && (status = nis_save(all, arguments->output)) != NIS_OK)
    code = complain(exit_code(status), "%s", nis_last_error());
  nis_free(all);
  return code == DONE ? show_saved(arguments->output, arguments->json) : code;
}

static int merge_events(const struct arguments *arguments)
{
  int status = nis_merge_events(arguments->files, (size_t)arguments->nfiles, arguments->output,
                                arguments->event_options.force);
  return status == NIS_OK ? DONE : complain(exit_code(status), "%s", nis_last_error());
}

/* Number i of all files into h[i], which stays NULL where there is none. */
static int merge_one(const struct arguments *arguments, size_t i, nis_histogram **h)
{
  int status = nis_histogram_read(h, arguments->files[0], i);
  for (int k = 1; status == NIS_OK && *h && k < arguments->nfiles; k++) {
    nis_histogram *other;
    const char *path = arguments->files[k];
    status = nis_histogram_read(&other, path, i);
    if (status != NIS_OK) break;
    int same = other && strcmp(nis_histogram_name(other), nis_histogram_name(*h)) == 0;
    if (same) status = nis_histogram_merge(*h, other);
    nis_histogram_free(other);
    if (!same)
      return complain(FAILED, "%s has no histogram '%s' in place %zu", path, nis_histogram_name(*h),
                      i + 1);
  }
  return status == NIS_OK ? DONE : complain(exit_code(status), "%s", nis_last_error());
}

static int merge_histograms(const struct arguments *arguments)
{
  nis_histogram *h[MAX_HISTOGRAMS + 1] = {NULL};
  size_t n = 0;
  int code;
  while ((code = merge_one(arguments, n, &h[n])) == DONE && h[n] && n < MAX_HISTOGRAMS) n++;
  if (code == DONE) {
    int status = nis_histogram_write((const nis_histogram *const *)h, n, arguments->output,
                                     NIS_HISTOGRAM_BY_NAME, arguments->event_options.force);
    if (status != NIS_OK) code = complain(exit_code(status), "%s", nis_last_error());
  }
  for (size_t i = 0; i <= MAX_HISTOGRAMS; i++) nis_histogram_free(h[i]);
  return code;
}

/* What the first file is called says what is merged. */
static int is_called(const struct arguments *arguments, const char *ending)
{
  const char *first = arguments->files[0];
  size_t n = strlen(first), m = strlen(ending);
  return n >= m && strcmp(first + n - m, ending) == 0;
}

int merge_command(const struct arguments *arguments)
{
  if (is_called(arguments, ".nis")) return merge_saved(arguments);
  if (is_called(arguments, ".yoda")) return merge_histograms(arguments);
  return merge_events(arguments);
}

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

/* What the first file is called says what is merged. */
int merge_command(const struct arguments *arguments)
{
  const char *first = arguments->files[0];
  size_t n = strlen(first);
  int saved = n >= 4 && strcmp(first + n - 4, ".nis") == 0;
  return saved ? merge_saved(arguments) : merge_events(arguments);
}

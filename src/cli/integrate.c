/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "explain.h"
#include "message.h"
#include "run.h"

/* Out of a file: more points for its estimate, or another estimate: of another seed, or a part of
 * one. */
static void go_on(struct run *run, nis *s)
{
  const nis_saved *saved = &run->arguments->saved;
  uint64_t calls = run->options.calls ? run->options.calls : saved->options.calls;
  int part = run->arguments->part, parts = run->arguments->parts;
  if (parts || run->options.seed != saved->options.seed) nis_drop_estimate(s);
  int status = parts ? nis_estimate_part(s, calls, part, parts, &run->result)
                     : nis_estimate(s, calls, &run->result);
  run_note(run, status);
}

int integrate_command(const struct arguments *arguments)
{
  struct run run;
  int code = run_begin(&run, arguments, stdout);
  if (code == DONE) {
    if (arguments->explain && !arguments->json) explain_text(stdout, arguments);
    nis *s = run_make(&run);
    if (s && arguments->from)
      go_on(&run, s);
    else if (s)
      run_note(&run, nis_run(s, &run.result));
    if (s) run_save(&run, s);
    run_close(&run, s);
    run_end(&run);
    code = run_report(&run, stdout);
  }
  run_free(&run);
  return code;
}

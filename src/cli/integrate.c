/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "explain.h"
#include "message.h"
#include "run.h"

int integrate_command(const struct arguments *arguments)
{
  struct run run;
  int code = run_begin(&run, arguments, stdout);
  if (code == DONE) {
    if (arguments->explain && !arguments->json) explain_text(stdout, arguments);
    run.result = nis_integrate_with(run.row->f, &run.options);
    run_note(&run, run.result.status);
    run_end(&run);
    code = run_report(&run, stdout);
  }
  run_free(&run);
  return code;
}

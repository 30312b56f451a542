/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "message.h"
#include "run.h"

int integrate_command(const struct arguments *arguments)
{
  struct run run;
  int code = run_begin(&run, arguments, stdout);
  if (code == DONE) {
    run.result = nis_integrate_with(run.row->f, &run.options);
    run_note(&run, run.result.status);
    run_end(&run);
    code = run_report(&run, stdout);
  }
  run_free(&run);
  return code;
}

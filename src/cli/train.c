/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "message.h"
#include "run.h"

/* What is trained is integrated with too: events take their w_max from these weights. */
int train_command(const struct arguments *arguments)
{
  struct run run;
  int code = run_begin(&run, arguments, stdout);
  if (code == DONE) {
    nis *s = run_make(&run);
    if (s) run_note(&run, nis_run(s, &run.result));
    if (s) run_save(&run, s);
    run_close(&run, s);
    run_end(&run);
    code = run_report(&run, stdout);
  }
  run_free(&run);
  return code;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ctrl-C and SIGTERM end a run gently, and a later one kills; SIGHUP and SIGXCPU end it gently.
 * What the caller ignores, as nohup does, stays ignored. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

void interrupt_catch(void);

/* What SIGTERM has said on stderr at once, as there may be no time for more; NULL: nothing. It is
 * not copied. */
void interrupt_say(const char *words);

/* Non-zero once such a signal has come. */
int interrupted(void);

#endif

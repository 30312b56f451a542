/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ctrl-C ends a run gently; a second one kills. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

void interrupt_catch(void);

/* Non-zero once SIGINT or SIGTERM has come. */
int interrupted(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard input, output and error as the rest of the command may rely on them. */
#ifndef STREAMS_H
#define STREAMS_H

/* To be called first. A stream that is closed stays a failure of its own, and is no file that
 * happens to be opened later; a non-blocking one is waited for like any other. */
void streams_prepare(void);

#endif

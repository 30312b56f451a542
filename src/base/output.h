/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where bytes go. A regular file bears its name only when it is complete: until then it is
 * PATH.XXXXXX.part beside it, with letters and digits that no other writer has. So nobody sees half
 * a file, two writers of one path do not meet, and what a killed process leaves is in nobody's way.
 * Standard output, devices and FIFOs are written in place, and waited for. What cannot be written
 * whole is not written at all, where the file allows. */
#ifndef NIS_OUTPUT_H
#define NIS_OUTPUT_H

#include "monitor.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct output {
  const char *name; /* as the user gave it */
  int force;        /* an existing file may be replaced */
  int durable;      /* it is to outlive the machine's next crash: no name before the bytes are on
                       the disk */
  char *path;       /* absolute, with all symbolic links followed; NULL: `inherited` */
  int inherited;    /* the number of a descriptor of the process: standard output */
  int is_file;      /* one of its own, regular, or about to be made */
  int is_fifo;      /* else */
  int exists;       /* the file, with these: */
  mode_t mode;
  uid_t owner;
  gid_t group;
  char *part;              /* the name until it is complete */
  int descriptor;          /* -1: none */
  int waits;               /* writing in place may have to wait for a reader */
  int given_up;            /* ... who did not take anything */
  uint64_t size;           /* bytes written */
  struct monitor *monitor; /* asked now and then during the waiting whether to go on */
};

/* What is there under this name, and may it be written? Opens nothing. NIS_OK or NIS_NO_FILE. After
 * either, the output needs a commit or a discard. */
int nis_output_find(struct output *output, const char *name, int force);

/* Opens what was found. NIS_STOPPED where the user's progress function did not want to wait for the
 * reader of a FIFO any longer. */
int nis_output_open(struct output *output, struct monitor *monitor);

/* These return NIS_OK, NIS_NO_FILE, or NIS_STOPPED where a reader took nothing after a stop. */
int nis_output_write(struct output *output, const void *data, size_t n);
int nis_output_rewrite(struct output *output, uint64_t offset, const void *data, size_t n);
int nis_output_truncate(struct output *output, uint64_t size);

/* The file gets its name. Where that fails, the sentence says where it stays. */
int nis_output_commit(struct output *output);

/* The file goes away. */
void nis_output_discard(struct output *output);

/* The sentence of a failure, from errno */
int nis_output_failed(const struct output *output);

#endif

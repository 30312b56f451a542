/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mixture as it was before a training, which ends in the better one of the two. */
#ifndef NIS_BACKUP_H
#define NIS_BACKUP_H

#include "mixture.h"

struct backup {
  float *parameters; /* of the three flows and the channel weights, one block, owned */
  struct peaks peaks;
  double share[CHANNELS], beta[CHANNELS];
};

int nis_backup_init(struct backup *b, const struct mixture *m);
void nis_backup_clear(struct backup *b);

/* The mixture gets what is in the backup, and the other way round. */
void nis_backup_swap(struct backup *b, struct mixture *m);

#endif

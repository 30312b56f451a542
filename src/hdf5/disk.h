/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5's bytes on their way into a descriptor. HDF5 has no way back from a write that failed: it
 * cannot close the file, and crashes when the process ends. So no write fails, or raises a signal:
 * what the disk does not take stays in memory, where reads find it, and the error is remembered.
 * That is little, as the file is closed next, and given up.
 */
#ifndef NIS_HDF5_DISK_H
#define NIS_HDF5_DISK_H

#include <hdf5.h>

struct disk {
  int descriptor;    /* open for reading and writing, of an empty file; not owned */
  int error;         /* errno of the first write that failed; 0: none */
  hid_t driver;      /* registered while the file is open */
  struct part *kept; /* what was not written, the latest last; owned */
  struct part **end; /* where the next one goes */
};

/* A new HDF5 file in the descriptor; negative on failure, when there is nothing to clear. The disk
 * must stay where it is. */
hid_t nis_disk_create(struct disk *disk, int descriptor);

/* After the file was closed; the error stays. */
void nis_disk_clear(struct disk *disk);

#endif

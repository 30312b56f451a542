/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5's state of errors belongs to the whole process, so to the host: it is put aside for as long
 * as calls of our own run, and then is as it was. */
#ifndef NIS_HDF5_QUIET_H
#define NIS_HDF5_QUIET_H

#include <hdf5.h>

struct quiet {
  hid_t stack; /* the host's latest errors */
  unsigned v2; /* how its handler was set: by H5Eset_auto2, or by H5Eset_auto1 */
  H5E_auto1_t old_handler;
  H5E_auto2_t handler;
  void *data;
};

/* From here on errors are kept silent ... */
struct quiet nis_quiet_begin(void);

/* ... until here. */
void nis_quiet_end(const struct quiet *q);

#endif

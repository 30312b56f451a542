/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a few events with what is in HEADER as their header to HEADER.lhe, HEADER.3.lhe,
 * HEADER.txt and, where the library knows HDF5, HEADER.h5, for test_formats.py. usage:
 * write_headers HEADER... */
#include "nis_events.h"

#include <math.h>
#include <stdio.h>

static double bell(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return exp(-x[0] * x[0]);
}

static int two_legs(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)x, (void)dim, (void)params;
  event->nparticles = 2;
  return 0;
}

static int write_one(nis *s, const char *name, const char *header, const char *ending,
                     nis_event_format format)
{
  char path[4096];
  snprintf(path, sizeof path, "%s%s", name, ending);
  const nis_event_options o = {
      .events = 3, .path = path, .format = format, .particles = two_legs, .header = header};
  if (nis_check_events(&o) == NIS_INVALID && format == NIS_FORMAT_HDF5) return 0; /* no HDF5 */
  if (nis_events(s, &o, NULL) == NIS_OK) return 0;
  fprintf(stderr, "%s: %s\n", path, nis_last_error());
  return 1;
}

static int write_all(nis *s, const char *name)
{
  char header[4096];
  FILE *file = fopen(name, "rb");
  if (!file) return perror(name), 1;
  header[fread(header, 1, sizeof header - 1, file)] = '\0';
  fclose(file);
  return write_one(s, name, header, ".lhe", NIS_FORMAT_LHE) ||
         write_one(s, name, header, ".3.lhe", NIS_FORMAT_LHE3) ||
         write_one(s, name, header, ".txt", NIS_FORMAT_TEXT) ||
         write_one(s, name, header, ".h5", NIS_FORMAT_HDF5);
}

int main(int argc, char **argv)
{
  nis *s;
  const nis_options options = {.dim = 1, .calls = 2000, .threads = 1};
  if (nis_create(&s, bell, &options) != NIS_OK || nis_estimate(s, 1000, NULL) < NIS_OK) return 1;
  int bad = 0;
  for (int i = 1; i < argc && !bad; i++) bad = write_all(s, argv[i]);
  nis_free(s);
  return bad;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two kinds of HDF5 files: LHEH5 2.0.1 (arXiv:2309.13154), as Sherpa writes and Pythia reads it,
 * and plain arrays. A file that did not fit cannot be mended, so room is made sure of before each
 * block. HDF5 is called in the calling thread only, and nothing of its state outlives a file: no
 * handler of errors, no open object, no way to end the process. */
#include "base/error.h"
#include "base/memory.h"
#include "disk.h"
#include "events/formats/module.h"
#include "quiet.h"

#include <errno.h>
#include <math.h>
#include <sys/statvfs.h>

enum { EVENT_COLUMNS = 10, PARTICLE_COLUMNS = 13, CHUNK_ROWS = 1024, BATCH = 1024, MOST_SETS = 4 };
enum { TRIALS_COLUMN = 3 };
static const double spare_bytes = 1 << 20; /* for HDF5's own tables */

/* A data set of rows that grows. */
struct table {
  hid_t id;
  hsize_t rows, columns;
};

struct hdf5 {
  struct disk disk;
  hid_t file;
  struct table tables[MOST_SETS]; /* events and particles; or x, weight, log_q, outputs */
  int ntables, nmax;              /* nmax: particles of an event */
  double *rows[2];                /* of a batch, owned */
};

static int failed(const struct event_file *file)
{
  const struct hdf5 *h = file->state;
  errno = h->disk.error;
  if (errno) return file->services->output_failed(&file->output);
  return file->services->fail(NIS_NO_FILE, "cannot write %s: HDF5 failed", file->output.name);
}

static int no_memory(const struct event_file *file)
{
  return file->services->fail(NIS_NO_MEMORY, "not enough memory");
}

/* ---- small things of HDF5 --------------------------------------------------------------- */

static hid_t text_type(void)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static void put_attribute(hid_t to, const char *name, hid_t type, hsize_t n, const void *data)
{
  hid_t space = n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
  hid_t attribute = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attribute, type, data);
  H5Aclose(attribute);
  H5Sclose(space);
}

static void put_names(hid_t to, const char *name, hsize_t n, const char *const *names)
{
  hid_t type = text_type();
  put_attribute(to, name, type, n, names);
  H5Tclose(type);
}

static void put_real(hid_t to, const char *name, double value)
{
  put_attribute(to, name, H5T_NATIVE_DOUBLE, 1, &value);
}

static void put_whole(hid_t to, const char *name, uint64_t value)
{
  put_attribute(to, name, H5T_NATIVE_UINT64, 1, &value);
}

/* Without the time of its making: the same run gives the same bytes. */
static hid_t new_set(hid_t file, const char *name, hid_t type, hid_t space, int rank,
                     const hsize_t *chunk)
{
  hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(how, 0);
  if (chunk) H5Pset_chunk(how, rank, chunk);
  hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
  H5Pclose(how);
  return set;
}

/* A data set that is written at once; the caller closes it. */
static hid_t put_set(hid_t file, const char *name, hid_t type, int rank, const hsize_t *size,
                     const void *data)
{
  hid_t space = H5Screate_simple(rank, size, NULL);
  hid_t set = new_set(file, name, type, space, rank, NULL);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Sclose(space);
  return set;
}

/* ---- tables --------------------------------------------------------------------------------- */

/* columns 0: an array of one dimension */
static void new_table(struct hdf5 *h, const char *name, hsize_t columns)
{
  struct table *table = &h->tables[h->ntables++];
  hsize_t none[] = {0, columns}, most[] = {H5S_UNLIMITED, columns}, chunk[] = {CHUNK_ROWS, columns};
  int rank = columns ? 2 : 1;
  hid_t space = H5Screate_simple(rank, none, most);
  *table = (struct table){.columns = columns};
  table->id = new_set(h->file, name, H5T_IEEE_F64LE, space, rank, chunk);
  H5Sclose(space);
}

static int write_rows(struct table *table, hsize_t first, hsize_t n, const double *rows)
{
  hsize_t start[] = {first, 0}, count[] = {n, table->columns};
  int rank = table->columns ? 2 : 1;
  hid_t to = H5Dget_space(table->id), from = H5Screate_simple(rank, count, NULL);
  H5Sselect_hyperslab(to, H5S_SELECT_SET, start, NULL, count, NULL);
  herr_t bad = H5Dwrite(table->id, H5T_NATIVE_DOUBLE, from, to, H5P_DEFAULT, rows);
  H5Sclose(from);
  H5Sclose(to);
  return bad < 0;
}

static int add_rows(struct table *table, hsize_t n, const double *rows)
{
  hsize_t size[] = {table->rows + n, table->columns};
  if (H5Dset_extent(table->id, size) < 0) return 1;
  int bad = write_rows(table, table->rows, n, rows);
  table->rows += n;
  return bad;
}

static int rows_per_event(const struct hdf5 *h, int table)
{
  return table == 1 && h->nmax ? h->nmax : 1;
}

/* NIS_NO_FILE where the disk has no room for n events. */
static int need_space(const struct event_file *file, size_t n)
{
  const struct hdf5 *h = file->state;
  struct statvfs disk;
  double bytes = 0;
  for (int i = 0; i < h->ntables; i++) {
    double rows = (double)n * rows_per_event(h, i) + CHUNK_ROWS;
    bytes += 8 * rows * (double)(h->tables[i].columns ? h->tables[i].columns : 1);
  }
  if (fstatvfs(file->output.descriptor, &disk) ||
      (double)disk.f_bavail * (double)disk.f_frsize > bytes + spare_bytes)
    return NIS_OK;
  errno = ENOSPC;
  return file->services->output_failed(&file->output);
}

/* How a kind of file gets n events into its rows, which may call the user, and from there into its
 * tables. The latter is not 0 where that failed. */
struct kind {
  int (*fill)(struct event_file *file, const nis_event_block *block, size_t first, size_t n);
  int (*put)(struct hdf5 *h, const nis_event_block *block, size_t first, size_t n);
};

static int put_quietly(const struct kind *kind, struct hdf5 *h, const nis_event_block *block,
                       size_t first, size_t n)
{
  struct quiet quiet = nis_quiet_begin();
  int bad = kind->put(h, block, first, n) || H5Fflush(h->file, H5F_SCOPE_LOCAL) < 0;
  nis_quiet_end(&quiet);
  return bad || h->disk.error;
}

/* Writes a block bit by bit, each with room made sure of and what HDF5 holds back out of its hands:
 * what a killed process leaves can be read up to here. */
static int write_batches(struct event_file *file, const nis_event_block *block, size_t *taken,
                         const struct kind *kind)
{
  while (*taken < block->n) {
    size_t left = block->n - *taken, n = left < BATCH ? left : BATCH;
    NIS_TRY(need_space(file, n));
    NIS_TRY(kind->fill(file, block, *taken, n));
    if (put_quietly(kind, file->state, block, *taken, n)) return failed(file);
    for (size_t i = 0; i < n; i++) file->trials += block->trials[*taken + i];
    file->events += n;
    *taken += n;
  }
  return NIS_OK;
}

/* ---- begin and end ---------------------------------------------------------------------- */

static int new_state(struct event_file *file)
{
  struct hdf5 *h = file->state = NIS_NEW(struct hdf5, 1);
  if (!h) return no_memory(file);
  h->rows[0] = NIS_NEW(double, BATCH *EVENT_COLUMNS);
  h->rows[1] = NIS_NEW(double, BATCH *NIS_MOST_PARTICLES *PARTICLE_COLUMNS);
  return h->rows[0] && h->rows[1] ? NIS_OK : no_memory(file);
}

/* The file, with all that stands in it before the first event */
static int open_file(struct event_file *file, void (*put_head)(struct hdf5 *h, const void *head),
                     const void *head)
{
  struct hdf5 *h = file->state;
  struct quiet quiet = nis_quiet_begin();
  h->file = nis_disk_create(&h->disk, file->output.descriptor);
  if (h->file >= 0) put_head(h, head);
  nis_quiet_end(&quiet);
  int whole = h->file >= 0 && h->tables[h->ntables - 1].id >= 0 && !h->disk.error;
  return whole ? NIS_OK : failed(file);
}

/* Points that were tried after the last event count for it: sum w / sum trials is the cross
 * section. */
static int add_last_trials(const struct event_file *file, struct hdf5 *h)
{
  struct table *table = &h->tables[0];
  double left = (double)file->run->summary->trials - (double)file->trials, trials;
  if (table->columns != EVENT_COLUMNS || file->events == 0 || left <= 0) return 0;
  hsize_t start[] = {file->events - 1, TRIALS_COLUMN}, count[] = {1, 1}, one = 1;
  hid_t cell = H5Dget_space(table->id), number = H5Screate_simple(1, &one, NULL);
  H5Sselect_hyperslab(cell, H5S_SELECT_SET, start, NULL, count, NULL);
  herr_t bad = H5Dread(table->id, H5T_NATIVE_DOUBLE, number, cell, H5P_DEFAULT, &trials);
  trials += left;
  if (bad >= 0) bad = H5Dwrite(table->id, H5T_NATIVE_DOUBLE, number, cell, H5P_DEFAULT, &trials);
  H5Sclose(number);
  H5Sclose(cell);
  return bad < 0;
}

/* Rows of a batch that failed half-way go. */
static int close_table(const struct hdf5 *h, int i, uint64_t events)
{
  const struct table *table = &h->tables[i];
  hsize_t rows = events * (hsize_t)rows_per_event(h, i), size[] = {rows, table->columns};
  int bad = table->rows > rows && H5Dset_extent(table->id, size) < 0;
  return bad | (H5Dclose(table->id) < 0);
}

static int close_file(const struct event_file *file, struct hdf5 *h)
{
  struct quiet quiet = nis_quiet_begin();
  int bad = add_last_trials(file, h);
  for (int i = 0; i < h->ntables; i++) bad |= close_table(h, i, file->events);
  bad |= H5Fclose(h->file) < 0;
  nis_disk_clear(&h->disk);
  nis_quiet_end(&quiet);
  return bad || h->disk.error ? failed(file) : NIS_OK;
}

static int end(struct event_file *file)
{
  struct hdf5 *h = file->state;
  if (!h) return NIS_OK;
  int status = NIS_OK;
  if (h->file > 0) status = close_file(file, h);
  free(h->rows[0]);
  free(h->rows[1]);
  free(h);
  file->state = NULL;
  return status;
}

/* ---- LHEH5 -------------------------------------------------------------------------------- */

static void put_properties(hid_t set, const char *const *names, hsize_t n)
{
  put_names(set, "properties", n, names);
  H5Dclose(set);
}

static void put_version(hid_t file)
{
  const int version[] = {2, 0, 1};
  const hsize_t size = 3;
  H5Dclose(put_set(file, "version", H5T_NATIVE_INT, 1, &size, version));
}

static void put_init(hid_t file, const nis_event *first)
{
  static const char *const names[] = {
      "beamA",     "beamB",   "energyA", "energyB",           "PDFgroupA",
      "PDFgroupB", "PDFsetA", "PDFsetB", "weightingStrategy", "numProcesses"};
  const nis_particle *beam = first->particle;
  const double init[] = {beam[0].pdg, beam[1].pdg, beam[0].p[0], beam[1].p[0], 0, 0, 0, 0, -4, 1};
  const hsize_t size = 10;
  put_properties(put_set(file, "init", H5T_NATIVE_DOUBLE, 1, &size, init), names, size);
}

static void put_process(hid_t id, const struct event_file *file, const nis_event *first)
{
  static const char *const names[] = {"procId", "npLO", "npNLO", "xSection", "error", "unitWeight"};
  const double process[] = {
      1, first->nparticles, -1, file->run->value, file->run->error, file->run->summary->w_max};
  const hsize_t size[] = {1, 6};
  put_properties(put_set(id, "procInfo", H5T_NATIVE_DOUBLE, 2, size, process), names, 6);
}

/* Readers take attribute number 0 of the events, and the names after the ninth for the weights. */
static void put_tables(struct hdf5 *h)
{
  static const char *const columns[] = {"pid",    "nparticles", "start", "trials", "scale",
                                        "fscale", "rscale",     "aqed",  "aqcd",   "NOMINAL"};
  static const char *const names[] = {"id",     "status",   "mother1", "mother2", "color1",
                                      "color2", "px",       "py",      "pz",      "e",
                                      "m",      "lifetime", "spin"};
  new_table(h, "events", EVENT_COLUMNS);
  put_names(h->tables[0].id, "events", EVENT_COLUMNS, columns);
  new_table(h, "particles", PARTICLE_COLUMNS);
  put_names(h->tables[1].id, "properties", PARTICLE_COLUMNS, names);
}

struct lheh5_head {
  const struct event_file *file;
  nis_event first;
};

static void put_lheh5_head(struct hdf5 *h, const void *head)
{
  const struct lheh5_head *from = head;
  put_version(h->file);
  put_init(h->file, &from->first);
  put_process(h->file, from->file, &from->first);
  put_tables(h);
}

static int begin_lheh5(struct event_file *file, const nis_event_block *first)
{
  struct lheh5_head head = {.file = file};
  NIS_TRY(new_state(file));
  if (file->services->make_particles(file, first, 0, 1, 0, &head.first) != NIS_OK)
    return file->services->no_particles();
  ((struct hdf5 *)file->state)->nmax = head.first.nparticles;
  return open_file(file, put_lheh5_head, &head);
}

static void fill_particle(double *row, const nis_particle *p)
{
  const double values[PARTICLE_COLUMNS] = {p->pdg,       p->status,    p->mother[0], p->mother[1],
                                           p->colour[0], p->colour[1], p->p[1],      p->p[2],
                                           p->p[3],      p->p[0],      p->mass,      0,
                                           p->spin};
  memcpy(row, values, sizeof values);
}

static int fill_event(const struct event_file *file, const nis_event_block *block, size_t i,
                      size_t place)
{
  const struct hdf5 *h = file->state;
  nis_event e;
  if (file->services->make_particles(file, block, i, 1, 0, &e) != NIS_OK)
    return file->services->no_particles();
  if (e.nparticles > h->nmax)
    return file->services->fail(NIS_INVALID,
                                "an event has %d particles, the first had %d: not for LHEH5",
                                e.nparticles, h->nmax);
  const double values[EVENT_COLUMNS] = {1,
                                        e.nparticles,
                                        (double)(file->events + place) * h->nmax,
                                        (double)block->trials[i],
                                        e.scale,
                                        e.scale,
                                        e.scale,
                                        e.alpha_em,
                                        e.alpha_s,
                                        block->weight[i] * file->run->summary->w_max};
  memcpy(h->rows[0] + place * EVENT_COLUMNS, values, sizeof values);
  double *rows = h->rows[1] + place * (size_t)h->nmax * PARTICLE_COLUMNS;
  memset(rows, 0, (size_t)h->nmax * PARTICLE_COLUMNS * sizeof *rows);
  for (int k = 0; k < e.nparticles; k++) fill_particle(rows + k * PARTICLE_COLUMNS, &e.particle[k]);
  return NIS_OK;
}

static int fill_lheh5(struct event_file *file, const nis_event_block *block, size_t first, size_t n)
{
  for (size_t i = 0; i < n; i++) NIS_TRY(fill_event(file, block, first + i, i));
  return NIS_OK;
}

static int put_lheh5(struct hdf5 *h, const nis_event_block *block, size_t first, size_t n)
{
  (void)block, (void)first;
  return add_rows(&h->tables[0], n, h->rows[0]) ||
         add_rows(&h->tables[1], n * (hsize_t)h->nmax, h->rows[1]);
}

static int write_lheh5(struct event_file *file, const nis_event_block *block, size_t *taken)
{
  return write_batches(file, block, taken, &(struct kind){fill_lheh5, put_lheh5});
}

/* ---- arrays --------------------------------------------------------------------------------- */

struct arrays_head {
  const struct event_file *file;
  size_t dim;
  char *text;
};

static void put_run(hid_t id, const struct event_run *run, const char *text)
{
  put_names(id, "header", 1, &text);
  put_whole(id, "seed", run->seed);
  put_whole(id, "calls", run->calls);
  put_real(id, "value", run->value);
  put_real(id, "error", run->error);
  put_real(id, "unit", run->summary->unit);
  put_real(id, "w_max", run->summary->w_max);
}

static void put_arrays_head(struct hdf5 *h, const void *head)
{
  const struct arrays_head *from = head;
  put_run(h->file, from->file->run, from->text);
  new_table(h, "x", from->dim);
  new_table(h, "weight", 0);
  new_table(h, "log_q", 0);
  if (from->file->run->extra > 0) new_table(h, "outputs", from->file->run->extra);
}

static int begin_arrays(struct event_file *file, const nis_event_block *first)
{
  struct arrays_head head = {.file = file, .dim = first->dim};
  NIS_TRY(new_state(file));
  head.text = file->services->head(file);
  if (!head.text) return no_memory(file);
  int status = open_file(file, put_arrays_head, &head);
  free(head.text);
  return status;
}

static int fill_arrays(struct event_file *file, const nis_event_block *block, size_t first,
                       size_t n)
{
  double *weight = ((struct hdf5 *)file->state)->rows[0];
  for (size_t i = 0; i < n; i++) weight[i] = block->weight[first + i] * file->run->summary->unit;
  return NIS_OK;
}

static int put_arrays(struct hdf5 *h, const nis_event_block *block, size_t first, size_t n)
{
  return add_rows(&h->tables[0], n, block->x + first * block->dim) ||
         add_rows(&h->tables[1], n, h->rows[0]) ||
         add_rows(&h->tables[2], n, block->log_q + first) ||
         (block->extra > 0 && add_rows(&h->tables[3], n, block->outputs + first * block->extra));
}

static int write_arrays(struct event_file *file, const nis_event_block *block, size_t *taken)
{
  return write_batches(file, block, taken, &(struct kind){fill_arrays, put_arrays});
}

/* ---- the module ------------------------------------------------------------------------- */

static const struct event_format formats[] = {
    {"LHEH5", NIS_FORMAT_LHEH5, 1, 1, NULL, begin_lheh5, write_lheh5, end},
    {"HDF5", NIS_FORMAT_HDF5, 0, 1, NULL, begin_arrays, write_arrays, end},
    {0}};

NIS_API format_module nis_format_module;

const struct event_format *nis_format_module(const struct format_services *services)
{
  unsigned major, minor, release;
  struct quiet quiet = nis_quiet_begin();
  H5get_libversion(&major, &minor, &release);
  nis_quiet_end(&quiet);
  int fits = services->interface == FORMAT_INTERFACE && major == H5_VERS_MAJOR &&
             minor == H5_VERS_MINOR && strcmp(services->version, NIS_VERSION) == 0;
  return fits ? formats : NULL;
}

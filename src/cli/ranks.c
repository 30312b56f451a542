/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* sched_getaffinity */
#include "ranks.h"

#include "message.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 2048, MOST_SENTENCE = 512 };

static nis_ranks world; /* size 0: this process is alone */
static int lost;
enum { grace = 2 }; /* seconds that rank 0 has to print before another ends all */
static void (*end_world)(nis_ranks *ranks, int abort);

/* ---- the launcher ---------------------------------------------------------------------------- */

static int number_of(const char *name)
{
  const char *text = getenv(name);
  return text ? atoi(text) : 0;
}

static int largest_of(const char *const *names)
{
  int most = 0;
  for (; *names; names++)
    if (number_of(*names) > most) most = number_of(*names);
  return most;
}

/* Processes that Open MPI, those of MPICH's kind, or Slurm have started together */
static int launched(void)
{
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
  const char *wanted = getenv("NIS_MPI");
  if (wanted && strcmp(wanted, "0") == 0) return 1;
  int slurm = getenv("PMIX_RANK") || getenv("PMI_RANK") ? number_of("SLURM_STEP_NUM_TASKS") : 0;
  int most = largest_of(names);
  return most > slurm ? most : slurm;
}

/* Of them on this machine */
static int neighbours(void)
{
  static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                      "SLURM_TASKS_PER_NODE", NULL};
  int n = largest_of(names);
  return n > 1 ? n : 1;
}

/* ---- libnis_mpi ------------------------------------------------------------------------------ */

static void *load(const char *folder)
{
  char path[2 * PATH_ROOM];
  snprintf(path, sizeof path, "%s%slibnis_mpi.so.1", folder, *folder ? "/" : "");
  if (*folder && access(path, F_OK) != 0) return NULL;
  return dlopen(path, RTLD_NOW | RTLD_GLOBAL);
}

/* $NIS_MODULES; where it lies beside the command that was built or installed; where the system
 * looks. */
static void *find(void)
{
  char own[PATH_ROOM] = "", folder[PATH_ROOM + 256];
  const char *given = getenv("NIS_MODULES");
  void *library = given && *given ? load(given) : NULL;
  ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  char *slash = length > 0 ? strrchr(own, '/') : NULL;
  if (slash) *slash = '\0';
  snprintf(folder, sizeof folder, "%s/../mpi", own);
  if (!library && slash) library = load(folder);
  snprintf(folder, sizeof folder, "%s/../%s", own, NIS_LIBDIR);
  if (!library && slash) library = load(folder);
  return library ? library : load("");
}

static int join(void *library)
{
  int (*begin)(nis_ranks * ranks);
  void *symbols[] = {dlsym(library, "nis_mpi_begin"), dlsym(library, "nis_mpi_end")};
  if (!symbols[0] || !symbols[1]) return complain(FAILED, "libnis_mpi is not of this version");
  memcpy(&begin, &symbols[0], sizeof begin);
  memcpy(&end_world, &symbols[1], sizeof end_world);
  int status = begin(&world);
  return status == NIS_OK ? DONE : complain(FAILED, "cannot start MPI: %s", nis_strerror(status));
}

/* Standard output and error of a silent rank */
static void mute(void)
{
  int nowhere = open("/dev/null", O_WRONLY);
  fflush(stdout);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close(nowhere);
}

int ranks_begin(void)
{
  int size = launched();
  if (size < 2) return DONE;
  void *library = find();
  if (!library)
    return complain(FAILED,
                    "%d processes were started together, for which libnis_mpi is needed: it comes "
                    "with libnis when that is built where MPI is installed (%s); NIS_MPI=0 makes "
                    "each of them work alone",
                    size, dlerror());
  int bad = join(library);
  if (bad) return bad;
  if (world.size != size) {
    int seen = world.size;
    ranks_end(DONE);
    return complain(FAILED,
                    "%d processes were started together, but the MPI of libnis_mpi sees %d: it was "
                    "built with another MPI than that of this mpirun",
                    size, seen);
  }
  if (world.rank > 0) mute();
  return DONE;
}

const nis_ranks *ranks_world(void)
{
  return world.size > 1 ? &world : NULL;
}

int ranks_silent(void)
{
  return world.rank > 0;
}

void ranks_lost(void)
{
  lost = 1;
}

int ranks_end(int code)
{
  if (lost && world.rank > 0) sleep(grace);
  if (world.size > 0) end_world(&world, lost ? FAILED : 0);
  world = (nis_ranks){0};
  return code;
}

/* ---- together -------------------------------------------------------------------------------- */

static int never(void *context)
{
  (void)context;
  return 0;
}

/* The same number of bytes of each, behind each other; non-zero where that cannot be done */
static int gather(const void *mine, void *all, size_t bytes)
{
  size_t *sizes = malloc((size_t)world.size * sizeof *sizes);
  for (int k = 0; sizes && k < world.size; k++) sizes[k] = bytes;
  int alone = !sizes || world.gather(mine, all, sizes, never, NULL, world.params);
  free(sizes);
  return alone;
}

struct saying {
  int code;
  char sentence[MOST_SENTENCE];
};

int ranks_agree(int code, const char *sentence)
{
  if (world.size < 2) return code;
  struct saying own = {.code = code}, *all = calloc((size_t)world.size, sizeof *all);
  snprintf(own.sentence, sizeof own.sentence, "%s", sentence);
  int k = 0, alone = !all || gather(&own, all, sizeof own);
  while (!alone && k < world.size - 1 && all[k].code == DONE) k++;
  code = alone ? FAILED : all[k].code;
  if (!alone && code != DONE && k > 0) complain(code, "rank %d: %s", k, all[k].sentence);
  free(all);
  return code;
}

int ranks_first(int value)
{
  if (world.size < 2) return value;
  int *all = calloc((size_t)world.size, sizeof *all);
  if (all && !gather(&value, all, sizeof value)) value = all[0];
  free(all);
  return value;
}

void ranks_prepare(struct arguments *arguments)
{
  cpu_set_t set;
  if (world.size < 2) return;
  int cores = (int)sysconf(_SC_NPROCESSORS_ONLN) / neighbours(), bound = cores;
  if (sched_getaffinity(0, sizeof set, &set) == 0) bound = CPU_COUNT(&set);
  if (bound < cores) cores = bound;
  if (arguments->options.threads == 0 && !getenv("OMP_NUM_THREADS"))
    arguments->options.threads = cores > 1 ? cores : 1;
  if (world.rank == 0) return;
  arguments->output = NULL;
  arguments->history = NULL;
}

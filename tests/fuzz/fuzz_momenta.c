/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of `nis matrix-element`: the first byte chooses the row, the rest is the file.
 * Whatever it holds is read to the end or refused with a sentence. */
#define _GNU_SOURCE /* memfd_create */
#include "cli/commands.h"
#include "cli/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct integrand *choose(unsigned char byte)
{
  static const char *const names[] = {"ee3j", "ee4j", "ee5j", "ee4q", "ee4qg"};
  return integrand_find(names[byte % (sizeof names / sizeof *names)]);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
  char path[64];
  if (size < 1) return 0;
  struct arguments arguments = {.row = choose(data[0]), .momenta = path, .json = data[0] >> 7};
  int file = memfd_create("momenta", 0);
  if (file < 0 || write(file, data + 1, size - 1) != (ssize_t)size - 1) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  arguments.options.dim = arguments.row->dim_default;
  integrand_defaults(arguments.row, arguments.values);
  int code = matrix_element_command(&arguments);
  close(file);
  if (code != DONE && code != FAILED) abort();
  return 0;
}

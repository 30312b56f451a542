/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nis compare where nis was built without a reader of JSON */
#include "commands.h"

#include "message.h"

int compare_command(const struct arguments *arguments)
{
  return complain(FAILED,
                  "'nis %s' is not in this nis, which was built without cJSON (libcjson-dev)",
                  arguments->command_name);
}

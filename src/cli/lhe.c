/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Les Houches events 1.0 (hep-ph/0609017), read by every shower program. */
#include "event_format.h"

#include "options.h"
#include "values.h"

#include <inttypes.h>
#include <math.h>

/* Strategy -4: weights in pb, of either sign, whose mean is the cross section. Strategies 3
 * and -3 make readers ignore the overweights. */
enum { STRATEGY = -4, PROCESS = 1, SPIN_UNKNOWN = 9 };

/* Plain lines: readers go by lines, and look for tags even in comments. */
static void write_header(const struct event_file *to)
{
  const struct run *run = to->run;
  FILE *file = to->file;
  fprintf(file, "<header>\ngenerator: nis %s\nintegrand: %s, dim %zu\nparameters: ", nis_version(),
          run->row->name, run->options.dim);
  values_print(file, run->row, run->arguments->values);
  fprintf(file, "\nseed: %" PRIu64 "\ncommand: ", run->options.seed);
  options_print(file, run->arguments);
  fputs("\n</header>\n", file);
}

static double beam_energy(const struct event *event, int beam)
{
  return event->particle[beam].p[0];
}

/* The largest weight that an event of the integration would have had. */
static double largest_weight(const struct event_file *to)
{
  const nis_result *r = &to->run->result;
  double over = r->efficiency / r->efficiency_max;
  return isfinite(over) && over > 1 ? to->unit * over : to->unit;
}

static void write_init(const struct event_file *to, const struct event *first)
{
  const nis_result *r = &to->run->result;
  fprintf(to->file, "<init>\n%d %d %.16e %.16e 0 0 0 0 %d 1\n", first->particle[0].pdg,
          first->particle[1].pdg, beam_energy(first, 0), beam_energy(first, 1), STRATEGY);
  fprintf(to->file, "%.16e %.16e %.16e %d\n</init>\n", r->value, r->error, largest_weight(to),
          PROCESS);
}

static void begin(const struct event_file *to, const double *x)
{
  struct event first;
  to->run->row->event(to->run->state, x, &first);
  fputs("<LesHouchesEvents version=\"1.0\">\n", to->file);
  write_header(to);
  write_init(to, &first);
}

static void write_particle(FILE *file, const struct particle *p)
{
  fprintf(file, "%d %d %d %d %d %d %.16e %.16e %.16e %.16e %.16e 0 %d\n", p->pdg, p->status,
          p->mother[0], p->mother[1], p->colour[0], p->colour[1], p->p[1], p->p[2], p->p[3],
          p->p[0], p->mass, SPIN_UNKNOWN);
}

static void write_event(const struct event_file *to, const double *x, double weight)
{
  struct event event;
  to->run->row->event(to->run->state, x, &event);
  fprintf(to->file, "<event>\n%d %d %.16e %.10e %.10e %.10e\n", event.nparticles, PROCESS,
          weight * to->unit, event.scale, event.alpha_em, event.alpha_s);
  for (int i = 0; i < event.nparticles; i++) write_particle(to->file, &event.particle[i]);
  fputs("</event>\n", to->file);
}

static void end(const struct event_file *to, uint64_t events)
{
  (void)events;
  fputs("</LesHouchesEvents>\n", to->file);
}

const struct event_format lhe_format = {begin, write_event, end};

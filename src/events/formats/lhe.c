/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Les Houches events, 1.0 (hep-ph/0609017) and 3.0 (arXiv:1405.1067), read by every shower program.
 * Readers go by lines, and look for tags even in comments: each tag has a line of its own. */
#include "format.h"

#include <inttypes.h>

/* Strategy -4: weights in pb, of either sign, whose mean is the cross section. Strategy 3: the
 * cross section is that of the head, and readers ignore the weights. */
enum { WEIGHTED = -4, UNWEIGHTED = 3, PROCESS = 1 };

static void print_init(struct text *text, const struct event_file *file, const nis_event *first)
{
  const struct event_run *run = file->run;
  const nis_particle *beam = first->particle;
  int strategy = file->all_one ? UNWEIGHTED : WEIGHTED;
  double largest = strategy == UNWEIGHTED ? 1 : nis_largest_event(file);
  nis_text_print(text, "<init>\n%d %d %.16e %.16e 0 0 0 0 %d 1\n", beam[0].pdg, beam[1].pdg,
                 beam[0].p[0], beam[1].p[0], strategy);
  nis_text_print(text, "%.16e %.16e %.16e %d\n", run->value, run->error, largest, PROCESS);
}

static void head(struct text *text, const struct event_file *file, const nis_event *first)
{
  nis_text_print(text, "<LesHouchesEvents version=\"1.0\">\n<header>\n");
  nis_print_head(text, file, "", 1);
  nis_text_print(text, "</header>\n");
  print_init(text, file, first);
  nis_text_print(text, "</init>\n");
}

static void head3(struct text *text, const struct event_file *file, const nis_event *first)
{
  nis_text_print(text, "<LesHouchesEvents version=\"3.0\">\n<header>\n<nis>\n");
  nis_print_head(text, file, "", 1);
  nis_text_print(text, "</nis>\n<initrwgt>\n<weightgroup name=\"nis\">\n"
                       "<weight id=\"nominal\"> nominal </weight>\n"
                       "</weightgroup>\n</initrwgt>\n</header>\n");
  print_init(text, file, first);
  nis_text_print(text,
                 "<generator name=\"nis\" version=\"%s\"> neural importance sampling "
                 "</generator>\n</init>\n",
                 nis_version());
}

static double weight_of(const struct event_file *file, const nis_event_block *block, size_t i)
{
  return file->all_one ? block->weight[i] : block->weight[i] * file->run->summary->unit;
}

static void print_particle(struct text *text, const nis_particle *p)
{
  nis_text_print(text, "%d %d %d %d %d %d %.16e %.16e %.16e %.16e %.16e 0 %.17g\n", p->pdg,
                 p->status, p->mother[0], p->mother[1], p->colour[0], p->colour[1], p->p[1],
                 p->p[2], p->p[3], p->p[0], p->mass, p->spin);
}

static void print_event(struct text *text, const nis_event *event, double weight)
{
  nis_text_print(text, "%d %d %.16e %.16e %.16e %.16e\n", event->nparticles, PROCESS, weight,
                 event->scale, event->alpha_em, event->alpha_s);
  for (int k = 0; k < event->nparticles; k++) print_particle(text, &event->particle[k]);
}

/* A line that readers pass over, or hand on */
static void print_channel(struct text *text, const struct event_file *file,
                          const nis_event_block *block, size_t i)
{
  if (file->run->channels > 0)
    nis_text_print(text, "# channel %d\n", (int)block->x[(i + 1) * block->dim - 1]);
}

static void event(struct text *text, const struct event_file *file, const nis_event_block *block,
                  size_t i, const nis_event *particles)
{
  nis_text_print(text, "<event>\n");
  print_event(text, particles, weight_of(file, block, i));
  print_channel(text, file, block, i);
  nis_text_print(text, "</event>\n");
}

static void event3(struct text *text, const struct event_file *file, const nis_event_block *block,
                   size_t i, const nis_event *particles)
{
  double weight = weight_of(file, block, i);
  nis_text_print(text, "<event trials=\"%" PRIu64 "\">\n", block->trials[i]);
  print_event(text, particles, weight);
  print_channel(text, file, block, i);
  nis_text_print(text, "<rwgt>\n<wgt id=\"nominal\"> %.16e </wgt>\n</rwgt>\n</event>\n", weight);
}

static void tail(struct text *text, const struct event_file *file)
{
  (void)file;
  nis_text_print(text, "</LesHouchesEvents>\n");
}

const struct stream_format nis_lhe_stream = {head, event, tail, 0};
const struct stream_format nis_lhe3_stream = {head3, event3, tail, 0};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+e- -> mu+mu- through a photon, of one's own: an integrand, a function that makes particles of a
 * point, and a Les Houches file of events for the next program. */
#include <math.h>
#include <nis_events.h>
#include <stdio.h>

struct beams {
  double energy; /* sqrt(s) in GeV */
};

static const double alpha = 1 / 137.036;

/* alpha^2 / 4s (1 + cos^2 theta) in pb; x: cos theta, phi. In all 4 pi alpha^2 / 3s. */
static double cross_section(double *x, size_t dim, void *params)
{
  const struct beams *beams = params;
  double s = beams->energy * beams->energy;
  (void)dim;
  return 0.3893793656e9 * alpha * alpha / (4 * s) * (1 + x[0] * x[0]);
}

static nis_particle leg(int pdg, int status, double energy, double cosine, double phi)
{
  double sine = sqrt((1 - cosine) * (1 + cosine));
  int mother = status == 1;
  return (nis_particle){
      .pdg = pdg,
      .status = status,
      .mother = {mother, 2 * mother},
      .p = {energy, energy * sine * cos(phi), energy * sine * sin(phi), energy * cosine},
      .spin = 9};
}

static int muons(const double *x, size_t dim, nis_event *event, void *params)
{
  const struct beams *beams = params;
  double half = beams->energy / 2;
  (void)dim;
  *event = (nis_event){.nparticles = 4,
                       .scale = beams->energy,
                       .alpha_em = alpha,
                       .alpha_s = 0.14,
                       .particle = {leg(11, -1, half, 1, 0), leg(-11, -1, half, -1, 0),
                                    leg(13, 1, half, x[0], x[1]),
                                    leg(-13, 1, half, -x[0], x[1] + acos(-1))}};
  return 0;
}

int main(int argc, char **argv)
{
  struct beams beams = {.energy = 30};
  const double lower[] = {-1, 0}, upper[] = {1, 2 * acos(-1)};
  nis_options options = {
      .dim = 2, .params = &beams, .lower = lower, .upper = upper, .calls = 50000};
  nis_event_options events = {.events = 1000,
                              .path = argc > 1 ? argv[1] : "muons.lhe.gz",
                              .particles = muons,
                              .particles_params = &beams,
                              .header = "process: e+ e- -> mu+ mu-\n",
                              .force = 1}; /* a file of an earlier run may go */
  nis *s = NULL;
  nis_result result;
  nis_event_summary summary;

  int status = nis_check_events(&events); /* before the long part */
  if (status == NIS_OK) status = nis_create(&s, cross_section, &options);
  if (status == NIS_OK) status = nis_run(s, &result);
  if (status == NIS_OK) status = nis_events(s, &events, &summary);
  nis_free(s);

  if (status != NIS_OK) {
    fprintf(stderr, "%s\n", nis_last_error());
    return 1;
  }
  printf("%.6f +- %.6f pb, exact %.6f; %.0f events in %s from %.0f points\n", result.value,
         result.error, 0.3893793656e9 * 4 * acos(-1) * alpha * alpha / (3 * 900),
         (double)summary.events, events.path, (double)summary.trials);
  return 0;
}

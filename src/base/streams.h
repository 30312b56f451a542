/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers are a pure function of (seed, stream, point number, coordinate): each use of
 * them has its own stream. */
#ifndef NIS_STREAMS_H
#define NIS_STREAMS_H

enum stream {
  STREAM_PARAMETERS, /* initial weights of the nets */
  STREAM_TRAIN,      /* points of the training rounds */
  STREAM_REPLAY,     /* which stored points make a gradient step */
  STREAM_INTEGRATE,  /* points of the estimate */
  STREAM_SAMPLE,     /* nis_sample */
  STREAM_EVENTS,     /* points tried for events ... */
  STREAM_ACCEPT,     /* ... and whether each is accepted */
  STREAM_SEARCH,     /* steps of the search for missed peaks */
  STREAM_PACE,       /* points that time the integrand */
  STREAM_SCRAMBLE,   /* matrices and shifts of the nets */
  STREAM_SCALE,      /* points that tell how large the components are */
  STREAM_SURVEY      /* the first points of a training: nets, and then those of STREAM_TRAIN */
};

#endif

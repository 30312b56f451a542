/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events one behind the other. Many threads write pieces of the same number of events into memory,
 * compress each into a member of its own if the file is to be (members in a row are a valid .gz),
 * and one thread puts them into the file in their order. A file can be cut off after any piece. */
#include "format.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

enum { PIECE = 128, HANDFUL = 8 };

struct piece {
  struct text plain, packed;
  int status;
};

struct stream {
  int begun, compressed;
  struct piece *pieces; /* [npieces], owned */
  size_t npieces;
  uint64_t last_piece; /* where it begins in the file, */
  size_t last_events;  /* and how many events it has */
  uint64_t last_trials;
};

static int finish(const struct stream *stream, struct piece *piece)
{
  if (piece->plain.short_of_memory) return NIS_NO_MEMORY;
  return stream->compressed && piece->plain.n > 0 ? nis_text_pack(&piece->plain, &piece->packed)
                                                  : NIS_OK;
}

static int put(struct event_file *file, const struct piece *piece)
{
  const struct stream *stream = file->state;
  const struct text *text = stream->compressed ? &piece->packed : &piece->plain;
  return piece->plain.n > 0 ? nis_output_write(&file->output, text->data, text->n) : NIS_OK;
}

/* ---- head and tail ---------------------------------------------------------------------- */

int nis_stream_begin(struct event_file *file, const nis_event_block *first)
{
  struct stream *stream = file->state = NIS_NEW(struct stream, 1);
  nis_event event;
  if (!stream) return nis_no_memory();
  stream->npieces = 1;
  stream->pieces = NIS_NEW(struct piece, 1);
  if (!stream->pieces) return nis_no_memory();
  stream->compressed = nis_ends_with_gz(file->options->path);
  if (nis_make_particles(file, first, 0, 1, 0, &event) != NIS_OK) return nis_no_particles();
  file->format->stream->head(&stream->pieces->plain, file, &event);
  if (finish(stream, stream->pieces) != NIS_OK) return nis_no_memory();
  NIS_TRY(put(file, stream->pieces));
  stream->begun = 1;
  return NIS_OK;
}

static int put_tail(struct event_file *file, struct piece *piece)
{
  piece->plain.n = 0;
  file->format->stream->tail(&piece->plain, file);
  if (finish(file->state, piece) != NIS_OK) return nis_no_memory();
  return put(file, piece);
}

/* Where the head counts events it counts those that are there, at the end as after every block:
 * what a killed process leaves can be read. */
static int renew_head(struct event_file *file, struct piece *piece)
{
  const nis_event none = {0};
  if (!file->format->stream->head_counts_events) return NIS_OK;
  piece->plain.n = 0;
  file->format->stream->head(&piece->plain, file, &none);
  if (piece->plain.short_of_memory) return nis_no_memory();
  return nis_output_rewrite(&file->output, 0, piece->plain.data, piece->plain.n);
}

/* Where the disk has no room even for the tail, the last piece makes some. */
static int close_stream(struct event_file *file, struct stream *stream)
{
  int status = put_tail(file, stream->pieces);
  if (status == NIS_NO_FILE && file->events > stream->last_events) {
    file->events -= stream->last_events;
    file->trials -= stream->last_trials;
    NIS_TRY(nis_output_truncate(&file->output, stream->last_piece));
    status = put_tail(file, stream->pieces);
  }
  return status == NIS_OK ? renew_head(file, stream->pieces) : status;
}

int nis_stream_end(struct event_file *file)
{
  struct stream *stream = file->state;
  if (!stream) return NIS_OK;
  int status = stream->begun ? close_stream(file, stream) : NIS_OK;
  for (size_t k = 0; stream->pieces && k < stream->npieces; k++) {
    nis_text_clear(&stream->pieces[k].plain);
    nis_text_clear(&stream->pieces[k].packed);
  }
  free(stream->pieces);
  free(stream);
  file->state = NULL;
  return status;
}

/* ---- events ------------------------------------------------------------------------------- */

struct job {
  struct event_file *file;
  const nis_event_block *block;
};

static size_t end_of(const nis_event_block *block, size_t piece)
{
  size_t end = (piece + 1) * PIECE;
  return end < block->n ? end : block->n;
}

static int write_piece(const struct job *job, int worker, struct piece *piece, size_t number)
{
  nis_event events[HANDFUL];
  size_t end = end_of(job->block, number);
  piece->plain.n = 0;
  for (size_t first = number * PIECE; first < end; first += HANDFUL) {
    size_t n = end - first < HANDFUL ? end - first : HANDFUL;
    NIS_TRY(nis_make_particles(job->file, job->block, first, n, worker, events));
    for (size_t i = 0; i < n; i++)
      job->file->format->stream->event(&piece->plain, job->file, job->block, first + i, &events[i]);
  }
  return finish(job->file->state, piece);
}

static void work(void *context, size_t item, int worker)
{
  const struct job *job = context;
  struct stream *stream = job->file->state;
  stream->pieces[item].status = write_piece(job, worker, &stream->pieces[item], item);
}

static int need_pieces(struct stream *stream, size_t n)
{
  if (n <= stream->npieces) return NIS_OK;
  struct piece *pieces = realloc(stream->pieces, n * sizeof *pieces);
  if (!pieces) return nis_no_memory();
  memset(pieces + stream->npieces, 0, (n - stream->npieces) * sizeof *pieces);
  stream->pieces = pieces;
  stream->npieces = n;
  return NIS_OK;
}

static int put_piece(struct event_file *file, const nis_event_block *block, size_t number)
{
  struct stream *stream = file->state;
  const struct piece *piece = &stream->pieces[number];
  uint64_t trials = 0, place = file->output.size;
  size_t first = number * PIECE, events = end_of(block, number) - first;
  if (piece->status == NIS_CALLBACK) return nis_no_particles();
  if (piece->status != NIS_OK) return nis_no_memory();
  NIS_TRY(put(file, piece));
  for (size_t i = first; i < first + events; i++) trials += block->trials[i];
  stream->last_piece = place;
  stream->last_events = events;
  stream->last_trials = trials;
  file->events += events;
  file->trials += trials;
  return NIS_OK;
}

int nis_stream_write(struct event_file *file, const nis_event_block *block, size_t *taken)
{
  struct stream *stream = file->state;
  struct job job = {file, block};
  size_t n = (block->n + PIECE - 1) / PIECE;
  uint64_t before = file->events;
  int status = need_pieces(stream, n);
  if (status == NIS_OK) nis_parallel_for(file->run->serial ? 1 : file->run->threads, n, work, &job);
  for (size_t k = 0; k < n && status == NIS_OK; k++) status = put_piece(file, block, k);
  if (status == NIS_OK) status = renew_head(file, stream->pieces);
  *taken = (size_t)(file->events - before);
  return status;
}

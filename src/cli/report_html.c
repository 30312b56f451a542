/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of --report: one file that needs nothing else, also as XML well-formed. Numbers that
 * --json has are there in its digits, as values of <data>; all of it is in the page at the end. */
#include "report.h"

#include "explain.h"
#include "figures.h"
#include "files.h"
#include "html.h"
#include "message.h"
#include "numbers.h"
#include "options.h"
#include "points.h"
#include "values.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAR = 4 }; /* errors from the exact value, where it is known */

/* Colours are variables, so that the dark page has its own and paper the light ones. */
static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--text:#1c2127;--soft:#59626d;--line:#dfe3e8;"
    "--q:#1d6fb8;--f:#c2560c;--good:#1f7a45;--bad:#b3261e;--s0:#8a94a0;--s2:#5aa9d6;--s3:#3f9168;"
    "--s4:#c9a227}\n"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--bg:#15181c;--text:#e4e7ea;--soft:#9aa4af;"
    "--line:#30363d;--q:#5aa9ee;--f:#f0954a;--good:#62c98c;--bad:#ff8a80;--s0:#6d7782;--s2:#a4d0f5;"
    "--s3:#58ad82;--s4:#dcb944}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.2rem;max-width:68rem;background:var(--bg);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}"
    "h2{font-size:1.15rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--line)}\n"
    "p{margin:.5rem 0;max-width:46rem}.soft{color:var(--soft)}.result{font-size:1.6rem}\n"
    ".good,.bad,.note{border-left:.3rem solid var(--soft);padding:.2rem .8rem}"
    ".good{border-color:var(--good)}.bad{border-color:var(--bad)}td.doubt{color:var(--bad);"
    "font-weight:600}\n"
    "main section{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));"
    "gap:0 1.6rem}"
    "section>:not(.half){grid-column:1/-1}\n"
    "figure{margin:.8rem 0;min-width:0}figcaption{color:var(--soft);font-size:.9rem;"
    "max-width:46rem}\n"
    "figure>svg{max-width:36rem}svg{display:block;width:100%;height:auto}\n"
    ".panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:.6rem}"
    ".planes{grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));max-width:58rem}"
    ".split{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));"
    "gap:.4rem 1.6rem;align-items:center}.split figcaption{grid-column:1/-1}\n"
    "table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}"
    "th,td{padding:.15rem .9rem .15rem 0;text-align:left;vertical-align:top}"
    "tbody tr{border-top:1px solid var(--line)}tbody th{font-weight:400}figure "
    "td{white-space:nowrap}thead th{font-weight:600}\n"
    ".scroll{overflow-x:auto}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem;"
    "padding:.6rem;border:1px solid var(--line)}summary{cursor:pointer}\n"
    "ul.key{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;padding:0;margin:.1rem 0;"
    "font-size:.85rem}.swatch{display:inline-block;width:1em;height:.75em;margin-right:.4em}"
    ".swatch.line{height:.18em;vertical-align:middle}"
    ".swatch.dot{width:.5em;height:.5em;border-radius:50%;vertical-align:.1em}\n"
    "text{fill:var(--text);font-size:11px;font-family:system-ui,sans-serif}\n"
    "path,rect{fill:none}.frame{stroke:var(--soft)}.grid{stroke:var(--line)}"
    ".zero{stroke:var(--soft)}.exact{stroke:var(--good);stroke-width:1.5}"
    ".mark{stroke:var(--f);stroke-dasharray:4 2}\n"
    ".line{stroke-width:1.6;stroke-linejoin:round}.line.q{stroke:var(--q)}.line.f{stroke:var(--f)}"
    ".area.q{fill:var(--q);fill-opacity:.38}.area.f{fill:var(--f);fill-opacity:.6}"
    "g.q circle,.cell.q{fill:var(--q)}g.f circle,.cell.f{fill:var(--f)}"
    "g.q .line{stroke:var(--q)}g.f .line{stroke:var(--f)}.cell{shape-rendering:crispEdges}\n"
    ".area.share0{fill:var(--s0)}.area.share1{fill:var(--q)}.area.share2{fill:var(--s2)}"
    ".area.share3{fill:var(--s3)}.area.share4{fill:var(--s4)}\n"
    ".swatch.q{background:var(--q)}.swatch.f{background:var(--f)}"
    ".swatch.q:not(.line):not(.dot),.swatch.f:not(.line):not(.dot){opacity:.5}.swatch.exact{"
    "background:var(--good)}.swatch.share0{background:var(--s0)}.swatch.share1{background:var(--q)}"
    ".swatch.share2{background:var(--s2)}.swatch.share3{background:var(--s3)}"
    ".swatch.share4{background:var(--s4)}\n"
    "@media screen and (max-width:40rem){body{padding:.8rem}th,td{padding-right:.55rem}"
    ".planes{grid-template-columns:repeat(auto-fill,minmax(10rem,1fr))}}\n"
    "@media print{body{max-width:none;padding:0;font-size:10pt}main section{display:block;"
    "orphans:1;widows:1}.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding-right:.6rem}"
    ".half{display:inline-block;width:49%;vertical-align:top}.split{grid-template-columns:45% 1fr}"
    ".panels{grid-template-columns:repeat(4,1fr)}.planes{grid-template-columns:repeat(3,1fr)}"
    "figure,tr{break-inside:avoid}h2{break-after:avoid}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "details:not([open]),section:last-child{display:none}}\n";

static void heading(FILE *file, const char *text)
{
  fputs("</section>\n<section>\n<h2>", file);
  html_text(file, text);
  fputs("</h2>\n", file);
}

/* ---- the result ----------------------------------------------------------------------------- */

static void head(FILE *file, const struct run *run)
{
  fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n<title>",
        file);
  html_text(file, run->row->name);
  fprintf(file, ": report of nis</title>\n<style>\n%s</style></head>\n<body>\n<header><h1>", style);
  html_text(file, run->row->name);
  fputs("</h1>\n<p class=\"soft\">", file);
  fprintf(file, "%zu dimension%s, seed %" PRIu64, run->options.dim,
          run->options.dim == 1 ? "" : "s", run->options.seed);
  char values[1024] = "";
  FILE *memory = fmemopen(values, sizeof values, "w");
  if (memory) {
    values_print(memory, run->row, run->arguments->values);
    fclose(memory);
  }
  values[sizeof values - 1] = '\0';
  fputs(*values ? "; " : "", file);
  html_text(file, values);
  fputs("</p></header>\n<main><section>\n", file);
}

/* What the library says of it, and what it means where it says nothing */
static void verdict(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  double far = run->has_exact && r->error > 0 ? fabs(r->value - run->exact) / r->error : 0;
  int doubtful = run->status == NIS_SUSPECT || run->status < NIS_OK;
  if (*run->message) html_element(file, "p", doubtful ? "bad" : "note", run->message);
  if (!isfinite(r->value))
    html_element(file, "p", "bad", "The integral is not known: it ended in the training.");
  else if (r->calls == r->train_calls && r->calls > 0)
    html_element(file, "p", "bad",
                 "It ended in the training: this is what the latest points of that say.");
  else if (far > FAR)
    html_element(file, "p", "bad", "The exact value is far outside of this error.");
  else if (!r->suspect && run->status >= NIS_OK)
    html_element(file, "p", "good", "Nothing speaks against this error.");
}

static void value(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  if (isfinite(r->value)) {
    fputs("<p class=\"result\">", file);
    html_estimate(file, r->value, r->error);
    fputc(' ', file);
    html_text(file, run->row->unit);
    fputs("</p>\n", file);
  }
  verdict(file, run);
  fputs("<p>", file);
  if (isfinite(r->error / r->value)) {
    fputs("The relative error is ", file);
    html_number(file, r->error / fabs(r->value), 3);
    fputs(". ", file);
  }
  fputs("It took ", file);
  html_whole(file, r->calls);
  fputs(" calls of the integrand, of which ", file);
  html_whole(file, r->train_calls);
  fputs(" were for the training", file);
  if (run->seconds > 0) fprintf(file, ", and %.3g s", run->seconds);
  fputs(".", file);
  if (run->has_exact && r->error > 0) {
    fputs(" The exact value is ", file);
    html_number(file, run->exact, 12);
    fprintf(file, ": the result is %+.2f of its errors away.", (r->value - run->exact) / r->error);
  }
  if (r->bad_calls) {
    fputc(' ', file);
    html_whole(file, r->bad_calls);
    fputs(" calls gave NaN or Inf, and count as 0.", file);
  }
  if (r->serialized)
    fputs(" The integrand is not thread-safe, and was called by one thread.", file);
  fputs("</p>\n", file);
}

/* Ends the row. */
static void verdict_cell(FILE *file, int doubt)
{
  fprintf(file, "<td%s>%s</td></tr>\n", doubt ? " class=\"doubt\"" : "", doubt ? "doubt" : "ok");
}

static void check_row(FILE *file, const char *what, const char *wanted, int doubt, double found,
                      int digits)
{
  fprintf(file, "<tr><th scope=\"row\">%s</th><td>", what);
  html_number(file, found, digits);
  fprintf(file, "</td><td>%s</td>", wanted);
  verdict_cell(file, doubt);
}

/* The four doubts of nis_doubt, each with what it is judged by */
static void checks(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  uint64_t weights = points_weights(run->points), points = weights + r->zero_calls;
  char khat[64] = "more weights, to tell it";
  if (points == 0 || !isfinite(r->value)) return;
  if (isfinite(r->khat))
    snprintf(khat, sizeof khat, "at most %.2f, or no weight that rules",
             fmin(0.7, 1 - 1 / log10((double)points)));
  html_table(file, (const char *const[]){"is the error to be believed?", "found", "wanted",
                                         "verdict", NULL});
  check_row(file, "iterations agree: p-value of chi2", "at least 1e-4", r->suspect & NIS_LARGE_CHI2,
            r->p_value, 2);
  check_row(file, "the weights' tail ends: shape k-hat", khat, r->suspect & NIS_HEAVY_TAIL, r->khat,
            3);
  fprintf(file,
          "<tr><th scope=\"row\">weights that are not 0</th><td>%" PRIu64
          "</td><td>at least 30</td>",
          weights);
  verdict_cell(file, r->suspect & NIS_FEW_WEIGHTS);
  check_row(file, "peaks that turned up after the training", "0", r->suspect & NIS_LATE_PEAK,
            r->late_peaks, 15);
  html_table_end(file);
}

static void facts(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  if (r->calls == r->train_calls || !isfinite(r->value)) return;
  fputs("<p>The points are worth ", file);
  html_number(file, r->ess, 4);
  fputs(" of equal weight (Kish), and the largest weight has ", file);
  html_number(file, r->max_weight_share, 2);
  fputs(" of the sum. Into each part of the cube that is larger than ", file);
  html_number(file, r->unseen_volume, 2);
  fputs(" of it a point has fallen, with a probability of 95 %; a peak with a smaller basin may be "
        "lost.",
        file);
  if (r->search_calls) fprintf(file, " The search for peaks found %d.", r->peaks_found);
  fputs("</p>\n", file);
}

static void events(FILE *file, const struct run *run)
{
  const nis_event_summary *e = &run->events;
  if (!run->has_events) return;
  heading(file, "Events");
  fputs("<p>", file);
  html_whole(file, e->events);
  fputs(" events are in ", file);
  const char *path = run->arguments->event_options.path;
  html_text(file, strcmp(path, "-") == 0 ? "standard output" : path);
  fputs(", from ", file);
  html_whole(file, e->trials);
  fputs(" points: an efficiency of ", file);
  html_estimate(file, e->efficiency.value, e->efficiency.error);
  fputs(". ", file);
  html_whole(file, e->overweights);
  fputs(" of them are overweight, with ", file);
  html_number(file, e->overweight_share, 3);
  fputs(" of the weight above w_max; ", file);
  html_whole(file, e->negatives);
  fputs(" are negative. A weight of 1 stands for ", file);
  html_number(file, e->unit, 10);
  fputc(' ', file);
  html_text(file, run->row->unit);
  fputs(" of the integral.</p>\n", file);
}

/* ---- options, and how to repeat it ---------------------------------------------------------- */

static void settings_table(FILE *file, const struct settings *all, int unusual_only)
{
  html_table(file, (const char *const[]){"option", "value", "why", NULL});
  for (const struct setting *s = all->list; s < all->list + all->n; s++) {
    if (unusual_only && !s->unusual) continue;
    fprintf(file, "<tr><th scope=\"row\">%s</th><td>%s</td><td>", s->name, s->value);
    html_text(file, s->reason);
    fputs("</td></tr>\n", file);
  }
  html_table_end(file);
}

static void options(FILE *file, const struct run *run)
{
  static struct settings all; /* tens of KiB */
  int unusual = 0;
  if (!settings_collect(&all, run->arguments)) return;
  heading(file, "Options");
  for (int i = 0; i < all.n; i++) unusual += all.list[i].unusual;
  if (unusual)
    settings_table(file, &all, 1);
  else
    html_element(file, "p", NULL, "All options have their defaults.");
  fputs("<details><summary>all options</summary>\n", file);
  settings_table(file, &all, 0);
  fputs("</details>\n", file);
}

static void add_option(FILE *file, const char *name, const char *word)
{
  if (!word) return;
  fprintf(file, " %s ", name);
  print_word(file, word);
}

/* What was measured on the way to a goal decides on numbers too. */
static void command_line(FILE *file, const struct run *run)
{
  const struct arguments *arguments = run->arguments;
  if (arguments->command == SHOW) {
    fputs("nis show ", file);
    print_word(file, arguments->from);
    return;
  }
  options_print(file, arguments);
  if (run->result.call_seconds > 0 && arguments->options.call_seconds == 0)
    fprintf(file, " --call-seconds %g", run->result.call_seconds);
  add_option(file, "--from", arguments->from);
  add_option(file, "--part", arguments->part_text);
  add_option(file, "-o",
             arguments->command == EVENTS ? arguments->event_options.path : arguments->output);
}

static void repeat(FILE *file, const struct run *run)
{
  char *command = NULL;
  size_t size;
  FILE *memory = open_memstream(&command, &size);
  heading(file, "How to repeat it");
  if (memory) {
    command_line(memory, run);
    fclose(memory);
    html_element(file, "pre", "command", command);
  }
  free(command);
  if (run->arguments->command == SHOW)
    html_element(file, "p", NULL,
                 "The file was made with the options above, or with what they follow "
                 "from; which command did it is not in it.");
  fprintf(file, "<p>nis %s, seed %" PRIu64 ". ", nis_version(), run->options.seed);
  fputs(run->options.max_seconds > 0
            ? "With a limit of time the numbers depend on the machine and on what else it does."
            : "On the same machine this gives the same bits, for any number of threads; on another "
              "one the same up to rounding and what follows from it.",
        file);
  fputs("</p>\n", file);
}

/* ---- the page ------------------------------------------------------------------------------- */

static void page(FILE *file, const struct run *run, const char *json)
{
  head(file, run);
  value(file, run);
  checks(file, run);
  facts(file, run);
  if (run->history.n > 1) {
    heading(file, "How it went");
    figure_convergence(file, run);
    figure_spread(file, run);
    figure_shares(file, run);
  }
  if (run->result.calls > 0) {
    heading(file, "Where the calls went");
    figure_calls(file, run);
    figure_channels(file, run);
  }
  events(file, run);
  if (run->points->drawn.n > 0) {
    heading(file, "Weights");
    figure_weights(file, run);
    heading(file, "What is sampled");
    figure_marginals(file, run);
    figure_pairs(file, run);
  }
  if (run->histograms && run->histograms->n) {
    heading(file, "Histograms");
    figure_histograms(file, run);
  }
  options(file, run);
  repeat(file, run);
  heading(file, "All numbers");
  fputs("<details><summary>as --json prints them</summary>\n<pre id=\"json\">", file);
  html_text(file, json);
  fputs("</pre></details>\n</section></main>\n</body></html>\n", file);
}

int report_check(const char *path)
{
  size_t n = path ? strlen(path) : 0;
  if (!path) return DONE;
  if (n < sizeof "x.html" - 1 || strcmp(path + n - strlen(".html"), ".html") != 0)
    return complain(BAD_USAGE, "--report must end in .html, got '%s'", path);
  return file_check(path, "no report");
}

int report_html(const struct run *run, const char *json)
{
  char *text = NULL;
  size_t size;
  FILE *memory = open_memstream(&text, &size);
  if (memory) page(memory, run, json);
  int bad = !memory || ferror(memory) | fclose(memory);
  int code = bad ? complain(FAILED, "no memory for the report '%s'", run->arguments->report)
                 : file_write(run->arguments->report, text, size);
  free(text);
  return code;
}

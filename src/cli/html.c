/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "html.h"

#include "json.h"
#include "numbers.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

void html_text(FILE *file, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  while (*s) {
    int bytes = utf8_sequence(s), control = (*s < 0x20 && *s != '\n') || *s == 0x7f;
    if (!bytes || control)
      fputs("&#xfffd;", file);
    else if (strchr("<>&\"'", *s))
      fprintf(file, "&#%d;", *s);
    else
      fwrite(s, 1, (size_t)bytes, file);
    s += bytes ? bytes : 1;
  }
}

void html_element(FILE *file, const char *name, const char *class, const char *text)
{
  fprintf(file, "<%s", name);
  if (class) fprintf(file, " class=\"%s\"", class);
  fputc('>', file);
  html_text(file, text);
  fprintf(file, "</%s>\n", name);
}

void html_number(FILE *file, double value, int digits)
{
  char text[NUMBER_TEXT];
  format_number(text, value);
  if (isfinite(value))
    fprintf(file, "<data value=\"%s\">%.*g</data>", text, digits, value);
  else
    fputs("unknown", file);
}

void html_whole(FILE *file, uint64_t value)
{
  fprintf(file, "<data value=\"%" PRIu64 "\">%" PRIu64 "</data>", value, value);
}

void html_estimate(FILE *file, double value, double error)
{
  char text[ESTIMATE_TEXT], exact[NUMBER_TEXT];
  format_estimate(text, value, error);
  char *sign = strstr(text, " +- ");
  if (!sign || !isfinite(value) || !isfinite(error)) {
    html_text(file, text);
    return;
  }
  *sign = '\0';
  format_number(exact, value);
  fprintf(file, "<data value=\"%s\">%s</data> &#177; ", exact, text);
  format_number(exact, error);
  fprintf(file, "<data value=\"%s\">%s</data>", exact, sign + strlen(" +- "));
}

void html_table(FILE *file, const char *const *columns)
{
  fputs("<div class=\"scroll\"><table><thead><tr>", file);
  for (; *columns; columns++) {
    fputs("<th scope=\"col\">", file);
    html_text(file, *columns);
    fputs("</th>", file);
  }
  fputs("</tr></thead>\n<tbody>\n", file);
}

void html_table_end(FILE *file)
{
  fputs("</tbody></table></div>\n", file);
}

void html_figure(FILE *file, const char *class)
{
  fprintf(file, "<figure class=\"%s\">\n", class);
}

void html_caption(FILE *file, const char *format, ...)
{
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  fputs("<figcaption>", file);
  html_text(file, text);
  fputs("</figcaption>\n</figure>\n", file);
}

void html_key(FILE *file, const char *const *words)
{
  fputs("<ul class=\"key\">", file);
  for (; *words; words += 2) {
    fprintf(file, "<li><span class=\"swatch %s\"></span>", words[0]);
    html_text(file, words[1]);
    fputs("</li>", file);
  }
  fputs("</ul>\n", file);
}

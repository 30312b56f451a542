/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces of a page that is HTML and well-formed XML: text, numbers, tables, figures. */
#ifndef HTML_H
#define HTML_H

#include <stdint.h>
#include <stdio.h>

/* Escapes text, for attributes too. Bytes that are no UTF-8 become U+FFFD. */
void html_text(FILE *file, const char *text);

/* <name class="class">text</name>; class may be NULL. */
void html_element(FILE *file, const char *name, const char *class, const char *text);

/* A number in the digits of --json, as the value of <data>, shown with fewer */
void html_number(FILE *file, double value, int digits);
void html_whole(FILE *file, uint64_t value);

/* "20.227 +- 0.084" of the text report, with both numbers in the digits of --json */
void html_estimate(FILE *file, double value, double error);

/* A table with these columns, up to NULL; rows are the caller's. */
void html_table(FILE *file, const char *const *columns);
void html_table_end(FILE *file);

/* class: "half" of the page's width, or "whole" */
void html_figure(FILE *file, const char *class);

/* What means what, pairs of a class and a word, up to NULL */
void html_key(FILE *file, const char *const *words);

/* What is seen; ends the figure. */
void html_caption(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers from text and to text. */
#ifndef NUMBERS_H
#define NUMBERS_H

enum { NUMBER_TEXT = 32, ESTIMATE_TEXT = 96 };

/* 0, or -1 if the text is no finite number. */
int parse_real(const char *text, double *value);

/* The shortest of 15 to 17 digits that reads back as the same number. */
void format_number(char text[NUMBER_TEXT], double value);

/* "0.99981 +- 0.00012": the value to the second digit of its error. */
void format_estimate(char text[ESTIMATE_TEXT], double value, double error);

#endif

/* SPDX-License-Identifier: MIT */
/* summary_figures: numbers as k6's summary writes them (PROTOCOL 8.5). */
#ifndef K6PIPE_K6GEN_REPORT_SUMMARY_FIGURES_H
#define K6PIPE_K6GEN_REPORT_SUMMARY_FIGURES_H

enum { FIGURE_TEXT = 64 };	/* bytes of a figure's text */

/* 117.55ms: cut, not rounded, to two decimals of the unit. */
void figure_duration(char *text, double ms);

/* 76 kB, 4.8 kB: decimal units, one decimal below ten. */
void figure_bytes(char *text, double bytes);

/* At most six decimals, no trailing zeros. */
void figure_number(char *text, double value);

/* 12.34%: part of all, cut to two decimals. 0 of 0 is 0. */
void figure_percent(char *text, double part, double all);

/* Columns that a terminal needs for UTF-8 text. */
int figure_width(const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/* Numbers with units, as k6's summary prints them. */
#include "k6gen/report/summary_figures.h"

#include <math.h>
#include <stdio.h>

#include "base/units.h"

int
figure_width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void
figure_duration(char *text, double ms)
{
	int64_t ns = (int64_t)(ms * 1e6), unit = NS_PER_S;

	if (ns < NS_PER_US)
		unit = 100;
	else if (ns < NS_PER_MS)
		unit = NS_PER_US;
	else if (ns < NS_PER_S)
		unit = NS_PER_MS;
	(void)duration_print(text, ns - ns % (unit / 100));
}

void
figure_bytes(char *text, double bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB",
		"PB", "EB" };
	size_t u = 0;

	if (bytes < 10) {
		(void)snprintf(text, FIGURE_TEXT, "%.0f B", floor(bytes));
		return;
	}
	while (bytes >= 1000 && u + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1000;
		u++;
	}
	bytes = floor(bytes * 10 + 0.5) / 10;
	(void)snprintf(text, FIGURE_TEXT, bytes < 10 ? "%.1f %s" : "%.0f %s",
	    bytes, units[u]);
}

void
figure_number(char *text, double value)
{
	char *end = text + snprintf(text, FIGURE_TEXT, "%.6f", value);

	while (end[-1] == '0')
		*--end = '\0';
	if (end[-1] == '.')
		end[-1] = '\0';
}

void
figure_percent(char *text, double part, double all)
{
	double rate = all > 0 ? part / all : 0;

	(void)snprintf(text, FIGURE_TEXT, "%.2f%%",
	    floor(rate * 10000 + 1e-9) / 100);
}

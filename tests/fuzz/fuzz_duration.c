/* SPDX-License-Identifier: MIT */
/* Durations, times and numbers: what is read prints as text that reads as the
 * same value. */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
duration(const char *text)
{
	char printed[DURATION_TEXT];
	int64_t ns, back;

	if (!duration_parse(text, &ns))
		return;
	if (duration_print(printed, ns) >= DURATION_TEXT ||
	    !duration_parse(printed, &back) || back != ns)
		abort();
}

static void
time_of_day(struct span text)
{
	char printed[TIME_TEXT];
	int64_t ns, back;
	size_t n;

	if (!time_parse(text, &ns))
		return;
	n = time_print(printed, ns);
	if (n >= TIME_TEXT ||
	    !time_parse((struct span){ printed, n }, &back) || back != ns)
		abort();
}

static void
number(const char *text, size_t n)
{
	char printed[NUM_TEXT];
	double v, back;
	int64_t ns, i;
	size_t length = num_parse(text, n, &v);

	if (length > n)
		abort();
	if (length != 0) {
		if (strtod(text, NULL) != v && length == strlen(text))
			abort();
		n = num_print(printed, v);
		if (n >= NUM_TEXT || num_parse(printed, n, &back) != n ||
		    memcmp(&back, &v, sizeof(v)) != 0)
			abort();
		if (num_ms_to_ns(v, &ns)) {
			n = num_print_ms(printed, ns);
			if (num_parse(printed, n, &back) != n ||
			    !num_ms_to_ns(back, &i) || i != ns)
				abort();
		}
	}
	if (num_parse_int(text, -1000, INT64_MAX, &i) && i < -1000)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	if (text == NULL)
		return 0;
	if (n != 0)
		memcpy(text, data, n);
	text[n] = '\0';
	duration(text);
	time_of_day((struct span){ (const char *)data, n });
	number(text, n);
	free(text);
	return 0;
}

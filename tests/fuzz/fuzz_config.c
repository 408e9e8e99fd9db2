/* SPDX-License-Identifier: MIT */
/* The cloud's part of a config file, or a server's answer, as any bytes:
 * what is taken must be in range, and taken again from its own text. */
#include <math.h>
#include <stdlib.h>

#include "data/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct settings s, again;
	struct why why = { "" };
	const char *text;
	int i;

	settings_init(&s);
	settings_init(&again);
	if (settings_from_json(&s, (struct span){ (const char *)data, n },
	    FROM_SERVER, &why) < 0 && why.text[0] == '\0')
		abort();
	for (i = 0; i < SETTINGS; i++) {
		text = settings_text(&s, (enum setting)i);
		if (text == NULL)
			continue;
		if (settings_set(&again, (enum setting)i, text, FROM_SERVER,
		    &why) < 0 || again.v[i].number != s.v[i].number ||
		    again.v[i].real != s.v[i].real)
			abort();
		if (settings_table[i].type == SETTING_REAL &&
		    !(isfinite(s.v[i].real) && s.v[i].real >= 0))
			abort();
		if (settings_table[i].type != SETTING_TEXT &&
		    s.v[i].number < 0)
			abort();
	}
	settings_release(&s);
	settings_release(&again);
	return 0;
}

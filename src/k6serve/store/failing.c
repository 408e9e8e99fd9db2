/* SPDX-License-Identifier: MIT */
/* Says once that work fails for long, and that it goes on. */
#include "k6serve/store/failing.h"

#include "base/die.h"
#include "base/units.h"

enum { TELL_MS = 10000 };	/* of failures, before they are told */

void
failing_note(struct failing *f, int status, const char *what,
    const struct why *why)
{
	int64_t now_ns = now_monotonic_ns();

	if (status >= 0) {
		if (f->is_told)
			warnf("%s goes on", what);
		*f = (struct failing){ .since_ns = 0 };
		return;
	}
	if (f->since_ns == 0)
		f->since_ns = now_ns;
	if (f->is_told || now_ns - f->since_ns < TELL_MS * NS_PER_MS)
		return;
	warnf("%s waits for the database: %s", what, why->text);
	f->is_told = true;
}

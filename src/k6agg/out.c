/* SPDX-License-Identifier: MIT */
#include "k6agg/out.h"

#include <errno.h>
#include <stdio.h>

#include "data/sample.h"

void
out_release(struct out *o)
{
	buf_release(&o->scratch);
}

static void
put(struct out *o, struct span s)
{
	if (fwrite_unlocked(s.p, 1, s.n, stdout) != s.n && o->error == 0)
		o->error = errno;
}

void
out_line(struct out *o, struct span line, bool had_newline)
{
	if (o->lacks_newline)
		(void)putc_unlocked('\n', stdout);
	put(o, line);
	/* `cat` adds no newline; neither do we, unless something follows. */
	o->lacks_newline = !had_newline;
	if (had_newline)
		(void)putc_unlocked('\n', stdout);
}

void
out_lines(struct out *o, struct span lines)
{
	if (o->lacks_newline)
		(void)putc_unlocked('\n', stdout);
	o->lacks_newline = false;
	put(o, lines);
}

void
out_aggregate(struct out *o, const struct aggregate *a)
{
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = a };

	buf_reset(&o->scratch);
	sample_print(&s, true, &o->scratch);
	buf_char(&o->scratch, '\n');
	out_lines(o, buf_whole(&o->scratch));
}

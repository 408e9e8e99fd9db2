/* SPDX-License-Identifier: MIT */
/* Lines to stdout, in large pieces. */
#include "k6agg/write/out.h"

#include <errno.h>
#include <stdio.h>

#include "data/sample.h"

/* So much is written at a time. It stays in the cache of a core. */
enum { PIECE = 1 << 17 };

void
out_release(struct out *o)
{
	buf_release(&o->pending);
}

static void
put(struct out *o, struct span s)
{
	if (s.n > 0 && !o->is_discarding &&
	    fwrite_unlocked(s.p, 1, s.n, stdout) != s.n && o->error == 0)
		o->error = errno;
}

static void
write_pending(struct out *o)
{
	put(o, buf_whole(&o->pending));
	buf_reset(&o->pending);
}

struct buf *
out_open(struct out *o)
{
	if (o->lacks_newline)
		buf_char(&o->pending, '\n');
	o->lacks_newline = false;
	return &o->pending;
}

void
out_added(struct out *o)
{
	if (o->pending.n >= PIECE)
		write_pending(o);
}

void
out_flush(struct out *o)
{
	write_pending(o);
	if (fflush(stdout) != 0 && o->error == 0)
		o->error = errno;
}

void
out_line(struct out *o, struct span line, bool had_newline)
{
	struct buf *to = out_open(o);

	buf_span(to, line);
	/* `cat` adds no newline; neither do we, unless something follows. */
	o->lacks_newline = !had_newline;
	if (had_newline)
		buf_char(to, '\n');
	out_added(o);
}

void
out_lines(struct out *o, struct span lines)
{
	struct buf *to = out_open(o);

	if (lines.n < PIECE / 2) {
		buf_span(to, lines);
		out_added(o);
	} else {
		write_pending(o);
		put(o, lines);
	}
}

void
out_aggregate(struct out *o, const struct aggregate *a)
{
	struct sample s = { .kind = SAMPLE_AGGREGATE, .aggregate = a };
	struct buf *to = out_open(o);

	sample_print(&s, true, to);
	buf_char(to, '\n');
	out_added(o);
}

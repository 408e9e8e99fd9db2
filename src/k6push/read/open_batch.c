/* SPDX-License-Identifier: MIT */
/* A batch that is not cut yet, and its lines. */
#include "k6push/read/open_batch.h"

#include "data/stream.h"

struct batch *
open_batch_new(uint64_t number, uint8_t format, bool is_loose)
{
	struct batch *p = batch_new(number);

	p->id.format = format;
	p->is_plain = true;
	p->is_loose = is_loose;
	return p;
}

void
open_batch_declare(struct open_batch *o, const struct metrics *metrics)
{
	const struct metric *m;
	size_t at = 0;

	while ((m = map_next(&metrics->by_name, &at)) != NULL)
		if (m->is_declared)
			stream_print_metric(&o->lines, m, SPAN("[]"),
			    SPAN("null"));
}

void
open_batch_line(struct open_batch *o, struct span line, uint64_t points,
    uint64_t requests)
{
	buf_span(&o->lines, line);
	buf_char(&o->lines, '\n');
	o->batch->id.points += points;
	o->batch->id.requests += requests;
}

int
open_batch_keep(struct open_batch *o, struct journal *journal,
    struct why *why)
{
	if (o->lines.n == 0)
		return 0;
	if (journal_piece(journal, &o->batch->id, buf_whole(&o->lines), why) <
	    0)
		return -1;
	buf_reset(&o->lines);
	return 0;
}

struct batch *
open_batch_close(struct open_batch *o, struct journal *journal)
{
	struct batch *p = o->batch;
	struct why why;

	if (p->is_loose || open_batch_keep(o, journal, &why) < 0 ||
	    journal_cut(journal, &p->id, &why) < 0)
		p->is_loose = true;
	buf_release(&o->lines);
	*o = (struct open_batch){ 0 };
	return p;
}

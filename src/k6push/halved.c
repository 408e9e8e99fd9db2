/* SPDX-License-Identifier: MIT */
/*
 * Makes the parts of a halved batch again from the whole, if an earlier
 * process had halved it and not all parts are on disk or done. They have the
 * same bytes and keys as they had then.
 */
#include <inttypes.h>

#include "base/die.h"
#include "k6push/read/recover.h"
#include "k6push/session.h"
#include "k6push/wire/wire.h"

/* A part that is to be sent. The uploader owns it from here on. */
static void
add_part(struct session *session, struct batch *p, struct whole *w)
{
	p->is_loose = true;
	p->order = w->order;
	p->whole = w;
	session->found.points += p->id.points;
	session->found.requests += p->id.requests;
	packer_pack(session->packer, p);
	uploader_add(session->uploader, p);
}

/* Make what is wanted of p's parts; p is not needed afterwards. -1: why. */
static int
make_parts(struct session *session, const struct journal_found *found,
    struct batch *p, struct why *why)
{
	const struct wire *wire = wire_of(p->id.format);
	struct batch *part[2] = { batch_part(p, 0), batch_part(p, 1) };
	enum journal_part what[2];
	struct whole *w;
	int i, status = wire->split(p, buf_whole(&p->body), part[0], part[1],
	    why);

	w = status == 0 ? whole_new(p) : NULL;
	for (i = 0; i < 2 && status == 0; i++) {
		what[i] = journal_part(found, p->id.number, i,
		    &part[i]->id.number);
		w->n_parts += what[i] != JOURNAL_PART_NONE;
	}
	for (i = 0; i < 2 && status == 0; i++) {
		if (what[i] == JOURNAL_PART_WANTED) {
			add_part(session, part[i], w);
			part[i] = NULL;
		} else if (what[i] == JOURNAL_PART_HALVED) {
			part[i]->whole = w;
			status = make_parts(session, found, part[i], why);
		}
	}
	batch_free(part[0]);
	batch_free(part[1]);
	return status;
}

void
session_take_halved(struct session *session,
    const struct journal_found *found, const struct journal_batch *b,
    const struct journal_place *place, struct span pieces)
{
	struct batch *p = batch_new(b->number);
	struct recover_as as = { .config = &session->remote.config };
	struct buf plain = { 0 };
	int status = 0;
	struct why why;

	p->id = *b;
	p->order = journal_root(found, b->number);
	p->place = *place;
	if (wire_of(b->format) == NULL) {
		session->foreign.points += b->points;
		session->foreign.requests += b->requests;
		batch_free(p);
		return;
	}
	if (place->segment != 0) {
		status = journal_read(session->journal, place, &p->body, &why);
	} else {
		status = recover_batch(p, pieces, &as, &plain, &why);
		if (status == 0)
			status = wire_of(b->format)->pack(buf_whole(&plain),
			    &p->body, &why);
		buf_release(&plain);
	}
	if (status == 0)
		status = make_parts(session, found, p, &why);
	if (status < 0)
		warnf("batch %" PRIu64 ": %s", b->number, why.text);
	if (status == JOURNAL_UNREADABLE)
		session->is_unreadable = true;
	else
		session->missing += status < 0;
	batch_free(p);
}

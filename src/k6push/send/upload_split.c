/* SPDX-License-Identifier: MIT */
/* Replaces a batch by its halves, of which the journal learns first. */
#include "base/die.h"
#include "base/units.h"
#include "k6push/send/upload_priv.h"

/* whole_done: nothing needs it any more. */
static void
end_whole(void *ctx, const struct whole *w)
{
	struct uploader *u = ctx;

	journal_done(u->journal, &w->id, JOURNAL_SPLIT, &w->place);
}

void
upload_leave_whole(struct uploader *u, struct batch *p)
{
	batch_leave_whole(p, end_whole, u);
}

/* A batch that cannot be split now: others go first. */
static enum split
split_later(struct uploader *u, struct batch *p, const char *why)
{
	if (!u->is_held)
		warnf("%s: a batch that is too large waits", why);
	u->is_held = true;
	p->not_before_ns = now_monotonic_ns() + NS_PER_S;
	return SPLIT_LATER;
}

/* Both parts have their bodies: give them numbers, and to the disk. w: what
 * stands for them there; NULL: nothing does. */
static void
put_parts(struct uploader *u, struct batch *part[2], uint64_t number,
    const struct batch *p, struct whole *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		part[i]->id.number = part[i]->order = number + (uint64_t)i;
		if (wire_of(part[i]->id.format)->is_ordered)
			part[i]->order = p->order;
		/* It came of no accident, so it need not come so often. */
		part[i]->failed_by = p->failed_by;
		part[i]->failing_ns = p->failing_ns;
		part[i]->failed_alike = p->failed_alike > 0 ?
		    UPLOAD_ALIKE - 1 : 0;
		part[i]->is_found = p->is_found;
		part[i]->is_loose = true;
		part[i]->whole = w;
		if (w != NULL)
			w->n_parts++;
	}
	for (i = 0; i < 2; i++) {
		packer_pack(u->packer, part[i]);
		if (!part[i]->is_loose)
			upload_leave_whole(u, part[i]);
		batches_add(&u->waiting, part[i]);
	}
}

enum split
upload_split(struct uploader *u, struct batch *p, struct span kept)
{
	const struct wire *wire = wire_of(p->id.format);
	struct batch *part[2] = { batch_part(p, 0), batch_part(p, 1) };
	bool is_on_disk = u->journal != NULL && (!p->is_loose ||
	    p->whole != NULL) && (!wire->is_ordered ||
	    p->place.segment != 0 || p->whole != NULL);
	enum split status = SPLIT_DONE;
	struct whole *w = NULL;
	uint64_t number;
	struct why why;

	if (wire->split(p, kept, part[0], part[1], &why) < 0)
		status = SPLIT_SINGLE;
	else if (u->journal != NULL && !is_on_disk)
		status = split_later(u, p, "the journal has no room");
	if (status == SPLIT_DONE) {
		number = numbers_take(u->numbers, 2);
		if (is_on_disk && journal_halve(u->journal, &p->id, number,
		    &why) < 0)
			status = split_later(u, p, why.text);
	}
	if (status != SPLIT_DONE) {
		batch_free(part[0]);
		batch_free(part[1]);
		return status;
	}
	u->splits++;
	u->is_held = false;
	u->acked_ns = now_monotonic_ns();	/* that is progress too */
	packer_forget_loose(u->packer, p);
	batches_remove(&u->waiting, p);
	if (is_on_disk)
		w = whole_new(p);
	put_parts(u, part, number, p, w);
	batch_free(p);
	return SPLIT_DONE;
}

/* SPDX-License-Identifier: MIT */
#include "k6push/send/superseded.c"

#include "tap.h"

#include "data/remote.h"

static struct superseded s;
static uint64_t ended[8];
static int n_ended;

/* A batch of series a, b... as the text says, each worth so many points. */
static struct batch
batch_with(uint64_t number, const char *series, uint64_t points)
{
	struct batch p = { .id.number = number, .id.format = wire_rw.format };
	struct rw_share shares[8];
	struct pb_out message = { 0 };
	struct buf plain = { 0 }, text = { 0 };
	struct remote_labels labels;
	struct remote_label pair = { SPAN("k"), SPAN("v") };
	const struct remote_label none = { SPAN(""), SPAN("") };
	size_t n = strlen(series), i, since;
	struct why why;

	labels = remote_labels_make(&pair, 1, &text);
	for (i = n; i-- > 0;) {
		since = message.n;
		shares[i] = (struct rw_share){ points, points / 2 };
		remote_put_sample((double)number, (int64_t)number, 0, &message);
		remote_put_labels(&labels, (struct span){ series + i, 1 },
		    &none, &message);
		pb_put_message(&message, REMOTE_SERIES, since);
	}
	rw_put_plain(&plain, shares, n, pb_whole(&message));
	CHECK(wire_rw.pack(buf_whole(&plain), &p.body, &why) == 0);
	pb_release(&message);
	buf_release(&plain);
	buf_release(&text);
	return p;
}

static void
on_done(void *ctx, const struct journal_batch *id)
{
	(void)ctx;
	ended[n_ended++] = id->number;
}

static void
refuse(uint64_t number, const char *series, uint64_t points)
{
	struct batch p = batch_with(number, series, points);

	superseded_hold(&s, &p, buf_whole(&p.body));
	buf_release(&p.body);
}

/* How many points of what was refused count when these series are taken. */
static uint64_t
take(const char *series, uint16_t flags)
{
	struct batch p = batch_with(99, series, 1);
	struct amount taken;

	n_ended = 0;
	p.id.flags = flags;
	taken = superseded_take(&s, &p, buf_whole(&p.body), on_done, NULL);
	buf_release(&p.body);
	CHECK(taken.requests == taken.points / 2);
	return taken.points;
}

static void
one_series(void)
{
	refuse(1, "a", 10);
	refuse(2, "a", 20);
	refuse(3, "b", 40);
	CHECK(take("cd", 0) == 0 && n_ended == 0);
	CHECK(take("ca", 0) == 30);
	CHECK(n_ended == 2 && ended[0] == 1 && ended[1] == 2);
	CHECK(take("a", 0) == 0);
	/* Again, after one that was taken. */
	refuse(4, "a", 80);
	CHECK(take("ab", 0) == 120 && n_ended == 2 && ended[0] == 3);
	superseded_release(&s);
}

static void
several_series(void)
{
	refuse(1, "abc", 10);
	refuse(2, "c", 2);
	CHECK(take("ab", 0) == 20 && n_ended == 0);
	CHECK(take("c", 0) == 12 && n_ended == 2);
	superseded_release(&s);
}

static void
marks(void)
{
	struct batch other = { .id.format = wire_v1.format };

	refuse(1, "a", 10);
	/* A begin or an end has no total. */
	CHECK(take("a", RW_MARKS) == 0 && n_ended == 0);
	superseded_hold(&s, &other, SPAN("{}"));
	CHECK(superseded_take(&s, &other, SPAN("{}"), on_done, NULL).points
	    == 0);
	other.id.format = wire_rw.format;
	superseded_hold(&s, &other, SPAN("\377damaged"));
	CHECK(take("a", 0) == 10 && n_ended == 1);
	superseded_release(&s);
}

int
main(void)
{
	test("a later sample of the series has what was refused", one_series);
	test("a batch of several goes when none of them is open",
	    several_series);
	test("marks, other wires and damage supersede nothing", marks);
	return tap_end();
}

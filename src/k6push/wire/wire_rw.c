/* SPDX-License-Identifier: MIT */
/* Prometheus' remote write: a message in a snappy block, with its books. */
#include "k6push/wire/wire_rw.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "data/remote.h"
#include "io/snap.h"

/* Past what any batch of ours unpacks to. */
#define PLAIN_MAX ((size_t)1 << 30)

static const char *const form_names[RW_FORMS] = { "native", "vmrange",
	"classic", "stats" };

bool
rw_form_is_set(const struct settings *s)
{
	return settings_text(s, SET_RW_FORM) != NULL ||
	    settings_text(s, SET_RW_NATIVE) != NULL;
}

int
rw_form_of(const struct settings *s)
{
	const char *name = settings_text(s, SET_RW_FORM);
	int i;

	if (name == NULL)
		return settings_text(s, SET_RW_NATIVE) != NULL &&
		    !settings_bool(s, SET_RW_NATIVE) ? RW_STATS : RW_NATIVE;
	for (i = 0; i < RW_FORMS; i++)
		if (strcmp(name, form_names[i]) == 0)
			return i;
	return -1;
}

unsigned
rw_variant(const struct settings *s)
{
	return (unsigned)rw_form_of(s) * 4 +
	    (unsigned)settings_int(s, SET_RW_VERSION);
}

static void
put_varint(struct buf *out, uint64_t v)
{
	unsigned char bytes[VARINT_BYTES];

	buf_add(out, bytes, varint_put(bytes, v));
}

/* Shares, with their length in front. */
static void
put_shares(struct buf *out, const struct rw_share *shares, size_t n)
{
	struct buf text = { 0 };
	size_t i;

	put_varint(&text, n);
	for (i = 0; i < n; i++) {
		put_varint(&text, shares[i].points);
		put_varint(&text, shares[i].requests);
	}
	put_varint(out, text.n);
	buf_span(out, buf_whole(&text));
	buf_release(&text);
}

void
rw_put_plain(struct buf *out, const struct rw_share *shares, size_t n,
    struct span message)
{
	put_shares(out, shares, n);
	buf_span(out, message);
}

/* Take the shares from the begin of a body. */
static int
take_shares(struct span body, struct span *shares, struct span *rest,
    struct why *why)
{
	const unsigned char *p = (const unsigned char *)body.p;
	const unsigned char *end = p + body.n;
	uint64_t n;

	if (!varint_take(&p, end, &n) || n > (uint64_t)(end - p))
		return why_set(why, "its books are damaged");
	*shares = (struct span){ (const char *)p, (size_t)n };
	p += n;
	*rest = (struct span){ (const char *)p, (size_t)(end - p) };
	return 0;
}

int
rw_read_plain(struct rw_plain *out, struct span plain, struct why *why)
{
	const unsigned char *p, *end;
	struct span text;
	uint64_t n, i;

	*out = (struct rw_plain){ 0 };
	if (take_shares(plain, &text, &out->message, why) < 0)
		return -1;
	p = (const unsigned char *)text.p;
	end = p + text.n;
	if (!varint_take(&p, end, &n) || n > (uint64_t)(end - p))
		return why_set(why, "its books are damaged");
	out->shares = xcalloc((size_t)n + 1, sizeof(*out->shares));
	for (i = 0; i < n; i++)
		if (!varint_take(&p, end, &out->shares[i].points) ||
		    !varint_take(&p, end, &out->shares[i].requests)) {
			free(out->shares);
			return why_set(why, "its books are damaged");
		}
	out->n = (size_t)n;
	return 0;
}

/* Only the message is packed: what is kept is sent as it stands. */
static int
pack(struct span plain, struct buf *kept, struct why *why)
{
	struct span shares, message;

	if (take_shares(plain, &shares, &message, why) < 0)
		return -1;
	put_varint(kept, shares.n);
	buf_span(kept, shares);
	snap_pack(message, kept);
	return 0;
}

/* The message in another form. */
static int
rewrite(struct span block, const struct settings *s, struct wire_message *m,
    struct why *why)
{
	struct pb_out form = { 0 }, made = { 0 };
	struct buf message = { 0 };
	int status = snap_unpack(block, PLAIN_MAX, &message, why);

	if (status >= 0 && rw_form_of(s) != RW_NATIVE) {
		status = rw_rewrite(buf_whole(&message), (enum rw_form)
		    rw_form_of(s), &form, why);
		buf_reset(&message);
		buf_span(&message, pb_whole(&form));
	}
	if (status >= 0 && settings_int(s, SET_RW_VERSION) == 2) {
		status = rw_rewrite_2(buf_whole(&message), &made,
		    &m->values, why);
		buf_reset(&message);
		buf_span(&message, pb_whole(&made));
	}
	if (status >= 0)
		snap_pack(buf_whole(&message), &m->own);
	pb_release(&form);
	pb_release(&made);
	buf_release(&message);
	return status < 0 ? -1 : 0;
}

static int
dress(const struct batch *p, struct span kept, const struct settings *s,
    struct wire_message *m, struct why *why)
{
	bool is_2 = settings_int(s, SET_RW_VERSION) == 2;
	struct span shares;

	(void)p;
	m->variant = rw_variant(s);
	if (take_shares(kept, &shares, &m->body, why) < 0)
		return -1;
	if (is_2 || rw_form_of(s) != RW_NATIVE) {
		if (rewrite(m->body, s, m, why) < 0)
			return -1;
		m->body = buf_whole(&m->own);
	}
	wire_header(m, is_2 ? "Content-Type: application/x-protobuf;"
	    "proto=io.prometheus.write.v2.Request"
	    : "Content-Type: application/x-protobuf");
	wire_header(m, "Content-Encoding: snappy");
	wire_header(m, is_2 ? "X-Prometheus-Remote-Write-Version: 2.0.0"
	    : "X-Prometheus-Remote-Write-Version: 0.1.0");
	return 0;
}

/* Where the series with this number begins. 0: it is not there. */
static size_t
find_series(struct span message, size_t number, struct why *why)
{
	struct pb r = pb_of(message);
	struct pb_field f;
	size_t i;

	for (i = 0; i < number; i++)
		if (!pb_next(&r, &f)) {
			(void)why_set(why, "%s", r.error != NULL ? r.error
			    : "it has fewer series than its books");
			return 0;
		}
	return (size_t)((const char *)r.p - message.p);
}

/* The labels of a series, which are its begin. */
static struct span
key_of(struct span series)
{
	struct pb r = pb_of(series);
	struct pb_field f;
	const unsigned char *end = r.p;

	while (pb_next(&r, &f) && f.number == REMOTE_LABEL)
		end = r.p;
	return (struct span){ series.p, (size_t)((const char *)end -
	    series.p) };
}

int
rw_each_series(struct span kept, rw_take_series *take, void *ctx,
    struct why *why)
{
	struct rw_plain body = { 0 };
	struct buf plain = { 0 };
	struct pb_field f;
	struct pb r;
	size_t i;
	int status = -1;

	if (rw_read_plain(&body, kept, why) < 0)
		return -1;
	if (snap_unpack(body.message, PLAIN_MAX, &plain, why) == 0 &&
	    find_series(buf_whole(&plain), body.n, why) > 0) {
		r = pb_of(buf_whole(&plain));
		for (i = 0; i < body.n && pb_next(&r, &f); i++)
			take(ctx, key_of(f.bytes), &body.shares[i]);
		status = 0;
	}
	free(body.shares);
	buf_release(&plain);
	return status;
}

/* A part: its series as they stand, and what they stand for. */
static void
put_part(struct batch *p, struct span message, const struct rw_share *shares,
    size_t n)
{
	size_t i;

	put_shares(&p->body, shares, n);
	snap_pack(message, &p->body);
	p->id.samples = n;
	p->id.plain_bytes = message.n;
	p->id.points = p->id.requests = 0;
	for (i = 0; i < n; i++) {
		p->id.points += shares[i].points;
		p->id.requests += shares[i].requests;
	}
}

static int
split(const struct batch *p, struct span kept, struct batch *left,
    struct batch *right, struct why *why)
{
	struct rw_plain body = { 0 };
	struct buf plain = { 0 };
	struct span shares, block;
	size_t at, n = 0;
	int status = -1;

	(void)p;
	if (take_shares(kept, &shares, &block, why) < 0 ||
	    rw_read_plain(&body, kept, why) < 0)
		return -1;
	n = body.n / 2;
	at = 0;
	if (n == 0)
		(void)why_set(why, "it is one series");
	else if (snap_unpack(block, PLAIN_MAX, &plain, why) == 0)
		at = find_series(buf_whole(&plain), n, why);
	if (at > 0) {
		put_part(left, (struct span){ plain.p, at }, body.shares, n);
		put_part(right, (struct span){ plain.p + at, plain.n - at },
		    body.shares + n, body.n - n);
		status = 0;
	}
	free(body.shares);
	buf_release(&plain);
	return status;
}

const struct wire wire_rw = { 3, true, "", { "\1\0", 2 }, ".rw",
	SET_MAX_TIME_SERIES, pack, dress, split };

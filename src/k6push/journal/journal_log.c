/* SPDX-License-Identifier: MIT */
/*
 * Records: a head of RECORD_HEAD bytes and the payload. Numbers are
 * little-endian. Head: magic 4, CRC-32C of all that follows 4, type 1, format
 * 1, flags 2, payload bytes 4, number 8, key 16, samples 8, points 8, requests
 * 8, plain bytes 8, parent 8.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "k6push/journal/crc.h"
#include "k6push/journal/journal_priv.h"

static const char magic[4] = { 'k', '6', 'j', '1' };

enum { PAYLOAD_MAX = 256 << 20 };

#define FILE_MAX ((off_t)1 << 36)	/* an open batch may be large */

static void
put(unsigned char *to, uint64_t value, int bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		*to++ = (unsigned char)value;
}

static uint64_t
get(const unsigned char *from, int bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | from[bytes];
	return value;
}

static void
head_encode(unsigned char head[RECORD_HEAD], const struct record *r)
{
	const struct journal_batch *b = &r->batch;

	memcpy(head, magic, sizeof(magic));
	put(head + 8, r->type, 1);
	put(head + 9, b->format, 1);
	put(head + 10, b->flags, 2);
	put(head + 12, r->payload.n, 4);
	put(head + 16, b->number, 8);
	memcpy(head + 24, b->key, JOURNAL_KEY);
	put(head + 40, b->samples, 8);
	put(head + 48, b->points, 8);
	put(head + 56, b->requests, 8);
	put(head + 64, b->plain_bytes, 8);
	put(head + 72, b->parent, 8);
	put(head + 4, crc32c(crc32c(0, head + 8, RECORD_HEAD - 8),
	    r->payload.p, r->payload.n), 4);
}

static void
head_decode(const unsigned char head[RECORD_HEAD], struct record *r)
{
	struct journal_batch *b = &r->batch;

	*r = (struct record){ .type = (enum record_type)head[8] };
	b->format = head[9];
	b->flags = (uint16_t)get(head + 10, 2);
	b->number = get(head + 16, 8);
	memcpy(b->key, head + 24, JOURNAL_KEY);
	b->samples = get(head + 40, 8);
	b->points = get(head + 48, 8);
	b->requests = get(head + 56, 8);
	b->plain_bytes = get(head + 64, 8);
	b->parent = get(head + 72, 8);
}

bool
record_head(struct span bytes, struct record *r)
{
	if (bytes.n < RECORD_HEAD || memcmp(bytes.p, magic, sizeof(magic)) !=
	    0)
		return false;
	head_decode((const unsigned char *)bytes.p, r);
	return true;
}

bool
record_parse(const char *p, size_t n, struct record *r)
{
	const unsigned char *head = (const unsigned char *)p;
	size_t payload;

	if (n < RECORD_HEAD || memcmp(p, magic, sizeof(magic)) != 0)
		return false;
	payload = get(head + 12, 4);
	if (payload > n - RECORD_HEAD || get(head + 4, 4) != crc32c(0,
	    head + 8, RECORD_HEAD - 8 + payload))
		return false;
	head_decode(head, r);
	r->payload = (struct span){ p + RECORD_HEAD, payload };
	return true;
}

int
record_write(int fd, uint64_t *offset, const struct record *r,
    struct why *why)
{
	unsigned char head[RECORD_HEAD];
	struct iovec part[2] = { { head, sizeof(head) },
	    { (void *)(uintptr_t)r->payload.p, r->payload.n } };
	size_t all = sizeof(head) + r->payload.n, done = 0;
	int first = 0;
	ssize_t n;

	if (r->payload.n > PAYLOAD_MAX)
		return why_set(why, "a record of %zu bytes", r->payload.n);
	head_encode(head, r);
	while (done < all) {
		n = pwritev(fd, part + first, 2 - first,
		    (off_t)(*offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return why_set(why, "%s", n < 0 ? strerror(errno)
			    : "nothing was written");
		done += (size_t)n;
		for (; first < 2 && (size_t)n >= part[first].iov_len; first++)
			n -= (ssize_t)part[first].iov_len;
		if (first < 2) {
			part[first].iov_base = (char *)part[first].iov_base + n;
			part[first].iov_len -= (size_t)n;
		}
	}
	*offset += all;
	return 0;
}

/* A record whose writing was cut short, or room that was never written. */
static bool
is_torn(const char *p, size_t n)
{
	size_t i;

	if (n >= RECORD_HEAD && memcmp(p, magic, sizeof(magic)) == 0)
		return get((const unsigned char *)p + 12, 4) >
		    n - RECORD_HEAD;
	if (n < RECORD_HEAD && memcmp(p, magic, n < sizeof(magic) ? n
	    : sizeof(magic)) == 0)
		return true;
	for (i = 0; i < n && p[i] == '\0'; i++)
		;
	return i == n;
}

bool
record_next(struct span file, size_t *at, struct record *r, record_bad *bad,
    void *ctx)
{
	const char *begin = file.p + *at, *end = file.p + file.n, *p = begin;
	struct span skipped;

	while (p != NULL && p < end &&
	    !record_parse(p, (size_t)(end - p), r))
		p = memmem(p + 1, (size_t)(end - p) - 1, magic,
		    sizeof(magic));
	skipped = (struct span){ begin, (size_t)((p != NULL ? p : end) -
	    begin) };
	if (skipped.n > 0)
		bad(ctx, skipped, (p == NULL || p >= end) &&
		    is_torn(skipped.p, skipped.n));
	if (p == NULL || p >= end) {
		*at = file.n;
		return false;
	}
	r->offset = (uint64_t)(r->payload.p - file.p);
	*at = r->offset + r->payload.n;
	return true;
}

/* Damage begins where a record was to begin, whatever stands there. */
bool
record_next_damaged(struct span damaged, size_t *at, uint64_t *number,
    uint64_t *parent)
{
	const char *end = damaged.p + damaged.n, *p = damaged.p + *at;

	if (*at > 0)
		p = p < end ? memmem(p, (size_t)(end - p), magic,
		    sizeof(magic)) : NULL;
	if (p == NULL || (size_t)(end - p) < RECORD_HEAD)
		return false;
	*number = get((const unsigned char *)p + 16, 8);
	*parent = get((const unsigned char *)p + 72, 8);
	*at = (size_t)(p - damaged.p) + 1;
	return true;
}

int
journal_slurp(int dir, const char *name, struct buf *out, struct why *why)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	struct stat st = { 0 };
	ssize_t n = 0;
	char *room;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 1
		    : why_set(why, "%s: %s", name, strerror(errno));
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return 1;
	}
	if (st.st_size > FILE_MAX) {
		(void)close(fd);
		return why_set(why, "%s: larger than a file of a journal",
		    name);
	}
	do {
		room = buf_room(out, (size_t)st.st_size + 1);
		n = read(fd, room, (size_t)st.st_size + 1);
		if (n > 0)
			out->n += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		(void)why_set(why, "%s: %s", name, strerror(errno));
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

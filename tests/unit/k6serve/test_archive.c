/* SPDX-License-Identifier: MIT */
#include "k6serve/ingest/archive.c"

#include "tap.h"

/* A member of so many bytes of c; returns its blocks. */
static size_t
put(char *at, const char *name, char type, size_t n, char c)
{
	memset(at, 0, BLOCK + n);
	(void)snprintf(at, NAME_BYTES, "%s", name);
	(void)snprintf(at + SIZE_AT, SIZE_BYTES, "%011zo", n);
	at[TYPE_AT] = type;
	memset(at + BLOCK, c, n);
	return 1 + (n + BLOCK - 1) / BLOCK;
}

static void
finds(void)
{
	static char tar[16 * BLOCK];
	size_t n = put(tar, "metadata.json.not", '0', 513, 'a');
	struct span content, whole = { tar, 0 };

	n += put(tar + n * BLOCK, "metadata.json", '5', 0, ' ');
	n += put(tar + n * BLOCK, "metadata.json", '0', 700, 'b');
	n += put(tar + n * BLOCK, "last", '0', 512, 'c');
	whole.n = n * BLOCK;
	CHECK(archive_file(whole, "metadata.json", &content));
	CHECK(content.n == 700 && content.p[0] == 'b' &&
	    content.p[699] == 'b');
	CHECK(archive_file(whole, "last", &content));
	CHECK(content.n == 512 && content.p[511] == 'c');
	CHECK(!archive_file(whole, "none", &content));
	/* the blocks of zeros at the end */
	whole.n += 2 * BLOCK;
	CHECK(!archive_file(whole, "none", &content));
}

static void
refuses(void)
{
	static char tar[4 * BLOCK];
	struct span content, whole = { tar, 3 * BLOCK };
	size_t n;

	(void)put(tar, "x", '0', 1024, 'a');
	CHECK(archive_file(whole, "x", &content));
	for (n = 0; n < 3 * BLOCK; n++)
		CHECK(!archive_file((struct span){ tar, n }, "x", &content));
	tar[SIZE_AT] = '-';
	CHECK(!archive_file(whole, "x", &content));
	memset(tar + SIZE_AT, '7', SIZE_BYTES);
	CHECK(!archive_file(whole, "x", &content));
	CHECK(!archive_file(SPAN("no tar at all"), "x", &content));
	CHECK(!archive_file((struct span){ NULL, 0 }, "x", &content));
}

int
main(void)
{
	test("a file of an archive is found by its name", finds);
	test("what is cut short or no tar has no file", refuses);
	return tap_end();
}

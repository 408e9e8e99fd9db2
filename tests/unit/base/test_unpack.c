/* SPDX-License-Identifier: MIT */
#include "base/unpack.c"

#include <stdio.h>

#include "codec.h"
#include "tap.h"

static struct why why;

/* Unpack head and what a pipe holds; what came out. */
static int
all(const char *head, const char *rest, char out[64])
{
	struct unpack *u;
	int in[2], fd = -1, status;
	size_t n = 0;
	ssize_t got;

	CHECK(pipe(in) == 0);
	CHECK(write(in[1], rest, strlen(rest)) == (ssize_t)strlen(rest));
	(void)close(in[1]);
	u = unpack_start(&shifted_codec, in[0], span_of(head), &fd, &why);
	CHECK(u != NULL);
	while ((got = read(fd, out + n, 63 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	(void)close(fd);
	status = unpack_end(u, &why);
	(void)close(in[0]);
	return status;
}

static void
whole(void)
{
	char out[64];

	CHECK(all("ZZifm", "mp.", out) == 0);
	CHECK_TEXT(out, "hello");
	CHECK(all("ZZ.", "", out) == 0);
	CHECK_TEXT(out, "");
}

static void
damaged(void)
{
	char out[64];

	CHECK(all("ZZif", "m!mp.", out) < 0);
	CHECK_TEXT(out, "hel");
	CHECK_TEXT(why.text, "the shifted data is damaged");
	CHECK(all("ZZif", "mm", out) < 0);
	CHECK_TEXT(out, "hell");
	CHECK_TEXT(why.text, "the shifted data is cut short");
}

static void
unreadable(void)
{
	int folder = open("/", O_RDONLY), fd;
	struct unpack *u = unpack_start(&shifted_codec, folder, SPAN("ZZi"),
	    &fd, &why);
	char c;

	CHECK(read(fd, &c, 1) == 1 && c == 'h');
	CHECK(read(fd, &c, 1) == 0);
	(void)close(fd);
	CHECK(unpack_end(u, &why) < 0);
	CHECK_TEXT(why.text, "Is a directory");
	(void)close(folder);
}

/* The reader goes while the thread waits for input, and while it waits for
 * room. Each must end, and no SIGPIPE come. */
static void
unwanted(void)
{
	struct unpack *u;
	int in[2], fd, i;

	for (i = 0; i < 20; i++) {
		CHECK(pipe(in) == 0);
		u = unpack_start(&shifted_codec, in[0], SPAN("ZZ"), &fd,
		    &why);
		(void)close(fd);
		CHECK(write(in[1], "ifmmp", i % 2 == 0 ? 5 : 0) >= 0);
		(void)unpack_end(u, &why);
		(void)close(in[0]);
		(void)close(in[1]);
	}
	i = open("/dev/zero", O_RDONLY);
	u = unpack_start(&shifted_codec, i, SPAN("ZZ"), &fd, &why);
	(void)unpack_end(u, &why);
	(void)close(fd);
	(void)close(i);
}

static void
begins(void)
{
	CHECK(codec_may_begin(&shifted_codec, SPAN("Z")));
	CHECK(codec_may_begin(&shifted_codec, SPAN("ZZtop")));
	CHECK(!codec_may_begin(&shifted_codec, SPAN("Zz")));
	CHECK(!codec_may_begin(&shifted_codec, SPAN("{")));
	CHECK(!codec_may_begin(&shifted_codec, SPAN("")));
}

int
main(void)
{
	test("what is packed is read unpacked, to its end", whole);
	test("damage and a cut are told, what came before is kept", damaged);
	test("an input that cannot be read is told", unreadable);
	test("the thread ends when nobody reads", unwanted);
	test("the first bytes tell", begins);
	return tap_end();
}

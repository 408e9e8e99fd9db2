/* SPDX-License-Identifier: MIT */
#include <stddef.h>

static size_t bytes_per_read = 8;

#define LINES_READ bytes_per_read
#include "base/lines.c"

#include <signal.h>

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "codec.h"
#include "tap.h"

static char folder[] = "/tmp/test_lines.XXXXXX";

static char *
file(const char *name, const char *text, size_t n)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(text, 1, n, f) != n || fclose(f) != 0)
		abort();
	return path;
}

/* All lines as text: each as number:line;, L for one too long, E for a file
 * that failed. */
static void
read_all(struct lines *l, char *out, size_t size)
{
	struct why why;
	struct span line;
	enum lines_result result;
	size_t n = 0;
	int status;

	out[0] = '\0';
	for (;;) {
		while ((result = lines_take(l, &line)) != LINES_MORE)
			n += (size_t)snprintf(out + n, size - n,
			    "%s%lld:%.*s;", result == LINES_LONG ? "L" : "",
			    (long long)l->number, result == LINES_LONG ? 0
			    : (int)line.n, line.p);
		status = lines_fill(l, &why);
		if (status < 0)
			n += (size_t)snprintf(out + n, size - n, "E;");
		if (status == 0)
			break;
	}
}

static char out[4096];

static void
files(const char *want, int n, ...)
{
	char *names[4];
	struct lines l;
	va_list ap;
	int i;

	va_start(ap, n);
	for (i = 0; i < n; i++)
		names[i] = va_arg(ap, char *);
	va_end(ap);
	lines_init(&l, names, n);
	read_all(&l, out, sizeof(out));
	CHECK_TEXT(out, want);
	lines_release(&l);
}

static void
of_text(const char *text, size_t n, const char *want)
{
	char *path = file("text", text, n);

	files(want, 1, path);
	free(path);
}

static void
splits(void)
{
	of_text("", 0, "");
	of_text("\n", 1, "1:;");
	of_text("\n\n\n", 3, "1:;2:;3:;");
	of_text("a\nbb\n", 5, "1:a;2:bb;");
	of_text("a much longer line than one read\nb\n", 35,
	    "1:a much longer line than one read;2:b;");
	of_text("a\r\nb\r\n", 6, "1:a\r;2:b\r;");
}

static void
no_newline(void)
{
	char *path = file("cut", "one\ntwo", 7), *name[] = { path };
	struct lines l;
	struct why why;
	struct span line;

	files("1:one;2:two;", 1, path);
	lines_init(&l, name, 1);
	CHECK(lines_fill(&l, &why) == 1);
	CHECK(lines_take(&l, &line) == LINES_LINE && l.had_newline);
	while (lines_take(&l, &line) == LINES_MORE)
		CHECK(lines_fill(&l, &why) >= 0);
	CHECK_SPAN(line, "two");
	CHECK(!l.had_newline);
	lines_release(&l);
	free(path);
}

static void
nul_bytes(void)
{
	char *path = file("nul", "a\0b\n\0\n", 6), *name[] = { path };
	struct lines l;
	struct why why;
	struct span line;

	lines_init(&l, name, 1);
	while (lines_take(&l, &line) == LINES_MORE)
		CHECK(lines_fill(&l, &why) == 1);
	CHECK(span_equal(line, SPAN("a\0b")));
	CHECK(lines_take(&l, &line) == LINES_LINE);
	CHECK(span_equal(line, SPAN("\0")));
	lines_release(&l);
	free(path);
}

static void
several(void)
{
	char *a = file("a", "1\n2", 3), *b = file("b", "3\n", 2);
	char *none = xasprintf("%s/none", folder);

	files("1:1;2:2;1:3;", 2, a, b);
	files("1:1;2:2;E;1:3;", 3, a, none, b);
	files("E;", 1, none);
	files("E;1:3;", 2, folder, b);	/* a folder cannot be read */
	free(a);
	free(b);
	free(none);
}

static void
failure(void)
{
	char *none = xasprintf("%s/none", folder), *name[] = { none };
	struct lines l;
	struct why why;

	lines_init(&l, name, 1);
	CHECK(lines_fill(&l, &why) == -1 && l.n_failed == 1);
	CHECK(strstr(why.text, "/none: No such file or directory") != NULL);
	CHECK(lines_fill(&l, &why) == 0);
	lines_release(&l);
	free(none);
}

/* Text of n bytes c, a newline behind it if asked for, then a good line. */
static char *
long_file(size_t n, bool has_more)
{
	char *text = xmalloc(n + 8), *path;

	memset(text, 'x', n);
	memcpy(text + n, "\ngood\n", 6);
	path = file("long", text, has_more ? n + 6 : n);
	free(text);
	return path;
}

static void
length_of(size_t n, bool has_more, bool is_long)
{
	char *path = long_file(n, has_more), *name[] = { path };
	enum lines_result result;
	struct lines l;
	struct why why;
	struct span line;

	lines_init(&l, name, 1);
	while ((result = lines_take(&l, &line)) == LINES_MORE &&
	    lines_fill(&l, &why) > 0)
		;
	CHECK(result == (is_long ? LINES_LONG : LINES_LINE));
	CHECK(l.number == 1);
	CHECK(is_long || line.n == n);
	if (has_more) {
		while (lines_take(&l, &line) == LINES_MORE)
			CHECK(lines_fill(&l, &why) >= 0);
		CHECK_SPAN(line, "good");
		CHECK(l.number == 2);
	}
	CHECK(lines_take(&l, &line) == LINES_MORE);
	CHECK(l.cap < 2 * LINES_MAX);
	while (lines_fill(&l, &why) > 0)
		CHECK(lines_take(&l, &line) == LINES_MORE);
	lines_release(&l);
	free(path);
}

static void
long_lines(void)
{
	bytes_per_read = 1 << 15;
	length_of(LINES_MAX - 1, true, false);
	length_of(LINES_MAX, true, false);
	length_of(LINES_MAX, false, false);
	length_of(LINES_MAX + 1, true, true);
	length_of(LINES_MAX + 1, false, true);
	length_of(LINES_MAX + 5, false, true);
	length_of(3 * LINES_MAX, true, true);
	length_of(3 * LINES_MAX, false, true);
	bytes_per_read = 8;
}

/* One byte per read, with the descriptor polled by the reader. */
static void
byte_by_byte(void)
{
	static const char text[] = "one\n\ntwo\r\nlonger than it\nlast";
	int saved = dup(STDIN_FILENO), ends[2];
	struct span line;
	struct lines l;
	struct why why;
	size_t i, n = 0;

	CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == 0);
	(void)close(ends[0]);
	lines_init(&l, NULL, 0);
	CHECK(lines_fd(&l) == -1);
	out[0] = '\0';
	for (i = 0; text[i] != '\0'; i++) {
		CHECK(write(ends[1], text + i, 1) == 1);
		CHECK(lines_fill(&l, &why) == 1);
		while (lines_take(&l, &line) == LINES_LINE)
			n += (size_t)snprintf(out + n, sizeof(out) - n,
			    "%.*s;", (int)line.n, line.p);
	}
	CHECK(lines_fd(&l) == STDIN_FILENO);
	CHECK(!lines_must_stop(&l, SIGINT) && lines_must_stop(&l, SIGTERM));
	CHECK(!lines_must_stop(&l, 0));
	CHECK_TEXT(l.name, "stdin");
	(void)close(ends[1]);
	CHECK(lines_fill(&l, &why) == 1);
	CHECK(lines_take(&l, &line) == LINES_LINE);
	CHECK_SPAN(line, "last");
	CHECK(lines_fill(&l, &why) == 0);
	CHECK_TEXT(out, "one;;two\r;longer than it;");
	lines_release(&l);
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
}

static void
signals(void)
{
	char *path = file("plain", "x\n", 2), *name[] = { path };
	struct lines l;
	struct why why;

	lines_init(&l, name, 1);
	CHECK(lines_must_stop(&l, SIGINT) && !lines_must_stop(&l, 0));
	CHECK(lines_fill(&l, &why) == 1);
	CHECK(lines_must_stop(&l, SIGINT) && !lines_must_stop(&l, 0));
	CHECK(lines_is_file(&l));
	lines_release(&l);
	lines_release(&l);
	free(path);
}

/* Whoever feeds an input that is closed learns of it. */
static void
closing(void)
{
	int ends[2], saved = dup(STDIN_FILENO);
	char *both[] = { (char *)"-", (char *)"/dev/zero" };
	struct lines l;
	struct span line;
	struct why why;

	(void)signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0);
	(void)close(ends[0]);
	CHECK(write(ends[1], "a\nb\n", 4) == 4);
	lines_init(&l, both, 2);
	CHECK(lines_fill(&l, &why) == 1 && !lines_is_file(&l));
	CHECK(lines_take(&l, &line) == LINES_LINE);
	lines_close(&l);
	CHECK(write(ends[1], "c\n", 2) < 0 && errno == EPIPE);
	CHECK(read(STDIN_FILENO, out, 1) == 0);		/* /dev/null */
	CHECK(lines_take(&l, &line) == LINES_MORE);
	CHECK(lines_fill(&l, &why) == 0);
	lines_release(&l);
	(void)close(ends[1]);
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
}

static void
packed(void)
{
	static const struct codec *const codecs[] = { &shifted_codec, NULL };
	static const struct {
		const char *bytes, *want;
	} cases[] = {
		{ "ZZb\vc.", "1:a;2:b;" },
		{ "ZZ.", "" },
		{ "ZZb\vc!d", "E;1:a;2:b;" },	/* damaged, then the rest */
		{ "ZZb\vc", "E;1:a;2:b;" },
		{ "Z", "1:Z;" },		/* too short to be packed */
		{ "Zz\n", "1:Zz;" },
		{ "a\nZZb.", "1:a;2:ZZb.;" },	/* not at the start */
	};
	char *name[2];
	struct lines l;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		name[0] = file("packed", cases[i].bytes,
		    strlen(cases[i].bytes));
		name[1] = file("plain", "x\n", 2);
		for (k = 1; k <= 8; k += 7) {
			bytes_per_read = k;
			lines_init(&l, name, 2);
			l.codecs = codecs;
			read_all(&l, out, sizeof(out));
			CHECK(strncmp(out + strlen(out) - 4, "1:x;", 4) == 0);
			out[strlen(out) - 4] = '\0';
			/* Where the error comes depends on the reads. */
			if (cases[i].want[0] == 'E') {
				CHECK(strstr(out, "E;") != NULL);
				CHECK(strstr(out, "1:a;") != NULL);
				CHECK(strstr(out, "2:b;") != NULL);
				CHECK(l.n_failed == 1);
			} else {
				CHECK_TEXT(out, cases[i].want);
			}
			lines_release(&l);
		}
		free(name[0]);
		free(name[1]);
	}
	/* Given up half way. */
	name[0] = file("packed", "ZZb\vc\v", 6);
	lines_init(&l, name, 1);
	l.codecs = codecs;
	(void)lines_fill(&l, &(struct why){ 0 });
	lines_release(&l);
	free(name[0]);
}

int
main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	test("lines are split at newlines, whatever a read returns", splits);
	test("the last line needs no newline", no_newline);
	test("packed input is unpacked; damage is told, lines kept", packed);
	test("NUL bytes are part of their line", nul_bytes);
	test("files follow one another, each with its numbers", several);
	test("a file that cannot be read is named and counted", failure);
	test("a line past the limit is passed over, with its number",
	    long_lines);
	test("a pipe that gives one byte per read gives the same lines",
	    byte_by_byte);
	test("only pipes and sockets end by a signal", signals);
	test("who feeds a closed input learns of it", closing);
	(void)!chdir(folder);
	(void)unlink("text");
	(void)unlink("cut");
	(void)unlink("nul");
	(void)unlink("a");
	(void)unlink("b");
	(void)unlink("long");
	(void)unlink("plain");
	(void)rmdir(folder);
	return tap_end();
}

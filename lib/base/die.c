/* SPDX-License-Identifier: MIT */
/* Messages on stderr, safe for a terminal, and the end of a tool. */
#include "base/die.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/descriptor.h"

/* Length of the UTF-8 sequence at p (1..4), its code point in *cp; 0 when the
 * bytes are not UTF-8. Text is NUL-terminated, so a look past is harmless. */
static int
utf8_at(const unsigned char *p, unsigned *cp)
{
	int n, i;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	if (n == 0 || p[0] > 0xf4)
		return 0;
	*cp = p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3fU);
	}
	return n;
}

/* A character that could move the cursor, or turn or forge a line. */
static bool
is_harmful(unsigned cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
	    cp == 0x2029 || cp == 0x200e || cp == 0x200f ||
	    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void
put_escaped(FILE *out, const char *text, bool keep_newlines)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned cp;
	int n;

	for (; *p != '\0'; p += n > 0 ? n : 1) {
		n = utf8_at(p, &cp);
		if (n == 0)
			(void)fprintf(out, "\\x%02x", *p);
		else if (keep_newlines && (cp == '\n' || cp == '\t'))
			(void)fputc((int)cp, out);
		else if (!is_harmful(cp))
			(void)fwrite(p, 1, (size_t)n, out);
		else if (cp < 0x100)
			(void)fprintf(out, "\\x%02x", cp);
		else
			(void)fprintf(out, "\\u{%x}", cp);
	}
}

/* Without memory: cut to what fits, with ? for each byte that is not plain. */
static void __attribute__((format(printf, 2, 0)))
put_bare(const char *name, const char *format, va_list ap)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s: ", name);
	char *p;

	if (n < 0 || (size_t)n >= sizeof(line))
		n = 0;
	(void)vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, ap);
	for (p = line; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	*p++ = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)(p - line));
}

/* A line with the tool's name, a line, or text with its own line ends. */
enum form { MESSAGE, LINE, TEXT };

/* The message leaves in one write, so that the tools of a pipeline, which
 * share stderr, do not cut each other's lines. */
static void __attribute__((format(printf, 2, 0)))
put_message(enum form form, const char *format, va_list ap)
{
	char *raw = NULL, *line = NULL;
	size_t n = 0;
	va_list again;
	FILE *out;

	va_copy(again, ap);
	out = vasprintf(&raw, format, ap) >= 0 ? open_memstream(&line, &n)
	    : NULL;
	if (out == NULL) {
		put_bare(program_invocation_short_name, format, again);
	} else {
		if (form == MESSAGE)
			(void)fprintf(out, "%s: ",
			    program_invocation_short_name);
		put_escaped(out, raw, form == TEXT);
		if (form != TEXT)
			(void)fputc('\n', out);
		if (fclose(out) == 0)
			(void)descriptor_write(STDERR_FILENO, line, n);
		else
			put_bare(program_invocation_short_name, format, again);
	}
	va_end(again);
	free(line);
	free(raw);
}

void
warnf(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_message(MESSAGE, format, ap);
	va_end(ap);
}

void
dief(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_message(MESSAGE, format, ap);
	va_end(ap);
	exit(status);
}

void
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_message(TEXT, format, ap);
	va_end(ap);
}

void
say_line(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put_message(LINE, format, ap);
	va_end(ap);
}

void
print_escaped(FILE *out, const char *text)
{
	put_escaped(out, text, false);
}

/* By the rule of POSIX, which reads these in this order. */
static bool
is_utf8_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			    strcasestr(value, "utf8") != NULL;
	}
	return false;
}

void
put_symbols(FILE *out, const char *text, size_t n)
{
	static const struct {
		const char *symbol;
		char plain;
	} table[] = {
		{ "✓", '+' }, { "✗", 'x' }, { "█", '#' }, { "■", '#' },
		{ "▁", '_' }, { "▂", '.' }, { "▃", '-' }, { "▄", '~' },
		{ "▅", '=' }, { "▆", '+' }, { "▇", '*' }, { "—", '-' },
		{ "↳", '>' }, { "…", '~' }, { "›", '>' }, { "µ", 'u' },
	};
	const size_t known = sizeof(table) / sizeof(table[0]);
	size_t i, at = 0, size;
	char plain;

	if (is_utf8_locale()) {
		(void)fwrite(text, 1, n, out);
		return;
	}
	for (; at < n; at += size) {
		plain = text[at];
		size = 1;
		for (i = 0; i < known && size == 1; i++)
			if (strlen(table[i].symbol) <= n - at && memcmp(text +
			    at, table[i].symbol, strlen(table[i].symbol)) ==
			    0) {
				plain = table[i].plain;
				size = strlen(table[i].symbol);
			}
		(void)fputc(plain, out);
	}
}

int
stderr_columns(void)
{
	struct winsize w = { .ws_col = 0 };

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0
	    ? w.ws_col : 80;
}

int
put_stdout(const char *text)
{
	int error = 0;

	errno = 0;
	if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		error = errno != 0 ? errno : EIO;
	if (error != 0) {
		clearerr(stdout);
		__fpurge(stdout);
	}
	return error;
}

int
close_stdout_after(int error, int status)
{
	if (fflush(stdout) != 0 && error == 0)
		error = errno;
	if (fclose(stdout) != 0 && error == 0 && errno != EBADF)
		error = errno;
	if (error == 0)
		return status;
	warnf("stdout: %s", strerror(error));
	return status != EXIT_DONE ? status : EXIT_FAILED;
}

int
close_stdout(int status)
{
	int error = ferror(stdout) ? EIO : 0;

	if (fflush(stdout) != 0)
		error = errno;
	return close_stdout_after(error, status);
}

int
close_stdout_with(const char *text, size_t n, int status)
{
	int error = 0;

	/* The reason is known only now: stdout remembers that, not why. */
	errno = 0;
	if (n > 0 && fwrite(text, 1, n, stdout) != n)
		error = errno != 0 ? errno : EIO;
	return close_stdout_after(error, status);
}

static ssize_t
write_stdout(void *ctx, const char *from, size_t n)
{
	(void)ctx;
	return descriptor_write(STDOUT_FILENO, from, n) == 0 ? (ssize_t)n : 0;
}

static int
end_stdout(void *ctx)
{
	(void)ctx;
	return close(STDOUT_FILENO);
}

/* libc's own stdout drops what a pipe does not take at once. */
static void
make_stdout_wait(void)
{
	FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){
	    .write = write_stdout, .close = end_stdout });

	if (out == NULL)
		return;
	if (isatty(STDOUT_FILENO) == 1)
		(void)setvbuf(out, NULL, _IOLBF, 0);
	stdout = out;
}

void
die_init(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* Writing to a stdout that is closed must fail. */
			(void)open("/dev/null", fd < 2 ? O_RDONLY : O_RDWR);
	make_stdout_wait();
	(void)signal(SIGXFSZ, SIG_IGN);	/* a write that fails says so */
}

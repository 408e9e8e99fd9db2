/* SPDX-License-Identifier: MIT */
/* Files that are not a stream, recognized by their first bytes. */
#include "data/foreign.h"

#define MAGIC(bytes, hint) { bytes, sizeof(bytes) - 1, hint }

/* These begin with... */
static const struct {
	const char *bytes;
	size_t n;
	const char *hint;
} magics[] = {
	MAGIC("PK\003\004", "a zip archive: unzip -p FILE"),
	MAGIC("\xfd" "7zXZ\0", "compressed by xz: xz -dc FILE"),
	MAGIC("BZh", "compressed by bzip2: bzip2 -dc FILE"),
	MAGIC("7z\xbc\xaf", "a 7z archive: 7z x -so FILE"),
	MAGIC("\xff\xfe", "UTF-16, as PowerShell writes it: iconv -f UTF-16 "
	    "-t UTF-8 FILE"),
	MAGIC("\xfe\xff", "UTF-16: iconv -f UTF-16 -t UTF-8 FILE"),
	MAGIC("{\0", "UTF-16: iconv -f UTF-16LE -t UTF-8 FILE"),
	MAGIC("\0{", "UTF-16: iconv -f UTF-16BE -t UTF-8 FILE"),
	MAGIC("metric_name,timestamp,", "the CSV of k6: k6 run --out "
	    "json=FILE writes the stream"),
	MAGIC("{\"log\":\"", "a json-file log of docker: jq -rj .log FILE"),
	MAGIC("{\"schema\":\"k6agg-summary\"", "a summary of k6agg: give "
	    "it the stream itself"),
};

/* ... and these have it somewhere; the first that fits. */
static const struct mark {
	char first;	/* but for white space; NUL: anything but '{', and the
			   text is in the first line */
	const char *text;
	const char *hint;
} marks[] = {
	{ '[', "", "a JSON array: jq -c '.[]' FILE" },
	{ '{', "\"root_group\"", "a summary of k6: k6 run --out json=FILE "
	    "writes the stream" },
	{ '{', "\"metrics\"", "a summary of k6: k6 run --out json=FILE "
	    "writes the stream" },
	{ '<', "", "HTML or XML: k6 run --out json=FILE writes the stream" },
	{ '\0', "{\"type\":\"", "the stream behind a prefix in each line: "
	    "sed 's/^[^{]*//' FILE" },
	{ '\0', "{\"metric\":\"", "the stream behind a prefix in each line: "
	    "sed 's/^[^{]*//' FILE" },
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span
without_space(struct span s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

static bool
has_mark(const struct mark *m, struct span text)
{
	const char *newline = text.n > 0 ? memchr(text.p, '\n', text.n) : NULL;
	size_t n = strlen(m->text);

	if (text.n == 0 || (m->first == '\0' ? text.p[0] == '{' :
	    text.p[0] != m->first))
		return false;
	if (m->first == '\0' && newline != NULL)
		text.n = (size_t)(newline - text.p);
	return n == 0 || memmem(text.p, text.n, m->text, n) != NULL;
}

/* An object whose first line does not hold its first member. */
static bool
is_over_lines(struct span s)
{
	size_t i = 1;

	if (s.n == 0 || s.p[0] != '{')
		return false;
	while (i < s.n && is_space(s.p[i]) && s.p[i] != '\n')
		i++;
	return i == s.n || s.p[i] == '\n';
}

const char *
foreign_hint(struct span head)
{
	struct span text = without_space(head);
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (head.n >= magics[i].n && memcmp(head.p, magics[i].bytes,
		    magics[i].n) == 0)
			return magics[i].hint;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (has_mark(&marks[i], text))
			return marks[i].hint;
	return is_over_lines(text) ? "JSON over several lines: jq -c . FILE"
	    : NULL;
}

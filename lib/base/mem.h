/* SPDX-License-Identifier: MIT */
/* mem: allocation that exits when memory is out ("x" = exits), and spans. */
#ifndef K6PIPE_BASE_MEM_H
#define K6PIPE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes, not NUL-terminated; they live as long as their owner. */
struct span {
	const char *p;
	size_t n;
};

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* The caller frees what these return with free(). Sizes of 0 are allowed. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *bytes, size_t n);	/* adds the NUL */

char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Room for one element more in an array of n out of *cap, each of size bytes;
 * returns the array, moved if need be. */
void *xgrow(void *array, size_t n, size_t *cap, size_t size);

static inline struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_is(struct span a, const char *text)
{
	return span_equal(a, span_of(text));
}

/* Without those characters at both its ends. */
static inline struct span
span_trim(struct span s, const char *characters)
{
	while (s.n > 0 && s.p[0] != '\0' && strchr(characters, s.p[0]) !=
	    NULL) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && s.p[s.n - 1] != '\0' &&
	    strchr(characters, s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

#endif

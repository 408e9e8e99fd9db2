/* SPDX-License-Identifier: MIT */
/* Bodies of forms, and the header of basic authentication. */
#include "k6gen/options/form.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "k6gen/targets/base64.h"

enum { FILE_MAX = 1 << 30, BOUNDARY_BYTES = 12 };

/* The characters that end a quoted name are written as browsers do. */
static void
add_quoted(struct buf *out, const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text[i] == '"')
			buf_text(out, "%22");
		else
			buf_char(out, text[i]);
}

static int
add_file(struct buf *body, const char *path, struct why *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	int status;

	buf_text(body, "; filename=\"");
	add_quoted(body, name, strlen(name));
	buf_text(body, "\"\r\nContent-Type: application/octet-stream\r\n\r\n");
	status = file_read(path, FILE_MAX, body, why);
	if (status > 0)
		return why_set(why, "%s: %s", path, strerror(ENOENT));
	return status;
}

int
form_make(const struct opt_list *fields, struct buf *body, char **type,
    struct why *why)
{
	char boundary[2 * BOUNDARY_BYTES + 1];
	const char *field, *equals;
	size_t i;

	random_hex(boundary, BOUNDARY_BYTES);
	for (i = 0; i < fields->n; i++) {
		field = fields->items[i];
		equals = strchr(field, '=');
		buf_printf(body, "--%s\r\nContent-Disposition: form-data; "
		    "name=\"", boundary);
		add_quoted(body, field, (size_t)(equals - field));
		buf_char(body, '"');
		if (equals[1] == '@') {
			if (add_file(body, equals + 2, why) < 0)
				return -1;
		} else {
			buf_printf(body, "\r\n\r\n%s", equals + 1);
		}
		buf_text(body, "\r\n");
	}
	buf_printf(body, "--%s--\r\n", boundary);
	*type = xasprintf("Content-Type: multipart/form-data; boundary=%s",
	    boundary);
	return 0;
}

char *
form_basic_header(struct span s)
{
	struct buf out = { 0 };

	buf_text(&out, "Authorization: Basic ");
	base64_encode(s, &out);
	return out.p;
}

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

static void
note_file(struct form *f, size_t from)
{
	f->files = xgrow(f->files, f->n_files, &f->cap, sizeof(*f->files));
	f->files[f->n_files++] = (struct text_range){ from,
		f->body->n - from };
}

static int
add_file(struct form *f, const char *path, struct why *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t from;
	int status;

	buf_text(f->body, "; filename=\"");
	add_quoted(f->body, name, strlen(name));
	buf_text(f->body, "\"\r\nContent-Type: application/octet-stream"
	    "\r\n\r\n");
	from = f->body->n;
	status = file_read(path, FILE_MAX, f->body, why);
	if (status > 0)
		return why_set(why, "%s: %s", path, strerror(ENOENT));
	note_file(f, from);
	return status;
}

static int
add_field(struct form *f, const char *field, struct why *why)
{
	const char *equals = strchr(field, '=');

	buf_text(f->body, "\r\nContent-Disposition: form-data; name=\"");
	add_quoted(f->body, field, (size_t)(equals - field));
	buf_char(f->body, '"');
	if (equals[1] == '@')
		return add_file(f, equals + 2, why);
	buf_printf(f->body, "\r\n\r\n%s", equals + 1);
	return 0;
}

int
form_make(struct form *f, const struct opt_list *fields, struct why *why)
{
	char boundary[2 * BOUNDARY_BYTES + 1];
	size_t i;

	random_hex(boundary, BOUNDARY_BYTES);
	for (i = 0; i < fields->n; i++) {
		buf_printf(f->body, "--%s", boundary);
		if (add_field(f, fields->items[i], why) < 0)
			return -1;
		buf_text(f->body, "\r\n");
	}
	buf_printf(f->body, "--%s--\r\n", boundary);
	f->type = xasprintf("Content-Type: multipart/form-data; boundary=%s",
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

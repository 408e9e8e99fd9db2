/* SPDX-License-Identifier: MIT */
/* What the protocols share, and which one is used. */
#include "k6push/wire/wire.h"

#include <string.h>

static const struct wire *const wires[] = { &wire_v1, &wire_v2, &wire_rw };

const struct wire *
wire_of(uint8_t format)
{
	size_t i;

	for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if (wires[i]->format == format)
			return wires[i];
	return NULL;
}

const struct wire *
wire_chosen(const struct settings *s)
{
	if (strcmp(settings_text(s, SET_OUT), "cloud") != 0)
		return &wire_rw;
	return settings_int(s, SET_API_VERSION) == 2 ? &wire_v2 : &wire_v1;
}

/* What servers answer that do not know a path, its type or its version. */
static bool
may_be_version(int status)
{
	return status == 400 || status == 404 || status == 405 ||
	    status == 410 || status == 415 || status == 426 || status == 501;
}

void
wire_hint(uint8_t format, int status, struct buf *out)
{
	if (may_be_version(status))
		buf_printf(out, " (these are samples of protocol %d; "
		    "K6_CLOUD_API_VERSION=%d sends the other)", format,
		    format == wire_v2.format ? 1 : 2);
}

void
wire_header(struct wire_message *m, const char *text)
{
	m->headers[m->n++] = text;
	m->headers[m->n] = NULL;
}

void
wire_release(struct wire_message *m)
{
	buf_release(&m->own);
}

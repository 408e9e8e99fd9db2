/* SPDX-License-Identifier: MIT */
#include "k6push/wire.h"

static const struct wire *const wires[] = { &wire_v1 };

const struct wire *
wire_of(uint8_t format)
{
	size_t i;

	for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if (wires[i]->format == format)
			return wires[i];
	return NULL;
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

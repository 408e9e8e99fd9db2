/* SPDX-License-Identifier: MIT */
/*
 * wire: how a protocol encodes a batch. The journal and the uploader know only
 * bytes, headers, a path and a key; what depends on the protocol is in a
 * struct wire.
 */
#ifndef K6PIPE_K6PUSH_WIRE_WIRE_H
#define K6PIPE_K6PUSH_WIRE_WIRE_H

#include "base/why.h"
#include "data/settings.h"
#include "k6push/wire/batch.h"

/* What a request has, as remote write 2.0 counts it. */
struct wire_values {
	uint64_t samples, histograms;
};

/* One request as it goes out. */
struct wire_message {
	const char *run;	/* its id, set before the message is dressed */
	struct span body;	/* in own, or the batch's */
	struct buf own;
	char text[5][64];	/* headers with numbers in them */
	const char *headers[9];	/* NULL ends */
	int n;			/* of headers */
	unsigned variant;	/* of the body; each wire has its own */
	struct wire_values values;	/* all 0: the answer does not count */
};

/* flags of an ordered batch: the lane that its series are of. */
enum { WIRE_LANES = 64 };

struct wire {
	uint8_t format;		/* as the journal has it; never changes */
	bool is_ordered;	/* batches of a lane go one behind the other */
	const char *path;	/* before the run's id: "/v1/metrics/" */
	struct span empty;	/* plain body without samples: a heartbeat */
	const char *suffix;	/* of a file with a kept body */
	enum setting most;	/* says how many samples a request may have */

	/* Compress a plain body into kept, the form of journal and memory. */
	int (*pack)(struct span plain, struct buf *kept, struct why *why);

	/* Make the request of a batch whose body is kept, as the settings
	 * ask for it: the same each time. */
	int (*dress)(const struct batch *p, struct span kept,
	    const struct settings *s, struct wire_message *m,
	    struct why *why);

	/* Divide a batch: bodies (kept form) and counts of both parts. -1:
	 * it is one sample, or none. */
	int (*split)(const struct batch *p, struct span kept,
	    struct batch *left, struct batch *right, struct why *why);
};

extern const struct wire wire_v1, wire_v2, wire_rw;

/* What the settings ask for. */
const struct wire *wire_chosen(const struct settings *s);

/* NULL: a later version's. */
const struct wire *wire_of(uint8_t format);

/* Append to the message of a refusal, with this HTTP status, what to set if
 * the server does not know the protocol; nothing if it cannot be that. */
void wire_hint(uint8_t format, int status, struct buf *out);

/* Add a header; text is borrowed until the message is released. */
void wire_header(struct wire_message *m, const char *text);
void wire_release(struct wire_message *m);

/* Make the counts of a batch of wire_v1 from its plain body. -1: it is
 * damaged. */
int wire_v1_count(struct batch *p, struct span plain, struct why *why);

/* Flags of wire_v1: a sample of it has histograms. */
enum { WIRE_V1_HISTOGRAMS = 1 };

#endif

/* SPDX-License-Identifier: MIT */
/* Metrics protocol 2: a MetricSet in a snappy block (PROTOCOL 5). */
#include <string.h>

#include "base/units.h"
#include "data/metricset.h"
#include "io/snap.h"
#include "k6serve/ingest/body.h"
#include "k6serve/ingest/ingest.h"

/* The message in the request's body, in place or in out. -1: the reply says
 * why not. */
static int
message_of(struct call *c, struct span *message, struct buf *out)
{
	int is_snappy = body_is_coded(c, "snappy"), status;
	struct why why;

	*message = c->r->body;
	if (is_snappy <= 0)
		return is_snappy;
	status = snap_unpack(c->r->body, INFLATED_MAX, out, &why);
	if (status < 0) {
		reply_error(c->reply, status == SNAP_TOO_LARGE ? 413 : 400, 0,
		    "%s", why.text);
		return -1;
	}
	*message = buf_whole(out);
	return 0;
}

void
ingest_v2(struct call *c)
{
	const char *version = httpd_header(c->r,
	    "K6-Metrics-Protocol-Version");
	struct buf unpacked = { 0 };
	struct batch batch = { .most_tags = batch_most_tags(
	    ingest_config_of(c)->max_series) };
	unsigned char digest[DIGEST_BYTES];
	struct metricset_head head;
	struct span message;
	struct why why;

	if (version != NULL && strncmp(version, "2.", 2) != 0) {
		reply_error(c->reply, 400, 0, "K6-Metrics-Protocol-Version "
		    "%s is not supported, only 2", version);
	} else if (message_of(c, &message, &unpacked) == 0) {
		if (metricset_parse(message, &batch.tags, &head,
		    batch_add_value, &batch, &why) < 0) {
			reply_error(c->reply, 400, 0, "%s", why.text);
		} else {
			batch.period_ns = (int64_t)head.period_s * NS_PER_S;
			if (digest_sha256(message, digest, &why) == 0)
				ingest_store(c, &batch, digest);
			else
				reply_error(c->reply, 500, 0, "%s", why.text);
		}
	}
	batch_release(&batch);
	buf_release(&unpacked);
}

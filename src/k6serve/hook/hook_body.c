/* SPDX-License-Identifier: MIT */
/* A run that has ended as JSON. */
#include "k6serve/hook/hook_body.h"

#include <math.h>
#include <stdlib.h>

#include "data/run.h"
#include "k6serve/http/digest.h"
#include "k6serve/view/ci.h"

static void
put(const struct ci *c, const struct store_hook *hook, const char *base_url,
    struct jsn_out *o)
{
	const struct figures *f = &c->figures;
	char *link = xasprintf("%s/runs/%lld", base_url, (long long)c->id);

	jsn_open(o, '{');
	jsn_member_text(o, "schema", SPAN("k6serve-hook/1"));
	jsn_member_text(o, "delivery", span_of(hook->id));
	jsn_member_int(o, "run", c->id);
	jsn_member_text(o, "name", span_of(c->name));
	jsn_member_text(o, "state", span_of(run_status_name(c->status)));
	jsn_member_int(o, "run_status", c->status);
	jsn_member_text(o, "verdict", span_of(run_verdict_name(c->verdict)));
	jsn_member_text(o, "link", span_of(link));
	jsn_member_time_or_null(o, "start", c->first_ns);
	jsn_member_number(o, "duration", c->seconds > 0 ? c->seconds : NAN);
	jsn_member_number(o, "http_reqs", f->reqs);
	jsn_member_number(o, "http_req_failed", f->failed.count != 0 ||
	    f->reqs == 0 ? (double)f->failed.nonzero : f->failed_by_status);
	jsn_member_number(o, "p95", measures[MEASURE_P95].of(f));
	jsn_key(o, "thresholds");
	criteria_put(&c->criteria, o);
	jsn_close(o, '}');
	free(link);
}

int
hook_body_put(const struct view *v, const struct store_hook *hook,
    const char *base_url, struct buf *out, struct why *why)
{
	struct ci c = { 0 };
	struct jsn_out o = { .to = out };
	int status = ci_read(&c, v, why);

	if (status > 0)
		put(&c, hook, base_url, &o);
	ci_release(&c);
	return status;
}

int
hook_body_sign(struct span secret, struct span body, struct buf *header,
    struct why *why)
{
	unsigned char mac[DIGEST_BYTES];
	size_t i;

	if (digest_hmac(secret, body, mac, why) < 0)
		return -1;
	buf_text(header, "K6serve-Signature: sha256=");
	for (i = 0; i < sizeof(mac); i++)
		buf_printf(header, "%02x", mac[i]);
	return 0;
}

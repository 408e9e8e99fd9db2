/* SPDX-License-Identifier: MIT */
#include "k6push/wire/wire_rw.c"
#include "k6push/wire/rw_version2.c"
#define find_series all_series
#define release release_series
#include "k6push/wire/rw_forms.c"

#include "hex.h"

static struct settings settings;
static struct why why;

static void
fresh(void)
{
	settings_release(&settings);
	settings_init(&settings);
}

/* A message of these series, with 1, 2, 3... points each, as it is kept. */
static struct batch
kept(const char *const *series, size_t n)
{
	struct rw_share shares[8];
	struct buf message = { 0 }, plain = { 0 };
	struct batch p = { .id.format = wire_rw.format };
	size_t i;

	for (i = 0; i < n; i++) {
		shares[i] = (struct rw_share){ i + 1, 10 * i };
		hex_add(&message, series[i]);
	}
	rw_put_plain(&plain, shares, n, buf_whole(&message));
	CHECK(wire_rw.pack(buf_whole(&plain), &p.body, &why) == 0);
	buf_release(&message);
	buf_release(&plain);
	return p;
}

static const char *const both[] = { HEX_COUNTER, HEX_HISTOGRAM };

/* The message that goes out, unpacked. */
static void
dressed(const struct batch *p, struct wire_message *m, struct buf *message)
{
	CHECK(wire_rw.dress(p, buf_whole(&p->body), &settings, m,
	    &why) == 0);
	buf_reset(message);
	CHECK(snap_unpack(m->body, PLAIN_MAX, message, &why) == 0);
}

static void
as_it_is(void)
{
	struct batch p = kept(both, 2);
	struct wire_message m = { 0 };
	struct buf message = { 0 };

	dressed(&p, &m, &message);
	CHECK_HEX(buf_whole(&message), HEX_COUNTER HEX_HISTOGRAM);
	CHECK(m.n == 3);
	CHECK_TEXT(m.headers[0], "Content-Type: application/x-protobuf");
	CHECK_TEXT(m.headers[1], "Content-Encoding: snappy");
	CHECK_TEXT(m.headers[2], "X-Prometheus-Remote-Write-Version: 0.1.0");
	CHECK(m.values.samples == 0 && m.variant == rw_variant(&settings));
	wire_release(&m);
	buf_release(&p.body);
	buf_release(&message);
}

/* As the example of the specification, but for the start. */
static void
version_2(void)
{
	struct wire_message m = { 0 };
	struct batch p = kept(both, 1);
	struct buf message = { 0 };

	fresh();
	(void)settings_set(&settings, SET_RW_VERSION, "2", FROM_FLAG, NULL);
	dressed(&p, &m, &message);
	CHECK_HEX(buf_whole(&message), "220022085f5f6e616d655f5f22126b365f6874"
	    "74705f726571735f746f74616c22067465737469642202723"
	    "12a1c0a0401020304121009000000000000084010d2d995ffbc312a020801");
	CHECK_TEXT(m.headers[0], "Content-Type: application/x-protobuf;"
	    "proto=io.prometheus.write.v2.Request");
	CHECK(m.values.samples == 1 && m.values.histograms == 0);
	wire_release(&m);
	buf_release(&p.body);
	m = (struct wire_message){ 0 };
	p = kept(both, 2);
	dressed(&p, &m, &message);
	CHECK(m.values.samples == 1 && m.values.histograms == 1);
	wire_release(&m);
	buf_release(&p.body);
	buf_release(&message);
}

/* The counter began 1234 ms earlier: that is told with each value, in both
 * forms. */
static void
start(void)
{
	static const char *const counter[] = { "0a470a1e0a085f5f6e616d655f5f12"
	    "126b365f687474705f726571735f746f74616c0a0c0a067465737469641202"
	    "7231121709000000000000084010d2d995ffbc311880d095ffbc31" };
	struct wire_message m = { 0 };
	struct batch p = kept(counter, 1);
	struct buf message = { 0 };

	fresh();
	(void)settings_set(&settings, SET_RW_VERSION, "2", FROM_FLAG, NULL);
	dressed(&p, &m, &message);
	CHECK_HEX(buf_whole(&message), "220022085f5f6e616d655f5f22126b365f6874"
	    "74705f726571735f746f74616c2206746573746964220272312a230a0401020304"
	    "121709000000000000084010d2d995ffbc311880d095ffbc312a020801");
	wire_release(&m);
	buf_release(&p.body);
	buf_release(&message);
}

/* The names, labels of buckets and values of a form, as text. */
static void
check_form(const char *form, const char *want)
{
	struct wire_message m = { 0 };
	struct batch p = kept(both + 1, 1);
	struct buf message = { 0 }, text = { 0 }, all = { 0 };
	struct remote_labels labels;
	struct span name;
	struct pb_field f;
	struct pb r;

	fresh();
	(void)settings_set(&settings, SET_RW_FORM, form, FROM_FLAG, NULL);
	dressed(&p, &m, &message);
	r = pb_of(buf_whole(&message));
	while (pb_next(&r, &f)) {
		buf_reset(&text);
		CHECK(remote_read_labels(pb_bytes(&r, &f), &name, &labels,
		    &text, &why) == 0);
		buf_span(&all, name);
		buf_reset(&text);
		CHECK(remote_print(pb_bytes(&r, &f), &text, &why) == 0);
		buf_text(&text, "");
		if (strstr(text.p, "\"le\"") != NULL)
			buf_printf(&all, " %.*s", (int)strcspn(strstr(text.p,
			    "\"le\"") + 6, "\""), strstr(text.p, "\"le\"") +
			    6);
		if (strstr(text.p, "vmrange") != NULL)
			buf_printf(&all, " %.*s", (int)strcspn(strstr(text.p,
			    "vmrange") + 10, "\""), strstr(text.p, "vmrange") +
			    10);
		buf_printf(&all, " %.*s\n", (int)strcspn(strstr(text.p,
		    "samples") + 10, "]"), strstr(text.p, "samples") + 10);
	}
	buf_text(&all, "");
	CHECK_TEXT(all.p, want);
	wire_release(&m);
	buf_release(&p.body);
	buf_release(&message);
	buf_release(&text);
	buf_release(&all);
}

/* A value counts at the middle of its bucket, which of 0.1 is just above. */
#define D "k6_http_req_duration_seconds_"

static void
ranges(void)
{
	check_form("vmrange",
	    D "bucket 1.000e-01...1.136e-01 [1700000001234,1\n"
	    D "bucket 1.896e-01...2.154e-01 [1700000001234,2\n"
	    D "sum [1700000001234,0.5001\n"
	    D "count [1700000001234,3\n");
}

static void
buckets(void)
{
	check_form("classic",
	    D "bucket 0.005 [1700000001234,0\n"
	    D "bucket 0.01 [1700000001234,0\n"
	    D "bucket 0.025 [1700000001234,0\n"
	    D "bucket 0.05 [1700000001234,0\n"
	    D "bucket 0.1 [1700000001234,0\n"
	    D "bucket 0.25 [1700000001234,3\n"
	    D "bucket 0.5 [1700000001234,3\n"
	    D "bucket 1 [1700000001234,3\n"
	    D "bucket 2.5 [1700000001234,3\n"
	    D "bucket 5 [1700000001234,3\n"
	    D "bucket 10 [1700000001234,3\n"
	    D "bucket +Inf [1700000001234,3\n"
	    D "sum [1700000001234,0.5001\n"
	    D "count [1700000001234,3\n");
	check_form("stats", "");
}

/* Each part has its series and its books; one alone is divided no more. */
static void
parts(void)
{
	static const char *const three[] = { HEX_COUNTER, HEX_HISTOGRAM,
	    HEX_COUNTER };
	struct batch p = kept(three, 3), left = { 0 }, right = { 0 };
	struct batch a = { 0 }, b = { 0 };
	struct wire_message m = { 0 };
	struct buf message = { 0 };

	fresh();
	CHECK(wire_rw.split(&p, buf_whole(&p.body), &left, &right,
	    &why) == 0);
	CHECK(left.id.samples == 1 && left.id.points == 1 &&
	    left.id.requests == 0);
	CHECK(right.id.samples == 2 && right.id.points == 5 &&
	    right.id.requests == 30);
	dressed(&right, &m, &message);
	CHECK_HEX(buf_whole(&message), HEX_HISTOGRAM HEX_COUNTER);
	CHECK(wire_rw.split(&left, buf_whole(&left.body), &a, &b, &why) < 0);
	CHECK(wire_rw.split(&right, buf_whole(&right.body), &a, &b,
	    &why) == 0);
	CHECK(b.id.points == 3 && b.id.requests == 20);
	wire_release(&m);
	buf_release(&message);
	buf_release(&p.body);
	buf_release(&left.body);
	buf_release(&right.body);
	buf_release(&a.body);
	buf_release(&b.body);
}

static void
damage(void)
{
	struct batch p = kept(both, 2), left = { 0 }, right = { 0 };
	struct wire_message m = { 0 };
	size_t n;

	fresh();
	(void)settings_set(&settings, SET_RW_VERSION, "2", FROM_FLAG, NULL);
	for (n = 0; n < p.body.n; n++) {
		CHECK(wire_rw.split(&p, (struct span){ p.body.p, n }, &left,
		    &right, &why) < 0);
		CHECK(wire_rw.dress(&p, (struct span){ p.body.p, n },
		    &settings, &m, &why) < 0);
		wire_release(&m);
		m = (struct wire_message){ 0 };
	}
	buf_release(&p.body);
}

int
main(void)
{
	settings_init(&settings);
	test("what is kept goes out as it is", as_it_is);
	test("version 2.0 has a table of texts, and counts", version_2);
	test("version 2.0 has the start of a counter", start);
	test("a histogram as VictoriaMetrics' ranges", ranges);
	test("a histogram as buckets, and as nothing", buckets);
	test("a batch is divided by series, with its books", parts);
	test("a body that is cut anywhere is refused", damage);
	settings_release(&settings);
	return tap_end();
}

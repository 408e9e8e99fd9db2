/* SPDX-License-Identifier: MIT */
#include "data/remote.c"

#include "tap.h"

static struct buf block;

static struct remote_labels
make(struct remote_label *pairs, size_t n)
{
	buf_reset(&block);
	return remote_labels_make(pairs, n, &block);
}

/* A series of these labels, as JSON. */
static void
check_series(const struct remote_labels *labels,
    const struct remote_label *extra, const char *want)
{
	struct remote_label none = { SPAN(""), SPAN("") };
	struct pb_out o = { 0 };
	struct buf text = { 0 };
	struct why why;

	remote_put_sample(3, 7, 0, &o);
	remote_put_labels(labels, SPAN("k6_a"), extra != NULL ? extra : &none,
	    &o);
	CHECK(remote_print(pb_whole(&o), &text, &why) == 0);
	CHECK_BUF(text, want);
	buf_release(&text);
	pb_release(&o);
}

/* The example that Prometheus 2.42 took. */
static void
known_bytes(void)
{
	struct remote_label pairs[] = { { SPAN("testid"), SPAN("r1") } };
	struct remote_label none = { SPAN(""), SPAN("") };
	struct remote_labels labels = make(pairs, 1);
	struct pb_out o = { 0 };
	static const unsigned char want[] = { 0x0a, 0x40, 0x0a, 0x1e, 0x0a,
	    0x08, '_', '_', 'n', 'a', 'm', 'e', '_', '_', 0x12, 0x12, 'k', '6',
	    '_', 'h', 't', 't', 'p', '_', 'r', 'e', 'q', 's', '_', 't', 'o',
	    't', 'a', 'l', 0x0a, 0x0c, 0x0a, 0x06, 't', 'e', 's', 't', 'i',
	    'd', 0x12, 0x02, 'r', '1', 0x12, 0x10, 0x09, 0, 0, 0, 0, 0, 0,
	    0x08, 0x40, 0x10, 0xd2, 0xd9, 0x95, 0xff, 0xbc, 0x31 };

	remote_put_sample(3, 1700000001234, 0, &o);
	remote_put_labels(&labels, SPAN("k6_http_reqs_total"), &none, &o);
	pb_put_message(&o, REMOTE_SERIES, 0);
	CHECK(span_equal(pb_whole(&o), (struct span){ (const char *)want,
	    sizeof(want) }));
	pb_release(&o);
}

static void
valid_labels(void)
{
	struct remote_label pairs[] = {
		{ SPAN("b-c"), SPAN("first") }, { SPAN("b_c"), SPAN("x") },
		{ SPAN("9a"), SPAN("1") }, { SPAN("URL"), SPAN("u") },
		{ SPAN("empty"), SPAN("") }, { SPAN(""), SPAN("no") },
		{ SPAN("__name__"), SPAN("no") },
		{ SPAN("z"), SPAN("\xff" "ok\xc3\xa4\xe2\x82") } };
	struct remote_labels labels = make(pairs, 8);

	check_series(&labels, NULL, "{\"labels\":{\"URL\":\"u\",\"_9a\":\"1\","
	    "\"__name__\":\"k6_a\",\"b_c\":\"first\","
	    "\"z\":\"\xef\xbf\xbdok\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"},"
	    "\"samples\":[[7,3]],\"histograms\":[]}\n");
}

static void
extra_label(void)
{
	struct remote_label pairs[] = { { SPAN("A"), SPAN("1") },
	    { SPAN("a"), SPAN("2") }, { SPAN("z"), SPAN("3") } };
	struct remote_label le = { SPAN("le"), SPAN("+Inf") };
	struct remote_label first = { SPAN("B"), SPAN("b") };
	struct remote_labels labels = make(pairs, 3);

	check_series(&labels, &le, "{\"labels\":{\"A\":\"1\",\"__name__\":"
	    "\"k6_a\",\"a\":\"2\",\"le\":\"+Inf\",\"z\":\"3\"},"
	    "\"samples\":[[7,3]],\"histograms\":[]}\n");
	check_series(&labels, &first, "{\"labels\":{\"A\":\"1\",\"B\":\"b\","
	    "\"__name__\":\"k6_a\",\"a\":\"2\",\"z\":\"3\"},"
	    "\"samples\":[[7,3]],\"histograms\":[]}\n");
	labels = make(pairs, 0);
	check_series(&labels, &le, "{\"labels\":{\"__name__\":\"k6_a\","
	    "\"le\":\"+Inf\"},\"samples\":[[7,3]],\"histograms\":[]}\n");
}

/* A value is cut between two characters; a name where it must be. */
static void
long_labels(void)
{
	char name[3000], value[4097];
	struct remote_label pairs[] = { { { name, sizeof(name) },
	    { value, sizeof(value) } } };
	struct remote_labels labels;
	struct remote_label got;
	struct pb_field f;
	struct pb r;
	size_t i;

	memset(name, 'n', sizeof(name));
	value[0] = 'v';
	for (i = 1; i + 1 < sizeof(value); i += 2)
		memcpy(value + i, "\xc3\xa4", 2);
	labels = make(pairs, 1);
	r = pb_of(labels.bytes);
	CHECK(pb_next(&r, &f));
	got = remote_read_label(&r, &f);
	CHECK(got.name.n <= REMOTE_NAME_MAX && got.name.n > 1000);
	CHECK(got.value.n == REMOTE_VALUE_MAX - 1);
}

static void
reads_back(void)
{
	struct remote_label pairs[] = { { SPAN("A"), SPAN("1") },
	    { SPAN("url"), SPAN("http://x/") } };
	struct remote_label none = { SPAN(""), SPAN("") };
	struct remote_labels labels = make(pairs, 2), again;
	struct buf copy = { 0 };
	struct pb_out o = { 0 };
	struct span name;
	struct why why;

	remote_put_sample(remote_stale(), 8, 0, &o);
	remote_put_labels(&labels, SPAN("k6_m"), &none, &o);
	CHECK(remote_read_labels(pb_whole(&o), &name, &again, &copy,
	    &why) == 0);
	CHECK_SPAN(name, "k6_m");
	CHECK(span_equal(again.bytes, labels.bytes));
	CHECK(again.name_at == labels.name_at);
	CHECK(remote_is_stale(remote_stale()) && !remote_is_stale(0));
	buf_release(&copy);
	CHECK(remote_read_labels((struct span){ pb_whole(&o).p, o.n - 3 },
	    &name, &again, &copy, &why) < 0);
	buf_release(&copy);
	remote_name(SPAN("my-metric:9.\xc3\xa4"), &copy);
	CHECK_BUF(copy, "k6_my_metric:9___");
	buf_release(&copy);
	pb_release(&o);
}

int
main(void)
{
	test("a series is the bytes that Prometheus takes", known_bytes);
	test("labels are sorted, valid, each once, none empty", valid_labels);
	test("one more label goes where it belongs", extra_label);
	test("long names and values are cut to what all take", long_labels);
	test("labels read back as they were written", reads_back);
	buf_release(&block);
	return tap_end();
}

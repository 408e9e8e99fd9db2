/* SPDX-License-Identifier: MIT */
#include "k6push/send/outcome_remote.c"

#include "tap.h"

/* The headers of the answer. */
static const char *samples, *histograms;

const char *
fetch_header(const struct fetch_reply *reply, const char *name)
{
	(void)reply;
	return strcmp(name, WRITTEN "Samples-Written") == 0 ? samples
	    : strcmp(name, WRITTEN "Histograms-Written") == 0 ? histograms
	    : NULL;
}

static struct fetch_reply
reply_of(int status, const char *body)
{
	return (struct fetch_reply){ .status = status, .reason = "Reason",
	    .body = span_of(body), .retry_after_ns = -1 };
}

static enum outcome
of(int status, const char *body)
{
	struct fetch_reply reply = reply_of(status, body);

	return outcome_remote(&reply);
}

static void
statuses(void)
{
	struct fetch_reply page = reply_of(200, "<html>");
	int s, n_bad = 0;

	for (s = 0; s < 600; s++)
		n_bad += of(s, "") != (s >= 200 && s < 300 ? OUTCOME_ACKED
		    : s == 0 || s == 408 || s == 425 || s == 429 || s >= 500
		    ? OUTCOME_RETRY : s == 413 ? OUTCOME_SPLIT
		    : s == 400 || s == 409 || s == 422 ? OUTCOME_REFUSED
		    : OUTCOME_HOLD);
	CHECK(n_bad == 0);
	CHECK(of(200, "a\n") == OUTCOME_HOLD);
	CHECK(of(202, "{\"status\":\"success\"}") == OUTCOME_ACKED);
	page.type = "application/x-protobuf";
	CHECK(outcome_remote(&page) == OUTCOME_ACKED);
	page.type = "text/html; charset=utf-8";
	CHECK(outcome_remote(&page) == OUTCOME_HOLD);
	page.status = 400;
	CHECK(outcome_remote(&page) == OUTCOME_HOLD);
	CHECK(of(400, "unsupported path requested: \"/x\"") == OUTCOME_HOLD);
}

/* What the answer with these headers means for sent values. */
static enum outcome
written_of(int status, const char *of_samples, const char *of_histograms,
    struct wire_values sent)
{
	struct fetch_reply reply = reply_of(status, "");

	samples = of_samples;
	histograms = of_histograms;
	return outcome_remote_written(outcome_remote(&reply), &reply, sent);
}

static void
counts(void)
{
	const struct wire_values sent = { 2, 1 }, none = { 0, 0 };

	CHECK(written_of(204, "2", "1", sent) == OUTCOME_ACKED);
	CHECK(written_of(204, "1", "1", sent) == OUTCOME_REFUSED);
	CHECK(written_of(204, "2", NULL, sent) == OUTCOME_REFUSED);
	CHECK(written_of(204, NULL, NULL, sent) == OUTCOME_REFUSED);
	CHECK(written_of(204, "-2", "1", sent) == OUTCOME_REFUSED);
	CHECK(written_of(400, "2", "1", sent) == OUTCOME_ACKED);
	CHECK(written_of(400, "2", "0", sent) == OUTCOME_REFUSED);
	CHECK(written_of(503, "2", "1", sent) == OUTCOME_RETRY);
	CHECK(written_of(204, NULL, NULL, none) == OUTCOME_ACKED);
	CHECK(written_of(400, NULL, NULL, none) == OUTCOME_REFUSED);
}

static void
of_1(void)
{
	const struct wire_values sent = { 1, 0 }, none = { 0, 0 };
	struct fetch_reply good = reply_of(204, ""), bad = reply_of(415, "");
	struct fetch_reply page = reply_of(200, "<html>");
	struct fetch_reply odd = reply_of(400, "unexpected EOF");

	page.type = "text/html";
	samples = histograms = NULL;
	CHECK(outcome_remote_is_of_1(&good, sent));
	CHECK(outcome_remote_is_of_1(&bad, sent));
	CHECK(outcome_remote_is_of_1(&odd, sent));
	CHECK(!outcome_remote_is_of_1(&page, sent));
	CHECK(!outcome_remote_is_of_1(&good, none));
	histograms = "0";
	CHECK(!outcome_remote_is_of_1(&good, sent));
	CHECK(!outcome_remote_is_of_1(&odd, sent));
	histograms = NULL;
}

static void
blame(void)
{
	struct fetch_reply data = reply_of(500, "label name \"a\" is not "
	    "unique: invalid sample");
	struct fetch_reply disk = reply_of(500, "write to WAL: log samples: "
	    "no space left on device");

	struct fetch_reply late = reply_of(400, "out of order sample");
	struct fetch_reply mimir = reply_of(400, "the sample has been rejected "
	    "(err-mimir-sample-out-of-order)");

	CHECK(outcome_remote_is_late(&late) && outcome_remote_is_late(&mimir));
	CHECK(!outcome_remote_is_late(&disk));
	CHECK(outcome_remote_is_of_data(&data));
	CHECK(!outcome_remote_is_of_disk(&data));
	CHECK(outcome_remote_is_of_disk(&disk));
	CHECK(!outcome_remote_is_of_data(&disk));
}

static void
check_text(struct fetch_reply reply, const char *want)
{
	struct buf text = { 0 };

	outcome_remote_describe(&reply, "http://me:secret@h/w", &text);
	CHECK_BUF(text, want);
	buf_release(&text);
}

static void
texts(void)
{
	struct fetch_reply none = reply_of(0, "");

	none.reason = "no route";
	check_text(none, "http://****:****@h/w: no route");
	check_text(reply_of(401, "no org id\nmore"), "http://****:****@h/w "
	    "answers 401 Reason: no org id (name the tenant: --tenant)");
	check_text(reply_of(503, "\x1b[1m"), "http://****:****@h/w answers "
	    "503 Reason:  [1m");
	samples = "3";
	check_text(reply_of(200, ""), "http://****:****@h/w answers 200 "
	    "Reason, 3 samples and 0 histograms of the batch were written");
	samples = NULL;
}

int
main(void)
{
	test("each status has its outcome; a page is no receiver", statuses);
	test("version 2.0: what is not told as written is not", counts);
	test("version 2.0: a receiver of 1.0 is known", of_1);
	test("errors of the data and of the disk", blame);
	test("what was said, on a line, and what to set", texts);
	return tap_end();
}

/* SPDX-License-Identifier: MIT */
#include "k6gen/targets/target.h"

#include <stdlib.h>


#include "tap.h"

static const struct target_defaults defaults = { .method = NULL };
static struct target_reader reader = { .defaults = &defaults };
static struct target *done;
static struct why why;

static int
take(const char *line)
{
	return target_reader_take(&reader, span_of(line), &done, &why);
}

static void
drop(void)
{
	if (done != NULL)
		target_release(done);
	free(done);
	done = NULL;
}

static void
test_text_form(void)
{
	CHECK(take("# none") == 0 && done == NULL);
	CHECK(take("GET http://h/a") == 0 && done == NULL);
	CHECK(take("X-A: b c") == 0 && done == NULL);
	CHECK(take("POST  http://h/{{seq}}") == 0 && done != NULL);
	CHECK_TEXT(done->method, "GET");
	CHECK_SPAN(done->url.source, "http://h/a");
	CHECK(done->n_headers == 1 && !done->has_body && done->name == NULL);
	CHECK_SPAN(done->headers[0].source, "X-A: b c");
	drop();
	CHECK(take("") == 0 && done != NULL);
	CHECK_TEXT(done->method, "POST");
	CHECK_TEXT(done->name, "http://h/{{seq}}");
	drop();
	CHECK(take("") == 0 && done == NULL);
	CHECK(take("GET http://h/last") == 0 && done == NULL);
	CHECK(target_reader_end(&reader, &done, &why) == 0 && done != NULL);
	drop();
	CHECK(target_reader_end(&reader, &done, &why) == 0 && done == NULL);
}

static void
test_weights(void)
{
	CHECK(take("GET http://h/a") == 0 && take("# weight: 3") == 0);
	CHECK(take("") == 0 && done != NULL && done->weight == 3);
	drop();
	CHECK(take("# WEIGHT: 3") < 0);
	CHECK(take("# a comment on weight: 3") == 0 && done == NULL);
	CHECK(take("# weight 3") == 0 && reader.is_doubtful);
	CHECK(take("#Weight = 3") == 0 && reader.is_doubtful);
	CHECK(take("# weight of 3") == 0 && !reader.is_doubtful);
	CHECK(take("# weights 3") == 0 && !reader.is_doubtful);
	CHECK(take("# weight3") == 0 && !reader.is_doubtful);
	CHECK(take("GET http://h/a") == 0 && take("#weight:0") < 0);
	CHECK(take("GET http://h/a") == 0 && take("# weight: 1.5") < 0);
	CHECK(take("GET http://h/a") == 0 && take("# weight: 3 kg") < 0);
	CHECK(take("GET http://h/a") == 0 && take("# weight:") < 0);
	CHECK(take("{\"url\":\"http://h/\",\"weight\":2}") == 0);
	CHECK(done != NULL && done->weight == 2);
	drop();
	CHECK(take("{\"url\":\"http://h/\",\"weight\":\"2\"}") < 0);
	CHECK(take("{\"url\":\"http://h/\",\"weight\":-1}") < 0);
	CHECK(take("{\"url\":\"http://h/\",\"weight\":1000001}") < 0);
	CHECK(take("{\"url\":\"http://h/\",\"weight\":null}") == 0);
	CHECK(done != NULL && done->weight == 0);
	drop();
}

static void
test_blanks(void)
{
	CHECK(take(" \tGET  http://h/a \r") == 0 && done == NULL);
	CHECK(take("A: b\r") == 0 && done == NULL);
	CHECK(take("\r") == 0 && done != NULL);
	CHECK_SPAN(done->url.source, "http://h/a");
	CHECK_SPAN(done->headers[0].source, "A: b");
	drop();
	CHECK(take(" {\"url\":\"http://h/\"}\r") == 0 && done != NULL);
	drop();
}

static void
test_json(void)
{
	CHECK(take("{\"url\":\"http://h/\\u00e4\",\"body\":\"a\\nb\","
	    "\"headers\":{\"A\":[\"1\",\"2\"],\"B\":\"3\"},"
	    "\"tags\":{\"k\":\"v\"},\"name\":\"n\",\"more\":[1,{}]}") == 0);
	CHECK(done != NULL && done->n_headers == 3 && done->n_tags == 1);
	CHECK_TEXT(done->method, "POST");
	CHECK_SPAN(done->body.source, "a\nb");
	CHECK_SPAN(done->headers[1].source, "A: 2");
	CHECK_SPAN(done->tags[0].value, "v");
	CHECK_TEXT(done->name, "n");
	drop();
	CHECK(take("{\"url\":\"http://h/1\",\"url\":\"http://h/{{vu}}\"}") ==
	    0);
	CHECK_SPAN(done->url.source, "http://h/{{vu}}");
	drop();
}

static void
test_bad(void)
{
	static const char *const bad[] = { "{", "{}", "{\"url\":1}",
		"{\"url\":\"http://h/\"} x", "{\"url\":\"ftp://h/\"}",
		"{\"url\":\"http://h/\",\"method\":\"A B\"}",
		"{\"url\":\"http://h/\",\"headers\":{\"A\":1}}",
		"{\"url\":\"http://h/\",\"headers\":{\"A b\":\"1\"}}",
		"{\"url\":\"http://h/\",\"headers\":{\"A\":\"1\\n\"}}",
		"{\"url\":\"http://h/\",\"tags\":{\"A\":1}}",
		"{\"url\":\"http://h/\",\"body\":\"{{x}}\"}",
		"GET", "A: b", "@file", "GET ftp://h/", "GET http://h/{{x}}",
		"G(T http://h/" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(take(bad[i]) < 0 && done == NULL);
		CHECK(reader.open == NULL && why.text[0] != '\0');
	}
	CHECK(take("GET http://h/") == 0);
	CHECK(take("@/nonexistent") < 0 && reader.open == NULL);
}

int
main(void)
{
	test("vegeta's text form: method and URL, headers, blank line",
	    test_text_form);
	test("blanks around a line, and the ends of DOS lines, are no part "
	    "of it", test_blanks);
	test("a JSON line says all of a target", test_json);
	test("a weight is a whole number, of a target", test_weights);
	test("what is no target is refused, and what follows is read",
	    test_bad);
	return tap_end();
}

/* SPDX-License-Identifier: MIT */
/* Fields of forms, whole and cut. */
#include "k6serve/ingest/multipart.c"

#include "tap.h"

#define TYPE "multipart/form-data; boundary=xyz"
#define PART(name, value) "--xyz\r\nContent-Disposition: form-data; name=\"" \
	name "\"\r\n\r\n" value "\r\n"

static void
finds(void)
{
	struct span body = SPAN("before\r\n" PART("a", "1\r\n2")
	    PART("b", "") PART("a", "other") "--xyz--\r\n");
	struct span value = { NULL, 0 };

	CHECK(multipart_field(TYPE, body, "a", &value));
	CHECK_SPAN(value, "1\r\n2");
	CHECK(multipart_field("Multipart/Form-Data; boundary=\"xyz\"", body,
	    "b", &value));
	CHECK(value.n == 0);
	CHECK(multipart_field(TYPE "; charset=utf-8", body, "a", &value));
	CHECK(!multipart_field(TYPE, body, "c", &value));
	CHECK(!multipart_field(TYPE, body, "", &value));
}

/* longer than RFC 2046 lets it be */
#define LONG_TYPE "multipart/form-data; boundary=" \
	"0123456789012345678901234567890123456789" \
	"01234567890123456789012345678901"

static void
refuses(void)
{
	static const char *const types[] = { "text/plain; boundary=xyz",
	    "multipart/form-data", "multipart/form-data; boundary=",
	    "multipart/form-data; boundary=other",
	    LONG_TYPE };
	struct span whole = SPAN(PART("a", "1") "--xyz--\r\n"), value;
	struct span cut = whole;
	size_t i, end = strlen(PART("a", "1")) + strlen("--xyz");

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		CHECK(!multipart_field(types[i], whole, "a", &value));
	CHECK(!multipart_field(NULL, whole, "a", &value));
	for (cut.n = 0; cut.n < whole.n; cut.n++)
		CHECK(multipart_field(TYPE, cut, "a", &value) ==
		    (cut.n >= end));
}

int
main(void)
{
	test("a field is found, of two the first", finds);
	test("other types and bodies that are cut have no field", refuses);
	return tap_end();
}

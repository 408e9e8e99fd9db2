/* SPDX-License-Identifier: MIT */
/* The names of errors. */
#include "k6serve/http/errors.h"

#include <stddef.h>

enum { K6_TAKES_NO_MORE = 4 };

static const char *const names[] = {
	[ERROR_UNKNOWN_PARAMETER] = "unknown_parameter",
	[ERROR_BAD_PARAMETER] = "bad_parameter",
	[ERROR_BAD_BODY] = "bad_body",
	[ERROR_ANSWER_TOO_LARGE] = "answer_too_large",
	[ERROR_TOKEN_NEEDED] = "token_needed",
	[ERROR_BAD_TOKEN] = "bad_token",
	[ERROR_CROSS_SITE] = "cross_site",
	[ERROR_RUN_ENDED] = "run_ended",
	[ERROR_RUN_REMOVED] = "run_removed",
	[ERROR_NO_SUCH_PATH] = "no_such_path",
	[ERROR_NO_SUCH_RUN] = "no_such_run",
	[ERROR_OTHER_DATABASE] = "other_database",
	[ERROR_KEY_WITHDRAWN] = "key_withdrawn",
	[ERROR_DATABASE_BUSY] = "database_busy",
};

static const struct {
	int status;
	const char *name;
} by_status[] = {
	{ 400, "bad_request" }, { 404, "not_found" },
	{ 405, "method_not_allowed" }, { 409, "conflict" },
	{ 413, "body_too_large" }, { 415, "not_json" },
	{ 421, "wrong_host" }, { 429, "too_many_wrong_tokens" },
	{ 500, "internal_error" }, { 503, "too_busy" },
	{ 507, "storage_full" },
};

const char *
error_name(enum error_code code, int status)
{
	size_t i;

	if (code != ERROR_BY_STATUS)
		return names[code];
	for (i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++)
		if (by_status[i].status == status)
			return by_status[i].name;
	return status < 500 ? "bad_request" : "internal_error";
}

int
error_number(enum error_code code, int status)
{
	return code == ERROR_RUN_ENDED || code == ERROR_RUN_REMOVED ?
	    K6_TAKES_NO_MORE : status;
}

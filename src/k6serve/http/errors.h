/* SPDX-License-Identifier: MIT */
/*
 * errors: the errors of requests, with the names that openapi.json lists. k6's
 * own APIs have numbers instead.
 */
#ifndef K6PIPE_K6SERVE_HTTP_ERRORS_H
#define K6PIPE_K6SERVE_HTTP_ERRORS_H

/* Those that the status alone does not tell. */
enum error_code {
	ERROR_BY_STATUS,
	ERROR_UNKNOWN_PARAMETER,
	ERROR_BAD_PARAMETER,
	ERROR_BAD_BODY,
	ERROR_ANSWER_TOO_LARGE,
	ERROR_TOKEN_NEEDED,
	ERROR_BAD_TOKEN,
	ERROR_CROSS_SITE,
	ERROR_RUN_ENDED,	/* with it k6 stops sending; so it does with */
	ERROR_RUN_REMOVED,
	ERROR_NO_SUCH_PATH,
	ERROR_NO_SUCH_RUN,
	ERROR_OTHER_DATABASE,
	ERROR_KEY_WITHDRAWN,
	ERROR_DATABASE_BUSY,
};

/* The name of an error that comes with this status of HTTP. */
const char *error_name(enum error_code code, int status);

/* What k6 knows it by. */
int error_number(enum error_code code, int status);

#endif

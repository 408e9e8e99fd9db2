/* SPDX-License-Identifier: MIT */
/* Gives libmicrohttpd the reply to a request. */
#include <stdlib.h>

#include "k6serve/http/httpd_priv.h"

enum {
	REPLY_S = 60,		/* to take the whole reply, and longer */
	REPLY_RATE = 64 * 1024,	/* if it is large: bytes a second */
};

static ssize_t
give_nothing(void *ctx, uint64_t at, char *to, size_t n)
{
	(void)ctx;
	(void)at;
	(void)to;
	(void)n;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* Only where the connection is closed behind it libmicrohttpd writes neither a
 * length nor that there are chunks. */
static struct MHD_Response *
without_length(void)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, 1, give_nothing, NULL, NULL);

	if (response != NULL)
		(void)MHD_set_response_options(response,
		    MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return response;
}

/* The reply's body; takes what it needs from r->reply. */
static struct MHD_Response *
response_of(struct httpd *h, struct request *r)
{
	struct httpd_reply *reply = &r->reply;
	struct MHD_Response *response;

	if (reply->next != NULL)
		return stream_start(h, r->public.connection, reply);
	if (reply->has_no_length)
		return without_length();
	if (reply->fixed.p != NULL)
		return MHD_create_response_from_buffer(reply->fixed.n,
		    (void *)(uintptr_t)reply->fixed.p,
		    MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->body.n,
	    reply->body.p, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		reply->body = (struct buf){ 0 };
	return response;
}

/* A field that is there already stays as it is, one of the reply, too. */
static void
add_fields(struct MHD_Response *response, const struct httpd_field *f,
    size_t n)
{
	for (; n > 0 && f->name != NULL; n--, f++)
		if (MHD_get_response_header(response, f->name) == NULL)
			(void)MHD_add_response_header(response, f->name,
			    f->value);
}

void
reply_free_texts(struct httpd_reply *reply)
{
	size_t i;

	free(reply->cause);
	reply->cause = NULL;
	for (i = 0; i < sizeof(reply->texts) / sizeof(reply->texts[0]); i++) {
		free(reply->texts[i]);
		reply->texts[i] = NULL;
	}
}

enum MHD_Result
reply_send(struct httpd *h, struct request *r)
{
	int seconds = REPLY_S + (int)(r->reply.body.n / REPLY_RATE);
	struct httpd_reply *reply = &r->reply;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (h->config.replied != NULL)
		h->config.replied(h->config.ctx, &r->public, reply);
	response = response_of(h, r);
	if (response == NULL)
		return MHD_NO;
	if (reply->type != NULL)
		(void)MHD_add_response_header(response,
		    MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	add_fields(response, reply->fields,
	    sizeof(reply->fields) / sizeof(reply->fields[0]));
	reply_free_texts(reply);
	add_fields(response, h->config.fields, SIZE_MAX);
	if (reply->next != NULL)
		request_leave_unsent(h, r);
	else
		peers_enter(h, r->public.connection, PHASE_REPLY, seconds);
	result = MHD_queue_response(r->public.connection,
	    (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

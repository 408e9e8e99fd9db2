/* SPDX-License-Identifier: MIT */
/*
 * wire_rw: Prometheus' remote write. A plain body is a WriteRequest 1.0 with
 * native histograms, preceded by how many points of the stream each of its
 * series stands for. The batch is kept in that form; the form that the
 * receiver wants is made when it is sent.
 */
#ifndef K6PIPE_K6PUSH_WIRE_WIRE_RW_H
#define K6PIPE_K6PUSH_WIRE_WIRE_RW_H

#include "data/pb.h"
#include "k6push/wire/wire.h"

/* flags: it only marks the begin or the end of series. The lane is in the
 * lowest bits. */
enum { RW_MARKS = 256 };

/* How histograms go out. */
enum rw_form { RW_NATIVE, RW_VMRANGE, RW_CLASSIC, RW_STATS, RW_FORMS };

/* The form that the settings ask for; native where they ask for none. -1: it
 * is none of these. */
int rw_form_of(const struct settings *s);

/* Which body the settings ask for: form and version, as one number. */
unsigned rw_variant(const struct settings *s);

/* Is it a setting's value? Otherwise the receiver decides. */
bool rw_form_is_set(const struct settings *s);

/* What one series stands for. */
struct rw_share {
	uint64_t points, requests;
};

/* Append the plain body of a message whose n series have these shares. */
void rw_put_plain(struct buf *out, const struct rw_share *shares, size_t n,
    struct span message);

/* A plain body taken apart: its message, borrowed, and shares, owned by the
 * caller. -1: it is damaged. */
struct rw_plain {
	struct rw_share *shares;
	size_t n;
	struct span message;
};

int rw_read_plain(struct rw_plain *out, struct span plain, struct why *why);

/* Call take for each series of a body as it is kept; key is the bytes of its
 * labels, the same in every message of a run. -1: it is damaged, and take was
 * not called. */
typedef void rw_take_series(void *ctx, struct span key,
    const struct rw_share *share);

int rw_each_series(struct span kept, rw_take_series *take, void *ctx,
    struct why *why);

/* Rewrite a message in a form without native histograms (rw_forms.c), or as
 * one of remote write 2.0 (rw_version2.c), and count its values. -1: it is
 * damaged. */
int rw_rewrite(struct span message, enum rw_form form, struct pb_out *out,
    struct why *why);
int rw_rewrite_2(struct span message, struct pb_out *out,
    struct wire_values *count, struct why *why);

#endif

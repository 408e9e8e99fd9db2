/* SPDX-License-Identifier: MIT */
/*
 * instance_label: the tag `instance` for all samples of one pusher among
 * several.
 */
#ifndef K6PIPE_K6PUSH_READ_INSTANCE_LABEL_H
#define K6PIPE_K6PUSH_READ_INSTANCE_LABEL_H

#include "data/sample.h"
#include "data/tags.h"

/* A zeroed struct adds nothing. */
struct instance_label {
	const char *instance;	/* NULL: none */
	struct tags *tags;	/* those of the stream; borrowed */
	const struct tagset *last, *last_labelled;
	/* what a labelled sample points to: */
	struct trail trail;
	struct net_trail net;
	struct aggregate aggregate;
};

/* The sample with the label, over a tag of that name; good until the next
 * call. */
struct sample instance_label_sample(
    struct instance_label *l, const struct sample *s);

/* The same for a tag set. */
const struct tagset *instance_label_tags(
    struct instance_label *l, const struct tagset *set);

/* The tag sets of earlier samples are gone, or the instance is another. */
void instance_label_forget(struct instance_label *l);

#endif

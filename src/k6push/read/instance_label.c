/* SPDX-License-Identifier: MIT */
/* The tag `instance`, put into the tag sets of one pusher. */
#include "k6push/read/instance_label.h"

void
instance_label_forget(struct instance_label *l)
{
	l->last = NULL;
}

const struct tagset *
instance_label_tags(struct instance_label *l, const struct tagset *set)
{
	struct tag pairs[TAGS_MAX + 1];
	size_t i, n = 0;

	if (set == l->last)
		return l->last_labelled;
	for (i = 0; i < set->n && n < TAGS_MAX; i++)
		if (!span_is(set->tags[i].key, "instance"))
			pairs[n++] = set->tags[i];
	pairs[n++] = (struct tag){ SPAN("instance"), span_of(l->instance) };
	l->last = set;
	l->last_labelled = tags_intern(l->tags, pairs, n);
	return l->last_labelled;
}

struct sample
instance_label_sample(struct instance_label *l, const struct sample *s)
{
	struct sample out = *s;

	switch (s->kind) {
	case SAMPLE_POINT:
		out.tags = instance_label_tags(l, s->tags);
		break;
	case SAMPLE_TRAIL:
		l->trail = *s->trail;
		l->trail.tags = instance_label_tags(l, s->trail->tags);
		out.trail = &l->trail;
		break;
	case SAMPLE_NET:
		l->net = *s->net;
		l->net.tags = instance_label_tags(l, s->net->tags);
		out.net = &l->net;
		break;
	case SAMPLE_AGGREGATE:	/* its histograms stay those of s */
		l->aggregate = *s->aggregate;
		l->aggregate.tags = instance_label_tags(l, s->aggregate->tags);
		out.aggregate = &l->aggregate;
		break;
	}
	return out;
}

/* SPDX-License-Identifier: MIT */
/* Prints on stdout the samples that would be sent. */
#include <stdio.h>
#include <stdlib.h>

#include "base/die.h"
#include "base/lines.h"
#include "data/remote.h"
#include "io/gz.h"
#include "io/zst.h"
#include "k6push/push.h"
#include "k6push/read/running_batches.h"
#include "k6push/read/series_collect.h"
#include "k6push/remote.h"
#include "k6push/wire/wire_rw.h"

const struct codec *const input_codecs[] = { &gz_codec, &zst_codec, NULL };

struct dry_run {
	const struct settings *settings;
	struct collector collector;
	struct remote remote;
	struct running_batches running;	/* of remote write */
	struct numbers numbers;
	struct series_collect series;	/* of protocol 2 */
	struct by_series taker;
	struct buf out;
};

static int
print_sample(void *ctx, const struct sample *s)
{
	struct dry_run *d = ctx;

	sample_print(s, settings_bool(d->settings, SET_SEND_HISTOGRAMS),
	    &d->out);
	buf_char(&d->out, '\n');
	(void)fwrite(d->out.p, 1, d->out.n, stdout);
	buf_reset(&d->out);
	return 0;
}

/* Of protocol 2. */
static void
print_batch(void *ctx, struct metricset *batch)
{
	struct dry_run *d = ctx;

	metricset_print(batch, &d->out);
	(void)fwrite(d->out.p, 1, d->out.n, stdout);
	buf_reset(&d->out);
}

/* Of remote write: every series of every batch, on a line. */
static void
print_running(void *ctx, struct batch *p)
{
	struct dry_run *d = ctx;
	struct rw_plain plain;
	struct pb_field f;
	struct pb r;

	if (rw_read_plain(&plain, buf_whole(&p->body), NULL) == 0) {
		r = pb_of(plain.message);
		while (pb_next(&r, &f))
			(void)remote_print(pb_bytes(&r, &f), &d->out, NULL);
		free(plain.shares);
	}
	(void)fwrite(d->out.p, 1, d->out.n, stdout);
	buf_reset(&d->out);
	batch_free(p);
}

/* Choose the form of the samples, by the settings. -1: why. */
static int
choose_form(struct dry_run *d, struct push_options *o, struct why *why)
{
	struct metrics *metrics = &d->collector.stream.metrics;
	bool is_v2 = wire_chosen(&o->settings) == &wire_v2;

	if (remote_init(&d->remote, &o->settings, why) < 0 ||
	    (is_v2 && series_collect_init(&d->series, &o->settings, metrics,
	    why) < 0))
		return -1;
	if (d->remote.is_chosen) {
		d->remote.config.instance = o->instance;
		running_batches_init(&d->running, &d->remote.config, metrics);
		d->running.numbers = &d->numbers;
		d->running.put = print_running;
		d->running.put_ctx = d;
		d->collector.series = &d->running.taker;
	}
	if (is_v2)
		d->collector.series = &d->taker;
	return 0;
}

/* Print what the input has. Returns the exit status. */
static int
print_input(struct dry_run *d, struct lines *in)
{
	struct collector *c = &d->collector;
	struct bad_lines bad = { 0 };
	struct why why;
	int more;

	do {
		more = lines_fill(in, &why);
		if (more < 0)
			warnf("%s", why.text);
		collector_take(c, in, &bad);
	} while (more != 0);
	collector_end(c);
	collector_tell(c);
	if (d->remote.is_chosen)
		running_batches_cutter(&d->running).take(&d->running, true);
	else if (c->series != NULL)
		series_collect_take(&d->series, true, print_batch, d);
	if (bad.n > 0 && !collector_has_head(c) && c->ends.n == 0) {
		warnf("no line of the input belongs to the stream%s%s",
		    bad.hint != NULL ? "; it looks like " : "",
		    bad.hint != NULL ? bad.hint : "");
		return EXIT_FAILED;
	}
	return in->n_failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

int
push_dry_run(struct push_options *o, char *const *files, int n_files)
{
	struct dry_run *d = xcalloc(1, sizeof(*d));
	struct lines in;
	struct why why;
	int status;

	d->settings = &o->settings;
	d->collector.each = print_sample;
	d->collector.ctx = d;
	d->taker = series_collect_taker(&d->series);
	if (choose_form(d, o, &why) == 0) {
		lines_init(&in, files, n_files);
		in.codecs = input_codecs;
		status = print_input(d, &in);
		lines_release(&in);
	} else {
		status = opt_misuse("%s", why.text);
	}
	series_collect_release(&d->series);
	running_batches_release(&d->running);
	remote_release(&d->remote);
	collector_release(&d->collector);
	buf_release(&d->out);
	free(d);
	return status;
}

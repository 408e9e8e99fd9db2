/* SPDX-License-Identifier: MIT */
/* What would be sent, on stdout. */
#include <stdio.h>

#include "base/die.h"
#include "base/lines.h"
#include "io/gz.h"
#include "io/zst.h"
#include "k6push/push.h"
#include "k6push/read/collect.h"

const struct codec *const input_codecs[] = { &gz_codec, &zst_codec, NULL };

struct dry_run {
	const struct settings *settings;
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

int
push_dry_run(struct push_options *o, char *const *files, int n_files)
{
	struct dry_run d = { .settings = &o->settings };
	struct collector c = { .each = print_sample, .ctx = &d };
	struct bad_lines bad = { 0 };
	struct series_collect series = { 0 };
	struct lines in;
	struct why why;
	int more, status;

	if (settings_int(&o->settings, SET_API_VERSION) == 2) {
		c.series = &series;
		if (series_collect_init(&series, &o->settings,
		    &c.stream.metrics, &why) < 0)
			return opt_misuse("%s", why.text);
	}
	lines_init(&in, files, n_files);
	in.codecs = input_codecs;
	do {
		more = lines_fill(&in, &why);
		if (more < 0)
			warnf("%s", why.text);
		collector_take(&c, &in, &bad);
	} while (more != 0);
	collector_end(&c);
	collector_tell(&c, in.name);
	if (c.series != NULL)
		series_collect_take(&series, true, print_batch, &d);
	status = in.n_failed > 0 ? EXIT_FAILED : EXIT_DONE;
	if (bad.n > 0 && !collector_has_head(&c) && c.ends.n == 0) {
		warnf("no line of the input is of the stream%s%s",
		    bad.hint != NULL ? "; it looks like " : "",
		    bad.hint != NULL ? bad.hint : "");
		status = EXIT_FAILED;
	}
	series_collect_release(&series);
	collector_release(&c);
	lines_release(&in);
	buf_release(&d.out);
	return status;
}

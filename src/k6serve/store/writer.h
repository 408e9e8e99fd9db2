/* SPDX-License-Identifier: MIT */
/*
 * writer: the thread that changes the database. Work that writes is handed to
 * it by the server's thread, which goes on to answer others. What came in while
 * a commit was under way goes into the next one together, and no job is done
 * before that commit is on disk. Between the jobs it does its chores,
 * removes the data of removed runs and rolls old ones up, in slices.
 */
#ifndef K6PIPE_K6SERVE_STORE_WRITER_H
#define K6PIPE_K6SERVE_STORE_WRITER_H

#include "k6serve/store/chores.h"

struct writer;

/* Both are called on the thread: write within a transaction, twice if that
 * failed for another job in it; done once, after its end. */
struct writer_job {
	void (*write)(void *ctx, struct store *s);
	void (*done)(void *ctx);
	void *ctx;
};

/* Start the thread. Only it may use the store from then on, until writer_stop;
 * config is copied. NULL: why. */
struct writer *writer_start(const struct chores_config *config,
    struct store *store, struct why *why);

/* Add a job, which is copied. From any thread. */
void writer_add(struct writer *w, const struct writer_job *job);

/* Add a job without a done, and wait until it is on disk, or could not be
 * written. From any thread but the writer's. */
void writer_do(struct writer *w, void (*write)(void *ctx, struct store *s),
    void *ctx);

/* What the thread did since its start. Group commits are counted by the time
 * they took: up to writer_bounds_us[i], and past all of them. */
enum { WRITER_BOUNDS = 13 };
extern const int64_t writer_bounds_us[WRITER_BOUNDS];
struct writer_stats {
	uint64_t commits[WRITER_BOUNDS + 1];
	uint64_t commit_ns;	/* of all of them */
	uint64_t n_failed;	/* not among them */
	size_t n_queued;	/* jobs that wait now */
	bool is_ours;		/* the lease of the periodic work is ours */
	uint64_t fence;		/* its number, when it last was */
	uint64_t n_taken;	/* times that it was taken anew */
	uint64_t n_too_late;	/* chores undone as another had it then */
};
void writer_stats_get(struct writer *w, struct writer_stats *stats);

/* Does this k6serve do the periodic work now? From any thread. */
bool writer_has_lease(struct writer *w);

/* End the thread after what was added; free. NULL is allowed. */
void writer_stop(struct writer *w);

#endif

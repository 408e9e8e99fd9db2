/* SPDX-License-Identifier: MIT */
/*
 * repeat FILE BYTES: write a k6 stream again and again, to at least so many
 * bytes, each time so much later that its times go on where they ended: one
 * long test run.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = sizeof("2006-01-02T15:04:05") - 1 };

struct stamp {
	size_t at;		/* offset of its text */
	time_t unix_s;
};

static char *text;
static size_t size;
static struct stamp *stamps;
static size_t n_stamps;

static void
load(const char *path)
{
	struct stat st;
	size_t n = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (text = malloc((size_t)st.st_size + 1)) == NULL) {
		perror(path);
		exit(1);
	}
	while (n < (size_t)st.st_size &&
	    (got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	size = n;
	text[n] = '\0';
	(void)close(fd);
}

static void
find_stamps(void)
{
	static const char key[] = "\"data\":{\"time\":\"";
	const char *p = text;
	size_t cap = 0;
	struct tm tm;

	while ((p = strstr(p, key)) != NULL) {
		p += sizeof(key) - 1;
		memset(&tm, 0, sizeof(tm));
		if (strptime(p, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
			continue;
		if (n_stamps == cap) {
			cap = cap != 0 ? cap * 2 : 1024;
			stamps = realloc(stamps, cap * sizeof(*stamps));
			if (stamps == NULL)
				exit(1);
		}
		stamps[n_stamps++] = (struct stamp){ (size_t)(p - text),
		    timegm(&tm) };
	}
}

static void
shift(time_t by)
{
	char line[SECONDS + 1];
	time_t last = -1, now;
	struct tm tm;
	size_t i;

	for (i = 0; i < n_stamps; i++) {
		now = stamps[i].unix_s + by;
		if (now != last) {
			(void)gmtime_r(&now, &tm);
			(void)strftime(line, sizeof(line),
			    "%Y-%m-%dT%H:%M:%S", &tm);
			last = now;
		}
		memcpy(text + stamps[i].at, line, SECONDS);
	}
}

int
main(int argc, char **argv)
{
	uint64_t wanted = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t written = 0;
	time_t first, last;
	size_t i;
	int round;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: repeat FILE BYTES\n");
		return 2;
	}
	load(argv[1]);
	find_stamps();
	if (n_stamps == 0)
		return 1;
	first = last = stamps[0].unix_s;
	for (i = 0; i < n_stamps; i++) {
		first = stamps[i].unix_s < first ? stamps[i].unix_s : first;
		last = stamps[i].unix_s > last ? stamps[i].unix_s : last;
	}
	for (round = 0; written < wanted; round++) {
		shift(round * (last - first + 1));
		if (fwrite(text, 1, size, stdout) != size)
			return 1;
		written += size;
	}
	return fflush(stdout) != 0;
}

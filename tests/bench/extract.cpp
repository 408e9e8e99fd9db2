// SPDX-License-Identifier: MIT
// extract FILE: metric, time, value and tags of each Point line, by simdjson's
// on-demand reader, and nothing else: the peer that k6agg is measured beside.
// Reads the file in blocks, as k6agg does. Prints how many points and tags
// there were, the bytes of their text, and the sum of the values.
#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace simdjson;

struct sums {
	uint64_t points, tags, bytes;
	double values;
};

static void
take(ondemand::object line, sums &s)
{
	ondemand::object data, tags;
	std::string_view metric, text;
	double value;

	if (line["metric"].get_string().get(metric) != SUCCESS ||
	    line["type"].get_string().get(text) != SUCCESS ||
	    text != "Point" ||
	    line["data"].get_object().get(data) != SUCCESS ||
	    data["time"].get_string().get(text) != SUCCESS ||
	    data["value"].get_double().get(value) != SUCCESS ||
	    data["tags"].get_object().get(tags) != SUCCESS)
		return;
	s.points++;
	s.bytes += metric.size() + text.size();
	s.values += value;
	for (auto tag : tags) {
		if (tag.unescaped_key().get(text) != SUCCESS)
			break;
		s.bytes += text.size();
		if (tag.value().get_string().get(text) != SUCCESS)
			break;
		s.bytes += text.size();
		s.tags++;
	}
}

int
main(int argc, char **argv)
{
	const size_t block = 1 << 20;
	static char buffer[2 * block + SIMDJSON_PADDING];
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	ondemand::parser parser;
	size_t n = 0, whole;
	ssize_t got;
	sums s = {};

	if (fd < 0) {
		std::fprintf(stderr, "usage: extract FILE\n");
		return 2;
	}
	while ((got = read(fd, buffer + n, block)) > 0) {
		ondemand::document_stream lines;

		n += (size_t)got;
		for (whole = n; whole > 0 && buffer[whole - 1] != '\n'; whole--)
			;
		if (parser.iterate_many(buffer, whole, whole).get(lines) !=
		    SUCCESS)
			return 1;
		for (auto line : lines) {
			ondemand::object object;
			if (line.get_object().get(object) == SUCCESS)
				take(object, s);
		}
		std::memmove(buffer, buffer + whole, n - whole);
		n -= whole;
	}
	std::printf("%" PRIu64 " points, %" PRIu64 " tags, %" PRIu64
	    " bytes, sum %g\n", s.points, s.tags, s.bytes, s.values);
	return 0;
}

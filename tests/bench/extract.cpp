// SPDX-License-Identifier: MIT
// extract FILE: metric, time, value and tags of each Point line, by simdjson's
// on-demand reader, and nothing else: the peer that k6agg is measured beside.
// Prints how many points and tags there were, and the sum of their lengths.
#include <simdjson.h>

#include <cinttypes>
#include <cstdio>

using namespace simdjson;

struct sums {
	uint64_t points, tags, bytes;
	double values;
};

static void
take(ondemand::object line, sums &s)
{
	ondemand::object data, tags;
	std::string_view text;
	double value;

	if (line["metric"].get_string().get(text) != SUCCESS)
		return;
	s.bytes += text.size();
	if (line["type"].get_string().get(text) != SUCCESS || text != "Point")
		return;
	if (line["data"].get_object().get(data) != SUCCESS ||
	    data["time"].get_string().get(text) != SUCCESS ||
	    data["value"].get_double().get(value) != SUCCESS ||
	    data["tags"].get_object().get(tags) != SUCCESS)
		return;
	s.points++;
	s.bytes += text.size();
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
	ondemand::parser parser;
	ondemand::document_stream lines;
	padded_string text;
	sums s = {};

	if (argc != 2 || padded_string::load(argv[1]).get(text) != SUCCESS ||
	    parser.iterate_many(text, 1 << 20).get(lines) != SUCCESS) {
		std::fprintf(stderr, "usage: extract FILE\n");
		return 2;
	}
	for (auto line : lines) {
		ondemand::object object;
		if (line.get_object().get(object) == SUCCESS)
			take(object, s);
	}
	std::printf("%" PRIu64 " points, %" PRIu64 " tags, %" PRIu64
	    " bytes, sum %g\n", s.points, s.tags, s.bytes, s.values);
	return 0;
}

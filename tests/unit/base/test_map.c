/* SPDX-License-Identifier: MIT */
#define MAP_FIRST 2
#include "base/map.c"

#include "random.h"
#include "tap.h"

enum { N = 3000 };

static void
finds(void)
{
	struct map m = { 0 };
	static char keys[N][16];
	size_t at = 0, walked = 0;
	int i, n_good = 0;

	CHECK(map_get(&m, SPAN("a")) == NULL);
	for (i = 0; i < N; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		map_put(&m, span_of(keys[i]), keys[i]);
	}
	for (i = 0; i < N; i++)
		n_good += map_get(&m, span_of(keys[i])) == keys[i];
	CHECK(n_good == N && m.n == N);
	CHECK(map_get(&m, SPAN("k")) == NULL);
	CHECK(map_get(&m, SPAN("k3000")) == NULL);
	while (map_next(&m, &at) != NULL)
		walked++;
	CHECK(walked == N);
	map_release(&m);
	CHECK(m.n == 0 && map_get(&m, SPAN("k1")) == NULL);
	at = 0;
	CHECK(map_next(&m, &at) == NULL);
	map_release(&m);
}

static void
replaces(void)
{
	struct map m = { 0 };
	int a, b;

	map_put(&m, SPAN("x"), &a);
	map_put(&m, SPAN("x"), &b);
	CHECK(m.n == 1 && map_get(&m, SPAN("x")) == &b);
	map_release(&m);
}

static void
any_bytes(void)
{
	struct map m = { 0 };
	int a, b, c;

	map_put(&m, SPAN(""), &a);
	map_put(&m, SPAN("\0"), &b);
	map_put(&m, SPAN("\0\0"), &c);
	CHECK(map_get(&m, (struct span){ NULL, 0 }) == &a);
	CHECK(map_get(&m, SPAN("\0")) == &b);
	CHECK(map_get(&m, SPAN("\0\0")) == &c);
	map_release(&m);
}

static void
seeds(void)
{
	struct map m = { 0 }, other = { 0 };
	int x;

	map_put(&m, SPAN("a"), &x);
	map_put(&other, SPAN("a"), &x);
	CHECK(m.seed != other.seed);
	map_release(&m);
	map_release(&other);
}

/* Flip each bit of keys of 1..40 bytes: the hash must change, and about half
 * of its bits with it. */
static void
spreads(void)
{
	unsigned char key[40];
	uint64_t seed = random_bits(), h, flipped;
	long bits = 0, trials = 0;
	size_t n, i, same = 0;

	for (n = 1; n <= sizeof(key); n++) {
		for (i = 0; i < n; i++)
			key[i] = (unsigned char)random_bits();
		h = hash_bytes(seed, key, n);
		CHECK(h == hash_bytes(seed, key, n));
		CHECK(h != hash_bytes(seed + 1, key, n));
		CHECK(h != hash_bytes(seed, key, n - 1));
		for (i = 0; i < n * 8; i++) {
			key[i / 8] = (unsigned char)(key[i / 8] ^
			    1U << i % 8);
			flipped = hash_bytes(seed, key, n);
			key[i / 8] = (unsigned char)(key[i / 8] ^
			    1U << i % 8);
			same += flipped == h;
			bits += __builtin_popcountll(flipped ^ h);
			trials++;
		}
	}
	CHECK(same == 0);
	CHECK(bits > trials * 30 && bits < trials * 34);
}

int
main(void)
{
	test("each key is found while the map grows", finds);
	test("a second value replaces the first", replaces);
	test("keys may be empty or hold NUL", any_bytes);
	test("each map has a seed of its own", seeds);
	test("each bit of a key moves half of the hash", spreads);
	return tap_end();
}

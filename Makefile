# k6pipe: make help lists the targets
VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
BUILD ?= build
BIN ?= bin
T ?= $(wildcard tests/*.bats)

CC ?= cc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wconversion -Wformat=2 -Wundef
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
override CFLAGS += -std=c11 $(WARN) $(HARDEN)
override CPPFLAGS += -D_GNU_SOURCE -DK6PIPE_VERSION='"$(VERSION)"' -Ilib -Isrc

# Who links what. A tool is its src/ files and these modules of lib/.
TOOLS := k6agg k6gen k6login k6push k6serve
BASE := base/why base/die base/mem base/buf base/num base/units base/opt \
	base/random base/file base/varint
STREAM := base/map base/lines base/unpack data/json data/tags data/metric \
	data/hist data/sink data/frame data/trail data/aggregate data/sample \
	data/sample_parse data/run data/stream

k6agg_OBJS := k6agg/main k6agg/agg k6agg/ahead k6agg/books k6agg/fold \
	k6agg/live k6agg/out k6agg/prepare k6agg/read k6agg/select k6agg/select_rule \
	k6agg/source k6agg/summary k6agg/summary_json k6agg/summary_text \
	k6agg/take base/subst $(BASE) $(STREAM) data/settings data/fence \
	data/aggregates data/bucket data/keep data/sink data/sample_sink \
	io/gz io/zst
k6gen_OBJS := k6gen/main k6gen/options k6gen/options_finish \
	k6gen/options_request k6gen/form k6gen/plan k6gen/profile \
	k6gen/targets k6gen/target k6gen/text k6gen/rows k6gen/check \
	k6gen/run k6gen/load k6gen/load_clock k6gen/load_vu k6gen/vu \
	k6gen/wake k6gen/redirect k6gen/emit k6gen/declare k6gen/tally \
	k6gen/writer k6gen/report k6gen/summary k6gen/summary_export \
	k6gen/figures io/swarm io/swarm_curl io/swarm_setup io/swarm_reply \
	io/swarm_plain io/swarm_http io/swarm_names io/url io/certs io/cookie \
	base/base64 $(BASE) $(STREAM) data/threshold
k6login_OBJS := k6login/main k6login/ask $(BASE) base/map data/json \
	data/settings io/config io/fetch io/url
k6push_OBJS := k6push/main k6push/push k6push/books k6push/resume k6push/many \
	k6push/label k6push/dryrun k6push/note k6push/reader k6push/packer \
	k6push/parcel k6push/wire k6push/wire_v1 k6push/collect k6push/gather \
	k6push/control k6push/outcome k6push/retry k6push/upload data/pb \
	data/metricset data/timeseries data/sample_sink $(BASE) $(STREAM) \
	data/settings io/config io/fetch io/url io/gz io/zst base/crc \
	io/journal io/journal_log io/journal_write io/journal_load \
	k6push/buckets k6push/wire_v2 data/metricset_parse io/snap
k6serve_OBJS := k6serve/main k6serve/app k6serve/ingest k6serve/instances \
	k6serve/batch k6serve/api k6serve/cache k6serve/csv k6serve/diff \
	k6serve/group k6serve/measure k6serve/report k6serve/runs \
	k6serve/series k6serve/tables k6serve/page k6serve/assets \
	k6serve/token k6serve/writer $(BASE) base/map data/json data/tags \
	data/metric data/hist data/sink data/trail data/aggregate data/sample \
	data/sample_parse data/sample_sink data/run io/gz io/digest io/listen \
	io/httpd io/httpd_peers io/store io/store_edit io/store_instance \
	io/store_keep io/store_read io/store_started io/store_write \
	base/unpack k6serve/body k6serve/session k6serve/offer \
	k6serve/provision k6serve/provision_run k6serve/multipart \
	data/settings k6serve/ingest_v2 data/pb data/metricset_parse io/snap

k6agg_LIBS := zlib libzstd
k6gen_LIBS := libcurl libssl libcrypto
# Debian's libhttp-parser has no pkg-config file.
k6gen_LDLIBS := -lhttp_parser
k6login_LIBS := libcurl jansson
k6push_LIBS := libcurl zlib libzstd jansson snappy
k6serve_LIBS := libmicrohttpd sqlite3 zlib libcrypto snappy

all: $(TOOLS:%=$(BIN)/%)

define tool_rule
$(BIN)/$(1): $$($(1)_OBJS:%=$(BUILD)/%.o)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(HARDEN_LD) $$(LDFLAGS) -o $$@ $$^ \
	  $$(if $$($(1)_LIBS),$$(shell pkg-config --libs $$($(1)_LIBS))) \
	  $$($(1)_LDLIBS) -lm
endef
$(foreach t,$(TOOLS),$(eval $(call tool_rule,$(t))))

$(BUILD)/%.o: lib/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The pages, the schema and Debian's dygraphs inside k6serve (.incbin).
DYGRAPHS ?= /usr/share/javascript/dygraphs
$(BUILD)/k6serve/assets.o: override CPPFLAGS += -DDYGRAPHS='"$(DYGRAPHS)"'
$(BUILD)/k6serve/assets.o: $(wildcard lib/web/*) \
	$(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css

# Tests and checks. `make check T=tests/k6agg.bats` runs one file, and
# F='late trails' only the tests whose name matches.
LIB_OBJS := $(patsubst lib/%.c,$(BUILD)/%.o,$(wildcard lib/*/*.c))
UNITS := $(patsubst tests/unit/test_%.c,$(BUILD)/unit/%,\
	$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 20
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
links = $(patsubst %,$(BUILD)/%.o,$(shell sed -n 's|^/\* links: \(.*\) \*/|\1|p' $(1)))
libs = $(shell pkg-config --libs $$(sed -n \
	's|^/\* libs: \(.*\) \*/|\1|p' $(1)) 2>/dev/null)

$(BUILD)/unit/%: tests/unit/test_%.c $(wildcard tests/unit/*.h) $(LIB_OBJS) \
		$(patsubst %,$(BUILD)/k6push/%.o,outcome retry parcel packer \
		wire wire_v1 wire_v2 buckets collect gather label) $(BUILD)/k6gen/rows.o
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS) -Itests/unit \
	  -o $@ $< $(call links,$<) $(call libs,$<) -lm

deps:
	tests/need.sh build

demo:
	tests/need.sh demo
	+$(MAKE) --no-print-directory -s all
	tests/demo.sh

demo-stop:
	tests/demo.sh stop

check:
	tests/need.sh check
	+$(MAKE) --no-print-directory -s all unit-build
	BUILD=$(BUILD) K6PIPE_BIN=$(abspath $(BIN)) F='$(F)' \
	  tests/run.sh $(if $(filter-out $(wildcard tests/*.bats),$(T)),,\
	  $(if $(filter $(words $(T)),$(words $(wildcard tests/*.bats))),\
	  $(UNITS))) $(T)

unit-build: $(UNITS)

unit:
	+$(MAKE) --no-print-directory -s all
	+$(MAKE) --no-print-directory -s unit-build
	BUILD=$(BUILD) tests/run.sh $(UNITS)

# The browser, and minutes of outages, add nothing for the sanitizers.
SANITIZED = BUILD=build/asan BIN=build/asan/bin HARDEN= HARDEN_LD= \
	CFLAGS='-O1 -g $(SANITIZE)' LDFLAGS='$(SANITIZE)'
# A thread that is cancelled trips over the sanitizer's own signal stack.
asan: export ASAN_OPTIONS := use_sigaltstack=0
asan:
	+$(MAKE) unit $(SANITIZED)
	+$(MAKE) check $(SANITIZED) \
	  T='$(filter-out tests/page.bats tests/proof.bats,$(T))'

fuzz:
	tests/need.sh check
	tests/fuzz.sh $(FUZZ_SECONDS) $(FUZZERS)

lint:
	tests/need.sh check
	tests/lint.sh '$(WARN)'

bench: all
	tests/need.sh bench
	tests/bench.sh $(B)

proof: all
	tests/need.sh check
	K6PIPE_BIN=$(abspath $(BIN)) tests/proof.sh

fresh:
	tests/fresh.sh

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	  $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(COMPDIR)
	install $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(BINDIR)
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7
	for t in $(TOOLS); do $(BIN)/$$t --completion \
	  >$(DESTDIR)$(COMPDIR)/$$t || exit 1; done

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(TOOLS)
	cd $(DESTDIR)$(COMPDIR) && rm -f $(TOOLS)
	cd $(DESTDIR)$(MANDIR) && rm -f $(patsubst man/%.1,man1/%.1,\
	  $(wildcard man/*.1)) man5/k6stream.5 man7/k6pipe.7

dist:
	mkdir -p build
	git archive --prefix=k6pipe-$(VERSION)/ -o build/k6pipe-$(VERSION).tar.gz HEAD

clean:
	rm -rf build bin

help:
	@echo 'make            build the tools into bin/'
	@echo 'make demo       install what is missing, run the whole pipeline'
	@echo 'make demo-stop  end the k6serve that the demo left running'
	@echo 'make check      install what is missing, run all tests'
	@echo 'make unit       only the C unit tests'
	@echo 'make lint       warnings as errors, cppcheck, shellcheck, pages'
	@echo 'make asan       tests with address and undefined sanitizers'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make bench      speed beside other programs, as ratios; B=agg: one'
	@echo 'make proof      real faults against k6push, as a table (15 min)'
	@echo 'make fresh      both README commands in a bare Debian 12 (root)'
	@echo 'make deps       install what building needs'
	@echo 'make install    to PREFIX=$(PREFIX), below DESTDIR; uninstall'
	@echo 'make dist       source archive of HEAD in build/'
	@echo 'make clean      remove build/ and bin/'

.PHONY: all deps demo demo-stop check unit unit-build asan fuzz lint bench proof \
	fresh install uninstall dist clean help
-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

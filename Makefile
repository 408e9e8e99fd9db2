# k6pipe: make help lists the targets
VERSION := 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
BUILD ?= build
BIN ?= bin
BATS := $(wildcard tests/*.bats tests/*/*.bats)
T ?= $(BATS)

CC ?= cc
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wconversion -Wformat=2 -Wundef
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro,-z,now,-z,noexecstack
override CFLAGS += -std=c11 $(WARN) $(HARDEN)
override CPPFLAGS += -D_GNU_SOURCE -DK6PIPE_VERSION='"$(VERSION)"' -Ilib -Isrc

# Who links what: a tool is its folder of src/ and these modules of lib/.
TOOLS := k6agg k6gen k6login k6push k6serve
COMMON := base/buf base/descriptor base/die base/file base/hangup base/map \
	base/mem base/num base/opt base/random base/size base/thread \
	base/total base/units base/varint base/why data/jsn data/jsn_write
STREAM := base/lines base/unpack data/aggregate data/foreign data/frame \
	data/hist data/hist_bytes data/hist_json data/metric data/percentile \
	data/run data/sample data/sample_parse data/sink data/stream data/tags \
	data/trail

k6agg_LIB := $(COMMON) $(STREAM) data/compare data/compare_print data/course \
	data/evidence data/evidence_chance data/judge data/judge_print \
	data/judge_read data/measure data/sample_sink data/settings \
	data/threshold io/gz io/zst
k6gen_LIB := $(COMMON) $(STREAM) data/threshold io/url
k6login_LIB := $(COMMON) data/settings io/config io/fetch io/url
k6push_LIB := $(COMMON) $(STREAM) data/judge data/judge_print data/judge_read \
	data/metricset data/metricset_parse data/native data/pb data/remote \
	data/remote_print data/sample_sink data/settings data/threshold \
	io/config io/fetch io/gz io/snap io/url io/zst
k6serve_LIB := $(COMMON) base/unpack data/aggregate data/compare \
	data/compare_print data/course data/evidence data/evidence_chance \
	data/hist data/hist_bytes data/hist_json data/judge data/judge_print \
	data/judge_read data/measure data/metric data/metricset \
	data/metricset_parse data/pb data/percentile data/run data/sample \
	data/sample_parse data/sample_sink data/settings data/sink data/tags \
	data/threshold data/trail io/fetch io/gz io/snap io/url

k6agg_LIBS := zlib libzstd
k6gen_LIBS := libcurl libssl libcrypto libnghttp2 libcares libidn2
k6login_LIBS := libcurl jansson
k6push_LIBS := libcurl zlib libzstd jansson snappy
k6serve_LIBS := libcurl libmicrohttpd sqlite3 zlib libcrypto snappy

# PostgreSQL, if libpq is there (libpq-dev); LIBPQ= leaves it out.
LIBPQ ?= $(shell pkg-config --exists libpq && echo libpq)
k6serve_LIBS += $(LIBPQ)
ifneq ($(LIBPQ),)
$(BUILD)/k6serve/store/%.o: override CPPFLAGS += -DK6PIPE_LIBPQ \
	$(shell pkg-config --cflags libpq)
endif

# A faster gzip, if ISA-L is there (libisal-dev); LIBISAL= leaves it out.
LIBISAL ?= $(shell pkg-config --exists libisal && echo libisal)
k6agg_LIBS += $(LIBISAL)
k6push_LIBS += $(LIBISAL)
k6serve_LIBS += $(LIBISAL)
ifneq ($(LIBISAL),)
$(BUILD)/io/gz.o $(BUILD)/unit/io/test_gz: override CPPFLAGS += -DK6PIPE_ISAL
endif

all: $(TOOLS:%=$(BIN)/%)

define tool_rule
$(1)_SRC := $$(patsubst src/%.c,%,$$(sort $$(wildcard src/$(1)/*.c src/$(1)/*/*.c)))
$(BIN)/$(1): $$($(1)_SRC:%=$(BUILD)/%.o) $$($(1)_LIB:%=$(BUILD)/%.o)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(HARDEN_LD) $$(LDFLAGS) -o $$@ $$^ \
	  $$(if $$($(1)_LIBS),$$(shell pkg-config --libs $$($(1)_LIBS))) \
	  -lm
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
$(BUILD)/k6serve/view/assets.o: override CPPFLAGS += -DDYGRAPHS='"$(DYGRAPHS)"'
$(BUILD)/k6serve/view/assets.o: $(wildcard src/k6serve/web/*) \
	$(wildcard src/k6serve/store/*.sql) $(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css

# Tests and checks. `make check T=tests/k6agg.bats` runs one file, and
# F='late trails' only the tests whose name matches.
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,\
	$(sort $(wildcard tests/unit/*/test_*.c)))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 20
N ?= 30
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined

# What tests link: lib/ as an archive, and each tool's folder but main.
$(BUILD)/lib.a: $(patsubst lib/%.c,$(BUILD)/%.o,$(wildcard lib/*/*.c))
	rm -f $@ && ar rcs $@ $^
define archive_rule
$(BUILD)/$(1).a: $$(filter-out %/main.o,$$($(1)_SRC:%=$(BUILD)/%.o))
	rm -f $$@ && ar rcs $$@ $$^
$(BUILD)/unit/$(1)/%: tests/unit/$(1)/%.c $(BUILD)/$(1).a $(BUILD)/lib.a
	$$(link_unit)
endef
ALL_LIBS := $(sort $(foreach t,$(TOOLS),$($(t)_LIBS)))
define link_unit
@mkdir -p $(@D)
$(CC) $(CPPFLAGS) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS) -Itests/unit -MMD -MP \
  -o $@ $< $(filter %.a,$^) -Wl,--as-needed \
  $(shell pkg-config --libs $(ALL_LIBS)) -lm
endef
$(foreach t,$(TOOLS),$(eval $(call archive_rule,$(t))))
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/lib.a
	$(link_unit)

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
	BUILD=$(BUILD) K6PIPE_BIN=$(abspath $(BIN)) F='$(F)' TAGS='$(TAGS)' \
	  tests/run.sh $(if $(filter $(words $(T)),$(words $(BATS))),$(UNITS)) $(T)

check-quick:
	+$(MAKE) check TAGS='!browser,!faults,!fuzz,!long,!slow'

unit-build: $(UNITS)

unit:
	+$(MAKE) --no-print-directory -s all
	+$(MAKE) --no-print-directory -s unit-build
	BUILD=$(BUILD) tests/run.sh $(UNITS)

# The browser, outages, what takes more than 5 s, the fuzzers, which are
# sanitized themselves, and what looks at the source add nothing for the
# sanitizers.
ASAN := BUILD=build/asan BIN=build/asan/bin HARDEN= HARDEN_LD= \
	CFLAGS='-O1 -g $(SANITIZE)' LDFLAGS='$(SANITIZE)'
# A thread that is cancelled trips over the sanitizer's own signal stack.
asan: export ASAN_OPTIONS := use_sigaltstack=0
asan:
	+$(MAKE) check $(ASAN) TAGS='!browser,!faults,!fuzz,!source,!long,!slow'

# ThreadSanitizer looks at what has threads: all unit tests, and the bats tests
# with that tag. It leaves its findings as files, and each is a failure.
TSAN := BUILD=build/tsan BIN=build/tsan/bin HARDEN= HARDEN_LD= \
	CFLAGS='-O1 -g -fsanitize=thread' LDFLAGS='-fsanitize=thread'
tsan: export REPORTS := $(CURDIR)/build/tsan/reports
tsan: export TSAN_OPTIONS := exitcode=66:log_path=$(CURDIR)/build/tsan/reports/r
tsan:
	+$(shell setarch -R true 2>/dev/null && echo setarch -R) \
	  $(MAKE) check $(TSAN) TAGS='threads,!long'

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
	K6PIPE_BIN=$(abspath $(BIN)) tests/faults/proof.sh

proof-scale: all
	tests/need.sh check
	K6PIPE_BIN=$(abspath $(BIN)) tests/faults/proof_scale.sh

mutate:
	tests/need.sh check
	tests/tools/mutate.py --n $(N) $(if $(SEED),--seed $(SEED)) $(M)

fresh:
	tests/fresh.sh

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 \
	  $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(COMPDIR)
	install $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(BINDIR)
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7
	install -d $(DESTDIR)$(PREFIX)/share/k6pipe/grafana
	install -m 644 share/grafana/k6pipe.json \
	  $(DESTDIR)$(PREFIX)/share/k6pipe/grafana
	for t in $(TOOLS); do $(BIN)/$$t --completion \
	  >$(DESTDIR)$(COMPDIR)/$$t || exit 1; done

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(TOOLS)
	cd $(DESTDIR)$(COMPDIR) && rm -f $(TOOLS)
	rm -f $(DESTDIR)$(PREFIX)/share/k6pipe/grafana/k6pipe.json
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
	@echo 'make check-quick  without faults, browser, fuzzers and slow tests'
	@echo 'make unit       only the C unit tests'
	@echo 'make lint       warnings as errors, cppcheck, shellcheck, pages'
	@echo 'make asan       tests with address and undefined sanitizers'
	@echo 'make tsan       tests of threads with the thread sanitizer'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make bench      speed beside other programs, as ratios; B=agg: one'
	@echo 'make proof      real faults against k6push, as a table (an hour)'
	@echo 'make proof-scale  faults against several k6serve on PostgreSQL (root)'
	@echo 'make mutate     break N=$(N) lines at random, see which tests notice'
	@echo 'make fresh      both README commands in a bare Debian 12 (root)'
	@echo 'make deps       install what building needs'
	@echo 'make install    to PREFIX=$(PREFIX), below DESTDIR; uninstall'
	@echo 'make dist       source archive of HEAD in build/'
	@echo 'make clean      remove build/ and bin/'

.PHONY: all deps demo demo-stop check check-quick unit unit-build asan tsan \
	fuzz lint bench proof proof-scale mutate fresh install uninstall dist clean help
# Not what the tests unpack: packages have folders of such names.
-include $(filter-out $(BUILD)/tools/%, \
	$(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d))

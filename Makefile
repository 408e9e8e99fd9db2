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
BASE := base/why base/die base/mem base/buf base/num base/units base/opt
STREAM := base/map base/lines data/json data/tags data/metric data/hist \
	data/trail data/sample data/run data/stream

k6agg_OBJS := k6agg $(BASE) $(STREAM) data/settings data/fence data/bucket
k6gen_OBJS := k6gen/main k6gen/load k6gen/emit k6gen/redirect k6gen/report \
	io/swarm $(BASE) $(STREAM) data/sink
k6login_OBJS := k6login $(BASE) base/map data/json data/settings io/config \
	io/fetch
k6push_OBJS := k6push/main k6push/collect k6push/control k6push/outcome \
	k6push/upload $(BASE) $(STREAM) data/settings io/config io/fetch io/gz
k6serve_OBJS := k6serve/main k6serve/app k6serve/ingest k6serve/batch \
	k6serve/api k6serve/charts k6serve/page k6serve/assets k6serve/token \
	$(BASE) base/map data/json data/tags data/metric data/hist data/sink \
	data/trail data/sample data/run io/gz io/digest io/listen io/httpd \
	io/store io/store_read io/store_write

k6gen_LIBS := libcurl libssl libcrypto
k6login_LIBS := libcurl jansson
k6push_LIBS := libcurl zlib jansson
k6serve_LIBS := libmicrohttpd sqlite3 zlib libcrypto

all: $(TOOLS:%=$(BIN)/%)

define tool_rule
$(BIN)/$(1): $$($(1)_OBJS:%=$(BUILD)/%.o)
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(HARDEN_LD) $$(LDFLAGS) -o $$@ $$^ \
	  $$(if $$($(1)_LIBS),$$(shell pkg-config --libs $$($(1)_LIBS))) -lm
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

clean:
	rm -rf build bin

.PHONY: all clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

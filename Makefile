# SPDX-License-Identifier: Apache-2.0
#
#   make            builds build/whystuck
#   make check      installs what is missing, builds, runs all tests
#   make demo       installs what is missing, builds, shows the programs of examples/
#   make bench      measures against its goals, gdb, eu-stack and Delve; writes docs/bench.md,
#                   docs/growth.svg
#   make storm      looks at processes of which nothing stays as it is, with and without sanitizers,
#                   STORM_SECONDS for each part
#   make fuzz       builds and runs the fuzzers, FUZZ_SECONDS each
#   make check-kernels   looks in Debian's kernels 5.10, 6.1 and 6.12, which it fetches and boots
#   make check-arm64     the same for arm64, as which it is built across
#   make check-go   compares goroutines with what Go 1.19 and 1.21 to 1.27 say, which it fetches
#   make check-go-servers   the same of etcd, caddy and prometheus; esbuild's are listed
#   make storm-go   looks at 100,000 goroutines a second that come and go, for STORM_SECONDS
#   make install    with DESTDIR and prefix: the program, its man pages, bash completion
#   make uninstall  takes these away
#
#   SAN=address,undefined   builds with sanitizers, in a folder of its own

CC ?= gcc
PYTHON ?= /usr/bin/python3
CFLAGS ?= -O2 -g
prefix ?= /usr/local
bindir ?= $(prefix)/bin
man1dir ?= $(prefix)/share/man/man1
bashdir ?= $(prefix)/share/bash-completion/completions
INSTALL ?= install
VERSION := 0.1.0

SAN ?=
empty :=
comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

PACKAGES := libdw libelf json-c liblzma libprotobuf-c zlib ncursesw
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith \
	-Wwrite-strings -Wimplicit-fallthrough
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DWHYSTUCK_VERSION='"$(VERSION)"' $(WARNINGS) -Isrc -isystem $(B)/gen \
	$(if $(BPF),-DHAVE_BPF) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(shell pkg-config --cflags $(PACKAGES))
# The dynamic loader would take longer than a look at one thread: the program is linked statically where
# every library has an archive (STATIC= links it to shared ones).
ARCHIVES := dw elf json-c protobuf-c lzma z bz2 iberty ncursesw tinfo c
MISSING_ARCHIVES := $(foreach name,$(ARCHIVES),$(if $(findstring /,$(shell $(CC) -print-file-name=lib$(name).a)),,$(name)))
STATIC ?= $(if $(SAN)$(strip $(MISSING_ARCHIVES)),,yes)
LIBS := $(shell pkg-config --libs $(PACKAGES)) -liberty
STATIC_LIBS := $(patsubst %,-l%,$(filter-out c,$(ARCHIVES)))
LINK = $(CC) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# Looking without stopping needs a BPF program: built where clang and bpftool are there (BPF= leaves it out).
BPFTOOL ?= $(or $(shell command -v bpftool),$(wildcard /usr/sbin/bpftool))
BPF_CLANG ?= $(shell command -v clang)
BPF ?= $(and $(BPFTOOL),$(BPF_CLANG),$(wildcard /usr/include/bpf/skel_internal.h),yes)
BPF_ARCH := $(patsubst x86_64,x86,$(patsubst aarch64,arm64,$(shell uname -m)))
BPF_SOURCES := $(addprefix src/collect/,bpf.c bpf_walk.c file_iterator.c sighting.c task_iterator.c)

SOURCES := $(filter-out $(if $(BPF),,$(BPF_SOURCES)) src/bpf/%,$(wildcard src/*/*.c src/*/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(B)/%.o) $(B)/gen/profile.pb-c.o
LIBRARY := $(B)/libwhystuck.a
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/*_test.c))
SYSCALL_TABLES := $(B)/gen/syscalls_x86_64.inc $(B)/gen/syscalls_aarch64.inc
GENERATED := $(SYSCALL_TABLES) $(B)/gen/profile.pb-c.h $(B)/gen/flame_graph.inc

.PHONY: all clean install uninstall unit-check
.DELETE_ON_ERROR:

all: $(B)/whystuck

# Linkers write a file in pieces, and so it lies in the page cache: a copy is mapped in less time.
$(B)/whystuck: $(B)/main.o $(LIBRARY)
	$(LINK) $(if $(STATIC),-static-pie) -o $@.linked $^ $(if $(STATIC),$(STATIC_LIBS),$(LIBS))
	cp $@.linked $@
	@rm $@.linked

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(AR) qcs $@ $^

$(B)/%.o: src/%.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/%: tests/unit/%.c $(LIBRARY) Makefile
	@mkdir -p $(@D)
	$(LINK) $(ALL_CFLAGS) -Itests/unit -MMD -MP -MF $@.d -o $@ $< $(LIBRARY) $(LIBS) -lcmocka

# The kernel's own numbers: the system's headers name every syscall of each architecture.
$(SYSCALL_TABLES): $(B)/gen/syscalls_%.inc: src/syscalls/generate Makefile
	@mkdir -p $(@D)
	CC="$(CC)" sh src/syscalls/generate $* >$@

PROTOC ?= protoc-c

$(B)/gen/profile.pb-c.h: src/profile/profile.proto Makefile
	@mkdir -p $(@D)
	$(PROTOC) --c_out=$(@D) -I $(<D) $<

$(B)/gen/profile.pb-c.c: $(B)/gen/profile.pb-c.h ;

$(B)/profile/pprof.o: $(B)/gen/profile.pb-c.h
$(B)/profile/svg.o: $(B)/gen/flame_graph.inc

$(B)/gen/profile.pb-c.o: $(B)/gen/profile.pb-c.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The style and the script that go into each flame graph, as an array of their bytes.
$(B)/gen/flame_graph.inc: src/profile/flame_graph.css src/profile/flame_graph.js Makefile
	@mkdir -p $(@D)
	for part in css js; do \
		echo "static const char flame_graph_$$part[] = {"; \
		od -An -v -tx1 src/profile/flame_graph.$$part | sed 's/ \(..\)/0x\1,/g'; \
		echo '0};'; \
	done >$@

# bpftool's light skeleton loads in a tenth of the time that libbpf takes: no BTF is parsed in user space.
$(B)/bpf/%.bpf.o: src/bpf/%.bpf.c $(wildcard src/bpf/*.h) Makefile
	@mkdir -p $(@D)
	$(BPF_CLANG) -O2 -g -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Isrc \
		-I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<

.SECONDARY: $(B)/bpf/tasks.bpf.o $(B)/bpf/files.bpf.o

$(B)/gen/%.lskel.h: $(B)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton -L $< name $* >$@

$(B)/collect/task_iterator.o: $(if $(BPF),$(B)/gen/tasks.lskel.h)
$(B)/collect/file_iterator.o: $(if $(BPF),$(B)/gen/files.lskel.h)

unit-check: $(UNIT_TESTS)
	@for test in $(UNIT_TESTS); do echo "== $$test"; $$test || exit 1; done

install: $(B)/whystuck
	$(INSTALL) -D -m 755 $< $(DESTDIR)$(bindir)/whystuck
	$(INSTALL) -D -m 644 man/whystuck.1 $(DESTDIR)$(man1dir)/whystuck.1
	$(INSTALL) -D -m 644 man/whystuck-top.1 $(DESTDIR)$(man1dir)/whystuck-top.1
	$(INSTALL) -D -m 644 completions/whystuck.bash $(DESTDIR)$(bashdir)/whystuck

uninstall:
	rm -f $(DESTDIR)$(bindir)/whystuck $(DESTDIR)$(man1dir)/whystuck.1 \
		$(DESTDIR)$(man1dir)/whystuck-top.1 \
		$(DESTDIR)$(bashdir)/whystuck

clean:
	rm -rf build

-include $(OBJECTS:.o=.d) $(B)/main.d $(UNIT_TESTS:=.d)

# ---- What runs the program: live tests, comparisons, fuzzers, demo, benchmark ----

# Each of these installs what is missing first, and only then asks where that is.
.PHONY: check demo bench storm storm-run fuzz unit-and-live situations live-check truth-check demo-run bench-run fuzz-run

check:
	tools/install-dependencies build bpf check
	$(MAKE) unit-and-live
	$(MAKE) truth-check
	$(MAKE) GO_VERSIONS=system go-run
	$(MAKE) STORM_SECONDS=5 storm-run storm-go-run

demo:
	tools/install-dependencies build bpf demo
	$(MAKE) demo-run

bench:
	tools/install-dependencies build bpf bench
	$(MAKE) bench-run

storm:
	tools/install-dependencies build bpf check
	$(MAKE) storm-run
	$(MAKE) SAN=address,undefined storm-run

fuzz:
	tools/install-dependencies build fuzz
	$(MAKE) fuzz-run

unit-and-live: unit-check live-check
	$(MAKE) LIVE=tests/live/test_situations.py STOP=always live-check

# Targets are built without sanitizers and without surprises: a call there is a frame.
TARGET_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O1 -g -fno-optimize-sibling-calls -pthread

situations: build/situations

build/situations: $(wildcard tests/situations/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(CC) $(TARGET_CFLAGS) -o $@ $(filter %.c,$^)

TEST_ENVIRONMENT = WHYSTUCK=$(abspath $(B)/whystuck) SITUATIONS=$(abspath build/situations) \
	SANITIZED=$(SAN) PYTHONDONTWRITEBYTECODE=1
LIVE ?= tests/live

# LIVE="-k futex tests/live" runs a part: what stands there is for pytest.
live-check: $(B)/whystuck build/situations
	$(TEST_ENVIRONMENT) STOP=$(STOP) $(PYTHON) -m pytest -q -rs --tb=short -p no:cacheprovider $(LIVE)

truth-check: $(B)/whystuck build/situations
	$(TEST_ENVIRONMENT) CC="$(CC)" $(PYTHON) tests/truth/compare.py
	$(TEST_ENVIRONMENT) CC="$(CC)" $(PYTHON) tests/truth/ways.py

build/storm/%: tests/storm/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(TARGET_CFLAGS) -o $@ $<

build/storm/shapes-deep: tests/storm/shapes.c Makefile
	@mkdir -p $(@D)
	$(CC) $(TARGET_CFLAGS) -DFRAME=8192 -o $@ $<

STORM_SECONDS ?= 60

storm-run: $(B)/whystuck build/storm/shapes build/storm/shapes-deep build/storm/storm build/storm/locks
	$(TEST_ENVIRONMENT) SHAPES=$(abspath build/storm/shapes) $(PYTHON) tests/storm/shapes.py $(STORM_SECONDS)
	$(TEST_ENVIRONMENT) STORM=$(abspath build/storm/storm) $(PYTHON) tests/storm/storm.py $(STORM_SECONDS)
	$(TEST_ENVIRONMENT) LOCKS=$(abspath build/storm/locks) $(PYTHON) tests/storm/locks.py $(STORM_SECONDS)

build/examples/%: examples/%.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -O1 -fno-inline -g -pthread -o $@ $<

build/examples/gosocket: examples/gosocket/main.go examples/gosocket/go.mod
	@mkdir -p $(@D)
	cd $(<D) && GOCACHE=$(abspath build/go-cache) go build -buildvcs=false -o $(abspath $@) .

demo-run: $(B)/whystuck build/examples/accept build/examples/deadlock build/examples/gosocket
	WHYSTUCK=$(B)/whystuck EXAMPLES=build/examples tools/demo

# What a look costs at least, by the parts that whystuck itself is linked from.
build/bench/floor: bench/floor.c $(LIBRARY) Makefile
	@mkdir -p $(@D)
	$(LINK) $(ALL_CFLAGS) -o $@ $< $(LIBRARY)

build/bench/%: bench/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(TARGET_CFLAGS) -o $@ $<

build/bench/go-target: bench/go-target/main.go bench/go-target/go.mod
	@mkdir -p $(@D)
	cd bench/go-target && GOCACHE=$(abspath build/go-cache) go build -buildvcs=false -o $(abspath $@) .

BENCH_PROGRAMS := $(addprefix build/bench/,launch target processes chains $(if $(BPF),floor))

# PSN names 0x.tools' bin/psn, that recordings are compared with it. BENCH=--strict fails where a goal is missed; bench/run --help has the rest.
bench-run: $(B)/whystuck $(BENCH_PROGRAMS) build/bench/go-target
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/run --docs docs $(BENCH) $(B)/whystuck build/bench
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/record $(if $(PSN),--psn $(PSN)) $(B)/whystuck build/bench/target
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) bench/goroutines $(BENCH_GO) $(B)/whystuck build/bench/go-target

# The toolchains are fetched once, into build/go; "system" is the one that is installed.
GO_VERSIONS ?= all

.PHONY: check-go check-go-servers storm-go go-run go-servers-run storm-go-run
check-go:
	tools/install-dependencies build bpf go
	$(MAKE) go-run

check-go-servers:
	tools/install-dependencies build bpf go go-servers
	$(MAKE) go-servers-run

storm-go:
	tools/install-dependencies build bpf go
	$(MAKE) SAN=address,undefined storm-go-run

go-run: $(B)/whystuck
	$(TEST_ENVIRONMENT) $(PYTHON) tests/go/compare.py $(GO_VERSIONS)

go-servers-run: $(B)/whystuck
	$(TEST_ENVIRONMENT) $(PYTHON) tests/go/servers.py

storm-go-run: $(B)/whystuck
	$(TEST_ENVIRONMENT) $(PYTHON) tests/go/storm.py $(STORM_SECONDS)

# Each is booted under qemu with an initramfs; fetched once, into build/kernels.
KERNELS ?= 5.10 6.1 6.12

.PHONY: check-kernels kernels-run check-arm64 arm64-run
check-kernels:
	tools/install-dependencies build bpf kernels
	$(MAKE) kernels-run

kernels-run: $(B)/whystuck build/situations
	$(TEST_ENVIRONMENT) BUSYBOX=$$(command -v busybox) \
		$(PYTHON) tests/kernels/run build/kernels amd64 $(KERNELS)

# Built across, from the packages that Debian has for arm64.
ARM64_SYSROOT := $(abspath build/arm64/sysroot)
ARM64_LIBRARIES := $(ARM64_SYSROOT)/usr/lib/aarch64-linux-gnu
ARM64_INCLUDES := $(ARM64_SYSROOT)/usr/include $(ARM64_SYSROOT)/usr/include/aarch64-linux-gnu
ARM64_CC := aarch64-linux-gnu-gcc --sysroot=$(ARM64_SYSROOT) $(ARM64_INCLUDES:%=-isystem %)

check-arm64:
	tools/install-dependencies build bpf kernels arm64
	tests/kernels/get-sysroot $(ARM64_SYSROOT) arm64
	PKG_CONFIG_SYSROOT_DIR=$(ARM64_SYSROOT) PKG_CONFIG_LIBDIR=$(ARM64_LIBRARIES)/pkgconfig \
		$(MAKE) B=build/arm64 CC="$(ARM64_CC)" AR=aarch64-linux-gnu-ar BPF_ARCH=arm64 \
		BPF_CLANG="clang $(ARM64_INCLUDES:%=-isystem %)" arm64-run

build/arm64/situations: $(wildcard tests/situations/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(CC) $(TARGET_CFLAGS) -static -o $@ $(filter %.c,$^)

arm64-run: $(B)/whystuck build/arm64/situations
	$(TEST_ENVIRONMENT) SITUATIONS=$(abspath build/arm64/situations) BUSYBOX=$(ARM64_SYSROOT)/bin/busybox \
		$(PYTHON) tests/kernels/run build/kernels arm64 $(KERNELS)

# The fuzzers are clang's: everything is compiled again for them.
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2
FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_OBJECTS := $(SOURCES:src/%.c=build/fuzz/%.o) build/fuzz/profile.pb-c.o
FUZZ_CFLAGS = $(filter-out -fsanitize=%,$(ALL_CFLAGS)) -O1 -g -fno-sanitize-recover=all

build/fuzz/%.o: src/%.c Makefile | $(GENERATED)
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

build/fuzz/profile.pb-c.o: $(B)/gen/profile.pb-c.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) -c -o $@ $<

build/fuzz/libwhystuck.a: $(FUZZ_OBJECTS)
	@rm -f $@
	$(AR) qcs $@ $^

build/fuzz/%_fuzz: tests/fuzz/%_fuzz.c build/fuzz/libwhystuck.a Makefile
	$(FUZZ_CC) $(FUZZ_CFLAGS) -Wno-missing-prototypes -fsanitize=fuzzer,address,undefined -o $@ $< \
		build/fuzz/libwhystuck.a $(LIBS)

fuzz-run: $(FUZZ_NAMES:%=build/fuzz/%_fuzz)
	@printf '%s\n' $(FUZZ_NAMES) | \
		FUZZ_SECONDS=$(FUZZ_SECONDS) xargs -P $(FUZZ_JOBS) -n 1 tools/fuzz-one

build/fuzz/collect/task_iterator.o: $(if $(BPF),$(B)/gen/tasks.lskel.h)
build/fuzz/collect/file_iterator.o: $(if $(BPF),$(B)/gen/files.lskel.h)

-include $(FUZZ_OBJECTS:.o=.d)

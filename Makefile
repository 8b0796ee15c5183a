# The commands of this project. `make test` on a fresh Debian 12 with a Swift 6.3 toolchain is enough
# to start; everything made lands in .build/ and .build-venvs/, nothing else of the tree is written.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=
LIBEXECDIR ?= $(PREFIX)/libexec/corral
PYTHON      = /usr/bin/python3 -B
BENCH      ?= start,call,idle,egress
FUZZ_SECONDS ?= 60
ROUNDS     ?= 1000
SEED       ?= 1
COUNT      ?= 500
SERVER_PACKAGES = nodejs openjdk-17-jdk-headless
# The world that sandboxes are let out into, and the programs that go there.
EGRESS_PACKAGES = nftables openssl curl nodejs golang-go redis-server redis-tools postgresql \
                  python3-requests python3-websockets
ONLY       ?= *

DEBUG    = .build/debug
RELEASE  = .build/release
PROGRAMS = corrald corral-broker corral-egress corral

# The import check costs nothing once built, so every build refuses an undeclared arrow.
SWIFT_BUILD = swift build --explicit-target-dependency-import-check error

# The launcher links libc alone and statically, so it runs in any mount namespace. The compiler is the
# Swift toolchain's own clang: SwiftPM compiles the same files with it.
CLANG = clang
LAUNCH_SOURCES = $(wildcard Sources/CLaunch/*.c Sources/corral-launch/*.c)
LAUNCH_HEADERS = $(wildcard Sources/CLaunch/*.h Sources/CLaunch/include/*.h \
                   Sources/CKernel/include/*.h Sources/corral-launch/*.h)
LAUNCH_FLAGS   = -static -O2 -Wall -Wextra -Werror -D_GNU_SOURCE \
                 -ISources/CLaunch/include -ISources/CKernel/include

.PHONY: build release setup test check lint tidy unit-tests venvs systemd-check demo bench \
        hostile egress egress-short test-vm test-orphans orphans-short test-many many-short \
        test-servers test-noisy \
        servers fuzz install uninstall clean help

build: setup ## Build for debugging
	$(SWIFT_BUILD)
	@$(MAKE) --no-print-directory $(DEBUG)/corral-launch

release: setup ## Build for installing: optimised, without a Swift runtime to install beside it
	$(SWIFT_BUILD) -c release --static-swift-stdlib
	@$(MAKE) --no-print-directory $(RELEASE)/corral-launch

# The debug build can leave a wall out, so that tests prove that they would notice; a release that
# could is no release.
$(DEBUG)/corral-launch: LAUNCH_FLAGS += -DCORRAL_TEST_WALLS
$(DEBUG)/corral-launch $(RELEASE)/corral-launch: $(LAUNCH_SOURCES) $(LAUNCH_HEADERS) Makefile
	$(if $(wildcard Sources/corral-launch/*.c),,$(error Sources/corral-launch has no C file))
	$(CLANG) $(LAUNCH_FLAGS) $(LAUNCH_SOURCES) -o $@.new
	@case $@ in $(DEBUG)/*) ;; *) ! grep -aqE 'template-without|scratch-nodev' $@.new ;; esac
	@mv $@.new $@

setup: ## Install the Debian packages that building and testing need (as root, when missing)
	@scripts/setup.sh

# The whole proof: build, every test, the unit files, and a look at what the tests left behind.
test: setup venvs ## Build everything and run every test
	@$(PYTHON) scripts/traces.py --save .build/before-tests.json
	@$(MAKE) --no-print-directory unit-tests systemd-check \
	    orphans-short many-short servers egress-short; status=$$?; \
	    $(PYTHON) scripts/traces.py --compare .build/before-tests.json || status=1; exit $$status

unit-tests:
	$(SWIFT_BUILD) --build-tests
	@$(MAKE) --no-print-directory $(DEBUG)/corral-launch
	scripts/delegated.sh swift test --skip-build

check: lint test ## Format lint, import check (part of every build), tidy and all other tests

lint: ## Format lint only
	swift format lint --strict --recursive Sources Tests Fuzz Package.swift

tidy: ## The style tests only
	swift test --filter TidyTests

venvs: setup
	@scripts/venvs.sh

systemd-check: ## Verify the unit, sysusers and tmpfiles files
	@scripts/systemd-check.sh

demo: release ## Run a time server, a git server and a hostile one, and show what stops it
	@$(PYTHON) scripts/demo.py

# A short run of what `make test-orphans` does a thousand times.
orphans-short:
	@$(MAKE) --no-print-directory -s -C Benchmarks ../.build/bench/echo
	@$(PYTHON) scripts/orphans.py --built $(DEBUG) --echo .build/bench/echo --rounds 40 --seed 1

test-orphans: release ## kill -9 at ROUNDS random moments (SEED replays them); nothing may be left
	@$(MAKE) --no-print-directory -s -C Benchmarks ../.build/bench/echo
	@$(PYTHON) scripts/orphans.py --built $(RELEASE) --echo .build/bench/echo \
	    --rounds $(ROUNDS) --seed $(SEED)

# Fewer of what `make test-many` starts.
many-short:
	@$(MAKE) --no-print-directory -s -C Benchmarks ../.build/bench/echo
	@$(PYTHON) scripts/many.py --built $(DEBUG) --echo .build/bench/echo --count 60

test-many: release ## Start COUNT sandboxes at once, call each, and look that nothing is left
	@$(MAKE) --no-print-directory -s -C Benchmarks ../.build/bench/echo
	@$(PYTHON) scripts/many.py --built $(RELEASE) --echo .build/bench/echo --count $(COUNT)

# The same with what tests are built from.
servers: venvs
	@scripts/setup.sh $(SERVER_PACKAGES)
	@$(PYTHON) scripts/servers.py --built $(DEBUG)

test-servers: release venvs ## Run servers in five languages under the shipped system call profile
	@scripts/setup.sh $(SERVER_PACKAGES)
	@$(PYTHON) scripts/servers.py --built $(RELEASE)

# As much as a debug build shows in three minutes.
egress-short:
	@scripts/setup.sh $(EGRESS_PACKAGES)
	@$(PYTHON) scripts/egress.py --programs $(DEBUG) --bytes 268435456 --reloads 100 --flips 2000

egress: release ## Let sandboxes out into a world of their own, and attack what stops them
	@scripts/setup.sh $(EGRESS_PACKAGES)
	@$(PYTHON) scripts/egress.py --only "$(ONLY)"

bench: release ## Measure start, call and idle beside their peers (BENCH=start,call,idle,egress)
	@scripts/setup.sh nftables openssl slirp4netns passt
	@$(MAKE) --no-print-directory -C Benchmarks CC=$(CLANG)
	@$(PYTHON) Benchmarks/bench.py --only $(BENCH) --output .build/bench.jsonl

hostile: release ## Attack a Corral of its own in every way of Tests/Hostile (ONLY=H5)
	@$(PYTHON) scripts/hostile.py --only "$(ONLY)"

test-noisy: release ## Call a tool of one user's while another's bombs in every way
	@$(PYTHON) scripts/noisy.py

# Where cgroup v2 and systemd are: the tests of the walls run there too, so they are built here.
test-vm: release ## Boot Debian 12 under qemu and prove there what needs systemd and cgroup v2
	@scripts/setup.sh debootstrap qemu-system-x86 e2fsprogs
	$(SWIFT_BUILD) --build-tests
	@$(MAKE) --no-print-directory $(DEBUG)/corral-launch
	@$(PYTHON) scripts/vm/test_vm.py

fuzz: setup ## Fuzz each decoder that has a Fuzz/TARGET.swift (FUZZ_SECONDS=60)
	@scripts/fuzz.sh $(FUZZ_SECONDS)

install: ## Install into DESTDIR and PREFIX what `make release` built
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" \
	    LIBEXECDIR="$(LIBEXECDIR)" scripts/install.sh $(RELEASE)

uninstall: ## Remove what `make install` put there; keeps edited configuration and state
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" SYSCONFDIR="$(SYSCONFDIR)" \
	    LIBEXECDIR="$(LIBEXECDIR)" scripts/uninstall.sh

clean: ## Remove everything that was built
	rm -rf .build .build-venvs

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

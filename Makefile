# The front door. CMake holds the truth about the build: see CMakePresets.json.

MAKEFLAGS += --no-print-directory
PREFIX    ?= /usr/local
FUZZ_TIME ?= 600
KILLS     ?= 10000
MUTANTS   ?= 4
JOBS      ?= $(shell nproc 2>/dev/null || echo 2)

# The builds that `make test` makes, each with its own tests.
TREES = release clang asan tsan scalar word32 tiny small

.PHONY: all demo test boards boards-page bench install uninstall
.PHONY: format lint fuzz crash coverage prove mutate site dist clean

all:
	cmake -S . -B build/plain -DCMAKE_INSTALL_PREFIX=$(PREFIX) \
	    -DBITFIT_BUILD_TESTS=OFF -DBITFIT_BUILD_EXAMPLES=OFF
	cmake --build build/plain -j $(JOBS)

demo:
	scripts/install-tools demo
	scripts/build-trees -j $(JOBS) demo
	build/demo/tools/bitfit record -o build/demo/sqlite.trace -- \
	    build/demo/examples/sqlite/demo_sqlite
	build/demo/tools/bitfit map -o build/demo/heap.png build/demo/sqlite.trace
	@echo 'The heap of its run on malloc: build/demo/heap.png'

test:
	scripts/install-tools test
	scripts/build-trees -j $(JOBS) $(TREES)
	scripts/run-tests -j $(JOBS) $(TREES)

boards:
	scripts/install-tools boards
	scripts/boards -j $(JOBS)

boards-page:
	scripts/install-tools boards
	bench/boards/page.py docs/BOARDS.md

bench:
	scripts/install-tools bench
	scripts/build-trees -j $(JOBS) bench
	cmake --build build/bench --target run-bench

# A library that was just put down has to be found at once.
install: all
	cmake --install build/plain
	@test -n "$(DESTDIR)" || test "$$(id -u)" -ne 0 || ldconfig

uninstall:
	cmake --build build/plain --target uninstall

format:
	scripts/install-tools lint
	scripts/c-files | xargs clang-format -i

lint:
	scripts/install-tools lint
	scripts/lint

crash:
	scripts/install-tools test
	scripts/install-tools boards
	scripts/build-trees -j $(JOBS) release word32
	scripts/crash $(KILLS)

fuzz:
	scripts/install-tools test
	scripts/build-trees -j $(JOBS) -t fuzzers asan fuzz
	scripts/fuzz $(FUZZ_TIME)

coverage:
	scripts/install-tools coverage
	scripts/build-trees -j $(JOBS) coverage
	scripts/coverage -j $(JOBS)
	@if command -v clang-19 >/dev/null && command -v llvm-cov-19 >/dev/null; then \
	    scripts/build-trees -j $(JOBS) mcdc && scripts/mcdc -j $(JOBS); \
	else echo 'bitfit: clang 19 is missing, so no condition is looked at alone'; fi

prove:
	scripts/install-tools prove
	@command -v cbmc >/dev/null || tests/proofs/get-cbmc build/proofs/tools || :
	tests/proofs/prove.py -j $(JOBS)

# One mutant of so many: MUTANTS=1 tries all.
mutate:
	scripts/install-tools mutate
	@command -v cbmc >/dev/null || tests/proofs/get-cbmc build/proofs/tools || :
	tests/mutation/mutate.py -j $(JOBS) --every $(MUTANTS)

# A folder of static pages: open build/site/index.html.
site:
	scripts/install-tools site
	site/build.py build/site

dist:
	scripts/dist build/dist

clean:
	rm -rf build

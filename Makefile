# A thin front: each target sees to what it needs (./setup), then calls cmake, tests/run and friends.
# `make help` lists them.

# Quiet, unless it fails.
cmake_build = @out=$$(cmake --build --preset $(1) -- $(2) 2>&1) || { echo "$$out"; exit 1; }

# Tests of programs that cannot be had are skipped, and say so.
setup_tests = @./setup build run test && { ./setup programs || echo "note: some programs to test with are missing"; } && \
	{ ./setup containers || echo "note: no tests in containers"; } && \
	{ ./setup dist || echo "note: no tests of the portable tree"; } && \
	{ ./setup guest || echo "note: no tests on other kernels and processors"; }

# What takes long to fetch or to build, and is then kept; the tests say why where it cannot be had.  helm is not among it
# (tests/fixtures/patch/helm build: minutes).
prepare_tests = @{ { tests/containers/prepare; container/demo-ecs/images; } & { cmake/dist/tree $$(uname -m); tests/containers/tree; } & \
	tests/fixtures/aws/venv build & \
	for guest in arm64 linux-5.10; do tests/system/guest/prepare build $$guest; done; wait; } >build/prepare.log 2>&1 || true

.DEFAULT_GOAL := build
.PHONY: build run demo-ecs test fuzz arm64 dist torture soak packages bench bench-docs bench-rules bench-sql bench-scale docs lint format
.PHONY: asan tsan clean help

build: ## build/bin/moonwatch, which runs from this checkout
	@./setup build
	@test -e build/bin/moonwatch || echo "building moonwatch in build/"
	@test -e build/build.ninja || cmake --preset release >/dev/null
	$(call cmake_build,release,moonwatch)

run: ## the demonstration: a web server under the sensor, an attack, the alert, SQL
	@./setup build run
	@$(MAKE) --no-print-directory build
	@container/demo/run build

demo-ecs: ## the other demonstration: a task of ECS, without AWS, is attacked; a backend sees it, and pushes a rule
	@./setup test containers
	@$(MAKE) --no-print-directory dist ARCH=$$(uname -m)
	@mkdir -p build
	@container/demo-ecs/run build dist/$$(uname -m)/opt/moonwatch

test: ## all tests; the last line counts them
	$(setup_tests)
	@test -e build/bin/moonwatch || echo "building moonwatch in build/"
	@cmake --preset release >/dev/null
	$(call cmake_build,release)
	$(prepare_tests)
	@tests/run build

fuzz: ## each parser of what others wrote against a fuzzer, FUZZ_SECONDS=20 each
	@./setup build fuzz
	@cmake --preset fuzz >/dev/null
	$(call cmake_build,fuzz,fuzz)
	@tests/fuzz/run build-fuzz

torture: ## hundreds of kills at random moments, and every stressor; takes a quarter of an hour
	$(setup_tests)
	@test -e build/bin/moonwatch || echo "building moonwatch in build/"
	@cmake --preset release >/dev/null
	$(call cmake_build,release)
	@tests/torture/run build

soak: ## ten minutes of events while backend and sensor fail at random (SOAK_SECONDS=600): each arrives, or is counted
	$(setup_tests)
	@test -e build/bin/moonwatch || echo "building moonwatch in build/"
	@cmake --preset release >/dev/null
	$(call cmake_build,release)
	@seconds=$${SOAK_SECONDS:-600}; export MOONWATCH_LEDGER_SECONDS=$$seconds; \
		tests/one build soak $$((seconds + 300)) tests/system/backend_ledger_spec.lua

arm64: ## cross build for 64-bit ARM, linked statically: build-arm64/bin/moonwatch
	@./setup build guest
	@cmake --preset arm64 >/dev/null
	$(call cmake_build,arm64,moonwatch)

# Processors that `make dist` builds for.
ARCH = x86_64 aarch64

dist: ## the portable program, static, and its tree: dist/{x86_64,aarch64}/opt/moonwatch (one: ARCH=x86_64)
	@./setup dist
	@for arch in $(ARCH); do cmake/dist/tree $$arch || exit 1; done

packages: ## of the trees in dist/: packages for Debian and rpm, tars, images, bills of materials, checksums
	@./setup packages
	@trees=$$(for machine in x86_64 aarch64; do tree=dist/$$machine; \
		[ ! -x $$tree/opt/moonwatch/bin/moonwatch ] || echo $$tree/opt/moonwatch $$machine $$tree/SOURCES; done); \
		[ "$$trees" ] || { echo "there is no tree in dist/: make dist" >&2; exit 1; }; \
		container/packages/make dist $$trees && cat dist/SHA256SUMS

bench: ## what it costs: native, moonwatch and strace compared
	@./setup build run test bench
	@$(MAKE) --no-print-directory build
	@tests/bench/run build
	@tests/bench/sql build
	@tests/bench/rules build
	@build/bin/moonwatch lua tests/bench/formats.lua
	@./setup dist && cmake/dist/tree $$(uname -m) >/dev/null; tests/bench/portable build

bench-scale: ## 15,000 tasks against a backend on this machine (HOSTS=15000); takes a quarter of an hour
	@./setup build run test bench
	@$(MAKE) --no-print-directory build
	@cmake --build --preset release --target bench_stub >/dev/null
	@tests/bench/scale build $${HOSTS:-15000}

bench-sql: ## what queries cost, and the tools that do the same
	@./setup build run test bench
	@$(MAKE) --no-print-directory build
	@tests/bench/sql build

bench-rules: ## what rules cost an event, and their exchange while it runs
	@./setup build run test bench
	@$(MAKE) --no-print-directory build
	@tests/bench/rules build

bench-docs: bench ## the same, and docs/overhead.md from it
	@mkdir -p docs
	@build/bin/moonwatch lua tests/bench/docs.lua build/bench/results.jsonl docs/overhead.md

docs: build ## docs/reference/ and types for editors, from what tables, functions, events and rules declare
	@build/bin/moonwatch lua docs/tables.lua docs/reference/tables.md
	@build/bin/moonwatch lua docs/types.lua lua/meta/moonwatch.types.lua
	@build/bin/moonwatch lua docs/rules.lua rules docs/reference/rules.md docs/reference/attack-layer.json

lint: ## clang-tidy, clang-format, luacheck, shellcheck
	@./setup build test lint
	@cmake --preset lint >/dev/null
	@cmake --build --preset lint -- --quiet -k 0; built=$$?; ctest --preset lint --progress && exit $$built

format: ## lay out the C sources as `make lint` wants them
	@./setup lint
	@tests/lint format --fix

asan: ## all tests, with AddressSanitizer and UndefinedBehaviorSanitizer
	$(setup_tests)
	@cmake --preset asan >/dev/null
	$(call cmake_build,asan)
	@tests/run build-asan

tsan: ## the unit tests, with ThreadSanitizer
	@./setup build run test
	@cmake --preset tsan >/dev/null
	$(call cmake_build,tsan)
	@tests/run build-tsan -R '^unit'

clean: ## remove the build folders
	@rm -rf build build-dev build-asan build-tsan build-lint build-fuzz build-arm64 build-guest build-images build-dist dist

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile

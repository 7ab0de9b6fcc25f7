# Everything starts here: `make run` on a machine with Swift and make is the whole set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

# What build, run, demo and test use beyond Swift (and what Swift itself needs) and make:
# four libraries; curl for the demo; Python for the example backend and the tests' backends;
# React for the example's page.
PACKAGES := libcurl4-openssl-dev libjansson-dev libssl-dev libyaml-dev \
            ca-certificates curl python3 python3-venv node-react node-react-dom
# What only the tests use; of Tomcat the part that starts no service. Chromium opens the page;
# Ubuntu has it as a snap alone, so there the tests that need it are left out.
TEST_PACKAGES := nodejs openssl tomcat10-common default-jre-headless \
                 $(if $(shell grep -s '^ID=ubuntu' /etc/os-release),,chromium)
# What only the benchmark uses.
BENCH_PACKAGES := haproxy nginx strace wrk

VENV := .build/venv
BENCH_VENV := .build/bench-venv
PYTHON := $(CURDIR)/$(VENV)/bin/python
RELEASE := .build/release/lychgate
# Relocations packed: half a MiB less to load at the start (needs glibc 2.36, as Debian 12 has).
LINKING := -Xswiftc -use-ld=lld -Xlinker -s -Xlinker -z -Xlinker pack-relative-relocs
FUZZ_SECONDS ?= 60
export LYCHGATE_PYTHON := $(PYTHON)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: deps venv build ## build, start the example and Lychgate, stop both on Ctrl-C
	@exec $(PYTHON) Examples/run.py

restart-backend: ## kill -9 the backend that `make run` started, which starts it again
	@exec $(PYTHON) Examples/run.py --restart

demo: deps venv build ## play a restart of the backend with curl, every answer checked
	@exec $(PYTHON) Examples/demo.py

deps: ## install the Debian packages that are missing, if any
	@$(call install,$(PACKAGES))

build: deps ## the release binary, .build/release/lychgate
	@swift build -c release --static-swift-stdlib $(LINKING) --product lychgate

test-deps: deps venv
	@$(call install,$(TEST_PACKAGES))

venv: $(VENV)/.ready ## the Python packages of the example and of the tests

$(VENV)/.ready: Examples/backend/requirements.txt Tests/requirements.txt | deps
	@python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check \
	    -r Examples/backend/requirements.txt -r Tests/requirements.txt
	touch $@

$(BENCH_VENV)/.ready: Benchmarks/requirements.txt | deps
	@python3 -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

test: test-deps build ## every test; those from end to end with the release binary
	@swift test --skip EndToEnd
	LYCHGATE_BINARY=$(CURDIR)/$(RELEASE) swift test --skip-build --filter EndToEnd

storm: test-deps build ## a thousand restarts under load, in every mode, and 10,000 subscribers; release binary
	@export LYCHGATE_STORM_RESTARTS=1000 LYCHGATE_BINARY=$(CURDIR)/$(RELEASE)
	export LYCHGATE_SUBSCRIBERS=10000
	swift test --filter 'RestartStorm|Events'

soak: test-deps build ## a minute of mixed load with the release binary: memory and descriptors
	@export LYCHGATE_SOAK_SECONDS=60 LYCHGATE_BINARY=$(CURDIR)/$(RELEASE)
	swift test --filter Soak

sessions: ## a jar with a million sessions: memory, a restart, a lookup (of the debug build)
	@LYCHGATE_SESSIONS=1000000 swift test --filter ManySessions

sanitize: test-deps ## the whole test suite under AddressSanitizer, then ThreadSanitizer
	@export LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0
	LYCHGATE_SANITIZER=address swift test --sanitize=address --scratch-path .build-asan
	LYCHGATE_SANITIZER=thread swift test --sanitize=thread --scratch-path .build-tsan

lint: ## the formatting that every file has
	@swift format lint --strict --recursive --parallel Sources Tests Package.swift

fuzz: deps ## fuzz the parsers and whole connections, each for FUZZ_SECONDS (60)
	@Tests/Fuzz/run.sh $(FUZZ_SECONDS)

bench: build $(BENCH_VENV)/.ready ## CPU per request beside nginx, HAProxy and Envoy
	@$(call install,$(BENCH_PACKAGES))
	exec $(BENCH_VENV)/bin/python Benchmarks/bench.py

clean: ## remove everything that was built
	@rm -rf .build .build-asan .build-tsan .build-fuzz

# Installs the Debian packages of $(1) that are not there; asks the network only if one is missing.
define install
if command -v apt-get > /dev/null; then
    missing=()
    for package in $(1); do
        state=$$(dpkg-query -W -f='$${db:Status-Status}' "$$package" 2> /dev/null || true)
        if [ "$$state" != installed ]; then missing+=("$$package"); fi
    done
    if [ $${#missing[@]} -gt 0 ]; then
        echo "Installing $${missing[*]}"
        as_root=()
        if [ "$$(id -u)" != 0 ]; then as_root=(sudo); fi
        "$${as_root[@]}" apt-get update -qq
        "$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends "$${missing[@]}"
    fi
else
    echo "There is no apt-get here: please see to it that the like of these is installed:"
    echo "    $(1)"
fi
endef

.PHONY: help run restart-backend demo deps build venv test-deps test storm soak sessions sanitize lint fuzz bench clean

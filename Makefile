# twinkle: what a user and a developer type. Needs Rust (https://rustup.rs) and a C compiler; cargo
# fetches the rest.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
# Where cargo builds, if the user has it build elsewhere.
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: build demo test test-outage test-vm vm-packages check fmt-check lint doc bench fuzz deny install uninstall clean

# The release binary: target/release/twinkle
build:
	$(CARGO) build --release --locked

# The main job, played through in a temporary folder on simulated hardware.
demo:
	$(CARGO) build --quiet --locked
	./examples/quickstart.sh $(TARGET)/debug

test:
	$(CARGO) test --locked

# A hundred kills under load, and a week's spool, on the release build.
test-outage:
	$(CARGO) test --release --locked --test outage_heavy -- --ignored --test-threads 1 --nocapture

# Doors against the kernel's own simulated GPIO chip, in a virtual machine. Needs Debian 12 and what
# vm-packages installs; the first run fetches and unpacks a kernel.
test-vm:
	$(CARGO) build --quiet --locked
	./tests/vm/vm.sh run target/debug/twinkle tests/vm/*.sh

# What test-vm needs, as root.
vm-packages:
	./tests/vm/vm.sh packages

# What can be checked anywhere; CI runs test-vm too.
check: fmt-check lint test doc demo

fmt-check:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --all-targets --locked -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --locked

# Speed beside a bare TCP echo in the same run; ratios, not only times.
bench:
	$(CARGO) bench --locked

# The licences of what is linked, and that nothing is that should not be. Needs no network, unless
# cargo-deny itself has to be built first, which takes minutes.
deny:
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --offline --locked check licenses bans

# All fuzz targets, each for so many seconds; what they find is written to fuzz/artifacts. libFuzzer
# needs nothing of the compiler but coverage counters, which the stable one makes too.
SECONDS ?= 60
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
COVERAGE = -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
fuzz:
	RUSTFLAGS="$(COVERAGE) -Cdebug-assertions" $(CARGO) build --release \
		--manifest-path fuzz/Cargo.toml --target $(HOST)
	set -e; for seeds in fuzz/seeds/*; do \
		target=$$(basename $$seeds); \
		mkdir -p fuzz/corpus/$$target fuzz/artifacts/$$target; \
		echo "fuzzing $$target for $(SECONDS) s"; \
		fuzz/target/$(HOST)/release/$$target -max_total_time=$(SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=fuzz/artifacts/$$target/ fuzz/corpus/$$target $$seeds; \
	done

install: build
	install -D -m 755 $(TARGET)/release/twinkle $(DESTDIR)$(PREFIX)/bin/twinkle

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/twinkle

clean:
	$(CARGO) clean

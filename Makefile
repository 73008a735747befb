# twinkle: what a user and a developer type. Needs Rust (https://rustup.rs) and a C compiler; cargo
# fetches the rest.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: build demo test check fmt-check lint doc bench install uninstall clean

# The release binary: target/release/twinkle
build:
	$(CARGO) build --release --locked

# The main job, played through in a temporary folder on simulated hardware.
demo:
	$(CARGO) build --quiet --locked
	./examples/quickstart.sh target/debug

test:
	$(CARGO) test --locked

# What CI runs.
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

install: build
	install -D -m 755 target/release/twinkle $(DESTDIR)$(PREFIX)/bin/twinkle

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/twinkle

clean:
	$(CARGO) clean

# twinkle: what a user and a developer type. Needs Rust (https://rustup.rs) and a C compiler; cargo
# fetches the rest.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: build demo test test-vm vm-packages check fmt-check lint doc bench install uninstall clean

# The release binary: target/release/twinkle
build:
	$(CARGO) build --release --locked

# The main job, played through in a temporary folder on simulated hardware.
demo:
	$(CARGO) build --quiet --locked
	./examples/quickstart.sh target/debug

test:
	$(CARGO) test --locked

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

install: build
	install -D -m 755 target/release/twinkle $(DESTDIR)$(PREFIX)/bin/twinkle

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/twinkle

clean:
	$(CARGO) clean

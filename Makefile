# twinkle: what a user and a developer type. Needs Rust (https://rustup.rs) and a C compiler; cargo
# fetches the rest.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
# Where the administrator's settings are.
SYSCONFDIR ?= /etc
# Where cargo builds, if the user has it build elsewhere.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# What is installed.
BINARY ?= $(TARGET)/release/twinkle
PACKAGE ?= $(TARGET)/package
# And where to.
BIN = $(DESTDIR)$(PREFIX)/bin
SHARE = $(DESTDIR)$(PREFIX)/share
DOC = $(SHARE)/doc/twinkle
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
UDEV = $(DESTDIR)$(PREFIX)/lib/udev/rules.d
SYSUSERS = $(DESTDIR)$(PREFIX)/lib/sysusers.d

.PHONY: build demo test test-outage test-vm vm-packages test-ssh ssh-packages check fmt-check lint doc bench fuzz deny \
	package-files install install-files dist deb test-deb test-boot deb-packages uninstall clean

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

# Over SSH, against a real sshd on this machine's own address. Needs what ssh-packages installs.
test-ssh:
	$(CARGO) build --quiet --locked
	./tests/ssh/ssh.sh run $(TARGET)/debug/twinkle

# What test-ssh needs, as root.
ssh-packages:
	./tests/ssh/ssh.sh packages

# What test-vm needs, as root.
vm-packages:
	./tests/vm/vm.sh packages

# What can be checked anywhere; CI runs test-vm too.
check: fmt-check lint test doc demo deny

fmt-check:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --all-targets --locked -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --locked

# Speed beside a bare TCP echo in the same run; ratios, not only times.
bench:
	$(CARGO) bench --locked

# The licences of what is linked, and that nothing is that should not be. Needs no network once all
# crates are fetched, also those for other systems, which no build has fetched.
deny:
	@command -v cargo-deny >/dev/null || { echo "make deny needs cargo-deny, which takes some minutes to" \
		"build, once: cargo install --locked --debug cargo-deny" >&2; exit 1; }
	$(CARGO) fetch --locked --quiet
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

# What an installation has beside the program: manual pages and completions.
package-files:
	$(CARGO) run --quiet --locked --example package_files -- $(PACKAGE)

install: build package-files
	$(MAKE) --no-print-directory install-files

# The same of what is built already: BINARY, and PACKAGE with manual pages and completions. What is
# in SYSCONFDIR belongs to the administrator, and stays if it is there.
install-files:
	install -D -m 755 $(BINARY) $(BIN)/twinkle
	install -d $(SHARE)/man/man1 $(UNITS) $(UDEV) $(SYSUSERS) $(DOC)/examples $(DESTDIR)$(SYSCONFDIR)/twinkle
	install -m 644 $(PACKAGE)/man/*.1 $(SHARE)/man/man1/
	install -D -m 644 $(PACKAGE)/completions/twinkle.bash $(SHARE)/bash-completion/completions/twinkle
	install -D -m 644 $(PACKAGE)/completions/_twinkle $(SHARE)/zsh/site-functions/_twinkle
	install -D -m 644 $(PACKAGE)/completions/twinkle.fish $(SHARE)/fish/vendor_completions.d/twinkle.fish
	set -e; for unit in examples/systemd/*.service examples/systemd/*.timer; do \
		sed 's,/usr/bin/,$(PREFIX)/bin/,' $$unit > $(UNITS)/$${unit##*/}; \
		chmod 644 $(UNITS)/$${unit##*/}; \
	done
	install -m 644 packaging/60-twinkle.rules $(UDEV)/
	install -m 644 packaging/sysusers.conf $(SYSUSERS)/twinkle.conf
	install -m 644 README.md CHANGELOG.md docs/*.md $(DOC)/
	install -m 644 examples/config/twinkle.toml $(DOC)/examples/
	[ -e $(DESTDIR)$(SYSCONFDIR)/twinkle/twinkle.toml ] || \
		install -m 644 packaging/twinkle.toml $(DESTDIR)$(SYSCONFDIR)/twinkle/twinkle.toml

# What is given away: the sources, and the program for this kind of machine with all that 'install'
# puts beside it, each as a tarball; and their checksums.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
MACHINE = $(shell uname -m)-linux
DIST = $(TARGET)/dist
dist: build package-files
	rm -rf $(DIST) && mkdir -p $(DIST)/root
	git archive --prefix=twinkle-$(VERSION)/ -o $(DIST)/twinkle-$(VERSION).tar.gz HEAD
	$(MAKE) --no-print-directory install-files DESTDIR=$(abspath $(DIST))/root PREFIX=/usr
	tar -C $(DIST)/root --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$$(git log -1 --format=%ct) -czf $(DIST)/twinkle-$(VERSION)-$(MACHINE).tar.gz .
	rm -r $(DIST)/root
	cd $(DIST) && sha256sum *.tar.gz > SHA256SUMS && cat SHA256SUMS

# A Debian package, in $(TARGET)/debian/. cargo-deb is built first if need be, which takes minutes.
deb: build package-files
	command -v cargo-deb >/dev/null || $(CARGO) install --locked cargo-deb
	rm -rf target/deb-root
	$(MAKE) --no-print-directory install-files DESTDIR=$(abspath target/deb-root) PREFIX=/usr
	$(CARGO) deb --no-build --locked

# That package, installed, used, upgraded, removed and purged in a Debian of its own. As root, on
# Debian, with what deb-packages installs; the first run fetches that Debian.
test-deb: deb
	./tests/deb/deb.sh run $(TARGET)/debian/twinkle_*.deb

# Its units under a live systemd, in a virtual machine. As root, with what deb-packages and vm-packages
# install.
test-boot: deb
	./tests/vm/vm.sh prepare
	./tests/deb/boot.sh run $(TARGET)/debian/twinkle_*.deb

# What test-deb needs, as root.
deb-packages:
	./tests/deb/deb.sh packages

# Takes the program away; /etc/twinkle and /var/lib/twinkle stay.
uninstall:
	rm -f $(BIN)/twinkle $(SHARE)/man/man1/twinkle.1 $(SHARE)/man/man1/twinkle-*.1
	rm -f $(SHARE)/bash-completion/completions/twinkle $(SHARE)/zsh/site-functions/_twinkle
	rm -f $(SHARE)/fish/vendor_completions.d/twinkle.fish
	rm -f $(UNITS)/twinkle-* $(UDEV)/60-twinkle.rules $(SYSUSERS)/twinkle.conf
	rm -rf $(DOC)

clean:
	$(CARGO) clean

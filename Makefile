# What people do with this project; each target installs what it needs. "make" lists them.

KERNEL ?= 6.12
PROGRAM = target/release/ipsetaudit-tui

help:          ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

build:         ## build the program: target/release/ipsetaudit-tui
	@tests/vm/setup build
	cargo build --release

static:        ## build a program that needs no library: target/static/ipsetaudit-tui
	@tests/vm/setup build
	host=$$(rustc -vV | sed -n 's/^host: //p') && \
		LIBBPF_SYS_LIBRARY_PATH=$$(dirname "$$(cc -print-file-name=libelf.a)") \
		RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --features static --target "$$host" && \
		install -D "$${CARGO_TARGET_DIR:-target}/$$host/release/ipsetaudit-tui" target/static/ipsetaudit-tui

run: build     ## audit this machine, or where its kernel refuses, a virtual machine with a workload
	@tests/vm/demo

test:          ## everything: lint, the tests of this machine, the live tests on every kernel
	@$(MAKE) --no-print-directory --keep-going lint test-host test-vm

lint:          ## check the formatting, and the code with clippy
	@tests/vm/setup build test
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

test-host:     ## run the tests that need no kernel of their own
	@tests/vm/setup build
	cargo test

test-vm:       ## run the live tests in virtual machines; KERNELS="6.1 6.12", TEST=name and ALL=1 choose
	@tests/vm/setup build vm
	@tests/vm/live

bench:         ## measure everything and write the tables of docs/performance.md; PARTS="pipeline cost clock" chooses
	@tests/vm/setup build vm bench
	@benches/cost/page

bench-vm:      ## what a call costs its caller, by instructions, in a virtual machine; KERNEL=6.1 chooses
	@tests/vm/setup build vm
	@benches/cost/run $(KERNEL)

deb: build     ## make a Debian package: target/ipsetaudit-tui_VERSION_ARCH.deb
	@tests/vm/setup deb
	@packaging/deb $(PROGRAM)

test-deb: deb  ## use and purge that package in a clean Debian root and under systemd (root; takes minutes)
	@tests/vm/setup clean-root vm
	@tests/vm/clean-root "$$(ls -t target/ipsetaudit-tui_*.deb | head -n 1)"
	@tests/vm/run --kernel $(KERNEL) --file tests/vm/package.sh --file "$$(ls -t target/ipsetaudit-tui_*.deb | head -n 1)" \
		-- bash -c 'exec "$$OUT/package.sh"'

test-newcomer: ## the README's first commands in a fresh Debian root that has Rust alone (root; takes minutes)
	@tests/vm/setup clean-root
	@tests/vm/newcomer

vm: build      ## the screen in a throw-away virtual machine, with calls to look at; KERNEL=5.10 chooses
	@tests/vm/demo --vm

vm-shell:      ## a shell in a virtual machine over this system's root; KERNEL=6.1 chooses
	@tests/vm/setup vm
	@tests/vm/run --interactive --kernel $(KERNEL) -- env PATH="$(CURDIR)/target/release:$$PATH" bash || true

clean:         ## remove what was built (the kernels stay in the cache)
	cargo clean

export KERNEL KERNELS TEST ALL PARTS
.PHONY: help build static deb test-deb test-newcomer run test lint test-host test-vm bench bench-vm vm vm-shell clean

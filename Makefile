# Two commands: `make demo` shows pocketbench at work, `make test` proves it. Both do all the set-up.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The newest interpreter that TensorFlow has wheels for; `make PYTHON=python3.12 test` chooses another.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
RUNNER_SOURCES := $(wildcard harness/pocketbench/harness/runner/src/* harness/pocketbench/harness/runner/src/android/*) $(wildcard hatch_build.py)

# What the tests need beyond Python packages: a browser, and arm64 emulation with a C library for it.
SYSTEM_PACKAGES := chromium qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross libstdc++6-arm64-cross \
	busybox debian-archive-keyring e2fsprogs fish iproute2 libusb-1.0-0 mksh openssh-client openssh-server qemu-system-arm rsync tcsh toybox util-linux

.PHONY: help demo test check pytest system-packages clean

help:
	@echo "make demo    compress a small network, measure every variant on this computer, write a report (about 4 minutes)"
	@echo "make test    lint, type-check and test everything"
	@echo "make check   lint and type-check only"
	@echo "make clean   remove the virtual environment and what was built"

demo: $(VENV)/.demo-ready
	$(VENV)/bin/pocketbench demo

test: system-packages check pytest

check: $(VENV)/.test-ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# Each worker runs whole files. One more of them than there are cores, since many tests wait; beyond eight, the longest
# file is what takes the time.
pytest: $(VENV)/.test-ready
	$(VENV)/bin/pytest -m "not alone" --numprocesses $$(($$(nproc) + 1)) --maxprocesses 8 --dist loadfile --no-loadscope-reorder
	$(VENV)/bin/pytest -m alone

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "expected Python 3.11 to 3.13 on the PATH (TensorFlow has wheels for these), got none: install one, or run 'make PYTHON=/path/to/python'" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-ready: $(VENV)/bin/python pyproject.toml $(RUNNER_SOURCES)
	@echo "setting up $(VENV): about 2 minutes and 700 MB of downloads the first time"
	$(VENV)/bin/pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.test-ready: $(VENV)/bin/python pyproject.toml $(RUNNER_SOURCES)
	@echo "setting up $(VENV): about 2 minutes and 700 MB of downloads the first time"
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/.demo-ready

# Only root on Debian or Ubuntu installs packages; elsewhere a test whose need is missing says what to install.
system-packages:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		missing=$$(for package in $(SYSTEM_PACKAGES); do \
			dpkg-query --show --showformat='$${db:Status-Status}' $$package 2>/dev/null | grep -q '^installed' || echo $$package; done); \
		if [ -n "$$missing" ]; then \
			apt-get update --quiet=2 && \
			DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $$missing; fi; fi

clean:
	rm -rf $(VENV) build dist harness/pocketbench/harness/runner/bin

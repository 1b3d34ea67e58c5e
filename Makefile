# Paikar: every command a person needs. `make demo` and `make test` do all of the set-up themselves.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# venv for Python; Pango and HarfBuzz's subsetter for WeasyPrint's PDFs; Chromium for the browser tests.
SYSTEM_PACKAGES := python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
# Redis by the package that starts no service: the broker tests start their own (RabbitMQ where it is installed).
# LibreOffice's spreadsheet without a screen works the auditor's workbook out anew.
TEST_PACKAGES := chromium redis-tools libreoffice-calc-nogui

.PHONY: help system system-test venv assets setup demo serve test check bench requirements clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: system setup  ## set everything up, run the demonstration programme, serve the site
	$(MANAGE) database run $(BIN)/python manage.py serve --first demo

serve: system setup  ## serve the site with worker and clock, without touching the data
	$(MANAGE) database run $(BIN)/python manage.py serve

test: system system-test .venv/complete assets  ## set everything up, run every test
	$(MANAGE) database run $(BIN)/python -m pytest $(ARGS)

check: system .venv/complete assets  ## lint, format, types, layers, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MANAGE) database run sh -c '$(MANAGE) database prepare && $(MANAGE) makemigrations --check --dry-run'

bench: system setup  ## time the close of day on books of 10,000, 100,000 and 1,000,000 loans (an hour, 25 GB; goes on where stopped)
	$(MANAGE) database run $(BIN)/python manage.py bench
	$(MANAGE) database run $(BIN)/python manage.py bench --schedules 100000

setup: .venv/complete assets
	$(MANAGE) database run $(BIN)/python manage.py database -v 0 setup

system:
	@sh .ci/system $(SYSTEM_PACKAGES)

system-test:
	@sh .ci/system $(TEST_PACKAGES)

venv: .venv/complete

# The stamp is written last: a failed `venv` leaves a python without pip, which must not count as done.
.venv/complete: requirements.txt requirements-dev.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	@echo "Installing Python packages..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@

# Third-party front-end files come from npm, by the Node that pip brought; nothing of theirs is in the repository.
assets: .venv/complete var/assets/complete
	@$(MANAGE) assets

var/assets/complete: package.json package-lock.json .venv/complete
	@echo "Fetching front-end files..."
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npm ci --ignore-scripts --silent
	@mkdir -p $(@D) && touch $@

requirements:  ## pin requirements*.txt anew from requirements*.in
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --python-version 3.11 --no-emit-index-url --no-emit-find-links --generate-hashes \
		--upgrade --custom-compile-command "make requirements" requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --python-version 3.11 --no-emit-index-url --no-emit-find-links --generate-hashes \
		--upgrade --custom-compile-command "make requirements" requirements-dev.in -o requirements-dev.txt

clean:  ## remove the environment and every file the set-up made, the books under var/ too
	-$(MANAGE) database stop
	rm -rf .venv var node_modules

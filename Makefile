# Paikar: every command a person needs. `make demo` and `make test` do all of the set-up themselves.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: venv requirements
venv: .venv/complete

# The stamp is written last: a failed `venv` leaves a python without pip, which must not count as done.
.venv/complete: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	touch $@

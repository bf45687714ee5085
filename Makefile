# The short list of habits. Needs Python >= 3.11 and pip; everything else is set up in .venv.
PYTHON ?= python3
SERVE  ?= 1
PORT   ?= 8321
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CODE   := src tests benchmarks examples

.PHONY: help setup demo test check format bench serve clean
help:   ## this list
	@grep -hE '^[a-z]+: .*##|^[a-z]+:   ##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(READY)   ## the virtual environment with the locked packages
$(READY): pyproject.toml uv.lock
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Qianheng needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore uv
	@UV_PROJECT_ENVIRONMENT=$(VENV) UV_LINK_MODE=copy $(BIN)/uv sync --locked --quiet --inexact --python $(BIN)/python
	@touch $(READY)

demo: $(READY)   ## a month of a shop, what is wrong in it and what to change; then its report (SERVE=0: without)
	@$(BIN)/qianheng simulate month
	@$(BIN)/qianheng diagnose --run month
	@$(BIN)/qianheng proposals --run month
ifneq ($(SERVE),0)
	@$(BIN)/qianheng serve --port $(PORT)
endif

serve: $(READY)   ## the report pages of simulated runs on http://127.0.0.1:8321
	@$(BIN)/qianheng serve --port $(PORT)

check: $(READY)   ## quick: format, lint, types, the tests that take no time
	@$(BIN)/ruff format --quiet --check $(CODE)
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

format: $(READY)   ## put the code into its form
	@$(BIN)/ruff format --quiet $(CODE)
	@$(BIN)/ruff check --quiet --fix $(CODE)

test: $(READY)   ## everything: format, lint, types, all tests
	@$(BIN)/ruff format --quiet --check $(CODE)
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest -n 2 --dist worksteal

bench: $(READY)   ## full benchmarks beside their peers; recorded days from QIANHENG_DATA if set
	@$(BIN)/python -m benchmarks

clean:   ## remove what the build made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

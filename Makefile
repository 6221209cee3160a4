# `make` alone says what there is. A bare Debian or Ubuntu machine with Python 3.11, 3.12 or 3.13 is enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV ?= .venv
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
RUN := $(VENV)/bin/python
PORT ?= 8501
ADDRESS ?= localhost

.PHONY: help setup run index test check soak bench screenshots model calibrate clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(VENV)/ready ## Install what the product needs

$(VENV)/bin/python:
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash scripts/make_venv.sh

$(VENV)/ready: requirements.txt constraints.txt | $(VENV)/bin/python
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: requirements.txt requirements-dev.txt constraints.txt | $(VENV)/bin/python
	$(RUN) -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/ready

run: setup index ## Set everything up, build the index, serve on http://localhost:8501
	$(VENV)/bin/streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS)

index: setup ## Bring the index in step with the cases
	$(RUN) -m knowledge index

check: $(VENV)/ready-dev ## Lint, types, who may import whom
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	PYTHONPATH=. $(VENV)/bin/lint-imports --no-cache

test: check ## Everything but the long runs; says what it skipped and why
	@bash scripts/get_chromium.sh
	$(RUN) -m pytest -n 2 --dist loadgroup -m "not soak"

soak: $(VENV)/ready-dev ## The long fault and load runs
	@bash scripts/get_chromium.sh
	$(RUN) -m pytest -m soak -s

bench: $(VENV)/ready-dev ## The figures of the README, beside their peers
	$(RUN) -m benchmarks

screenshots: $(VENV)/ready-dev ## The pictures in docs/, of the app as it is
	@bash scripts/get_chromium.sh
	$(RUN) scripts/screenshots.py

model: $(VENV)/ready-dev ## Make model/ from its origin
	$(RUN) -m pip install -q -r training/requirements.txt
	$(RUN) training/make_base_model.py
	$(RUN) training/make_base_model.py --check

calibrate: $(VENV)/ready-dev ## Measure what search scores mean; writes knowledge/calibration.json
	$(RUN) training/calibrate.py

clean: ## Remove what can be made again, not the virtual environment
	rm -rf .index .build .pytest_cache .mypy_cache .ruff_cache .hypothesis

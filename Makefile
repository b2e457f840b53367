# Every target makes the environment it needs and is safe to call first. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11 python,$(if $(shell $(name) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
# One thread per process: sums keep their order, and the test workers share two cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help report data test check lint versions bench growth demonstrations notebooks clean lock

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(VENV)/.report ## install what is missing, read data/raw, write reports/ (does nothing if nothing changed)
	@$(BIN)/vertebro report

data: $(VENV)/.report ## read data/raw and write the canonical tables to data/processed
	@$(BIN)/vertebro data

test: check ## everything CI runs: check, then all tests with the coverage floor
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-report=json:.coverage.json
	@$(BIN)/python .ci/branch_floor.py .coverage.json 90

check: lint ## lint, format, types, and a consistent environment
	@$(BIN)/python -m pip check
	@$(BIN)/python -m mypy

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

versions: $(VENV)/.dev ## quick tests with the oldest and the newest dependencies on every Python found (half an hour)
	@$(BIN)/python .ci/versions.py

bench: $(VENV)/.dev ## speed as ratios against a peer in the same run -> reports/benchmarks.csv
	@$(BIN)/python -m benchmarks

growth: $(VENV)/.dev ## time and memory from ten thousand to ten million patients -> docs/growth.csv (seven minutes, 6 GB)
	@$(BIN)/python -m benchmarks.growth

demonstrations: $(VENV)/.dev ## write the synthetic registries of data/raw/registries again, the same bytes every time
	@$(BIN)/python -c 'from vertebro_outcomes.simulate.exports.demonstrations import write_demonstrations; print(write_demonstrations("data/raw/registries").to_string(index=False))'

notebooks: $(VENV)/.report ## open the notebooks of analyses/ in JupyterLab
	@$(BIN)/jupyter lab analyses

clean: ## remove what the targets made (the environment, processed data, reports)
	rm -rf $(VENV) .venv-versions data/processed reports .coverage .coverage.json .mypy_cache .pytest_cache .ruff_cache .hypothesis

lock: ## renew the hash-pinned requirements from pyproject.toml (for maintainers; needs uv)
	@printf 'hatchling\neditables\n' | uv pip compile pyproject.toml - --extra notebooks --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o .requirements/report.txt
	@uv pip compile pyproject.toml --extra notebooks --extra dev -c .requirements/report.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -q -o .requirements/dev.txt

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "vertebro-outcomes needs Python 3.11 or newer; none was found. Install one, or name it: make PYTHON=/path/to/python report" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.report: .requirements/report.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the report needs into $(VENV) (about a minute, once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: .requirements/dev.txt $(VENV)/.report | $(VENV)/bin/python
	@echo "Installing what the checks and tests need ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

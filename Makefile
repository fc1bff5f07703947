# make help lists the targets. Needs python3 (3.10 to 3.13), make and a C compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILT_FROM := setup.cfg pyproject.toml
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
PROGRAMS ?= 800
SEED := $(or $(SEED),$(shell date +%s))
BENCH_KERNELS ?= gemm jacobi-2d atax
BENCH_SIZE ?= MEDIUM
BENCH_BUDGET ?= 1,4
TORCH ?= torch>=2.6
GPU_SECONDS ?= 225

.DEFAULT_GOAL := help
.PHONY: help demo test test-torch long slow check lint format types floors golden docs fuzz bench
.PHONY: site gpu-kernels gpu-bench gpu-check clean

# once, for environments in which Python writes no bytecode at import
COMPILE = $(BIN)/python -m compileall -q polysched

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "found $$($(PYTHON) --version), expected Python 3.10 or later;" \
	    "set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BUILT_FROM) | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@$(COMPILE)
	@touch $@

$(VENV)/installed-dev: $(BUILT_FROM) | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/installed

$(VENV)/installed-docs: $(BUILT_FROM) | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[docs]'
	@$(COMPILE)
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed ## install, then tune examples/gemm.c
	@mkdir -p build
	$(BIN)/polysched tune examples/gemm.c -o build/gemm.opt.c --budget 12 \
	  --records build/demo.sqlite

test: $(VENV)/installed-dev ## the quick suite
	$(PYTEST) -n $(WORKERS) -m "not long and not slow and not docs" polysched tests

long: $(VENV)/installed-dev ## the tests that take seconds, which CI runs as well
	$(PYTEST) -n $(WORKERS) -m "long and not slow" tests

test-torch: $(VENV)/installed-dev ## the tests that need PyTorch; TORCH=... says which
	$(BIN)/python -c 'import torch' 2>/dev/null || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check '$(TORCH)'
	$(PYTEST) -n $(WORKERS) tests/torch

slow: $(VENV)/installed-dev ## the tests that take minutes
	$(PYTEST) -n $(WORKERS) -m slow tests

check: lint types floors site docs long test ## what CI runs

lint: $(VENV)/installed-dev ## ruff, and whether the format is ruff's
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/installed-dev ## rewrite the files in ruff's format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: $(VENV)/installed-dev ## mypy --strict
	$(BIN)/mypy

floors: $(VENV)/installed-dev ## imports only go down
	$(BIN)/lint-imports

golden: $(VENV)/installed-dev ## write the expected texts anew
	$(PYTEST) -n $(WORKERS) --update-golden -k golden

docs: $(VENV)/installed-dev ## run every example, command and notebook of the docs
	$(PYTEST) -n $(WORKERS) --doctest-glob='*.md' README.md docs tests/docs

site: $(VENV)/installed-docs ## the documentation in build/site; runs the notebooks
	$(BIN)/sphinx-build -q -W --keep-going -j $(WORKERS) -d build/doctrees docs build/site

fuzz: $(VENV)/installed-dev ## random programs, fresh seeds, large spaces, failures kept
	@echo "seeds $(SEED) to $$(($(SEED) + $(PROGRAMS) - 1))"
	POLYSCHED_FUZZ_SEED=$(SEED) POLYSCHED_FUZZ_PROGRAMS=$(PROGRAMS) \
	  POLYSCHED_FUZZ_LARGE=1 POLYSCHED_FUZZ_KEEP=1 \
	  $(PYTEST) -n $(WORKERS) -v tests/fuzz -m "slow or not slow"

bench: $(VENV)/installed ## a few kernels side by side with installed peers
	@mkdir -p build/bench
	$(BIN)/polysched bench $(BENCH_KERNELS) --size $(BENCH_SIZE) \
	  --budget $(BENCH_BUDGET) --records build/bench.sqlite \
	  --json build/bench/bench.json --html build/bench/bench.html

gpu-kernels: $(VENV)/installed ## device files for make gpu-bench, in build/gpu
	$(BIN)/python benchmarks/gpu/generate.py build/gpu

gpu-bench: ## time build/gpu on this machine's GPU: needs nvcc and python3 alone
	@test -f build/gpu/jobs.json || $(MAKE) gpu-kernels
	cd build/gpu && $(PYTHON) run.py -o results.json --seconds $(GPU_SECONDS)

gpu-check: $(VENV)/installed ## tune all examples on this machine's GPU, results compared
	@mkdir -p build
	$(BIN)/python benchmarks/gpu/sweep.py build/gpu-check.json

clean: ## remove what was built, .venv included
	rm -rf build dist $(VENV) *.egg-info

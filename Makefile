# Everything runs in .venv, with the versions that constraints.txt pins.
PYTHON ?= python3
BIN := .venv/bin
# Compiled modules are kept, whatever the shell says: without them, each process of the tests compiles all anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-slow lint format settings bench bench-company gpu-check constraints clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: .venv/installed  ## stylize nine sample pairs, paint twenty in one pass, and say where the pictures are
	$(BIN)/stylebatch run manifests/painted.yaml --gallery
	$(BIN)/stylebatch run manifests/demo.yaml --gallery

test: .venv/installed  ## run the tests
	$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not slow"

test-slow: .venv/installed  ## run those that take long and seldom tell more
	$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder -m slow

lint: .venv/installed  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

settings: .venv/installed  ## write the table of docs/settings.md anew
	$(BIN)/python -m stylebatch.tasks.request.settings_table docs/settings.md

bench: .venv/installed  ## the loop against another tool (ARGS="CONTENT STYLE --size 512")
	$(BIN)/python -m tests.benchmarks.loop $(ARGS)

bench-rows: .venv/installed  ## what 1,000 to 1,000,000 rows cost beside the stylizing (ARGS="1000")
	$(BIN)/python -m tests.benchmarks.rows $(ARGS)

bench-dataset: .venv/installed  ## a data set in one pass: share of each stage, rate against the bare network (ARGS="--pictures 300")
	$(BIN)/python -m tests.benchmarks.dataset $(ARGS)

bench-gallery: .venv/installed  ## a gallery of 5,000 pairs, to write and in a browser (ARGS="1000")
	$(BIN)/python -m tests.benchmarks.gallery $(ARGS)

bench-runners: .venv/installed  ## what a pair costs under each runner, and what workers give (ARGS="--pairs 50")
	$(BIN)/python -m tests.benchmarks.runners $(ARGS)

bench-one-pass: .venv/installed  ## one pass against the optimizer and another tool (ARGS="--tuned NETWORK --pairs 60")
	$(BIN)/python -m tests.benchmarks.one_pass $(ARGS)

bench-collection: .venv/installed  ## ways to paint as a collection (ARGS="--contents GLOB --paintings GLOB --network FILE")
	$(BIN)/python -m tests.benchmarks.collection $(ARGS)

bench-company: .venv/installed  ## the optimizer with several pairs in a step against one at a time (ARGS="--sizes 128 --together 4")
	$(BIN)/python -m tests.benchmarks.company $(ARGS)

gpu-check: .venv/installed  ## on a machine with a GPU: its tests, rates, memory, and what happens when that runs out
	$(BIN)/python -m tests.benchmarks.gpu_check

constraints: .venv/installed  ## write constraints.txt anew from what is installed
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:  ## remove the environment and the caches; outputs/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .package/*.egg-info

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,dask,ray,s3]'
	@touch $@

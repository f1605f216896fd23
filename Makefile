# The commands of this project; `make` alone lists them. Nothing is installed outside this folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# More than the cores of a small machine: the end-to-end tests, which come first, mostly wait.
WORKERS ?= 6
# Where the environment forbids it, each of the many processes of a test run would compile all of this code anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test walks faults families hostile planted burst check benchmark package clean

help:
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: setup ## start the local clouds and the app, connect a private endpoint live (ONCE=1: end after it)
	@$(BIN)/python -m local story

test: setup ## run all tests (REQUIRE=all: a test that is skipped is a failure)
	@echo "Running all tests on $(WORKERS) workers; what each waits for is said as it goes ..."
	@$(BIN)/python -m tests.infra.language_service
	@$(BIN)/python -m tests.tools.worker
	@REQUIRE=$(REQUIRE) $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

walks: setup ## many random walks of people, managers, losses and crashes (WALKS=500, WALKS_FROM=0)
	@WALKS=$${WALKS:-500} $(BIN)/python -m pytest -q -n $(WORKERS) tests/walk

faults: setup ## thousands of plans with a fault at each remote call of a connection's life (PAIRS=20000: with two; SEED=7: others)
	@$(BIN)/python -m tests.faults --seed $${SEED:-0} --pairs $${PAIRS:-0}

families: setup ## every story that can be told of deployments and of Serverless projects, of both
	@EVERY_FAMILY=1 $(BIN)/python -m pytest -q -n $(WORKERS) -m both_families tests

hostile: setup ## every kind of wrong value at every place of both clouds' answers and of rows (SEED=7, PART=3/20)
	@HOSTILE=1 HOSTILE_SEED=$(SEED) HOSTILE_PART=$(PART) $(BIN)/python -m pytest -q -n $(WORKERS) tests/damaged

planted: setup ## plant sixty bugs, one after the other, and tell which tests notice (NAMES=..., else all: an hour)
	@$(BIN)/python -m tests.planted $(NAMES)

burst: setup ## 512 endpoints of 32 networks at once: all Ready, one message of ours for each; then all tables are lost
	@UNFINISHED=512 BURST_NETWORKS=32 BURST_REGIONS=16 LOST_TABLES=512 \
	  $(BIN)/python -m pytest -q tests/sweep/test_sweep_backlog.py tests/reconciler/test_burst.py \
	  tests/reconciler/test_recovered.py -k "not test_recovered or (lost_tables and hosted)"
	@SCALE=1 $(BIN)/python -m pytest -q tests/sweep/test_swept_zones.py tests/scale

check: setup ## lint, types, layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

benchmark: setup ## import time and memory; a start from the package; planning and testing a large estate; scale
	@$(BIN)/python benchmarks/import_time.py
	@$(BIN)/python benchmarks/health.py
	@$(BIN)/python benchmarks/cold_start.py
	@$(BIN)/python benchmarks/scale.py

package: setup ## the deployment package with its libraries, checksums and bill of materials
	@$(BIN)/python scripts/package.py

setup: $(READY) ## virtual environment, dependencies, Azurite
	@$(BIN)/python -m local.storage.azurite

$(READY): requirements.in requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "Python 3.11 or later is needed, $(PYTHON) is %d.%d; name another: make run PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Creating $(VENV) and installing dependencies (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@# Compiling all of the SDKs would take as long as installing them; what is imported is compiled then.
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

clean: ## remove everything that setup and run made
	rm -rf .venv* .azurite .kusto .axe .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

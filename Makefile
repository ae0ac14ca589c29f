# Each target sets up what it needs in .venv; PYTHON names the interpreter that makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools explains at length what an editable install is, and pip shows that even when quiet.
INSTALL := PYTHONWARNINGS='ignore:Editable installation' $(BIN)/python -m pip install --quiet

# The tests start Python a thousand times, which is quicker with cached bytecode, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

# More than there are cores, since many tests wait for processes. WORKERS=0: one test after the other.
WORKERS ?= 6
PYTEST := $(BIN)/python -m pytest

# Of `make chaos`.
SECONDS ?= 60
SEED ?=

# Import direction, public names, documented samples and arguments, the service's answers to them, and one job that runs.
CORE := tests/test_layers.py tests/test_public_api.py tests/test_surface.py tests/sdk/test_payload_samples.py \
	tests/sdk/test_arguments.py tests/sdk/test_checks.py tests/contract_tests/test_samples.py \
	tests/contract_tests/test_replies.py tests/contract_tests/test_defaults.py tests/local/test_http.py \
	tests/emulator/test_end_to_end.py

# Engines that real frameworks are tested with, each in an environment of its own.
ENGINES := $(VENV)/engines

.PHONY: help demo test engines test-engines chaos check core lint type docs bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/demo.stamp: setup.cfg
	@echo "==> install what the demo needs into $(VENV), once"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade pip
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/dev.stamp: setup.cfg
	@echo "==> install the development tools into $(VENV), once"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade pip
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/demo.stamp

$(ENGINES)/%.stamp: tests/engines/%.txt
	@echo "==> install $* into $(ENGINES)/$*, once"
	@$(PYTHON) -m venv $(ENGINES)/$*
	@$(ENGINES)/$*/bin/python -m pip install --quiet --upgrade pip
	@$(ENGINES)/$*/bin/python -m pip install --quiet --requirement $<
	@touch $@

demo: $(VENV)/demo.stamp  ## train on real digits on the local service
	@$(BIN)/python examples/digits/demo.py

test: $(VENV)/dev.stamp  ## all tests; about 2 minutes on two cores
	@echo "==> all tests: about 2 minutes on two cores; \`make check\` takes half a minute"
	$(PYTEST) -n $(WORKERS) --dist worksteal

engines: $(ENGINES)/torch.stamp $(ENGINES)/mindspore.stamp  ## install PyTorch and MindSpore for test-engines

test-engines: $(VENV)/dev.stamp engines  ## jobs with real PyTorch and MindSpore
	ENGINES=$(ENGINES) $(PYTEST) tests/engines

chaos: $(VENV)/dev.stamp  ## submit jobs and kill processes at random; SECONDS=900 for long, SEED=1 for the same choices
	CHAOS_SECONDS=$(SECONDS) CHAOS_SEED=$(SEED) $(PYTEST) --tb=short --show-capture=no tests/chaos

check: $(VENV)/dev.stamp  ## lint, types and the core of the tests, side by side; about half a minute
	@$(MAKE) --no-print-directory -j 3 --output-sync=target lint type core

core: $(VENV)/dev.stamp  ## the tests that most mistakes fail first
	$(PYTEST) -q -n $(WORKERS) --dist worksteal $(CORE)

lint: $(VENV)/dev.stamp  ## style, and mistakes that can be seen without running
	$(BIN)/ruff check .

type: $(VENV)/dev.stamp  ## types
	$(BIN)/mypy

docs: $(VENV)/dev.stamp  ## links, names and generated pages of docs/
	$(PYTEST) -q tests/test_docs.py

bench: $(VENV)/dev.stamp  ## speed and memory, as ratios to yardsticks
	$(BIN)/python -m benchmarks

clean:  ## remove what was built and installed
	rm -rf $(VENV) build dist *.egg-info

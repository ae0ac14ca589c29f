# Each target sets up what it needs in .venv; PYTHON names the interpreter that makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# setuptools explains at length what an editable install is, and pip shows that even when quiet.
INSTALL := PYTHONWARNINGS='ignore:Editable installation' $(BIN)/python -m pip install --quiet

.PHONY: help demo test lint type docs bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

demo: $(VENV)/demo.stamp  ## train on real digits on the local service
	@$(BIN)/python examples/digits/demo.py

test: $(VENV)/dev.stamp  ## all tests
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp  ## style, and mistakes that can be seen without running
	$(BIN)/ruff check .

type: $(VENV)/dev.stamp  ## types
	$(BIN)/mypy

docs: $(VENV)/dev.stamp  ## links, names and generated pages of docs/
	$(BIN)/python -m pytest -q tests/test_docs.py

bench: $(VENV)/dev.stamp  ## speed and memory, as ratios to yardsticks
	$(BIN)/python -m benchmarks

clean:  ## remove what was built and installed
	rm -rf $(VENV) build dist *.egg-info

# Everything runs from a virtual environment that these targets make themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: demo test check soak bench browser env install lock format clean

demo: $(READY)            ## run the product beside a simulated outside world
	@$(BIN)/python -m simulator.demo

test: $(READY_DEV)        ## the tests: most of them side by side, those that mind the time alone
	$(BIN)/python -m pytest tests/ -m "not browser and not soak and not alone" -n 3 --dist loadfile
	$(BIN)/python -m pytest tests/ -m "not browser and (soak or alone)"

browser: $(READY_DEV)     ## the tests that need Chromium
	$(BIN)/python -m pytest tests/ -m browser

check: $(READY_DEV)       ## lint, format, types, secret scan, lock check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.checks.secret_scan
	$(BIN)/python -m tests.checks.lock_check

soak: $(READY_DEV)        ## the long counts, whole
	SOAK=1 $(BIN)/python -m pytest tests/ -m soak -s

bench: $(READY_DEV)       ## speed, beside a bare pass-through in the same run
	$(BIN)/python -m bench
	$(BIN)/python -m bench.networks --write

env: $(READY)             ## write a .env with fresh keys
	@$(BIN)/python -m app.admin env

install: $(READY)

lock: $(VENV)/.lock-tool  ## requirements*.txt from pyproject.toml
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group pyproject.toml:dev -c requirements.txt -o requirements-dev.txt

format: $(READY_DEV)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .demo build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv $(VENV)

$(READY): $(BIN)/python requirements.txt
	@echo "Getting the packages, once; this may take a minute."
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(READY_DEV): $(READY) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.lock-tool: $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	@touch $@

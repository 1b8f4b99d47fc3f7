# Everything runs from a virtual environment that these targets make themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: demo test check soak bench browser env doctor install lock sbom docs picture image format clean

demo: $(READY)            ## run the product beside a simulated outside world
	@$(BIN)/python -m simulator.demo

test: $(READY_DEV)        ## the tests: most of them side by side, those that mind the time alone
	$(BIN)/python -m pytest tests/ -m "not browser and not soak and not alone" -n 3 --dist loadfile --no-loadscope-reorder --durations 20
	$(BIN)/python -m pytest tests/ -m "not browser and (soak or alone)" --durations 20

browser: $(READY_DEV)     ## the tests that need Chromium
	$(BIN)/python -m pytest tests/ -m browser

check: $(READY_DEV)       ## lint, format, types, secret scan, locks and what they must not hold
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.checks.secret_scan
	$(BIN)/python -m tests.checks.lock_check
	$(BIN)/python -m tests.checks.floors_check

soak: $(READY_DEV)        ## the long counts, whole
	SOAK=1 $(BIN)/python -m pytest tests/ -m soak -s
	SOAK=1 $(BIN)/python -m pytest tests/ -m "not browser and not soak and not alone" -n 3 --dist loadfile

bench: $(READY_DEV)       ## speed, beside baselines and peers in the same run
	$(BIN)/python -m bench
	$(BIN)/python -m bench.growth --write
	$(BIN)/python -m bench.turns --write
	$(BIN)/python -m bench.networks --write

env: $(READY)             ## write a .env with fresh keys
	@$(BIN)/python -m app env

doctor: $(READY)          ## look at every piece and name what is broken
	@$(BIN)/python -m app doctor

install: $(READY)

lock: $(VENV)/.lock-tool  ## requirements*.txt from pyproject.toml
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group pyproject.toml:container -o requirements-container.txt
	$(COMPILE) --group pyproject.toml:dev -c requirements.txt -o requirements-dev.txt

sbom: $(READY_DEV)        ## what the product is made of, as CycloneDX: build/sbom.json
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible -o build/sbom.json

docs: $(READY_DEV)        ## the tables of the documents, anew from the code
	$(BIN)/python -m tests.docs.tables

picture: $(READY_DEV)     ## docs/pictures/chat.png, from the real service and bot
	PYTHONPATH=telegram $(BIN)/python -m tests.browser.picture

image:                    ## the image of service and bot
	docker build --tag arash-panoptes:$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) .

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

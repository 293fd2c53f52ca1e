# These commands do everything on a fresh machine with Python 3.11 to 3.13:
#   make demo   rehearse IRIS-7 and say where the report lies
#   make test   the whole fast suite, lint, types and import contracts; out/validation/matrix.html says what each test showed
#   make matrix write docs/validation/*.md from its data; tests fail where requirement, code and test are not tied
#   make proof  a server under load, killed 200 times, on a full disk, its database restarted: is all there? (an hour)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -type f -not -name '*.pyc' 2>/dev/null) pyproject.toml README.md LICENSE

.PHONY: demo test matrix proof test-slow lint types contracts spelling docs bench wheel lock format clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   make/make/p' Makefile

demo: $(BIN)/.run
	$(BIN)/sevenfold run iris-7 --out out/iris-7 --force
	@echo "Open $(CURDIR)/out/iris-7/report.html in a browser; it needs no network."

test: $(BIN)/.test lint types contracts spelling
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not slow" --validation out/validation

matrix: $(BIN)/.test
	PYTHONPATH=src:tests $(BIN)/python -m validation.write

proof: $(BIN)/.test
	SEVENFOLD_KILLS=200 SEVENFOLD_NEEDS_SERVICES=1 $(BIN)/python -m pytest -q -s tests/service/test_durability.py
	SEVENFOLD_EXAMPLES=200 $(BIN)/python -m pytest -q tests/service/test_api.py tests/service/test_blind.py
	SEVENFOLD_PAIRS=200 $(BIN)/python -m pytest -q -s tests/service/test_times.py

test-slow: $(BIN)/.test
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

lint: $(BIN)/.test
	$(BIN)/ruff format --check src tests bench docs examples
	$(BIN)/ruff check src tests bench docs examples

types: $(BIN)/.test
	$(BIN)/mypy

contracts: $(BIN)/.test
	cd src && $(abspath $(BIN))/lint-imports --config ../pyproject.toml --no-cache

spelling: $(BIN)/.test
	$(BIN)/codespell src tests bench docs examples README.md CHANGELOG.md

docs: $(BIN)/.docs
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

bench: $(BIN)/.run
	$(BIN)/python bench/solve.py

wheel: $(BIN)/.run
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# Needs uv. New releases wait a week before they are taken.
lock:
	uv pip compile -q pyproject.toml requirements/build.in --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --exclude-newer "$$(date -u -d '7 days ago' +%F)" -o requirements/run.lock
	uv pip compile -q pyproject.toml requirements/build.in --extra test --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --exclude-newer "$$(date -u -d '7 days ago' +%F)" -c requirements/run.lock -o requirements/test.lock
	uv pip compile -q pyproject.toml requirements/build.in --extra docs --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --exclude-newer "$$(date -u -d '7 days ago' +%F)" -c requirements/run.lock -o requirements/docs.lock

format: $(BIN)/.test
	$(BIN)/ruff check --fix-only -q src tests bench docs examples
	$(BIN)/ruff format -q src tests bench docs examples

clean:
	rm -rf $(VENV) out dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Sevenfold needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Locked requirements with their hashes, then the package itself without looking anything up.
$(BIN)/.requirements-%: requirements/%.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.lock
	@touch $@

$(BIN)/.package: $(BIN)/.requirements-run $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(BIN)/.run: $(BIN)/.package
	@touch $@

$(BIN)/.test: $(BIN)/.requirements-test $(BIN)/.package
	@touch $@

$(BIN)/.docs: $(BIN)/.requirements-docs $(BIN)/.package
	@touch $@

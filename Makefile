# Needs Python 3.11 or later and make; everything else is installed into .venv.
# PYTHON=/path/to/python chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test slow check format clean

demo: $(STAMP)
	$(BIN)/compresskit demo --force

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not gpu and not network"

slow: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow and not gpu and not network"

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache

# A name on PATH may be a shim without an interpreter behind it, so each is tried.
$(STAMP): pyproject.toml constraints.txt
	@set -e; chosen=""; \
	for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python); do \
		if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
		then chosen="$$python"; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
		echo "Python 3.11 or later with venv was not found; name one: make PYTHON=/path/to/python" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$chosen" --version); this is done once and takes a few minutes."; \
	"$$chosen" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[search,cpu,dev]'
	@touch $@

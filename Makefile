# make figures, make test: both set up .venv themselves. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
# Snakemake's jobs call `python`: it has to be this environment's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: figures test lint format clean lock setup

figures: $(READY)
	@python workflow/release_lock.py
	snakemake $(SNAKEMAKE_ARGS)

test: $(READY)
	python -m pytest $(PYTEST_ARGS)

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check --compact-diff Snakefile workflow/rules
	snakemake --lint

format: $(READY)
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow/rules

setup: $(READY)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ntk-lens needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": call make with PYTHON=/path/to/python3")'
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# ntklens stays in workflow/, editable, and importable from anywhere in this environment.
	@$(VENV)/bin/python -c 'import sysconfig, pathlib; pathlib.Path(sysconfig.get_path("purelib"), "ntklens.pth").write_text("$(CURDIR)/workflow\n")'
	@touch $@

# Rewrites the lock from requirements.in, for every Python >= 3.11. Needs uv.
lock:
	uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock

# Everything that make and the workflow produced, the environment included.
clean:
	rm -rf $(VENV) .snakemake .pytest_cache .ruff_cache .hypothesis
	find results -mindepth 1 -not -name README.md -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

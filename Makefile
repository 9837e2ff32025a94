# make figures, make test: both set up .venv themselves. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
CUDA_READY := $(VENV)/ready-cuda
# neural-tangents, which the tests in tests/oracle and `snakemake verify` compare with, needs an old JAX, so it has
# its own environment, with Python 3.11 or 3.12. The default of ORACLE_PYTHON is the first command that is one of these.
ORACLE := .venv-oracle
ORACLE_READY := $(ORACLE)/ready
ORACLE_CHECK := 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))'
ORACLE_PYTHON ?= $(firstword $(foreach python,$(PYTHON) python3.12 python3.11,$(shell $(python) -c $(ORACLE_CHECK) 2>/dev/null && echo $(python))))
BIN := $(VENV)/bin
# Snakemake's jobs call `python`: it has to be this environment's.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: figures demo gallery archive published variance robustness test test-all test-slow test-slurm test-envs fuzz verify-results coverage lint docs format clean lock setup setup-cuda oracle bench estimate

figures: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake $(SNAKEMAKE_ARGS)

# In all targets SNAKEMAKE_ARGS stands before --config and --configfile: these two take every word that follows them.

# Figures 1 to 3 in miniature, from small digits: about a minute on two cores, and another to set up.
demo: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake figure_1 figure_2 figure_3 $(SNAKEMAKE_ARGS) --configfile config/demo.yaml
	@test ! -e results/demo/figures/figure-1.png || printf '%s\n' $(AFTER_DEMO)

AFTER_DEMO := '' \
	'Three figures of the paper in miniature (docs/figures.md explains what they show):' \
	'  results/demo/figures/figure-1.png   trace, adaptation rate and effective rank while networks train' \
	'  results/demo/figures/figure-2.png   the same and the test loss, against width and dataset size' \
	'  results/demo/figures/figure-3.png   how wide a network has to be until its kernel barely changes' \
	'' \
	'What to try next:' \
	'  make figures             all figures on more data, and results/laptop/gallery.html, which sets them beside' \
	'                           the claims of the paper: 9 to 13 minutes on two cores' \
	"  make gallery SNAKEMAKE_ARGS='--configfile config/demo.yaml'" \
	'                           results/demo/gallery.html: all figures of the demo on one page, to hover and zoom' \
	'  docs/tutorial.md         from here to your own data, network and axis; config/README.md explains every key'

# The page that shows all figures beside the paper's claims. `make figures` makes it, too.
gallery: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake gallery $(SNAKEMAKE_ARGS)

# How much the draws of data add to what initialisations alone show: a table from eight draws; takes minutes.
variance: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake variance_components $(SNAKEMAKE_ARGS) --configfile config/variance.yaml

# Tests of units, scripts and what a change reruns, against neural-tangents if `make oracle` was run, and a smoke run.
test: $(READY)
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow" $(PYTEST_ARGS)

# A test process for each core, at most four: each holds up to 2.5 GB of compiled programs and data.
IN_PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadscope

# Tests of killed runs, and of users' own studies and datasets from data to figures.
test-slow: $(READY)
	$(BIN)/python -m pytest $(IN_PARALLEL) -m slow $(PYTEST_ARGS)

test-all: test test-slow fuzz test-slurm test-envs

# Hands odd configs, files, target names and networks to the code, which must answer right or in one sentence. Every run
# draws new cases: `make fuzz SEED=…` repeats a run, NTKLENS_FUZZ_CASES says how many cases each test draws.
fuzz: SEED ?= $(shell date +%s)
fuzz: $(READY)
	$(BIN)/python -m pytest tests/fuzz $(IN_PARALLEL) --hypothesis-seed=$(SEED) $(PYTEST_ARGS)

# Runs the workflow on a SLURM that is started on this machine and stopped again; takes minutes. Needs Debian's
# slurm-wlm and munge, and root; is skipped otherwise.
test-slurm: $(READY)
	$(BIN)/python -m pytest tests/slurm $(PYTEST_ARGS)

# Runs every rule in its conda environment, made with pip instead of conda; takes minutes and 3 GB in /tmp meanwhile.
# Needs Python 3.11 and 3.13, which the environments use; is skipped otherwise.
test-envs: $(READY)
	$(BIN)/python -m pytest tests/environments $(PYTEST_ARGS)

# Times our NTK and that of neural-tangents. Run it on a machine that does nothing else.
bench: $(READY) $(ORACLE_READY)
	$(BIN)/python benchmarks/ntk_matrix.py
	$(BIN)/python benchmarks/eigenvalues.py

# What a config costs before it runs: the paper's, or `make estimate CONFIG=config/config.yaml`.
CONFIG ?= config/paper.yaml
estimate: $(READY)
	@$(BIN)/python workflow/scripts/estimate.py --config "$(CONFIG)"

# How far the results depend on what the paper does not state; with your own config: `make robustness CONFIG=…`.
robustness: CONFIG = config/robustness.yaml
robustness: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake robustness $(SNAKEMAKE_ARGS) --configfile "$(CONFIG)"

# Packs what it takes to draw a config's figures and tables again without training; first makes what is missing.
archive: CONFIG = config/config.yaml
archive: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake archive $(SNAKEMAKE_ARGS) --configfile "$(CONFIG)"

# Draws the figures and tables of all datasets from the archives in published/, without training.
published: $(READY)
	@$(BIN)/python workflow/release_lock.py
	$(BIN)/snakemake $(SNAKEMAKE_ARGS) --configfile config/full-scale.yaml --config \
		"precomputed=[$$(echo published/*.zip | tr ' ' ,)]"

# Checks every file behind every figure, back to the datasets; `python -m ntklens trace FIGURE` shows one chain.
verify-results: $(READY)
	@$(BIN)/python -m ntklens trace --brief $(or $(wildcard results/*/figures/*.json),$(error there are no figures in results/ yet: make figures draws them))

# Lines of ntklens and of the scripts that the tests of `make test` run, subprocesses included.
coverage: $(READY)
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow" --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

SNAKEFILES := Snakefile workflow/Snakefile workflow/rules

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check --compact-diff $(SNAKEFILES)
	$(BIN)/snakemake --lint
	$(BIN)/lint-imports
	$(BIN)/basedpyright

# The documentation site, in site/. A link that leads nowhere is an error.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Also regenerates the config's JSON schema and the tables of config/README.md.
format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt $(SNAKEFILES)
	$(BIN)/python -m ntklens.planning.config

setup: $(READY)

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ntk-lens needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + ": call make with PYTHON=/path/to/python3")'
	@$(PYTHON) workflow/check_folder.py
	@echo "Setting up $(VENV): about 400 MB to download, 1.5 GB on disk; a minute on a usual connection."
	$(PYTHON) -m venv --clear $(VENV)
	@# The lock is complete: asked for dependencies, an older pip looks for a newer coverage[toml] beside the locked one.
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip check
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Also JAX's CUDA build, for `device: gpu`. A machine without a GPU, such as a login node, can set it up for others.
setup-cuda: $(CUDA_READY)

$(CUDA_READY): requirements-cuda.lock $(READY)
	@test "$$(uname -s)" = Linux || { echo "setup-cuda: JAX has CUDA builds for Linux only, and this is $$(uname -s)" >&2; exit 1; }
	@echo "Adding CUDA to $(VENV): about 3.2 GB to download, 5 GB on disk."
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-cuda.lock
	$(BIN)/python -m pip check
	@touch $@

# The environment of neural-tangents, for the tests in tests/oracle and for `snakemake verify`.
oracle: $(ORACLE_READY)

$(ORACLE_READY): requirements-oracle.lock
	@$(or $(ORACLE_PYTHON),false) -c $(ORACLE_CHECK) || { echo "neural-tangents needs Python 3.11 or 3.12: call make oracle with ORACLE_PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(ORACLE_PYTHON) -m venv --clear $(ORACLE)
	@# Without their dependencies: neural-tangents requires TensorFlow, but only for a part that we don't use.
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-oracle.lock
	@touch $@

# Rewrites the locks from the files requirements*.in, for every Python >= 3.11. Needs uv.
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) requirements-cuda.in -o requirements-cuda.lock # keeps the versions of requirements.lock
	$(COMPILE) --no-deps requirements-oracle.in -o requirements-oracle.lock

# Everything that make and the workflow produced, the environments included.
clean:
	rm -rf $(VENV) $(ORACLE) .snakemake .cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis site
	find results -mindepth 1 -not -name README.md -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

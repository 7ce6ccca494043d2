# Two commands set everything up and prove it: `make demo`, `make test`.
PYTHON ?= python3
VENV ?= .venv
CORES ?= 2
# One more than cores: some tests wait most of the time, for SLURM or for a signal.
TESTERS ?= $(shell expr $(CORES) + 1)
BIN := $(VENV)/bin

.PHONY: help install demo test test-slurm fuzz lint format check-real docs stages lock clean

help:
	@echo "make install              into $(VENV); TORCH_INDEX=<url> for a build of torch of another CUDA or none (docs/gpu.md)"
	@echo "make demo                 install and run the demo (config/demo.yaml); prints where the report is"
	@echo "make test                 all tests (unit, DAG, end to end on the toy species)"
	@echo "make test-slurm           the tests that need a SLURM (see tests/slurm/README.md)"
	@echo "make fuzz N=100000        random inputs for every reader of outside text (see tests/fuzz/README.md)"
	@echo "make lint                 ruff, snakefmt --check, snakemake --lint"
	@echo "make check-real DATA=DIR  the same workflow on real files in DIR (see tests/real/README.md)"
	@echo "make docs                 regenerate docs/configuration.md from schemas/"
	@echo "make stages               digests of the code behind each stage in nucleotune/stages.tsv (docs/architecture.md)"
	@echo "make clean                remove results, logs and the simulated species (not the downloads)"

# An index of torch's builds for another CUDA, or for none (docs/gpu.md). The last one named is remembered; without one, it
# is the Python package index.
LAST_INDEX := $(shell cat $(VENV)/.torch-index 2>/dev/null)
INDEX := $(or $(TORCH_INDEX),$(LAST_INDEX))

install: $(VENV)/.installed

.PHONY: other-torch

# torch first: packages that depend on it then accept the build that is there.
$(VENV)/.installed: requirements.lock pyproject.toml $(if $(filter-out $(LAST_INDEX),$(INDEX)),other-torch)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nucleotune needs Python 3.11 or newer; name one with: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(if $(filter-out $(LAST_INDEX),$(INDEX)),$(BIN)/python -m pip uninstall --quiet --yes torch)
	$(BIN)/python -m pip install --quiet $(if $(INDEX),--index-url $(INDEX)) $$(grep '^torch==' requirements.lock)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@$(BIN)/python -m compileall -q nucleotune  # as pip does: many short jobs import it
	@$(BIN)/python -m nucleotune.warm  # compiled functions too: jobs side by side would each compile them
	@$(if $(INDEX),echo $(INDEX) > $(VENV)/.torch-index)
	@$(BIN)/python -m nucleotune.devices
	@touch $@

demo: install
	$(BIN)/snakemake --cores $(CORES)
	@echo "The report is here: $(CURDIR)/results/report.html"

# Whole files, so that fixtures of a file are made once, in their order: those with slow tests first. Tests look at the
# results of `make demo` where they are complete.
test: export NUCLEOTUNE_RUN ?= $(if $(wildcard results/report.html),$(CURDIR))
test: install
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder

test-slurm: install
	$(BIN)/python -m pytest -m slurm tests/slurm

N ?= 100000
SEED ?= 0

fuzz: install
	NUCLEOTUNE_FUZZ=$(N) NUCLEOTUNE_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -s tests/fuzz

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

# Sets that not every directory has, each with a configuration file of its own.
STRAZAR = $(if $(and $(wildcard $(DATA)/clip/QKI_strazar.fa.gz),$(wildcard $(DATA)/clip/AGO2_strazar.fa.gz)),tests/real/strazar.yaml)

check-real: install
	@test -d "$(DATA)" || { echo "usage: make check-real DATA=<directory, see tests/real/README.md>"; exit 2; }
	$(BIN)/snakemake --cores $(CORES) --directory tests/real/run --configfile tests/real/config.yaml $(STRAZAR) \
		--config data_dir="$(abspath $(DATA))"
	NUCLEOTUNE_DATA="$(abspath $(DATA))" $(BIN)/python -m pytest -m real tests/real
	@echo "The report is here: $(CURDIR)/tests/real/run/results/report.html"

# After a change of code behind a stage: raise its number there if its results change, then write the new digests.
stages: install
	$(BIN)/python -m nucleotune.stages

docs: install
	$(BIN)/python -m nucleotune.config_reference > docs/configuration.md

clean:
	rm -rf results logs resources/simulated resources/simulated-models resources/simulated-collections tests/real/run

# vocwb: every command, with what it does. Settings: PROGRAMME= MONTH= RAW= FROM= WHO= WHY= USE= PYTHON=

PYTHON ?= python3
PROGRAMME ?= sample
ROOT := $(or $(VOCWB_ROOT),.)
BIN := .venv/bin
RUN = $(BIN)/python -m vocwb.run
SETTINGS = --programme "$(PROGRAMME)" --month "$(MONTH)" --raw "$(RAW)" --from "$(or $(FROM),01)" --who "$(WHO)"
SAMPLE := $(ROOT)/data/sample

.DEFAULT_GOAL := help
.PHONY: help setup report month programme codebook forget lab workshop test lint bench lock clean

help: ## list these commands
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|' 2>/dev/null || grep '##' Makefile

setup: .venv/.done ## make .venv with everything that requirements.lock pins (1.4 GB, about a minute)

.venv/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vocwb needs Python 3.11 or newer; name one with PYTHON=")'
	@echo "Setting up .venv (about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch .venv/.done

$(SAMPLE)/truth.json: .venv/.done $(SAMPLE)/make.py
	@$(BIN)/python $(SAMPLE)/make.py

report: setup $(if $(filter sample,$(PROGRAMME)),$(SAMPLE)/truth.json) ## a month's report from raw files; fits a first codebook if none is in use
	@$(RUN) report $(SETTINGS)

month: setup ## the schedule's report of a month; never fits a codebook (resume a failed one with FROM=04)
	@$(RUN) month $(SETTINGS)

programme: setup ## draft data/PROGRAMME/programme.yml from the files in RAW=
	@$(RUN) programme $(SETTINGS)

codebook: export SAID_WHY = $(value WHY)
codebook: setup ## fit a new codebook on the months up to MONTH= and show what changes, or put USE= in use; WHO= says by whom
	@$(RUN) codebook $(SETTINGS) --use "$(USE)" --why="$$SAID_WHY"

# What names a person is passed by the environment, so that the shell reads nothing into it.
forget: export GONE_NAME = $(value RESPONDENT)
forget: export GONE_FILE = $(value FILE)
forget: export SAID_WHY = $(value WHY)
forget: setup ## erase RESPONDENT= (or FILE=, a raw file that is gone) from store and reports; WHO= and WHY=
	@$(RUN) forget $(SETTINGS) --respondent="$$GONE_NAME" --file="$$GONE_FILE" --why="$$SAID_WHY"

lab: setup ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir=notebooks

workshop: setup ## serve the workshop's forms, one per visitor (Voila)
	@$(BIN)/voila notebooks/workshop --no-browser

test: setup ## run every test
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup

lint: setup ## check form: ruff, layers, notebooks without outputs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/nbstripout --verify $(wildcard notebooks/*.ipynb notebooks/workshop/*.ipynb)
	@$(BIN)/python -m pytest -q tests/test_layers.py

bench: report ## run the benchmarks, on the sample unless PROGRAMME= says otherwise
	@$(BIN)/python benchmarks/month.py --programme "$(PROGRAMME)" --raw "$(RAW)"

lock: setup ## resolve pyproject.toml again: requirements.lock and environment.yml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/python .ci/lock.py

clean: ## remove .venv and all that the sample made (never another programme)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis $(SAMPLE)/raw $(SAMPLE)/store $(SAMPLE)/truth.json \
		$(SAMPLE)/decisions.* $(SAMPLE)/forgotten.jsonl $(SAMPLE)/respondent.key $(ROOT)/reports/sample

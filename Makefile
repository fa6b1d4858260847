PYTHON ?= python3
PORT ?= 8000
ARCH ?= x86_64
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
SAM_VENV := .local/sam
SAM := $(SAM_VENV)/bin/sam
export ARCH

.PHONY: install dev test check format lock build e2e deploy-local clean

install: $(VENV)/.tools ## the virtual environment with everything that runs and deploys

$(VENV)/.tools: shared/requirements.txt tools/requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r shared/requirements.txt -r tools/requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.tests: $(VENV)/.tools tests/requirements.txt
	$(PIP) --require-hashes -r tests/requirements.txt
	touch $@

dev: install ## the whole gateway on this machine, with a demo upstream
	$(BIN)/waystation dev --port $(PORT)

check: $(VENV)/.tests ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/cfn-lint template.yaml

test: check ## everything that needs no emulator
	$(BIN)/coverage run -m pytest --ignore tests/deploy
	$(BIN)/coverage report

format: $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pins the three lists anew, with hashes
	$(PYTHON) -m venv .local/lock && .local/lock/bin/python -m pip install --quiet uv
	.local/lock/bin/uv pip compile $(LOCK) shared/requirements.in -o shared/requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) -c shared/requirements.txt tools/requirements.in -o tools/requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) -c shared/requirements.txt -c tools/requirements.txt tests/requirements.in -o tests/requirements.txt
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

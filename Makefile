PYTHON ?= python3
PORT ?= 8000
ARCH ?= x86_64
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
SAM_VENV := .local/sam
SAM := $(SAM_VENV)/bin/sam
MINISTACK_VENV := .local/ministack
MINISTACK_PORT ?= 4566
NAIVE := tools/waystation_cli/benchmark/naive-requirements
NAIVE_VENV := .local/naive
export ARCH
export SAM_CLI_TELEMETRY := 0

.PHONY: help install dev test check format lock prices validate build e2e deploy-local dev-lambda bench load sam-local \
	smoke-aws
.DEFAULT_GOAL := help

help: ## what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "%-14s %s\n", $$1, $$2 }'

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
	$(BIN)/cfn-lint template.yaml tools/waystation_cli/smoke/upstream.yaml

test: check ## everything that needs no emulator
	$(BIN)/pytest --numprocesses auto --dist loadfile --cov --ignore tests/deploy

format: $(VENV)/.tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pins the lists anew, with hashes
	$(PYTHON) -m venv .local/lock && .local/lock/bin/python -m pip install --quiet uv
	.local/lock/bin/uv pip compile $(LOCK) shared/requirements.in -o shared/requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) -c shared/requirements.txt tools/requirements.in -o tools/requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) -c shared/requirements.txt -c tools/requirements.txt tests/requirements.in -o tests/requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) tests/deploy/sam-requirements.in -o tests/deploy/sam-requirements.txt
	.local/lock/bin/uv pip compile $(subst 3.11,3.13,$(LOCK)) tests/deploy/ministack-requirements.in -o tests/deploy/ministack-requirements.txt
	.local/lock/bin/uv pip compile $(LOCK) -c shared/requirements.txt $(NAIVE).in -o $(NAIVE).txt
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

prices: $(VENV)/.tests ## the public prices, as the pinned genai-prices knows them
	PYTHONPATH=tools $(BIN)/python -m price_data.write

$(SAM_VENV)/.done: tests/deploy/sam-requirements.txt
	test -x $(SAM_VENV)/bin/python || $(PYTHON) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r $<
	touch $@

$(MINISTACK_VENV)/.done: tests/deploy/ministack-requirements.txt
$(NAIVE_VENV)/.done: $(NAIVE).txt
$(MINISTACK_VENV)/.done $(NAIVE_VENV)/.done:
	python=$$($(MAKE) --silent --no-print-directory -C shared interpreter) && test -n "$$python" || \
		{ echo "No Python as on Lambda (3.13), on PATH or under pyenv" >&2; exit 1; }; \
	test -x $(@D)/bin/python || $$python -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r $<
	touch $@

validate: $(SAM_VENV)/.done ## the template, as SAM sees it
	$(SAM) validate
	$(SAM) validate --lint

build: $(SAM_VENV)/.done ## the functions and the layer, for $(ARCH)
	PYTHON=$(CURDIR)/$(SAM_VENV)/bin/python $(SAM) build --parameter-overrides Architecture=$(ARCH)

e2e: build $(VENV)/.tests $(MINISTACK_VENV)/.done ## deploys to an emulated AWS and calls the API
	$(BIN)/pytest tests/deploy

deploy-local: build install $(MINISTACK_VENV)/.done ## the stack in an emulated AWS, until Ctrl-C
	$(BIN)/python -m waystation_cli.deploy_local --port $(MINISTACK_PORT) \
		$(if $(CONFIG),--config $(CONFIG)) $(if $(ENV_FILE),--env-file $(ENV_FILE))

dev-lambda: build install $(MINISTACK_VENV)/.done ## the functions as Lambda runs them, streaming, until Ctrl-C
	$(BIN)/python -m waystation_cli.dev_lambda --port $(PORT)

bench: build install $(MINISTACK_VENV)/.done $(NAIVE_VENV)/.done ## what the chat function costs, beside a plain forwarder
	$(NAIVE_VENV)/bin/python -m compileall -q $(NAIVE_VENV)/lib
	$(BIN)/python -m waystation_cli.bench_lambda

load: $(VENV)/.tests ## many streams at once through `make dev`'s gateway, for two minutes; tells what it took
	$(BIN)/python -m tests.load $(if $(SECONDS),--seconds $(SECONDS))

sam-local: build install $(MINISTACK_VENV)/.done ## the API in containers, by sam local start-api, until Ctrl-C; needs Docker
	$(BIN)/python -m waystation_cli.sam_local $(OPTIONS)

smoke-aws: build install ## deploys to your AWS account, streams a chat, and removes all of it; asks first
	$(BIN)/python -m waystation_cli.smoke_aws $(if $(CONFIG),--config $(CONFIG)) $(if $(MODEL),--model $(MODEL)) \
		$(if $(ENV_FILE),--env-file $(ENV_FILE)) $(if $(YES),--yes)

# Needs Python 3.11 or newer with its venv module, and make. `make help` lists what there is.
.POSIX:
.PHONY: help run demo test services check sdk rehearsal fuzz bench bench-growth profile instructions baseline \
	requirements clean format

VENV = .venv
BIN = $(VENV)/bin
BENCH = .venv-bench
PYTHON = $$(for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PROCESSES = 4
CASES = 50000
SEED =
OP = get
NODE_TOOLS = node_modules/.package-lock.json
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-strip-extras \
	--python-version 3.11 \
	--custom-compile-command 'make requirements'

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /	/' | expand -t 14

run: $(VENV)/runs ## Serve the API on http://127.0.0.1:8000; takes PORT=, DATABASE_URL=, .env
	@exec $(BIN)/python -m tracker serve --development

demo: $(VENV)/runs ## Serve a throw-away database full of lifelike tasks
	@exec $(BIN)/python -m tracker demo

test: $(VENV)/tests ## Run every suite, in PROCESSES=4; what needs a server that is not there is named at the end
	$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=worksteal --durations=25

services: $(VENV)/tests ## Run PostgreSQL, Redis and RabbitMQ until Ctrl-C, and print what to export; needs their programs
	@exec $(BIN)/python -m tests.services

check: $(VENV)/tests $(NODE_TOOLS) ## Lint, types, who imports whom, idle dependencies, the contract, what is deployed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m tracker openapi --check
	$(BIN)/python -m spec.gate
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose*.yaml
	$(BIN)/kubernetes-validate --strict --quiet $$(ls deploy/kubernetes/*.yaml | grep -v kustomization)

sdk: $(VENV)/tests $(NODE_TOOLS) ## Make clients in Python, TypeScript, Go and Java, and try them; needs Go, a JDK, Maven
	$(BIN)/python -m sdk

format: $(VENV)/tests ## Lay the code out, and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

fuzz: $(VENV)/tests ## Send CASES=50000 requests that nobody thought of; SEED= begins where another run did
	$(BIN)/python -m tests.contract.fuzz --cases "$(CASES)" --seed "$(SEED)"

baseline: $(VENV)/tests $(NODE_TOOLS) ## Write down what spec/openapi.yaml promises, for `make check` to hold it to
	$(BIN)/python -m spec.gate baseline

rehearsal: $(VENV)/tests ## Do what the Dockerfile says without Docker, as root, and run what comes of it
	$(BIN)/python -m tests.deploy.rehearsal

bench: $(BENCH)/runs ## Measure the speed beside others; needs PostgreSQL and wrk, takes Redis and MongoDB where they are
	$(BENCH)/bin/python -m bench

bench-growth: $(BENCH)/runs ## Measure what 1,000 to 1,000,000 tasks do to the speed; LONG=1 goes to 10,000,000
	$(BENCH)/bin/python -m bench.growth $${LONG:+--most 10000000}

profile: $(BENCH)/runs ## Say where the time of OP=get goes (list, create, status); needs PostgreSQL and wrk
	$(BENCH)/bin/python -m bench.profile "$(OP)"

instructions: $(BENCH)/runs ## Count the instructions of the edge, and compare; KEEP=1 writes them down; needs valgrind
	$(BENCH)/bin/python -m bench.instructions $${KEEP:+--keep}

requirements: $(VENV)/tests ## Pin anew what pyproject.toml asks for
	$(COMPILE) pyproject.toml --upgrade -o requirements.txt
	$(COMPILE) pyproject.toml --upgrade --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) pyproject.toml --upgrade --group bench -c requirements-dev.txt -o requirements-bench.txt
	$(COMPILE) --upgrade --group build -o requirements-build.txt

clean: ## Remove the virtual environment, node_modules and all caches; databases and keys stay
	rm -rf $(VENV) $(BENCH) node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .schemathesis .coverage build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@python=$(PYTHON); test -n "$$python" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	echo "Making $(VENV) with $$($$python --version)" && $$python -m venv $(VENV)

$(VENV)/runs: requirements.txt $(VENV)/bin/python
	@echo "Installing requirements.txt"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/tests: requirements-dev.txt $(VENV)/bin/python
	@echo "Installing requirements-dev.txt"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/runs

$(BENCH)/runs: requirements-bench.txt
	@python=$(PYTHON); test -n "$$python" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	test -x $(BENCH)/bin/python || $$python -m venv $(BENCH)
	@echo "Installing requirements-bench.txt"
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

# Node and npm come from requirements-dev.txt.
$(NODE_TOOLS): package.json package-lock.json .npmrc $(VENV)/tests
	@echo "Installing package-lock.json"
	@PATH="$$PWD/$(BIN):$$PATH" npm ci --loglevel=error || \
		{ echo "make check and make sdk need the npm registry, for what package.json names" >&2; exit 1; }
	@touch $@

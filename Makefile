# make demo        deploy the dev stack on a host in the sandbox, then push and pull with a real Docker client
# make demo-down   remove every trace of it, except hosts that running tests use
# make test        lint, types and the tests
# make test-versions   a real older version, one of each kind, real clients, LDAP, S3, the examples that install servers, the example pipelines, the wheel, the site (5 minutes)
# make test-nightly    what changes seldom: the sandbox itself, against the real engine too, and the versions in between (15 minutes)
# make test-vendor     demo, contract and docker tests and an upgrade on the archive in NEXUS_ARCHIVE
# make docs        the documentation as a site, in .sandbox/site
# make check       lint and types
# make format      format the Python files
# make coverage    the unit tests, and which lines and branches of the shipped code they run
# make constraints   write constraints.txt: the newest version of each package that pyproject.toml allows
# make bench       calls and time of stacks with 50, 200 and 1,000 objects (hours; BENCH_ARGS="--objects 50 --delay 0")
# make docs-reference   write docs/reference: the components, and a page for each kind of resource
# make docs-coverage    write docs/coverage.md
# make test-faults every fault; writes docs/reliability.md (the longest lane)
# make test-faults-fast   the part of it that CI runs each time (5 minutes)

PYTHON ?= python3
VENV := .venv/.installed
# One worker more than processors: a third of the time, a test waits for a server that starts.
WORKERS ?= $(shell expr $$(nproc) + 1)
PYTEST := .venv/bin/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
MYPY_LINK := .sandbox/types/nexus_registry

# Without compiled files each of the thousands of programs that the tests start would be compiled anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: constraints coverage docs demo demo-down test test-nightly test-vendor test-versions test-faults test-faults-fast docs-reference docs-coverage bench check format

demo: $(VENV)
	.venv/bin/python -m sandbox demo

demo-down: $(VENV)
	.venv/bin/python -m sandbox down

test: check
	.venv/bin/python -m sandbox setup
	$(PYTEST) --ignore=tests/faults --ignore=tests/versions --ignore=tests/vendor $(PYTEST_ARGS)

coverage: $(VENV)
	.venv/bin/python -m sandbox setup
	$(PYTEST) -q tests/unit --cov=providers --cov=components --cov=policy --cov=cli --cov-branch --cov-fail-under=93 $(PYTEST_ARGS)

test-versions: $(VENV)
	.venv/bin/python -m sandbox setup
	$(PYTEST) tests/versions $(PYTEST_ARGS)

test-nightly: $(VENV)
	.venv/bin/python -m sandbox setup
	NIGHTLY=1 $(PYTEST) -m nightly --ignore=tests/faults --ignore=tests/versions --ignore=tests/vendor $(PYTEST_ARGS)
	NIGHTLY=1 $(PYTEST) -m nightly tests/versions $(PYTEST_ARGS)

test-vendor: $(VENV)
	.venv/bin/python -m sandbox setup
	$(PYTEST) tests/vendor tests/contract tests/host/test_docker_client.py $(PYTEST_ARGS)

test-faults-fast: $(VENV)
	.venv/bin/python -m sandbox setup
	$(PYTEST) tests/faults $(PYTEST_ARGS)

test-faults: $(VENV)
	.venv/bin/python -m sandbox setup
	.venv/bin/python -m sandbox.faults.report begin
	FAULTS=full $(PYTEST) tests/faults $(PYTEST_ARGS); \
	failed=$$?; .venv/bin/python -m sandbox.faults.report write && exit $$failed

bench: $(VENV)
	.venv/bin/python -m sandbox setup
	.venv/bin/python -m tests.bench $(BENCH_ARGS)

docs-reference docs-coverage: docs-%: $(VENV)
	.venv/bin/python -m docs.generate $*

# SC2034: a host step is made of several of these files, and a variable of one is for another.
check: $(VENV) $(MYPY_LINK)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy -p nexus_registry.providers -p nexus_registry.components -p nexus_registry.policy -p nexus_registry.cli -p sandbox -p tests -p docs
	.venv/bin/mypy __main__.py
	.venv/bin/pyright --pythonpath .venv/bin/python
	.venv/bin/shellcheck -s sh -e SC2034 components/host/*.sh
	.venv/bin/shellcheck -s sh examples/pipelines/ci/*.sh examples/pipelines/application/ci/*.sh .github/workflows/*.sh

docs: docs-reference
	.venv/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 .venv/bin/python -m mkdocs build --quiet

constraints: $(VENV)
	.venv/bin/pip install -q --disable-pip-version-check uv
	.venv/bin/uv pip compile --quiet --universal --upgrade --python-version 3.10 --no-emit-index-url --all-extras \
		--custom-compile-command "make constraints" -o constraints.txt pyproject.toml

format: $(VENV)
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

# The CLI calls pip twice in each command, and that of 2026 takes half the time of Debian's.
$(VENV): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -q && apt-get install -y -q python3-venv; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q --disable-pip-version-check --upgrade pip
	.venv/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The packages are named nexus_registry.* and lie at the top level; this link is how mypy finds them.
$(MYPY_LINK):
	@mkdir -p $(dir $@)
	@ln -sfn ../.. $@

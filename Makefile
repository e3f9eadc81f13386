# One line per target: `make help`. Variables given on the command line or in the environment
# (WORKERS=3, HTTP_PORT=9090, STACK=…) reach the programs through the environment.

SHELL := /bin/bash
.DEFAULT_GOAL := help
STACK ?= local
export STACK

PYTHON := .venv/bin/python
STACK_COMMAND := $(PYTHON) -m db.local

# The type checker imports the settings; nothing is connected to.
OFFLINE := SHARDMART_ENV_FILE=tests/offline.env

# `make smoke STACK=two` talks to that stack; without it manage.py finds the local one by itself.
ifneq ($(STACK),local)
export SHARDMART_ENV_FILE ?= $(CURDIR)/.run/$(STACK)/env
endif

# The composed stack is started and stopped by docker compose itself (docs/deployment.md).
ifeq ($(STACK),containers)
ifneq ($(filter up deploy-local down clean status logs mail test fuzz,$(MAKECMDGOALS)),)
$(error STACK=containers is the composed stack: `make smoke` knows it, the rest is `docker compose`)
endif
endif

.PHONY: help up deploy deploy-local down clean status logs mail smoke env test fuzz schema dashboards lint migrations-check image scan audit load lock install packages browser

help: ## this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables: WORKERS SPARES HTTP_PORT STATS_PORT APP_PORT PG_PORT POOL_PORT REDIS_PORT SMTP_PORT GATEWAY_PORT METRICS_PORT PROMETHEUS_PORT ALERTMANAGER_PORT'
	@echo '           APP_WORKERS APP_THREADS TASK_PROCESSES BROKER_URL CITUS=auto|on|off MONITORING=auto|on|off STACK; for make test: PYTEST_ARGS'
	@echo '           of HAProxy (docs/load_balancing.md): BALANCE QUEUE_LIMIT RATE_LIMIT CONNECTION_LIMIT LOG_REQUESTS TLS_CERTIFICATE HTTPS_PORT'
	@echo 'For good, with the settings of the application: local.env (docs/configuration.md)'

up: install ## start the whole stack on 127.0.0.1 and print its nodes and URLs
	@$(STACK_COMMAND) up

deploy-local: install ## bring new code into the running stack, one app server after the other
	@$(STACK_COMMAND) deploy

# Its own exit codes (1 refused, 2 rolled back, 3 stuck) are the script's; make ends with 2.
deploy: ## bring a release to a host: ENV=staging HOST=user@host [TAG=…] [ROLLBACK=1]
	@.github/scripts/deploy.sh $(if $(ROLLBACK),rollback,deploy)

down: ## stop the stack, keep its data
	@db/local/run-if-installed.sh down

clean: ## stop every stack of this checkout and remove its data
	@db/local/run-if-installed.sh clean

status: ## the processes and the nodes
	@db/local/run-if-installed.sh status

logs: ## follow the logs of the stack (Ctrl-C ends)
	@db/local/run-if-installed.sh logs

mail: ## the newest mails that the stack has sent
	@db/local/run-if-installed.sh mail

smoke: ## a buyer's whole journey over HTTP, through HAProxy; STACK=containers: in the composed stack
ifeq ($(STACK),containers)
	@docker compose run --rm smoke
else
	@$(PYTHON) src/manage.py smoke
endif

env: ## .env for docker compose, with random passwords; one that is there stays
	@db/containers/make-env.sh

test: browser install ## all tests, on a stack of their own that is removed afterwards
	@$(STACK_COMMAND) test -- $(PYTEST_ARGS)

fuzz: install ## some 2,600 generated requests, each sent by three, against the OpenAPI document
	@$(STACK_COMMAND) test -- -m fuzz tests/integration/test_schema_conformance.py $(PYTEST_ARGS)

bench-%: install ## a benchmark of tests/load, e.g. make bench-catalog; ARGS=--help lists its options
	@PYTHONPATH=src:. $(PYTHON) -m tests.load.$* $(ARGS)

example-%: install ## a worked example of docs/examples, e.g. make example-services; ARGS=--help lists its options
	@PYTHONPATH=src:. $(PYTHON) -m docs.examples.$* $(ARGS)

schema: install ## renew docs/openapi.yaml and the tables of docs/api.md, monitoring.md and configuration.md
	@$(OFFLINE) $(PYTHON) src/manage.py spectacular \
		--file docs/openapi.yaml --validate --fail-on-warn
	@$(OFFLINE) $(PYTHON) src/manage.py api_table docs/api.md
	@$(OFFLINE) $(PYTHON) src/manage.py metrics_table docs/monitoring.md
	@PYTHONPATH=src $(OFFLINE) $(PYTHON) -m shop.config.table docs/configuration.md

dashboards: install ## write Grafana's dashboards again, from monitoring/dashboards/
	@$(PYTHON) -m monitoring.dashboards

lint: install ## ruff, mypy, import-linter, haproxy -c, nginx -t, promtool, amtool, shellcheck; the workflows
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(OFFLINE) .venv/bin/mypy
	PYTHONPATH=src:. $(OFFLINE) .venv/bin/lint-imports
	@db/local/check-haproxy.sh haproxy/haproxy.cfg
	@$(PYTHON) -m monitoring.linting
	@.github/scripts/lint-scripts.sh
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(CHECK_MIGRATIONS); fi

# Told by git, without a database: docs/migrations.md.
CHECK_MIGRATIONS = $(OFFLINE) $(PYTHON) src/manage.py check_migrations

migrations-check: install ## refuse migrations that the running release could not live with: SINCE=<its tag>, else the last
	@$(CHECK_MIGRATIONS) $(if $(SINCE),--since '$(SINCE)')

image: ## build the images of docker-compose.yml, and check their sizes
	@.github/scripts/image.sh build

scan: ## known vulnerabilities of the images, by Trivy
	@.github/scripts/scan.sh

audit: ## known vulnerabilities of what requirements/*.txt lock, by pip-audit
	@.github/scripts/audit.sh

load: ## shoppers on a running shop, for a minute, and their figures; URL=http://127.0.0.1:8080 LOAD_USERS LOAD_SECONDS
	@.github/scripts/load-test.sh $(URL)

lock: install ## renew requirements/*.txt from requirements/*.in
	@for source in requirements/*.in; do \
		echo "$$source"; \
		.venv/bin/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links \
			--allow-unsafe --strip-extras --no-header \
			--output-file "$${source%.in}.txt" "$$source" || exit 1; \
	done

install: packages ## the Debian packages and .venv, without starting anything
	@db/local/install-python.sh

packages:
	@db/local/install-packages.sh

browser:
	@db/local/install-packages.sh --tests

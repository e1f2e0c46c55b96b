# hdash's targets. Each installs what it needs first; npm's scripts (package.json) do the work.

# A demo's site goes here; `make demo SITE=DIR` names another folder.
SITE ?= site
# Which benchmark `make bench` runs (bench/NAME.ts), and what it is told: make bench BENCH=htan ARGS="--scale 10".
BENCH ?= htan
ARGS ?=
# What `make test` does otherwise: one part (AREA=jobs/matrix), every file by itself (ALONE=1), in another order (SHUFFLE=1, or a seed),
# on another day (FAKETIME=2028-02-28T23:59:50Z, with Debian's libfaketime).
AREA ?=
ALONE ?=
SHUFFLE ?=
FAKETIME ?=
# The CSV of HTAN's data model that `make components` reads.
MODEL ?=
# File with the variables that `make run` uses; .env.example names them all.
ENV_FILE ?= .env
# The image's name: REGISTRY/REPOSITORY:TAG.
DOCKER ?= docker
REGISTRY ?=
REPOSITORY ?= hdash
# Without one, the revision: a tag in the registry is never overwritten.
TAG ?=
IMAGE = $(if $(REGISTRY),$(REGISTRY)/)$(REPOSITORY):$(or $(TAG),$(shell git rev-parse --short=12 HEAD 2>/dev/null || echo latest))
# Another base image, and more for docker build, e.g. DOCKER_FLAGS="--no-cache".
BASE ?=
DOCKER_FLAGS ?=
# What the image's labels say. An address of a repository may hold a login, which nobody else is to read.
VERSION = $(shell sed -n 's/^  "version": "\(.*\)",$$/\1/p' package.json)
REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
SOURCE = $(shell git remote get-url origin 2>/dev/null | sed -n 's,^[a-z+]*://,,; s,^[^/]*@,,; s,:[0-9][0-9]*/,/,; s,^\([^/:]*\):\([^/]\),\1/\2,; s,\.git$$,,; /^[a-z0-9.-]*\.[a-z]*\//s,^,https://,p')

# The Node that everything runs on is the npm package `node`, in the version that the lockfile names.
NODE_VERSION := $(shell sed -n '/"node_modules\/node": {/,/}/s/.*"version": "\(.*\)".*/\1/p' package-lock.json)
NODE_MAJOR := $(firstword $(subst ., ,$(NODE_VERSION)))
INSTALLED := node_modules/.installed
INFRA_INSTALLED := infra/node_modules/.installed
# STAGE, NAMESPACE, TAG, PIPELINE and COMMAND reach it by the environment, so that no shell reads them. Make itself does read what stands
# behind its own name: a $ in it is written $$, or the variable is set in front of make.
INFRA = node --disable-warning=ExperimentalWarning infra/targets.ts

# System folders last: initdb and runuser may lie where only root looks.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH):/usr/sbin:/sbin
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo run components test check types lint format bench release licences sbom bless build_amd64 docker_push
.PHONY: namespace synth diff deploy destroy diff_base deploy_base destroy_base places role rotate drop_role task

help: ## list the targets
	@sed -n 's/^\([a-z_0-9]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

setup: $(INSTALLED) ## install Node and the packages, as the lockfile names them

# Packages refuse a Node that is too old, so a machine without the right one first gets it into .node/.
$(INSTALLED): package-lock.json
	@command -v npm >/dev/null || { echo "setup: npm is needed (11 or newer); install Node.js from your system's packages" >&2; exit 1; }
	@case "$$(node --version 2>/dev/null)" in v$(NODE_MAJOR).*) ;; *) \
	  echo "setup: Node $(NODE_VERSION) → .node" && mkdir -p .node && \
	  printf '{ "private": true, "allowScripts": { "node": true } }\n' > .node/package.json && \
	  printf 'strict-allow-scripts=true\n' > .node/.npmrc && \
	  npm install --prefix .node --no-save --no-package-lock --no-audit --no-fund --loglevel=error "node@$(NODE_VERSION)" >/dev/null ;; esac
	@test ! -L node_modules || { echo "setup: node_modules is a link; npm would empty what it leads to, so remove the link first" >&2; exit 1; }
	@echo "setup: packages → node_modules"
	@PATH="$(CURDIR)/.node/node_modules/.bin:$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@test "$$(node_modules/.bin/node --version)" = "v$(NODE_VERSION)" || { \
	  echo "setup: the npm package node did not install; its install script must be allowed (allowScripts in package.json)" >&2; exit 1; }
	@touch $@

# The stacks' own packages: a hundred megabytes that only deployments and tests need.
$(INFRA_INSTALLED): infra/package-lock.json $(INSTALLED)
	@test ! -L infra/node_modules || { echo "setup: infra/node_modules is a link; npm would empty what it leads to, so remove the link first" >&2; exit 1; }
	@echo "setup: packages of the stacks → infra/node_modules"
	@npm ci --prefix infra --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(INSTALLED) ## build a whole site from bundled data: make demo SITE=DIR
	@NODE_COMPILE_CACHE="$(CURDIR)/node_modules/.cache/hdash-compiled" npm run -s hdash -- demo --site "$(SITE)"

run: $(INSTALLED) ## run hdash for real, with the variables in .env: make run ENV_FILE=FILE
	@test -f "$(ENV_FILE)" || { echo "run: there is no $(ENV_FILE); copy .env.example to it and fill it in" >&2; exit 2; }
	@npm run -s hdash -- --env-file "$(ENV_FILE)"

components: $(INSTALLED) ## say what the component table lacks of a data model: make components MODEL=HTAN.model.csv
	@test -n "$(MODEL)" || { echo "components: say which data model: make components MODEL=HTAN.model.csv" >&2; exit 2; }
	@npm run -s hdash-util -- components "$(MODEL)"

test: $(INFRA_INSTALLED) ## run types, lint, format check and every test; AREA=jobs/matrix: of one part
	@sh test/support/install.sh
	@npm run -s test -- $(if $(AREA),--area "$(AREA)") $(if $(ALONE),--alone) $(if $(SHUFFLE),--shuffle "$(SHUFFLE)") $(if $(FAKETIME),--faketime "$(FAKETIME)")

check: $(INFRA_INSTALLED) ## run types, lint and format check
	@npm run -s check

types: $(INFRA_INSTALLED) ## check the types
	@npm run -s types

lint: $(INFRA_INSTALLED) ## look for what the house rules forbid, and for what nobody uses
	@npm run -s lint

format: $(INSTALLED) ## format every file
	@npm run -s format

bench: $(INSTALLED) ## measure time, CPU and memory: make bench BENCH=htan ARGS="--scale 10"
	@node --disable-warning=ExperimentalWarning "bench/$(BENCH).ts" $(ARGS)

# Without VERSION behind make it is the package's own, which is no answer here.
release: $(INSTALLED) ## release what is on main: make release VERSION=1.2.3
	@$(if $(findstring command,$(origin VERSION)),,VERSION= )node --disable-warning=ExperimentalWarning .ci/release.ts

licences: $(INFRA_INSTALLED) ## write docs/licences.md from the lockfiles
	@node --disable-warning=ExperimentalWarning .ci/licences.ts

# Of the lockfile alone, so that nothing has to be installed.
sbom: ## write what hdash is made of to sbom.cdx.json (CycloneDX), for a release
	@npm sbom --package-lock-only --sbom-format cyclonedx | node .ci/sbom.js > sbom.cdx.json
	@echo "sbom.cdx.json"

bless: $(INFRA_INSTALLED) ## write the golden files that tests compare with; look at the diff
	@sh test/support/install.sh
	@BLESS=1 vitest run
	@git status --short -- '*golden*' migrations/schema.sql

# With buildx's attestations the tag would name an index of images, which the registry does not scan; the older builder ignores the variable.
build_amd64: ## build the image for linux/amd64: make build_amd64 REGISTRY=… REPOSITORY=… TAG=…
	BUILDX_NO_DEFAULT_ATTESTATIONS=1 $(DOCKER) build --platform linux/amd64 $(DOCKER_FLAGS) $(if $(BASE),--build-arg "BASE=$(BASE)") \
	  --build-arg "VERSION=$(VERSION)" --build-arg "REVISION=$(REVISION)" --build-arg "SOURCE=$(or $(SOURCE),unknown)" \
	  --tag "$(IMAGE)" .

docker_push: ## push the image to REGISTRY
	@test -n "$(REGISTRY)" || { echo "docker_push: say where to: make docker_push REGISTRY=… REPOSITORY=$(REPOSITORY) TAG=$(TAG)" >&2; exit 2; }
	@case "$(REGISTRY)" in *://*|*/) echo "docker_push: REGISTRY is $(REGISTRY), but has to be a host, perhaps with a path, without https:// and without a / at its end" >&2; exit 2;; esac
	@$(DOCKER) push $(IMAGE) || { \
	  echo "docker_push: $(IMAGE) was not pushed. If the registry asked for a login, log in again and repeat:" >&2; \
	  case "$(REGISTRY)" in \
	    *.dkr.ecr.*) region=$$(echo "$(REGISTRY)" | sed 's/.*\.dkr\.ecr\.\([^.]*\)\..*/\1/'); \
	      echo "  aws ecr get-login-password --region $$region | $(DOCKER) login --username AWS --password-stdin $(REGISTRY)" >&2;; \
	    *) echo "  $(DOCKER) login $(REGISTRY)" >&2;; \
	  esac; exit 1; }

namespace: $(INSTALLED) ## print the namespace of this checkout, or check one: make namespace NAMESPACE=foo
	@$(INFRA) namespace

synth: $(INFRA_INSTALLED) ## write the templates of a namespace and of what it shares: make synth NAMESPACE=foo STAGE=develop|prod
	@$(INFRA) synth

diff: $(INFRA_INSTALLED) ## show what a deployment would change: make diff NAMESPACE=foo STAGE=develop|prod
	@$(INFRA) diff

deploy: $(INFRA_INSTALLED) ## deploy a namespace with an image: make deploy NAMESPACE=foo STAGE=develop|prod TAG=…
	@$(INFRA) deploy

destroy: $(INFRA_INSTALLED) ## remove a namespace's stack; YES=1 does not ask: make destroy NAMESPACE=foo STAGE=develop|prod
	@$(INFRA) destroy

diff_base: $(INFRA_INSTALLED) ## show what a deployment of the shared stack would change: make diff_base STAGE=develop|prod
	@$(INFRA) diff_base

deploy_base: $(INFRA_INSTALLED) ## deploy what a stage's namespaces share: make deploy_base STAGE=develop|prod
	@$(INFRA) deploy_base

destroy_base: $(INFRA_INSTALLED) ## remove what they share, where no namespace is left: make destroy_base STAGE=develop YES=1
	@$(INFRA) destroy_base

places: $(INFRA_INSTALLED) ## print the variables of a stage's private places: make places STAGE=develop|prod
	@$(INFRA) places

role: $(INFRA_INSTALLED) ## make a namespace's role in the database, once it is deployed: make role NAMESPACE=foo
	@$(INFRA) role

rotate: $(INFRA_INSTALLED) ## give that role another password, between two runs: make rotate NAMESPACE=foo
	@$(INFRA) rotate

drop_role: $(INFRA_INSTALLED) ## remove a namespace's ledger and role from the database: make drop_role NAMESPACE=foo YES=1
	@$(INFRA) drop_role

task: $(INFRA_INSTALLED) ## run one task of a namespace now: make task NAMESPACE=foo PIPELINE=htan COMMAND="hdash-util init"
	@$(INFRA) task

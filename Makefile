# The project's commands. Everything they need beside make and npm is installed on first use.

DENO := scripts/deno
EXAMPLE := examples/fakepay-provider

.PHONY: help par par-full inspect push install dist test check sabotage bench web web-serve fmt deno

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

par: deno ## build the example provider with cargo, archive it, and inspect the archive
	@$(MAKE) --no-print-directory -C $(EXAMPLE) par inspect

par-full: deno ## the same for every target that can be built here, in one archive
	@$(MAKE) --no-print-directory -C $(EXAMPLE) par-full inspect

inspect: deno ## inspect the example provider's archive
	@$(MAKE) --no-print-directory -C $(EXAMPLE) inspect

push: deno ## push the example provider's archive to a registry
	@$(MAKE) --no-print-directory -C $(EXAMPLE) push

install: deno ## put the command par under PREFIX, /usr/local by default
	@umask 022 && $(DENO) run --quiet --allow-read --allow-write --allow-run --allow-env=PREFIX,DESTDIR scripts/install.ts

dist: deno ## make the folder of a release, signed if KEY names a private key
	@umask 022 && $(DENO) run --quiet --frozen --allow-read --allow-write --allow-run --allow-env scripts/dist.ts \
		$(if $(KEY),--key '$(KEY)')

test: deno ## run the tests; what needs a missing tool is skipped by name
	@$(DENO) task test

check: deno ## format, lint, types, documentation and tests
	@$(DENO) task check

sabotage: deno ## take each check out in turn and list what no test notices; ONLY="room file …"
	@$(DENO) run --frozen --allow-all test/sabotage/main.ts $(ONLY)

bench: deno ## measure each promised figure beside what people would use instead
	@$(DENO) run --frozen --allow-all bench/run.ts

web: deno ## build the page that inspects archives in a browser
	@$(DENO) task web

web-serve: deno ## serve that page on loopback, and print its address
	@$(DENO) task web:serve

fmt: deno ## format the sources
	@$(DENO) fmt

deno: ## get Deno, where PATH has none that is new enough
	@$(DENO) --version >/dev/null

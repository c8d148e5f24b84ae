# provider.mk: builds a wasmCloud capability provider and makes a signed archive of it.
#
# A provider's Makefile sets variables such as VENDOR and CAPABILITY_ID and includes this file, or a
# copy of it. What it leaves out follows from wasmcloud.toml, Cargo.toml or go.mod (par build --help).
#
#     make par          build for this machine; an archive of that one target
#     make par-full     build for every target that can be built here; an archive of them all
#     make insert       build for this machine; put it into the archive that is there
#     make inspect      print what the archive says
#     make verify       check it
#     make push         push it to a registry as $(oci_url)
#     make start        start it with wash
#     make target-path  print the archive's path; also target-path-abs, and target-file for its name
#     make clean        remove what was built
#     make make-vars    print the variables that are in force
#     make help         print this list
#
# Needs GNU make 3.81 or newer and a POSIX shell. Names that begin with pm_ are this file's own.

# ---- What a Makefile sets ------------------------------------------------------------------------

# NAME, VENDOR, CAPABILITY_ID, VERSION and REVISION, for the claims; bin_name, the binary to archive.
# The environment does not set these. The archive is named after bin_name, PROJECT, or the folder.

# The targets of par, insert and par-full, as Rust or as wasmCloud names them; without any, this
# machine's, and for par-full the project's or the usual six. STRICT=1: par-full leaves none out.
par_target0    ?=
insert_targets ?= $(par_target0)
par_targets    ?=
STRICT         ?=
# PREBUILT_<target> = path is a binary that was built elsewhere; BUILD_<target> = command is a command
# of the shell that builds one into $@. Archives in $(build_dir)/parts are merged in by par-full.
build_dir      ?= build
dest_par       ?= $(build_dir)/$(pm_name).par.gz
# Where push sends the archive. Plain HTTP without credentials is for a registry on this machine.
WASH_REG_USER  ?=
oci_url_base   ?= localhost:5000/v2
oci_url        ?= $(oci_url_base)/$(pm_name):$(or $(call pm_own,VERSION),$(pm_version))
oci_insecure   ?= $(if $(WASH_REG_USER),,$(if $(filter $(pm_loopback),$(firstword $(subst /, ,$(oci_url)))),--insecure))
# More flags for cargo build, and for what par is called with. Seeds never belong here.
CARGO_FLAGS      ?=
PAR_CREATE_FLAGS ?=
PAR_INSERT_FLAGS ?=
PAR_VERIFY_FLAGS ?=
PAR_PUSH_FLAGS   ?=
pm_space    := $(subst x,,x x)
pm_quote     = '$(subst ','\'',$(1))'
# The end of the list that is a file: a path with spaces is several words of it.
pm_file     := $(shell l=$(call pm_quote,$(MAKEFILE_LIST)); set -f; set -- $$l; while [ "$$*" ] && ! [ -f "$$*" ]; do shift; done; echo "$$*")
pm_above    := $(subst <space>,$(pm_space),$(dir $(subst $(pm_space),<space>,$(pm_file))))../
pm_checkout := $(if $(wildcard $(subst $(pm_space),\$(pm_space),$(pm_above)cli.ts)),$(pm_above))
# An installed par, or the path or URL of cli.ts, which Deno then runs.
PAR         ?= $(if $(pm_checkout),$(pm_checkout)cli.ts,par)
DENO        ?= $(if $(pm_checkout),$(pm_checkout)scripts/deno,deno)
WASH        ?= wash

# ---- Values --------------------------------------------------------------------------------------

pm_hash    := \#
# The value of a variable that a Makefile or the command line sets, without double quotes around it.
pm_own      = $(if $(call pm_is,$(1)),$(call pm_bare,$($(1))))
pm_is       = $(filter file command override,$(firstword $(origin $(1))))
pm_bare     = $(subst <space>,$(pm_space),$(patsubst "%",%,$(subst $(pm_space),<space>,$(strip $(1)))))
pm_folder   = $(subst :,-,$(subst $(pm_hash),-,$(lastword $(subst /,$(pm_space),$(subst $(pm_space),-,$(CURDIR))))))
pm_name     = $(or $(call pm_own,bin_name),$(call pm_own,PROJECT),$(pm_folder))
pm_dest     = $(call pm_quote,$(dest_par))
pm_version  = $(shell $(call pm_par,inspect) -o json $(pm_dest) | sed -n 's/^  "version": "\(.*\)",*$$/\1/p')
pm_loopback = localhost localhost:% 127.% [::1] [::1]:%

# A mistyped variable would otherwise be passed over in silence.
pm_near  := REVI%=REVISION REVS%=REVISION VEND%=VENDOR VERS%=VERSION VERI%=VERSION CAPA%=CAPABILITY_ID CAPI%=CAPABILITY_ID
pm_near  += PROJE%=PROJECT bin_n%=bin_name par_t%=par_targets dest_%=dest_par oci_u%=oci_url PREBUILD_%=PREBUILT_<target>
pm_known := REVISION VENDOR VERSION VERSION_% CAPABILITY_ID PROJECT PROJECT_% bin_name par_target0 par_targets dest_par oci_url oci_url_base
pm_set   := $(foreach v,$(filter-out $(pm_known),$(.VARIABLES)),$(if $(call pm_is,$(v)),$(v)))
$(foreach n,$(pm_near),$(foreach v,$(filter $(firstword $(subst =, ,$(n))),$(pm_set)),$(warning \
	the variable $(v) means nothing here; did you mean $(lastword $(subst =, ,$(n)))?)))

# ---- Running par ---------------------------------------------------------------------------------

# A verb of par. A module is run by the script beside it that knows what each verb needs.
pm_par     = $(if $(filter %.ts,$(PAR)),$(call pm_tool,$(DENO)) $(pm_script),$(call pm_tool,$(PAR))) $(1)
# For push, that script looks for the credential helpers that docker's and podman's files name.
pm_script  = run --quiet --no-config --no-lock --allow-run $(if $(filter push,$(1)),--allow-read --allow-env) $(call pm_quote,$(patsubst %cli.ts,%scripts/par.ts,$(PAR)))
pm_tool    = $(if $(shell command -v $(call pm_quote,$(1)) 2>/dev/null),$(call pm_quote,$(1)),$(error \
	Cannot run par: $(1) is not found; install it, or set PAR or DENO))

# Where there is no project there are hooks alone, and create archives what they build.
pm_project := $(wildcard wasmcloud.toml Cargo.toml go.mod)
pm_claim    = $(if $(call pm_own,$(1)),--$(2) $(call pm_quote,$(call pm_own,$(1))))
pm_claims   = $(call pm_claim,NAME,name) $(call pm_claim,VENDOR,vendor) $(call pm_claim,CAPABILITY_ID,capid) \
	$(call pm_claim,VERSION,version) $(call pm_claim,REVISION,revision) --destination $(pm_dest)
pm_build    = $(call pm_par,build) $(pm_claims) $(call pm_claim,bin_name,bin) $(foreach f,$(CARGO_FLAGS),--build-flag=$(call pm_quote,$(f)))
pm_create   = $(call pm_par,create) $(pm_claims) $(if $(call pm_own,NAME),,--name $(call pm_quote,$(pm_name))) $(if $(filter %.gz,$(dest_par)),--compress)
pm_make     = $(if $(pm_project),$(pm_build),$(pm_create))
pm_full     = $(if $(pm_project),--all-targets $(if $(STRICT),--strict)) $(foreach f,$(pm_parts),--archive $(call pm_quote,$(f)))
pm_parts    = $(wildcard $(build_dir)/parts/*.par $(build_dir)/parts/*.par.gz)

# ---- Targets, and the hooks that build them ------------------------------------------------------

pm_uname  := $(shell uname -m) $(shell uname -s)
pm_cpu    := $(patsubst amd64,x86_64,$(patsubst arm64,aarch64,$(patsubst armv%,arm,$(firstword $(pm_uname)))))
pm_this   := $(pm_cpu)-$(patsubst Darwin,macos,$(patsubst Linux,linux,$(patsubst FreeBSD,freebsd,$(lastword $(pm_uname)))))
pm_hooks  := $(foreach v,$(filter PREBUILT_% BUILD_%,$(.VARIABLES)),$(if $(findstring -,$(v)),$(v)))
# The targets of par, insert and par-full. Par finds this machine's itself where no hook may be for it.
pm_one     = $(or $(par_target0),$(if $(pm_project),$(if $(filter %_$(pm_this),$(pm_hooks)),$(pm_this)),$(pm_this)))
pm_more    = $(or $(insert_targets),$(pm_this))
pm_rest    = $(filter-out $(par_targets),$(sort $(patsubst BUILD_%,%,$(patsubst PREBUILT_%,%,$(pm_hooks)))))
# What hooks build, and the flags that say where each target's binary comes from.
pm_hooked  = $(if $(call pm_own,PREBUILT_$(1)),,$(if $(call pm_is,BUILD_$(1)),$(if $(value BUILD_$(1)),$(build_dir)/bin/$(1)/$(pm_name))))
pm_outputs = $(foreach t,$(1),$(call pm_hooked,$(t)))
pm_flags   = $(if $(pm_project),$(addprefix --target ,$(1)),$(foreach t,$(1),$(call pm_check,$(t)))) $(call pm_binaries,$(1))
pm_check   = $(if $(filter %_$(1),$(pm_hooks)),,$(error Cannot build for $(1): there is no project here; set BUILD_$(1)))
pm_binaries = $(foreach t,$(1),$(call pm_binary,$(t),$(or $(call pm_own,PREBUILT_$(t)),$(call pm_hooked,$(t)))))
pm_binary  = $(if $(2),--binary $(call pm_quote,$(1)=$(2)))
pm_hook := $(if $(pm_hooks),$(build_dir)/bin/%/$(pm_name),pm_no_hooks/%)
$(if $(word 2,$(pm_hook))$(findstring :,$(pm_hook))$(findstring $(pm_hash),$(pm_hook)),$(error \
	Cannot have hooks write $(pm_hook): set build_dir and bin_name to names without spaces, colons and hashes))

# ---- What people call: each recipe is one line, so that .ONESHELL changes nothing -----------------

pm_goals := $(filter par par-full insert,$(if $(filter undefined,$(origin MAKECMDGOALS)),,$(MAKECMDGOALS)))
.PHONY: par par-full insert inspect verify push start target-path target-path-abs target-file clean make-vars help pm_always pm_there

par: $(call pm_outputs,$(pm_one))
	@$(pm_make) $(call pm_flags,$(pm_one)) $(PAR_CREATE_FLAGS)
par-full: $(call pm_outputs,$(par_targets) $(pm_rest)) | $(filter par,$(pm_goals))
	@$(pm_make) $(pm_full) $(call pm_flags,$(par_targets)) $(call pm_binaries,$(pm_rest)) $(PAR_CREATE_FLAGS)
insert: $(call pm_outputs,$(pm_more)) | $(filter par par-full,$(pm_goals))
	@$(if $(pm_project),$(pm_build) --archive $(pm_dest),$(call pm_par,insert) $(pm_dest)) $(call pm_flags,$(pm_more)) $(PAR_INSERT_FLAGS)

# A hook runs each time, and is not shown the seeds and passwords of the environment.
$(pm_hook): pm_always
	@mkdir -p '$(@D)' && rm -f '$@' && ( unset WASH_ISSUER_KEY WASH_SUBJECT_KEY WASH_REG_PASSWORD PAR_SIGNING_KEY MAKEFLAGS MFLAGS; $(BUILD_$*) ) && test -f '$@' || { echo 'Cannot build for $*: BUILD_$* failed, or wrote no $@' >&2; exit 1; }

# These take the archive that is there, so that what was verified is what is pushed.
pm_there: | $(pm_goals)
	@test -f $(pm_dest) || $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) par
inspect verify: pm_there
	@$(call pm_par,$@) $(if $(filter verify,$@),$(PAR_VERIFY_FLAGS)) $(pm_dest)
push: pm_there
	@$(call pm_par,push) $(oci_insecure) $(PAR_PUSH_FLAGS) $(call pm_quote,$(call pm_bare,$(oci_url))) $(pm_dest)

start: ; $(WASH) start provider $(oci_url)
target-path: ; @echo $(pm_dest)
target-path-abs: ; @echo $(if $(filter /%,$(dest_par)),,"$$(pwd)"/)$(pm_dest)
target-file: ; @basename $(pm_dest)
clean:: ; @rm -rf $(call pm_quote,$(build_dir)); if [ -f Cargo.toml ] && command -v cargo >/dev/null; then cargo clean; fi
make-vars: ; @printf '%s = %s\n' $(foreach v,NAME VENDOR CAPABILITY_ID VERSION REVISION bin_name,$(v) $(call pm_quote,$(call pm_own,$(v)))) \
	$(foreach v,dest_par oci_url oci_insecure par_target0 par_targets PAR DENO,$(v) $(call pm_quote,$($(v))))
help: ; @sed -n 's/^#     \(make .*\)/\1/p' $(call pm_quote,$(pm_file))

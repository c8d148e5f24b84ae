# provider.mk: builds a capability provider and bundles it as a signed provider archive (PAR).
#
# A provider's Makefile sets what is its own and includes this file, or a copy of it:
#
#     PROJECT       = fakepay
#     CAPABILITY_ID = examples:payments
#     VENDOR        = wasmCloud
#     NAME          = Fake Payments
#     REVISION      = 1
#
#     include ../provider.mk
#
#     make par          build for this machine; an archive with this one target
#     make par-full     build every target that can be built here; one archive, signed once
#     make insert       build for this machine; put it into the archive that is there
#     make inspect      print what the archive says           make verify   check it
#     make push         push it to a registry as $(oci_url)   make start    start it with wash
#     make target-path  print its path; also target-path-abs, and target-file for its name alone
#     make build        debug build     make release   release build     make test, make clean
#     make make-vars    print the variables below as they are in force
#
# Needs GNU make 3.81 or newer and a POSIX shell; on Windows, WSL. Names that start with pm_ are this file's own.

# ---- What a provider's Makefile sets -----------------------------------------------------------

# Names the archive's file. By default the folder's name.
PROJECT       ?= $(lastword $(subst /,$(pm_space),$(subst $(pm_space),-,$(CURDIR))))
# The capability contract id, such as examples:payments. Required.
CAPABILITY_ID ?=
# Who publishes the provider. Required.
VENDOR        ?=
# Name and version are the package's in Cargo.toml, where there is one.
NAME          ?= $(or $(call pm_package,name),$(PROJECT))
VERSION       ?= $(call pm_package,version)
REVISION      ?= 0

# The cargo target to bundle, when Cargo.toml declares several. Without a Cargo.toml: the name of
# what the BUILD_ hooks make, and whether that is a bin or a cdylib.
bin_name      ?=
bin_kind      ?= bin

# Every target of par-full: Rust triples, or wasmCloud targets such as x86_64-linux where a hook
# builds them.
par_targets   ?= \
	x86_64-unknown-linux-gnu \
	x86_64-apple-darwin \
	aarch64-unknown-linux-gnu \
	aarch64-apple-darwin \
	armv7-unknown-linux-gnueabihf \
	x86_64-pc-windows-gnu
# The target of par: this machine's.
par_target0   ?= $(pm_host)
# The targets that insert builds and puts into the archive.
insert_targets ?= $(par_target0)

# How a target gets its binary, in this order. Each name ends in a Rust triple or a wasmCloud
# target, for instance PREBUILT_aarch64-macos.
#   build/parts/*.par, *.par.gz   archives of this provider, made elsewhere: merged in
#   PREBUILT_<target> = path      a binary that was built elsewhere
#   BUILD_<target>    = command   one shell command that builds it into $@; runs again when a file
#                                 named in SOURCES changed
#   otherwise                     cargo, if its toolchain for the target is found (see below)
SOURCES       ?=

# With STRICT=1, par-full fails on a target that it cannot build, instead of skipping it.
STRICT        ?=

build_dir     ?= build
dest_par      ?= $(build_dir)/$(PROJECT).par.gz

# More flags for par, such as --schema link.json or --trusted-issuer KEY. Seeds never belong here:
# par takes them from WASH_ISSUER_KEY, WASH_SUBJECT_KEY, or the key directory.
PAR_CREATE_FLAGS ?=
PAR_INSERT_FLAGS ?=
PAR_MERGE_FLAGS  ?=
PAR_VERIFY_FLAGS ?=
PAR_PUSH_FLAGS   ?=
# Files those flags name: the archive is made anew when one changes.
PAR_DEPS         ?=

# Where push sends the archive. Plain HTTP without credentials is for a registry on this machine.
WASH_REG_USER ?=
oci_url_base  ?= localhost:5000/v2
oci_url       ?= $(oci_url_base)/$(PROJECT):$(VERSION)
oci_insecure  ?= $(if $(WASH_REG_USER),,$(if $(pm_local_registry),--insecure))
pm_local_registry = $(filter localhost localhost:% 127.% [::1] [::1]:%,$(firstword $(subst /, ,$(oci_url))))

# ---- Tools -------------------------------------------------------------------------------------

# The checkout of the project, if this file is the one that lies in it.
pm_checkout := $(dir $(lastword $(MAKEFILE_LIST)))../
pm_checkout := $(if $(wildcard $(pm_checkout)examples/provider.mk),$(if $(wildcard $(pm_checkout)cli.ts),$(pm_checkout)))

# PAR is an installed par, or the path or URL of cli.ts, which Deno then runs.
PAR    ?= $(if $(pm_checkout),$(pm_checkout)cli.ts,par)
DENO   ?= $(if $(pm_checkout),$(pm_checkout)scripts/deno,deno)
CARGO  ?= cargo
RUSTC  ?= rustc
# A second cargo and rustc, asked when the first have no standard library of a target.
CARGO2 ?= /usr/bin/cargo
RUSTC2 ?= /usr/bin/rustc
# More flags for cargo build, such as --locked or --features tls.
CARGO_FLAGS ?=
CROSS  ?= cross
WASH   ?= wash

# Linkers for cargo; one that the environment sets in CARGO_TARGET_<TRIPLE>_LINKER comes first.
LINKER_x86_64-unknown-linux-gnu      ?= x86_64-linux-gnu-gcc
LINKER_aarch64-unknown-linux-gnu     ?= aarch64-linux-gnu-gcc
LINKER_armv7-unknown-linux-gnueabihf ?= arm-linux-gnueabihf-gcc
LINKER_x86_64-unknown-linux-musl     ?= x86_64-linux-musl-gcc
LINKER_aarch64-unknown-linux-musl    ?= aarch64-linux-musl-gcc
LINKER_x86_64-pc-windows-gnu         ?= x86_64-w64-mingw32-gcc
LINKER_x86_64-apple-darwin           ?= $(if $(filter Darwin,$(pm_system)),cc)
LINKER_aarch64-apple-darwin          ?= $(if $(filter Darwin,$(pm_system)),cc)

# From Rust triples to wasmCloud targets. A Makefile may add its own.
ARCH_LOOKUP_x86_64-unknown-linux-gnu       ?= x86_64-linux
ARCH_LOOKUP_x86_64-unknown-linux-musl      ?= x86_64-linux
ARCH_LOOKUP_aarch64-unknown-linux-gnu      ?= aarch64-linux
ARCH_LOOKUP_aarch64-unknown-linux-musl     ?= aarch64-linux
ARCH_LOOKUP_armv7-unknown-linux-gnueabihf  ?= arm-linux
ARCH_LOOKUP_armv7-unknown-linux-musleabihf ?= arm-linux
ARCH_LOOKUP_i686-unknown-linux-gnu         ?= x86-linux
ARCH_LOOKUP_riscv64gc-unknown-linux-gnu    ?= riscv64-linux
ARCH_LOOKUP_s390x-unknown-linux-gnu        ?= s390x-linux
ARCH_LOOKUP_mips-unknown-linux-gnu         ?= mips-linux
ARCH_LOOKUP_mipsel-unknown-linux-gnu       ?= mipsel-linux
ARCH_LOOKUP_mips64-unknown-linux-gnuabi64  ?= mips64-linux
ARCH_LOOKUP_mips64el-unknown-linux-gnuabi64 ?= mips64el-linux
ARCH_LOOKUP_x86_64-unknown-freebsd         ?= x86_64-freebsd
ARCH_LOOKUP_x86_64-apple-darwin            ?= x86_64-macos
ARCH_LOOKUP_aarch64-apple-darwin           ?= aarch64-macos
ARCH_LOOKUP_x86_64-pc-windows-gnu          ?= x86_64-windows
ARCH_LOOKUP_x86_64-pc-windows-msvc         ?= x86_64-windows
ARCH_LOOKUP_aarch64-pc-windows-msvc        ?= aarch64-windows

# ---- Words -------------------------------------------------------------------------------------

pm_empty :=
pm_space := $(pm_empty) $(pm_empty)

# The value of a variable that need not exist.
pm_get = $(if $(filter undefined,$(origin $(1))),,$($(1)))
# A value without the double quotes that Makefiles of older providers put around it.
pm_bare = $(subst <space>,$(pm_space),$(patsubst "%",%,$(subst $(pm_space),<space>,$(strip $(1)))))
# A word of the shell, whatever is in it.
pm_quote = '$(subst ','\'',$(1))'
# A file's name as make's rules want it.
pm_escape = $(subst $(pm_space),\$(pm_space),$(1))
pm_only = $(if $(filter 1,$(words $(1))),$(1))
# Keeps what a command printed: $(call pm_once,NAME) runs $(NAME_sh) the first time alone.
pm_once = $(if $(pm_kept_$(1)),,$(eval pm_kept_$(1) := $$(shell $$($(1)_sh))))$(pm_kept_$(1))

# ---- Targets -----------------------------------------------------------------------------------

pm_known := $(foreach os,linux macos windows ios freebsd android,$(addsuffix -$(os),\
	x86 x86_64 arm armv7 aarch64 mips mipsel mips64 mips64el powerpc64 riscv64 s390x))

# The wasmCloud target of a Rust triple, or of itself.
pm_arch = $(or $(call pm_get,ARCH_LOOKUP_$(1)),$(filter $(pm_known),$(1)),$(error \
	Cannot use target $(1): it is neither a known Rust triple nor a wasmCloud target; \
	mend its name, or set ARCH_LOOKUP_$(1)))

# The variable $(1)<target> that serves target $(2), if there is one.
pm_variable = $(firstword $(foreach name,$(1)$(2) $(1)$(call pm_arch,$(2)),\
	$(if $(filter undefined,$(origin $(name))),,$(name))))

pm_kept_pm_system :=
pm_system = $(call pm_once,pm_system)
pm_system_sh = uname -s

# This machine: a Rust triple for a cargo project, else a wasmCloud target.
pm_host = $(if $(pm_is_cargo),$(pm_host_triple),$(call pm_once,pm_uname))

pm_kept_pm_triple :=
pm_host_triple = $(or $(call pm_once,pm_triple),$(error \
	Cannot tell this machine's target: $(RUSTC) does not run; set RUSTC, or par_target0))
pm_triple_sh = $(RUSTC) -vV 2>/dev/null | sed -n 's/^host: //p'

pm_kept_pm_uname :=
define pm_uname_sh
case $$(uname -s) in \
  (Linux) os=linux ;; (Darwin) os=macos ;; (FreeBSD) os=freebsd ;; (*) os=unknown ;; \
esac; \
case $$(uname -m) in \
  (x86_64 | amd64) arch=x86_64 ;; (aarch64 | arm64) arch=aarch64 ;; (arm*) arch=arm ;; \
  (i?86) arch=x86 ;; (*) arch=$$(uname -m) ;; \
esac; \
echo $$arch-$$os
endef

# ---- What cargo says of the project ------------------------------------------------------------

pm_is_cargo := $(wildcard Cargo.toml)

pm_need_cargo = $(if $(shell command -v $(firstword $(CARGO)) 2>/dev/null),,$(error \
	Cannot build $(PROJECT): $(CARGO) is not found; install Rust with rustup, or set CARGO))

# Words such as name:fakepay-provider version:1.0.0 cdylib:fakepay_provider dir:/home/me/target.
pm_kept_pm_metadata :=
pm_metadata = $(if $(pm_kept_pm_metadata),,$(pm_need_cargo))$(or $(call pm_once,pm_metadata),$(error \
	Cannot read Cargo.toml: $(CARGO) metadata says nothing of a package here))
pm_metadata_sh = { $(CARGO) locate-project && $(CARGO) metadata --no-deps --format-version 1; } \
	| awk '$(pm_json)'

pm_field = $(subst |,$(pm_space),$(patsubst $(1):%,%,$(filter $(1):%,$(pm_metadata))))
pm_package = $(if $(pm_is_cargo),$(call pm_field,$(1)))

# Reads JSON without jq: cargo's metadata, and the targets that par inspect prints. Cut at its
# quotes, JSON is structure and strings in turn; key[n] is the key that holds at depth n. Every
# statement has its semicolon, because make hands this over as one line.
define pm_json
BEGIN { RS = "\"" }
quoted {
  text = text $$0;
  if (match($$0, /\\+$$/) && RLENGTH % 2) { text = text "\""; next };
  quoted = 0;
  next;
}
{
  if ($$0 ~ /^[ \t\r\n]*:/) key[depth] = text;
  else if (depth == 1 && key[1] == "root") manifest = text;
  else if (depth == 1 && key[1] == "target_directory") directory = text;
  else if (depth == 1 && key[1] == "workspace_root") workspace = text;
  else if (depth == 2 && key[1] == "targets") print "target:" text;
  else if (depth == 3) package[key[3]] = text;
  else if (depth == 5 && key[3] == "targets" && key[5] == "name") name = text;
  else if (depth == 6 && key[3] == "targets" && key[5] == "kind") kind = kind " " text " ";
  count = length($$0);
  for (i = 1; i <= count; i++) {
    mark = substr($$0, i, 1);
    if (mark == "{" || mark == "[") key[++depth] = "";
    if (mark != "}" && mark != "]") continue;
    if (depth == 5 && key[3] == "targets") {
      if (kind ~ / bin /) made = made "bin:" name "\n";
      if (kind ~ / cdylib /) { gsub(/-/, "_", name); made = made "cdylib:" name "\n" };
      kind = "";
    };
    if (depth == 3 && key[1] == "packages") {
      if (package["manifest_path"] == manifest) {
        printf "name:%s\nversion:%s\n%s", package["name"], package["version"], made;
        if ("rust_version" in package) print "rust:" package["rust_version"];
      };
      made = "";
      split("", package);
    };
    depth--;
  };
  text = "";
  quoted = 1;
}
function path(json) { gsub(/ /, "|", json); return json }
END { if (directory != "") print "dir:" path(directory) "\nroot:" path(workspace) }
endef

# What is bundled: cdylib:<name> or bin:<name>.
pm_made = $(filter cdylib:% bin:%,$(pm_metadata))
pm_choice = $(strip $(if $(bin_name),\
	$(firstword $(filter cdylib:$(bin_name) bin:$(bin_name),$(pm_made))),\
	$(or $(call pm_only,$(filter cdylib:%,$(pm_made))),$(call pm_only,$(filter bin:%,$(pm_made))),\
	$(filter bin:$(call pm_field,name),$(pm_made)))))
pm_chosen = $(if $(pm_is_cargo),$(or $(pm_choice),$(error \
	Cannot choose what to bundle: Cargo.toml declares $(or $(subst :, ,$(pm_made)),neither a cdylib \
	nor a binary); set bin_name to one that it declares)),$(bin_kind):$(or $(bin_name),$(PROJECT)))

# The file's name for a wasmCloud target.
pm_file = $(call pm_file_$(firstword $(subst :, ,$(pm_chosen))),$(lastword $(subst :, ,$(pm_chosen))),$(1))
pm_file_bin = $(1)$(if $(filter %-windows,$(2)),.exe)
pm_file_cdylib = $(if $(filter %-windows,$(2)),$(1).dll,lib$(1).$(if $(filter %-macos %-ios,$(2)),dylib,so))

# Where a target's binary is put, for the archive to be made from.
pm_binary = $(build_dir)/bin/$(call pm_arch,$(1))/$(call pm_file,$(call pm_arch,$(1)))

# ---- The builder of each target ----------------------------------------------------------------

# Prints the command that builds triple $(1), or what to install for it after an exclamation mark.
define pm_builder_sh
triple='$(1)'; linker='$(call pm_get,LINKER_$(1))'; \
setting=CARGO_TARGET_$$(printf %s "$$triple" | tr 'a-z.-' 'A-Z__')_LINKER; \
eval "theirs=\$${$$setting-}"; \
flags="$(strip --release $(CARGO_FLAGS)) --target $$triple"; \
with=; too_old=; \
for pair in '$(CARGO)|$(RUSTC)' '$(CARGO2)|$(RUSTC2)'; do \
  cargo=$${pair%|*}; rustc=$${pair#*|}; \
  command -v $${cargo%% *} >/dev/null 2>&1 || continue; \
  library=$$($$rustc --print target-libdir --target "$$triple" 2>/dev/null) || continue; \
  ls "$$library"/libstd-*.rlib >/dev/null 2>&1 || continue; \
  has=$$($$rustc -V | cut -d ' ' -f 2); \
  oldest=$$(printf '%s\n' "$(call pm_field,rust)" "$$has" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1); \
  [ "$$oldest" = "$(call pm_field,rust)" ] || { too_old=$$has; continue; }; \
  [ -n "$$with" ] || with="RUSTC=$$rustc $$cargo"; \
  if [ -n "$$theirs" ]; then \
    echo "RUSTC=$$rustc $$cargo build $$flags"; exit; \
  elif [ -n "$$linker" ] && command -v "$$linker" >/dev/null 2>&1; then \
    echo "$$setting=$$linker RUSTC=$$rustc $$cargo build $$flags"; exit; \
  fi; \
done; \
if [ -n "$$with" ] && command -v cargo-zigbuild >/dev/null 2>&1; then \
  echo "$$with zigbuild $$flags"; exit; \
fi; \
if command -v '$(CROSS)' >/dev/null 2>&1 && \
  { command -v docker || command -v podman; } >/dev/null 2>&1; then \
  echo "$(CROSS) build $$flags"; exit; \
fi; \
need=; \
[ -n "$$with" ] || need="its standard library (rustup target add $$triple)"; \
[ -z "$$too_old" ] || need="$$need for Rust $(call pm_field,rust) or newer, not $$too_old"; \
command -v "$${linker:-none}" >/dev/null 2>&1 || [ -n "$$theirs" ] || \
  need="$$need$${need:+, and }a linker ($${linker:-set LINKER_$$triple}) or cargo-zigbuild"; \
echo "! install $$need; or cross with docker"
endef

# ---- Running par -------------------------------------------------------------------------------

# PAR as a command. A module is run by the script beside it that knows what each verb needs, and
# without the configuration of the folder one happens to be in; $(1) says more narrowly, or more
# widely, what Deno lets it do.
pm_par = $(if $(pm_module),$(pm_need_deno)'$(DENO)' run --quiet --no-config --no-lock --allow-run \
	$(dir $(PAR))scripts/par.ts $(1),$(pm_need_par)$(PAR))
pm_module = $(filter %.ts,$(call pm_only,$(PAR)))
pm_need_deno = $(if $(shell command -v '$(DENO)' 2>/dev/null),,$(error \
	Cannot run $(PAR): $(DENO) is not found; install Deno (npm install -g deno), or set DENO))
pm_need_par = $(if $(shell command -v '$(firstword $(PAR))' 2>/dev/null),,$(error \
	Cannot find par ($(PAR)): set PAR to an installed par, or to the path or URL of cli.ts))
pm_may_write = --allow-write="$(build_dir),$(dir $(dest_par)),$${WASH_KEYS:-$$HOME/.wash}"
pm_may_push = $(if $(pm_helpers),--allow-run='$(pm_helpers)')
# The programs that keep what docker login was told.
pm_kept_pm_helpers :=
pm_helpers = $(call pm_once,pm_helpers)
pm_helpers_sh = IFS=:; for folder in $$PATH; do ls "$$folder"/docker-credential-* 2>/dev/null; done | paste -s -d , -

# What the archive was made of, as the last par or par-full noted it.
pm_note = $(build_dir)/$(notdir $(dest_par)).made

# ================================================================================================
# Making an archive happens in a make of its own, which is told what to make: pm_scope is host,
# full or insert. Only that one asks cargo and rustc, so that make clean and the like need neither.
# ================================================================================================
ifdef pm_scope

pm_require = $(if $(call pm_bare,$($(1))),,$(error \
	Cannot make an archive: $(1) is not set; set it in the Makefile))

# A variable with a misspelt target would otherwise be passed over in silence.
$(foreach name,$(filter PREBUILT_% BUILD_%,$(.VARIABLES)),$(if \
	$(or $(call pm_get,ARCH_LOOKUP_$(patsubst BUILD_%,%,$(patsubst PREBUILT_%,%,$(name)))),\
	$(filter $(pm_known),$(patsubst BUILD_%,%,$(patsubst PREBUILT_%,%,$(name))))),,$(error \
	Cannot use $(name): it does not end in a known Rust triple or wasmCloud target)))

# Told now rather than after a long build.
pm_par_is_there := $(call pm_par,)

# ---- Which targets, and from where -------------------------------------------------------------

pm_targets_host   = $(par_target0)
pm_targets_insert = $(insert_targets)
pm_targets_full   = $(par_targets) $(foreach name,$(patsubst PREBUILT_%,%,$(filter PREBUILT_%,$(.VARIABLES))),\
	$(if $(filter $(call pm_arch,$(name)),$(foreach t,$(par_targets),$(call pm_arch,$(t)))),,$(name)))

# This machine's target comes first: par names the subject's key file after the first binary.
pm_targets := $(pm_targets_$(pm_scope))
pm_targets := $(strip $(filter $(par_target0),$(pm_targets)) $(filter-out $(par_target0),$(pm_targets)))

$(foreach t,$(pm_targets),$(if $(filter-out 1,$(words $(foreach u,$(pm_targets),$(filter \
	$(call pm_arch,$(t)),$(call pm_arch,$(u)))))),$(error Cannot bundle $(call pm_arch,$(t)) \
	twice: par_targets and PREBUILT_ variables name it as $(foreach u,$(pm_targets),$(if \
	$(filter $(call pm_arch,$(t)),$(call pm_arch,$(u))),$(u))))))

# Archives made elsewhere bring their targets along.
pm_parts := $(if $(filter full,$(pm_scope)),$(sort $(wildcard $(build_dir)/parts/*.par $(build_dir)/parts/*.par.gz)))
$(foreach file,$(pm_parts),$(if $(wildcard $(file)),,$(error \
	Cannot merge the archives in $(build_dir)/parts: rename those with a space in their name)))
pm_from_parts := $(foreach file,$(pm_parts),$(or $(patsubst target:%,%,$(filter target:%,$(shell \
	$(call pm_par,) inspect -o json '$(file)' | awk '$(pm_json)'))),$(error \
	Cannot merge $(file): par inspect finds no target in it; remove or replace it)))
pm_targets := $(strip $(foreach t,$(pm_targets),$(if $(filter $(pm_from_parts),$(call pm_arch,$(t))),,$(t))))

pm_prebuilt := $(foreach t,$(pm_targets),$(if $(call pm_variable,PREBUILT_,$(t)),$(t)))
pm_hooked   := $(foreach t,$(filter-out $(pm_prebuilt),$(pm_targets)),$(if $(call pm_variable,BUILD_,$(t)),$(t)))
pm_cargo    := $(filter-out $(pm_prebuilt) $(pm_hooked),$(pm_targets))

$(foreach t,$(pm_cargo),$(if $(pm_is_cargo),$(if $(filter $(pm_known),$(t)),$(error \
	Cannot build $(t) with cargo: name a Rust triple in its place, or set BUILD_$(t))),$(error \
	Cannot build $(t): there is no Cargo.toml; set BUILD_$(t) to the command that builds it)))

# pm_how_<triple> is the command, or what is missing.
$(foreach t,$(pm_cargo),$(eval pm_how_$(t) := $(if $(filter $(pm_host_triple),$(t)),\
	$(pm_need_cargo)$(strip $(CARGO) build --release $(CARGO_FLAGS)),$$(shell $$(call pm_builder_sh,$(t))))))
pm_missing := $(foreach t,$(pm_cargo),$(if $(filter !,$(firstword $(pm_how_$(t)))),$(t)))
pm_why = $(call pm_arch,$(1)) ($(1)): $(strip $(patsubst !%,%,$(pm_how_$(1))))
$(foreach t,$(pm_missing),$(if $(STRICT)$(filter-out full,$(pm_scope)),$(error \
	Cannot build $(call pm_why,$(t))),$(info skipped $(call pm_why,$(t)))))

pm_cargo   := $(filter-out $(pm_missing),$(pm_cargo))
pm_targets := $(filter-out $(pm_missing),$(pm_targets))
$(if $(pm_targets)$(pm_parts),,$(error Cannot make an archive: none of its targets can be built here))

# ---- Binaries ----------------------------------------------------------------------------------

.DELETE_ON_ERROR:
.PHONY: pm_always pm_binaries

pm_path = $(if $(filter $(pm_prebuilt),$(1)),$($(call pm_variable,PREBUILT_,$(1))),$(call pm_binary,$(1)))
pm_exists = $(shell test -f $(call pm_quote,$(1)) && echo yes)
$(foreach t,$(pm_prebuilt),$(if $(call pm_exists,$(call pm_path,$(t))),,$(error \
	Cannot use $(call pm_variable,PREBUILT_,$(t)): there is no file $(call pm_path,$(t)))))

pm_binaries: $(foreach t,$(pm_targets),$(call pm_escape,$(call pm_path,$(t))))

# Builds run other people's code, which has no business with seeds and passwords; and they cannot
# reach this make's job server.
pm_hide := unset WASH_ISSUER_KEY WASH_SUBJECT_KEY WASH_REG_PASSWORD MAKEFLAGS MFLAGS

# A hook's output, which the hook writes itself.
define pm_hook_rule
$(call pm_binary,$(1)): $$(SOURCES) $$(firstword $$(MAKEFILE_LIST))
	@mkdir -p '$$(@D)' && rm -f '$$@'
	@echo $$(call pm_quote,$$($(call pm_variable,BUILD_,$(1))))
	@$(pm_hide); ( $$($(call pm_variable,BUILD_,$(1))) ) || { echo 'Cannot build $(1): $(call pm_variable,BUILD_,$(1)) failed, as it says above' >&2; exit 1; }
	@test -f '$$@' || { echo 'Cannot build $(1): $(call pm_variable,BUILD_,$(1)) wrote no $$@' >&2; exit 1; }

endef
$(foreach t,$(pm_hooked),$(eval $(call pm_hook_rule,$(t))))

# Cargo's output, copied. It depends on the sources that cargo noted beside it the last time.
define pm_cargo_rule
$(call pm_binary,$(1)): $(pm_cargo_inputs) $(if $(wildcard $(call pm_binary,$(1)).d),,pm_always)
	@echo '$$(pm_how_$(1))'
	@$(pm_hide); $$(pm_how_$(1)) || { echo 'Cannot build $(1): cargo failed, as it says above' >&2; exit 1; }
	@$$(call pm_take,$(1))
-include $(call pm_binary,$(1)).d

endef
pm_cargo_inputs = $(foreach file,Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml,$(call \
	pm_escape,$(call pm_input,$(call pm_field,root)/$(file))) $(filter-out Cargo.lock,$(wildcard $(file))))
pm_input = $(if $(call pm_exists,$(1)),$(1))

define pm_take
folder=$(call pm_quote,$(call pm_field,dir)); file='$(notdir $@)'; \
from=$$(ls -t "$$folder/$(1)/release/$$file" $(if $(filter $(pm_host_triple),$(1)),"$$folder/release/$$file") 2>/dev/null | head -n 1); \
[ -n "$$from" ] || { echo "Cannot find $$file in $$folder: cargo built something else; set bin_name" >&2; exit 1; }; \
mkdir -p '$(@D)' && cp "$$from" '$@.new' && \
noted=$$(dirname "$$from")/$(basename $(notdir $@)).d && \
sources=$$(sed -n -e 's/\$$/$$$$/g' -e '1s/^.*: //p' "$$noted") && \
printf '%s: %s\n\n%s:\n' '$@' "$$sources" "$$sources" >'$@.d' && \
mv '$@.new' '$@'
endef

$(foreach t,$(pm_cargo),$(eval $(call pm_cargo_rule,$(t))))

# ---- The archive -------------------------------------------------------------------------------

pm_pairs := $(foreach t,$(pm_targets),--arch $(call pm_arch,$(t)) --binary $(call pm_quote,$(call pm_path,$(t))))

ifneq ($(pm_scope),insert)

$(foreach name,CAPABILITY_ID VENDOR NAME VERSION REVISION,$(call pm_require,$(name)))

pm_compress := $(if $(filter %.gz,$(dest_par)),--compress)
pm_create := create \
	--name $(call pm_quote,$(call pm_bare,$(NAME))) \
	--vendor $(call pm_quote,$(call pm_bare,$(VENDOR))) \
	--capid $(call pm_quote,$(call pm_bare,$(CAPABILITY_ID))) \
	--version $(call pm_quote,$(call pm_bare,$(VERSION))) \
	--revision $(call pm_quote,$(call pm_bare,$(REVISION))) \
	$(pm_compress) $(PAR_CREATE_FLAGS) $(pm_pairs)
# Made here, to be merged with what was made elsewhere.
pm_own_part := $(if $(pm_parts),$(if $(pm_targets),$(build_dir)/own/$(notdir $(dest_par))))

# Something else than what the archive was made of makes it anew.
pm_now := $(strip $(pm_create) $(pm_parts))
ifneq "$(strip $(shell cat '$(pm_note)' 2>/dev/null))" "$(pm_now)"
$(dest_par): pm_always
endif

.PRECIOUS: $(dest_par)
$(dest_par): $(foreach t,$(pm_targets),$(call pm_escape,$(call pm_path,$(t)))) $(pm_parts) $(PAR_DEPS)
	@mkdir -p '$(build_dir)' '$(@D)' $(if $(pm_own_part),'$(dir $(pm_own_part))')
	$(if $(pm_targets),@$(call pm_par,$(pm_may_write)) $(pm_create) --destination '$(or $(pm_own_part),$@)')
	$(if $(pm_parts),@$(call pm_par,$(pm_may_write)) merge $(pm_compress) $(PAR_MERGE_FLAGS) --destination '$@' $(pm_own_part) $(pm_parts))
	@printf '%s\n' $(call pm_quote,$(pm_now)) >'$(pm_note)'

else

.PHONY: pm_insert
pm_insert: pm_binaries
	@$(call pm_par,$(pm_may_write)) insert $(PAR_INSERT_FLAGS) $(pm_pairs) '$(dest_par)'

endif

else # pm_scope
# ================================================================================================
# What people call.
# ================================================================================================

.PHONY: all par par-full insert inspect verify push start target-path target-path-abs target-file \
	build release test clean make-vars pm_always

# The same Makefile, told what to make.
pm_inner := --no-print-directory -f $(firstword $(MAKEFILE_LIST))
pm_goals := $(call pm_get,MAKECMDGOALS)

all:: par

par::
	@$(MAKE) $(pm_inner) pm_scope=host '$(dest_par)'

par-full: | $(filter par all,$(pm_goals))
	@$(MAKE) $(pm_inner) pm_scope=full '$(dest_par)'

# inspect, verify and push take the archive that is there, so that what was verified is what is
# pushed. Where there is none, it is made as par makes it.
$(dest_par): | $(filter par par-full all,$(pm_goals))
	@test -f '$@' || $(MAKE) $(pm_inner) pm_scope=host '$@'

insert: | $(filter par par-full all,$(pm_goals))
	@test -f '$(dest_par)' || { echo 'Cannot insert: there is no $(dest_par); run make par, or set dest_par' >&2; exit 1; }
	@$(MAKE) $(pm_inner) pm_scope=insert pm_insert
	@rm -f '$(pm_note)'

inspect: $(dest_par)
	@$(call pm_par,) inspect '$(dest_par)'

verify: $(dest_par)
	@$(call pm_par,) verify $(PAR_VERIFY_FLAGS) '$(dest_par)'

push: $(dest_par)
	@$(call pm_par,$(pm_may_push)) push $(oci_insecure) $(PAR_PUSH_FLAGS) $(call pm_quote,$(call pm_bare,$(oci_url))) '$(dest_par)'

start:
	$(WASH) start provider $(oci_url)

target-path:
	@echo '$(dest_par)'

target-path-abs:
	@echo $(if $(filter /%,$(dest_par)),,"$$(pwd)"/)'$(dest_par)'

target-file:
	@echo '$(notdir $(dest_par))'

# A Makefile may add to these with double-colon rules of its own.
ifneq ($(pm_is_cargo),)

build::
	$(pm_need_cargo)$(CARGO) build $(CARGO_FLAGS)

release::
	$(pm_need_cargo)$(CARGO) build --release $(CARGO_FLAGS)

test::
	$(pm_need_cargo)$(CARGO) test $(CARGO_FLAGS)

clean::
	@if command -v $(firstword $(CARGO)) >/dev/null 2>&1; then $(CARGO) clean; fi

else

build release::
	@$(MAKE) $(pm_inner) pm_scope=host pm_binaries

test::

endif

clean::
	rm -rf '$(build_dir)'

make-vars:
	@: $(foreach name,PROJECT NAME VENDOR CAPABILITY_ID VERSION REVISION dest_par oci_url oci_insecure \
		par_target0 par_targets PAR DENO CARGO CARGO2 CROSS,$(info $(name) = $(strip $($(name)))))

endif # pm_scope

/**
 * The programs that tests ask for, and where each comes from on Debian. A test whose program is
 * missing is skipped, and `.ci/run` lets none be skipped: so what is asked for has to be here, and
 * what is here has to be installed.
 *
 * @module
 */

/** Where a program comes from. */
export type Origin =
  /** Every Debian has it. */
  | "Debian"
  /** Whoever works on this project needs it: CONTRIBUTING.md names it, and `.ci/run` asks for it. */
  | "the developer"
  /** A script in `scripts/` installs it. */
  | `install-${string}.sh`;

/** Each program by its name, or by its path where another of that name will not do. */
export const PROGRAMS = {
  bash: "Debian",
  "dpkg-query": "Debian",
  gzip: "Debian",
  script: "Debian",
  setpriv: "Debian",
  stty: "Debian",
  tar: "Debian",

  cargo: "the developer",
  go: "the developer",
  make: "the developer",
  node: "the developer",
  rustc: "the developer",

  "7zz": "install-programs.sh",
  "/usr/bin/chromium": "install-programs.sh",
  "/usr/bin/firefox-esr": "install-programs.sh",
  bsdtar: "install-programs.sh",
  busybox: "install-programs.sh",
  cc: "install-programs.sh",
  cmake: "install-programs.sh",
  "docker-registry": "install-programs.sh",
  fish: "install-programs.sh",
  htpasswd: "install-programs.sh",
  jq: "install-programs.sh",
  openssl: "install-programs.sh",
  pigz: "install-programs.sh",
  python3: "install-programs.sh",
  skopeo: "install-programs.sh",
  strace: "install-programs.sh",
  zsh: "install-programs.sh",

  actionlint: "install-go-programs.sh",
  cosign: "install-go-programs.sh",
  crane: "install-go-programs.sh",
  oras: "install-go-programs.sh",
  regctl: "install-go-programs.sh",
  registry: "install-go-programs.sh",

  "/usr/bin/cargo": "install-cross.sh",
  "aarch64-linux-gnu-gcc": "install-cross.sh",
  "arm-linux-gnueabihf-gcc": "install-cross.sh",
  "qemu-aarch64": "install-cross.sh",
  "qemu-arm": "install-cross.sh",
  "x86_64-w64-mingw32-gcc": "install-cross.sh",

  "deno-oldest": "install-runtimes.sh",
  node20: "install-runtimes.sh",
  node22: "install-runtimes.sh",
  node24: "install-runtimes.sh",

  "wasm-tools": "install-wasm-tools.sh",
} as const satisfies Readonly<Record<string, Origin>>;

/** A program that a test may ask for. */
export type Program = keyof typeof PROGRAMS;

/**
 * The description of every verb.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { parseTarget } from "../target/target.ts";
import {
  BINARIES,
  BUNDLE_KEY,
  CLAIMS,
  COMPRESSION,
  CONNECTION,
  FORMAT,
  KEY_DIRECTORY,
  LIMITS,
  LOGIN,
  OUTPUT,
  PULLING,
  READING,
  REFERENCES,
  REGISTRY,
  RESIGNING,
  SIGNING_KEYS,
} from "./flags.ts";
import { parseDays, parseSize } from "./options.ts";
import type { Argument, Flags, Group, Permissions, Verb } from "./verb.ts";

/** The toolkit's version. */
export const VERSION: string = config.version;

/** The shells that `par completions` has a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A reference: in a registry, or in an OCI image layout. */
const PLACE = "host/repository:tag, oci:FOLDER:tag or oci-archive:FILE:tag";

const ARCHIVE: Argument = {
  name: "archive",
  brief: `a path, a reference (${PLACE}), or - for standard input`,
  dash: "standard input",
};

const ARCHIVES: Argument = { ...ARCHIVE, name: "archives", many: true };

const ARCHIVE_FILE: Argument = { name: "archive", brief: "the archive's path", dash: "refused" };

/** The variables that give the key directory and the name of the issuer's key. */
const KEY_VARIABLES = [
  ...["HOME", "USER", "USERPROFILE", "USERNAME"],
  ...["WASH_KEYS_DIR", "WASH_DATA_DIR", "XDG_DATA_HOME"],
] as const;

const SIGNS = {
  read: true,
  write: true,
  env: [...KEY_VARIABLES, "SOURCE_DATE_EPOCH"],
} as const satisfies Permissions;

/** To read docker's and podman's credentials, and to run their helpers. */
const LOGS_IN = {
  helpers: true,
  env: [
    ...["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"],
    ...["HOME", "USERPROFILE"],
  ],
} as const satisfies Permissions;

/** To use a registry, with proxies, certificates and the cache. */
const CONNECTS = {
  ...LOGS_IN,
  net: true,
  env: [
    ...LOGS_IN.env,
    ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
    ...["http_proxy", "https_proxy", "all_proxy", "no_proxy"],
    ...["REQUEST_METHOD", "SSL_CERT_FILE", "XDG_CACHE_HOME", "LOCALAPPDATA"],
  ],
} as const satisfies Permissions;

/** An archive that something is attached to. The bundles of a file lie beside it. */
const PLACED_ARCHIVE: Argument = {
  name: "archive",
  brief: `a path, or a reference (${PLACE})`,
  dash: "standard input",
};

/** Flags of `sign` and `attest`. */
const BUNDLING = {
  ...BUNDLE_KEY,
  bundle: {
    dash: "standard output",
    value: "file",
    brief: "the file for the bundle (default: attach it, or <archive>.sigstore.json for a file)",
  },
  ...REGISTRY,
  digest: { value: "digest", brief: "the digest that the manifest must have" },
  noCache: PULLING.noCache,
  ...LIMITS,
  ...OUTPUT,
} as const satisfies Flags;

const REGISTRY_HOST: Argument = { name: "registry", brief: "its host, with its port: host[:port]" };

const WASM_TOOLS = { run: ["wasm-tools"], env: ["PATH"] } as const satisfies Permissions;

/** The description of the command. */
export const BRIEF = "make, sign, inspect and verify wasmCloud provider archives";

const READS_KEYS = { read: true, env: KEY_VARIABLES } as const satisfies Permissions;

/** Every verb by its name. */
export const VERBS = {
  build: {
    brief: "build a provider's project, and make a signed archive of it",
    arguments: [
      {
        name: "folder",
        brief: "the project's folder (default: this one)",
        optional: true,
        dash: "refused",
      },
    ],
    flags: {
      configPath: {
        dash: "refused",
        short: "p",
        value: "path",
        brief: "the project's wasmcloud.toml, or its folder (default: in the folder)",
      },
      bin: { value: "name", brief: "the program or library to archive, of several" },
      target: {
        value: "target",
        brief: "a target, as wasmCloud or Rust names it; repeatable (default: this machine's)",
        repeatable: true,
        proposals: "targets",
      },
      allTargets: {
        brief: "build for all targets: those named, else the project's, else the usual six; " +
          "leave out what cannot be built here",
      },
      strict: { brief: "fail if a target or the WIT package would be left out" },
      noBuild: { brief: "take the binaries that are in the target folder" },
      buildFlag: {
        value: "flag",
        brief: "a flag for cargo build or go build, as in --build-flag=--locked; repeatable",
        repeatable: true,
      },
      binary: {
        short: "b",
        dash: "standard input",
        value: "path",
        brief: "a binary built elsewhere, or TARGET=PATH; repeatable",
        repeatable: true,
      },
      forceArch: BINARIES.forceArch,
      archive: {
        dash: "standard input",
        value: "path",
        brief: "an archive of the provider made elsewhere, to merge; repeatable",
        repeatable: true,
      },
      destination: {
        dash: "refused",
        value: "path",
        brief: "the archive's path; not compressed unless it ends in .gz " +
          "(default: build/<binary>.par.gz)",
      },
      provenance: {
        dash: "refused",
        value: "file",
        brief: "write what was run, with what, and what came out, as SLSA provenance, for attest",
      },
      builder: {
        value: "uri",
        brief:
          "who builds, for --provenance (default: GitHub's runner, else urn:x-par:builder:local)",
      },
      name: {
        short: "n",
        value: "name",
        brief: "the provider's display name (default: the project's)",
      },
      vendor: {
        short: "v",
        value: "vendor",
        brief: "who makes the provider (default: the project's)",
      },
      ...CLAIMS,
      ...COMPRESSION,
      ...SIGNING_KEYS,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par build",
      "par build providers/fakepay --all-targets --capid examples:payments",
    ],
    needs: { read: true, write: true, start: true },
  },
  create: {
    brief: "make a signed archive of a provider's binaries",
    flags: {
      name: { short: "n", value: "name", brief: "the provider's display name", required: true },
      vendor: { short: "v", value: "vendor", brief: "who makes the provider", required: true },
      ...CLAIMS,
      destination: {
        dash: "standard output",
        value: "path",
        brief: "the archive's path, or - for standard output (default: <binary>.par, or .par.gz)",
      },
      compress: { brief: "compress with gzip" },
      ...BINARIES,
      ...COMPRESSION,
      ...SIGNING_KEYS,
      ...OUTPUT,
    },
    examples: [
      "par create -n 'Fake Payments' -v wasmCloud -c examples:payments " +
      "-b target/release/libfakepay_provider.so --destination fakepay.par.gz --compress",
      "par create -n Echo -v Acme -b x86_64-linux=build/echo -b aarch64-linux=build/echo-arm",
    ],
    needs: { ...SIGNS, run: WASM_TOOLS.run, env: [...WASM_TOOLS.env, ...SIGNS.env] },
  },
  insert: {
    brief: "add binaries to an archive or replace them, and sign it again",
    arguments: [ARCHIVE_FILE],
    flags: {
      ...BINARIES,
      binary: { ...BINARIES.binary, required: true },
      ...COMPRESSION,
      ...RESIGNING,
    },
    examples: [
      "par insert fakepay.par.gz -a aarch64-linux -b build/libfakepay_provider.so",
      "par insert fakepay.par.gz -b x86_64-windows=fakepay.dll -i ci/issuer.nk -s ci/provider.nk",
    ],
    needs: SIGNS,
  },
  remove: {
    brief: "take binaries out of an archive, and sign it again",
    arguments: [ARCHIVE_FILE],
    flags: {
      arch: {
        short: "a",
        value: "target",
        brief: "the target to take out; repeatable",
        required: true,
        repeatable: true,
        proposals: "targets",
      },
      allowEmpty: { brief: "take out the last target too" },
      ...RESIGNING,
    },
    examples: [
      "par remove fakepay.par.gz -a x86_64-windows",
      "par remove fakepay.par -a arm-linux -a x86_64-macos -o json",
    ],
    needs: SIGNS,
  },
  merge: {
    brief: "join archives of one provider that were made on different machines",
    arguments: [{
      name: "archives",
      brief: "the archives' paths, one of which may be - for standard input",
      dash: "standard input",
      many: true,
    }],
    flags: {
      destination: {
        dash: "standard output",
        value: "path",
        brief: "the merged archive's path, or - for standard output",
        required: true,
      },
      compress: { brief: "compress with gzip (default: as the first archive is)" },
      ...COMPRESSION,
      ...RESIGNING,
    },
    examples: [
      "par merge --destination fakepay.par.gz linux.par.gz macos.par.gz",
      "par merge --destination all.par.gz --compress build/parts/*.par",
    ],
    needs: SIGNS,
  },
  extract: {
    brief: "verify an archive, and write binaries of it to files",
    arguments: [ARCHIVE],
    flags: {
      arch: {
        short: "a",
        value: "target",
        brief: "the target; repeatable (default: this machine's)",
        parse: parseTarget,
        repeatable: true,
        proposals: "targets",
      },
      all: { brief: "every target", conflicts: ["arch"] },
      output: {
        dash: "standard output",
        value: "path",
        brief: "the file to write, or a folder, or - for standard output (default: <target>.bin)",
      },
      ...PULLING,
      ...LIMITS,
      ...FORMAT,
    },
    examples: [
      "par extract fakepay.par.gz --output libfakepay_provider.so",
      "par extract fakepay.par.gz --all --output build/",
    ],
    needs: { read: true, write: true },
    remote: CONNECTS,
  },
  inspect: {
    brief: "verify archives, and show what they say",
    arguments: [ARCHIVES],
    flags: {
      jwtOnly: { brief: "print the signed token alone" },
      claimsOnly: {
        brief: "read no further than the token; the binaries are not checked",
        conflicts: ["wit"],
      },
      field: {
        value: "name",
        brief:
          "print one value alone: name, issuer, service, targets, version, size or any other " +
          "key of -o json, of an inner object as in claims.exp",
        conflicts: ["jwtOnly", "wit"],
      },
      wit: { brief: "print the WIT package as text, with wasm-tools", conflicts: ["jwtOnly"] },
      ...PULLING,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par inspect fakepay.par.gz",
      "par inspect --field version build/*.par.gz",
    ],
    needs: { read: true },
    remote: {
      ...CONNECTS,
      write: true,
      run: WASM_TOOLS.run,
      env: [...WASM_TOOLS.env, ...CONNECTS.env],
    },
  },
  verify: {
    brief: "verify archives, and check them against a policy",
    arguments: [ARCHIVES],
    flags: {
      trustedIssuer: {
        dash: "standard input",
        value: "key",
        brief: "an issuer to trust, or a file that lists one per line; repeatable",
        repeatable: true,
        env: "PAR_TRUSTED_ISSUERS",
        late: true,
        conflicts: ["policy"],
      },
      subject: { value: "key", brief: "the provider's public key that it must have" },
      requireArch: {
        value: "target",
        brief: "a target that it must have; repeatable",
        parse: parseTarget,
        repeatable: true,
        proposals: "targets",
      },
      thisHost: { brief: "it must have a binary that this machine can run" },
      maxAge: {
        value: "days",
        brief: "how long ago it may have been issued",
        parse: parseDays,
        conflicts: ["policy"],
      },
      key: {
        dash: "standard input",
        value: "key",
        brief: "a public key that a bundle must be signed with: an nkey, or a PEM file; repeatable",
        repeatable: true,
        conflicts: ["policy"],
      },
      requireAttestation: {
        value: "type",
        brief: "an attestation that it must have by one of the keys: cyclonedx, spdx, " +
          "slsa-provenance or a URI; repeatable",
        repeatable: true,
        proposals: "predicate types",
        conflicts: ["policy"],
      },
      bundle: {
        dash: "standard input",
        value: "file",
        brief: "a bundle to look at; repeatable (default: those beside the file, " +
          "<archive>.sigstore.json, or those attached in the registry)",
        repeatable: true,
      },
      policy: {
        dash: "standard input",
        value: "file",
        brief: "a policy: issuers, keys, attestations, age, what is revoked",
      },
      ...PULLING,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par verify fakepay.par.gz --trusted-issuer issuers.txt --this-host",
      "par verify fakepay.par.gz --policy policy.json -o json",
    ],
    needs: { read: true },
    remote: { ...CONNECTS, write: true },
  },
  diff: {
    brief: "verify two archives, and show what differs: claims, targets, hashes, container",
    arguments: [
      { ...ARCHIVE, name: "before" },
      { ...ARCHIVE, name: "after" },
    ],
    flags: { ...PULLING, ...LIMITS, ...OUTPUT },
    examples: [
      "par diff fakepay-1.0.par.gz fakepay-1.1.par.gz",
      "par diff registry.example/payments/fakepay:1.0 fakepay.par.gz",
    ],
    needs: { read: true },
    remote: { ...CONNECTS, write: true },
  },
  sign: {
    brief: "verify an archive, and sign it as cosign does",
    arguments: [PLACED_ARCHIVE],
    flags: BUNDLING,
    examples: [
      "par sign registry.example/payments/fakepay:1.0 --key key.pem",
      "par sign fakepay.par.gz",
    ],
    needs: SIGNS,
    remote: CONNECTS,
  },
  attest: {
    brief: "verify an archive, and sign what is said of it: its SBOM, its provenance",
    arguments: [PLACED_ARCHIVE],
    flags: {
      type: {
        value: "type",
        brief: "what the predicate is: cyclonedx, spdx, slsa-provenance, or a URI",
        required: true,
        proposals: "predicate types",
      },
      predicate: {
        dash: "standard input",
        value: "file",
        brief: "the predicate, as JSON",
        required: true,
      },
      ...BUNDLING,
    },
    examples: [
      "par attest registry.example/payments/fakepay:1.0 --type cyclonedx --predicate sbom.json",
      "par attest fakepay.par.gz --type slsa-provenance --predicate provenance.json --key key.pem",
    ],
    needs: SIGNS,
    remote: CONNECTS,
  },
  attachments: {
    brief: "list what is attached to an archive, or read one of it; signatures are not verified",
    arguments: [PLACED_ARCHIVE],
    flags: {
      get: { value: "digest", brief: "read the attachment with this digest, as the list shows it" },
      destination: {
        dash: "standard output",
        value: "path",
        brief: "the file to write what --get reads to, or - for standard output (default: -)",
      },
      ...PULLING,
      ...OUTPUT,
    },
    examples: [
      "par attachments registry.example/payments/fakepay:1.0",
      "par attachments fakepay.par.gz -o json",
    ],
    needs: { read: true, write: true },
    remote: CONNECTS,
  },
  push: {
    brief: "verify an archive, and push it to a registry",
    arguments: [{ name: "reference", brief: `where to: ${PLACE}` }, {
      name: "archive",
      brief: "the archive's path, or - for standard input",
      dash: "standard input",
    }],
    flags: {
      tag: { value: "tag", brief: "another tag for the archive; repeatable", repeatable: true },
      config: {
        dash: "standard input",
        short: "c",
        value: "file",
        brief: "the configuration blob (default: {})",
      },
      annotation: {
        short: "a",
        value: "key=value",
        brief: "an annotation of the manifest; repeatable",
        repeatable: true,
      },
      monolithicPush: {
        brief: "send the archive in one request",
        env: "WASH_MONOLITHIC_PUSH",
      },
      chunkSize: {
        value: "size",
        brief: "the most bytes that one request sends (default: 4M)",
        parse: parseSize,
      },
      sign: { brief: "sign the archive, as par sign does" },
      sbom: {
        dash: "standard input",
        value: "file",
        brief: "an SBOM to sign and attach, CycloneDX or SPDX as JSON; repeatable",
        repeatable: true,
      },
      provenance: {
        dash: "standard input",
        value: "file",
        brief: "a SLSA provenance to sign and attach, as JSON",
      },
      ...BUNDLE_KEY,
      ...REGISTRY,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par push registry.example/payments/fakepay:1.0 fakepay.par.gz",
      "par push localhost:5000/fakepay:1.0 fakepay.par.gz --tag 1 -a org.example.build=42",
    ],
    needs: {
      ...CONNECTS,
      read: true,
      write: true,
      env: [...CONNECTS.env, ...KEY_VARIABLES, "SOURCE_DATE_EPOCH"],
    },
  },
  pull: {
    brief: "pull an archive from a registry, and verify it",
    arguments: [{ name: "reference", brief: `where it is: ${PLACE}; @digest instead of :tag` }],
    flags: {
      destination: {
        dash: "standard output",
        value: "path",
        brief: "the file to write, or - for standard output (default: <repository>.par or .par.gz)",
      },
      withAttachments: {
        brief: "put signatures and attestations beside the file, as <file>.sigstore.json",
      },
      ...PULLING,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par pull registry.example/payments/fakepay:1.0",
      "par pull oci-archive:fakepay.oci.tar:1.0 --destination fakepay.par.gz",
    ],
    needs: { ...CONNECTS, read: true, write: true },
  },
  copy: {
    brief: "verify an archive in a registry, and copy it with its signatures to another place",
    arguments: [
      { name: "from", brief: `what to copy: ${PLACE}; @digest instead of :tag` },
      { name: "to", brief: `where to: ${PLACE}` },
    ],
    flags: {
      ...REFERENCES,
      ...CONNECTION,
      fromInsecure: { brief: "use plain HTTP to read" },
      toInsecure: { brief: "use plain HTTP to write" },
      ...READING,
      ...LIMITS,
      ...OUTPUT,
    },
    examples: [
      "par copy registry.example/payments/fakepay:1.0 oci-archive:fakepay.oci.tar:1.0",
      "par copy oci-archive:fakepay.oci.tar:1.0 registry.internal/payments/fakepay:1.0",
    ],
    needs: { ...CONNECTS, read: true, write: true },
  },
  list: {
    brief: "list the tags of a repository",
    arguments: [{
      name: "repository",
      brief: "host/repository, oci:FOLDER or oci-archive:FILE",
    }],
    flags: { registry: REFERENCES.registry, ...LOGIN, ...OUTPUT },
    examples: [
      "par list registry.example/payments/fakepay",
      "par list oci-archive:fakepay.oci.tar -o json",
    ],
    needs: { ...CONNECTS, read: true },
  },
  login: {
    brief: "check a name and a password with a registry, and store them for par, docker and podman",
    arguments: [REGISTRY_HOST],
    flags: {
      ...LOGIN,
      passwordStdin: {
        brief: "read the password from standard input, as -p - does",
        conflicts: ["password"],
      },
      ...OUTPUT,
    },
    examples: [
      "par login registry.example",
      "par login registry.example -u me --password-stdin <token.txt",
    ],
    needs: { ...CONNECTS, read: true, write: true },
  },
  logout: {
    brief: "remove the name and the password that login stored for a registry",
    arguments: [REGISTRY_HOST],
    flags: OUTPUT,
    examples: ["par logout registry.example", "par logout localhost:5000 -o json"],
    needs: { ...LOGS_IN, read: true, write: true },
  },
  keys: {
    brief: "make, list and show the keys that archives are signed with",
    verbs: {
      gen: {
        brief: "make a key, put its seed into the key directory, and print its public half",
        arguments: [{
          name: "kind",
          brief:
            "what it is for: account, cluster, module, server, operator, user, service or curve; or " +
            "provider, component, host or x25519",
          proposals: "key kinds",
        }],
        flags: {
          name: {
            value: "name",
            brief: "the key file's name without _<kind>.nk (default: the user's for an account, " +
              "else the public key)",
          },
          ...KEY_DIRECTORY,
          ...OUTPUT,
        },
        examples: ["par keys gen account", "par keys gen provider --name libfakepay_provider"],
        needs: { ...READS_KEYS, write: true },
      },
      list: {
        brief: "list the keys in the key directory",
        flags: { ...KEY_DIRECTORY, ...OUTPUT },
        examples: ["par keys list", "par keys list -d ci/keys -o json"],
        needs: READS_KEYS,
      },
      get: {
        brief: "print a key's seed, which is a secret",
        arguments: [{ name: "name", brief: "the key file's name, with or without .nk" }],
        flags: {
          public: { brief: "print its public half alone" },
          pem: { brief: "with --public, in the form that openssl and cosign read" },
          ...KEY_DIRECTORY,
          ...OUTPUT,
        },
        examples: [
          "par keys get --public --pem kevin_account >kevin.pem",
          "par keys get libfakepay_provider_service",
        ],
        needs: READS_KEYS,
      },
    },
  },
  doctor: {
    brief: "check what par needs: Deno, permissions, keys, wasm-tools, credentials, a registry",
    arguments: [{ ...REGISTRY_HOST, optional: true }],
    flags: { ...KEY_DIRECTORY, ...LOGIN, ...OUTPUT },
    examples: ["par doctor", "par doctor registry.example"],
    needs: {
      ...CONNECTS,
      read: true,
      run: WASM_TOOLS.run,
      env: [...CONNECTS.env, ...WASM_TOOLS.env, ...KEY_VARIABLES],
    },
  },
  completions: {
    brief: "print a script that completes par's command lines in a shell",
    arguments: [{
      name: "shell",
      brief: `one of ${SHELLS.join(", ")}`,
      proposals: "shells",
    }],
    flags: {},
    examples: ["source <(par completions bash)", "par completions fish | source"],
    needs: {},
  },
} as const satisfies Readonly<Record<string, Verb | Group>>;

/** The verb that a command line names, and the words that name it. */
export interface Found {
  readonly path: readonly string[];
  readonly verb: Verb | Group;
}

/**
 * Finds the verb, or the group of verbs, that a command line begins with.
 *
 * @param words The words behind the program's name.
 */
export function findVerb(words: readonly string[]): Found | undefined {
  return findOrdered(inOrder(words));
}

function findOrdered([name = "", inner = ""]: readonly string[]): Found | undefined {
  const all: Readonly<Record<string, Verb | Group>> = VERBS;
  const verb = Object.hasOwn(all, name) ? all[name] : undefined;
  if (!verb) return undefined;
  if (!("verbs" in verb) || !Object.hasOwn(verb.verbs, inner)) return { path: [name], verb };
  return { path: [name, inner], verb: verb.verbs[inner] as Verb };
}

/** The groups in which `wash` has these verbs: `wash par create`, `wash reg push`. */
export const WASH_GROUPS: readonly string[] = ["par", "reg"];

/** The flags that `wash` takes anywhere, also before the verb. The first one takes a value. */
export const WASH_FLAGS = { output: ["-o", "--output"], none: ["--experimental"] } as const;

/**
 * Rewrites a command line of `wash`, so that scripts and Makefiles can call `par` instead. It removes the
 * group (`wash par create`) and `--experimental`, which means nothing here, moves `-o` behind the verb,
 * and replaces `-V`.
 *
 * @param words The words behind the program's name.
 */
export function inOrder(words: readonly string[]): readonly string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const rest = words.filter((word, at) => at > end || !isOneOf(WASH_FLAGS.none, word));
  let format: string | undefined;
  for (let word; (word = rest[0]) !== undefined; rest.shift()) {
    const [, joined] = /^(?:-o|--output)=?(.+)$/.exec(word) ?? [];
    if (joined !== undefined) format = joined;
    else if (isOneOf(WASH_FLAGS.output, word) && rest.length > 1) format = rest.splice(1, 1)[0];
    else if (!WASH_GROUPS.includes(word)) break;
  }
  if (rest[0] === "-V") rest[0] = "--version";
  if (format === undefined) return rest;
  const { path, verb } = findOrdered(rest) ?? { path: [] };
  // The --output of extract is a path.
  const isFormat = verb && "flags" in verb && "format" in verb.flags;
  const before = Math.max(path.length, 1);
  return [
    ...rest.slice(0, before),
    ...[isFormat ? "--format" : "--output", format],
    ...rest.slice(before),
  ];
}

function isOneOf(all: readonly string[], word: string): boolean {
  return all.includes(word);
}

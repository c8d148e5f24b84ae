/**
 * Flags of verbs that speak to a registry; light, as every verb that reads an archive has them.
 *
 * @module
 */

import type { Flag } from "./verb.ts";

/** The values of {@linkcode REGISTRY_FLAGS}. */
export interface RegistryFlags {
  readonly allowLatest?: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly insecure?: boolean;
  readonly insecureSkipTlsVerify?: boolean;
  readonly caCert?: string;
}

/** The values of {@linkcode PULL_FLAGS}. */
export interface PullFlags extends RegistryFlags {
  readonly digest?: string;
  readonly cache?: boolean;
}

/** The flags of every verb that speaks to a registry. */
export const REGISTRY_FLAGS: readonly Flag[] = [
  { flags: "--allow-latest", description: "accept the tag latest, or none" },
  {
    flags: "-u, --user <name>",
    description: "the name to log in with (env: WASH_REG_USER; default: Docker's configuration)",
  },
  { flags: "-p, --password <password>", description: "the password (env: WASH_REG_PASSWORD)" },
  { flags: "--insecure", description: "speak plain HTTP" },
  { flags: "--insecure-skip-tls-verify", description: "accept any certificate" },
  { flags: "--ca-cert <file>", description: "an authority to trust, in PEM form" },
];

/** The flags of verbs that read from a registry. */
export const PULL_FLAGS: readonly Flag[] = [
  ...REGISTRY_FLAGS,
  { flags: "-d, --digest <digest>", description: "the manifest's digest it must have" },
  { flags: "--no-cache", description: "neither read nor keep blobs in the cache" },
];

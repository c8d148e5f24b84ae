/**
 * Flags of verbs that speak to a registry; light, as every verb that reads an archive has them.
 *
 * @module
 */

import type { Command } from "npm:commander@15.1.0";

/** The values of the flags that {@linkcode addRegistryOptions} adds. */
export interface RegistryFlags {
  readonly allowLatest?: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly insecure?: boolean;
  readonly insecureSkipTlsVerify?: boolean;
  readonly caCert?: string;
}

/** The values of the flags that {@linkcode addPullOptions} adds. */
export interface PullFlags extends RegistryFlags {
  readonly digest?: string;
  readonly cache?: boolean;
}

/** Adds the flags of every verb that speaks to a registry. */
export function addRegistryOptions(command: Command): Command {
  return command
    .option("--allow-latest", "accept the tag latest, or none")
    .option(
      "-u, --user <name>",
      "the name to log in with (env: WASH_REG_USER; default: Docker's configuration)",
    )
    .option("-p, --password <password>", "the password (env: WASH_REG_PASSWORD)")
    .option("--insecure", "speak plain HTTP")
    .option("--insecure-skip-tls-verify", "accept any certificate")
    .option("--ca-cert <file>", "an authority to trust, in PEM form");
}

/** Adds the flags of verbs that read from a registry. */
export function addPullOptions(command: Command): Command {
  return addRegistryOptions(command)
    .option("-d, --digest <digest>", "the manifest's digest it must have")
    .option("--no-cache", "neither read nor keep blobs in the cache");
}

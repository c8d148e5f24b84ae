/**
 * Settings of every function that uses a registry.
 *
 * @module
 */

import type { Credentials } from "./credentials.ts";
import type { Clock } from "./retry.ts";
import type { TransportOptions } from "./transport.ts";

/** How to reach a registry, and how often to try. */
export interface RegistryOptions extends TransportOptions {
  /**
   * Uses plain HTTP. Anybody on the network path can read the credentials and change the content. A
   * registry on loopback needs no such setting.
   */
  readonly insecure?: boolean | undefined;
  /**
   * The credentials, or a function that finds them for a registry's host and a repository. The
   * function is called once, and only if the registry asks for credentials. If it throws
   * `ERR_REGISTRY_CREDENTIALS`, a token server is asked for a token without credentials first.
   */
  readonly credentials?:
    | Credentials
    | ((registry: string, repository: string) => Promise<Credentials | undefined>)
    | undefined;
  /** How often a request is tried before it counts as failed; 6 if left out. */
  readonly tries?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; 60 000 if left out. */
  readonly stallTimeout?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Is told, in one sentence, why the work waits or goes another way than usual. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Is told how many bytes were transferred, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Time and randomness; the machine's own if left out. */
  readonly clock?: Clock | undefined;
}

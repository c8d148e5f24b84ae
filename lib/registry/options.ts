/**
 * Settings that every piece of work with a registry takes.
 *
 * @module
 */

import type { Credentials } from "./credentials.ts";
import type { Clock } from "./retry.ts";
import type { TrustOptions } from "./transport.ts";

/** How to reach a registry, and how patiently. */
export interface RegistryOptions extends TrustOptions {
  /** Speaks plain HTTP. Whoever is on the way can read the credentials, and change all. */
  readonly insecure?: boolean | undefined;
  /**
   * The credentials, or what finds them for a registry's host; it is asked once, and only where the
   * registry wants any.
   */
  readonly credentials?:
    | Credentials
    | ((registry: string) => Promise<Credentials | undefined>)
    | undefined;
  /** How often a request is tried before it counts as failed; 6 where left out. */
  readonly tries?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; 60 000 where left out. */
  readonly stallTimeout?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes went over the wire, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Time and chance; the machine's own where left out. */
  readonly clock?: Clock | undefined;
}

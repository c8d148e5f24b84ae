/**
 * The interface that every language's builder has.
 *
 * @module
 */

import type { Target } from "../../target/target.ts";
import type { BuildTarget } from "./triples.ts";

/** A project's sources, and the tools on this machine that build them. */
export interface Sources {
  /** The target to build for by default. */
  readonly own: BuildTarget;
  /** This machine's Rust triple, if the language is Rust. */
  readonly host?: string | undefined;
  /** The folder for binaries that are built for this machine. */
  readonly outputFolder: string;
  /**
   * Finds out how to build for a target.
   *
   * @returns The job, or why it cannot be built.
   */
  find(target: BuildTarget): Promise<Job | Missing>;
  /**
   * Finds the binary of a target that was built before.
   *
   * @returns The binary, or why there is none.
   * @throws {ParError} `ERR_PROJECT_AMBIGUOUS` if two binaries for the target differ.
   */
  findBuilt(target: BuildTarget): Promise<BuiltBinary | Missing>;
  /** The targets whose folder of binaries exists. */
  builtTargets(): Promise<readonly BuildTarget[]>;
}

/** A binary that was built before. */
export interface BuiltBinary {
  /** Its path. */
  readonly source: string;
  /** The target that it was built for. */
  readonly target: Target;
}

/** A build that can be started. */
export interface Job {
  /** The target to build for. */
  readonly target: Target;
  /** The command line for messages. */
  readonly command: string;
  /** For each program that it runs, the command that prints its version. */
  readonly versionCommands: readonly (readonly string[])[];
  /** Whether it uses another toolchain than the project's, which may not be able to build it. */
  readonly isOther: boolean;
  /**
   * Builds the binary.
   *
   * @returns The path of the binary.
   * @throws {ParError} Of the category `failed`.
   */
  run(): Promise<string>;
}

/** Why a target cannot be built, or its binary was not found. */
export interface Missing {
  /** The target as its tools name it. */
  readonly name: string;
  /** What to do, as the end of a sentence. */
  readonly advice: string;
}

/** Whether a target is missing. */
export function isMissing(found: object): found is Missing {
  return "advice" in found;
}

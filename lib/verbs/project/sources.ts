/**
 * What the builders of every language have in common.
 *
 * @module
 */

import type { Target } from "../../target/target.ts";
import type { BinaryInput } from "../binary.ts";
import type { BuildTarget } from "./triples.ts";

/** A project's sources, and the tools that build them here. */
export interface Sources {
  /** What is built where no target is named: this machine's. */
  readonly own: BuildTarget;
  /** This machine's Rust triple, where its language has such names. */
  readonly host?: string | undefined;
  /** The folder that builds for this machine put binaries into. */
  readonly outputFolder: string;
  /**
   * Finds who builds a target.
   *
   * @returns The job, or why there is none.
   */
  find(target: BuildTarget): Promise<Job | Missing>;
  /**
   * Finds a target's binary where builds put it.
   *
   * @returns The binary, or why there is none.
   */
  findBuilt(target: BuildTarget): Promise<BinaryInput | Missing>;
  /**
   * Finds the binaries of all targets where builds put them.
   *
   * @param except Targets that are not looked for.
   * @throws {ParError} `ERR_PROJECT_AMBIGUOUS` where two are for the same target and differ.
   */
  findAllBuilt(except: readonly Target[]): Promise<readonly BinaryInput[]>;
}

/** A build that can be started. */
export interface Job {
  /** What it builds for. */
  readonly target: Target;
  /** The command line, as messages show it. */
  readonly command: string;
  /** Whether a failure may be the toolchain's, because it is not the project's usual one. */
  readonly isSecond: boolean;
  /**
   * Builds.
   *
   * @returns The path of the binary.
   * @throws {ParError} `ERR_BUILD_FAILED`, `ERR_BUILD_TOOL_MISSING`, `ERR_ABORTED`.
   */
  run(): Promise<string>;
}

/** Why something cannot be had here. */
export interface Missing {
  /** The target as its tools name it. */
  readonly name: string;
  /** What to do, as the end of a sentence. */
  readonly advice: string;
}

/** Tells what is there from what is missing. */
export function isMissing(found: object): found is Missing {
  return "advice" in found;
}

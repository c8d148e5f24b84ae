/**
 * Asks the reference implementations what they make of a file, through the program beside this one.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Claims } from "../../lib/signing/claims.ts";
import { REFERENCE, testWith } from "../examples/_example.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { type Output, runTool, temporaryFolder } from "../_tools.ts";

/** A release line of `provider-archive`. */
export type Release = "0.8" | "0.16";

/** The release lines of `wascap`. */
export const WASCAPS: readonly string[] = ["0.11", "0.15", "0.16"];

/** What a reference knows of an entry. */
export interface EntryDigest {
  readonly size: number;
  readonly sha256: string;
}

/** What a reference sees in an archive. */
export interface Loaded {
  readonly name: string;
  readonly vendor: string;
  readonly rev: number | null;
  readonly ver: string | null;
  readonly capid: string | null;
  readonly schema: unknown;
  readonly targets: Readonly<Record<string, EntryDigest>>;
  readonly wit: EntryDigest | null;
  readonly claims: Claims;
  /** The token; null from 0.8, which does not keep it. */
  readonly jwt: string | null;
}

/** A folder with the files that every question may name. */
export interface Bench {
  /** The folder that the program is run in. */
  readonly folder: string;
  /** Writes a file in the folder, and gives its path. */
  put(name: string, content: Uint8Array | string): Promise<string>;
  /** Asks for something that the reference has to be able to do. */
  ask<Answer>(...args: readonly string[]): Promise<Answer>;
  /** Asks for something that the reference has to refuse, and gives its reason. */
  refused(...args: readonly string[]): Promise<string>;
  /** Loads an archive. */
  load(release: Release, file: string): Promise<Loaded>;
  /** Writes an archive under the published keys, and gives its path. */
  write(release: Release, out: string, ...args: readonly string[]): Promise<string>;
}

/** Declares a test, ignored where the references cannot be built. */
export function testWithReference(name: string, fn: (bench: Bench) => Promise<void>): void {
  testWith([REFERENCE], name, async () => {
    await using temporary = await temporaryFolder();
    const { path: folder } = temporary;
    const put = async (name: string, content: Uint8Array | string): Promise<string> => {
      const path = `${folder}/${name}`;
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
      return path;
    };
    await put("issuer.nk", ISSUER.seed);
    await put("subject.nk", SUBJECT.seed);
    const run = (args: readonly string[]): Promise<Output> =>
      runTool(REFERENCE.path, args, { cwd: folder });
    const ask = async <Answer>(...args: readonly string[]): Promise<Answer> => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
      return JSON.parse(stdout);
    };
    await fn({
      folder,
      put,
      ask,
      refused: async (...args) => {
        const { code, stdout, stderr } = await run(args);
        assert.equal(code, 1, `${args.join(" ")}: ${stdout}${stderr}`);
        return (JSON.parse(stdout) as { error: string }).error;
      },
      load: (release, file) => ask("load", release, file),
      write: async (release, out, ...args) => {
        const keys = ["--issuer", "issuer.nk", "--subject", "subject.nk"];
        const { file } = await ask<{ file: string }>(
          ...["write", release, "--out", out, ...keys, ...args],
        );
        return `${folder}/${file}`;
      },
    });
  });
}

/** The claims as a release reports them: the later one has dropped the contract's id. */
export function claimsFor(release: Release, claims: Claims): unknown {
  const { capid: _capid, ...later } = claims.wascap;
  return release === "0.8" ? claims : { ...claims, wascap: later };
}

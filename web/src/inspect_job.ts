/**
 * Inspects an archive, and reports each step.
 *
 * @module
 */

import { hashKey } from "../../lib/archive/entries.ts";
import { type EntryConsumer, readArchive } from "../../lib/archive/reader.ts";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../../lib/target/executable.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import type { Target } from "../../lib/target/target.ts";
import { hashSource } from "../../lib/bytes/hashed_source.ts";
import { MAX_BUNDLE_SIZE } from "../../lib/signing/bundle.ts";
import type { CandidateBundle } from "../../lib/verbs/bundle_search.ts";
import { checkPolicy, needsDigest } from "../../lib/verbs/policy.ts";
import { parsePolicy } from "../../lib/verbs/policy_file.ts";
import { type InspectionEvent, type InspectJob, paced, toRefusal } from "./protocol.ts";
import { ANY_TIME } from "../../lib/signing/token.ts";
import { findStatedToken, judgeToken } from "./stated_token.ts";

/**
 * Inspects an archive. Reports a failure as an event, and throws no error.
 *
 * An archive that has expired is read to its end too, so that the page can say whether it is intact.
 *
 * @param source The archive.
 * @param job The policy, and the bundles that came with it.
 * @param tell Is called with each step.
 */
export async function inspectArchive(
  source: ArchiveSource,
  { policy: policyText, bundles }: InspectJob,
  tell: (event: InspectionEvent) => void,
): Promise<void> {
  let current: string | undefined;
  let claimsFirst = false;
  let read = 0;
  try {
    const policy = policyText === undefined ? undefined : await parsePolicy(policyText);
    const hashed = policy && needsDigest(policy) ? hashSource(source) : undefined;
    const stated = await findStatedToken(source);
    const size = await source.size?.();
    if (size !== undefined) tell({ kind: "size", size });
    if (stated) {
      claimsFirst = stated.first;
      tell({ kind: "token", report: await judgeToken(stated.token) });
    }
    const consume: EntryConsumer = (entry, size) => {
      // If the claims came first, the reader has compared each earlier entry with them.
      if (claimsFirst && current !== undefined) tell({ kind: "matched", key: current });
      const key = current = hashKey(entry);
      tell({ kind: "entry", key, size });
      if (entry.kind === "wit") return undefined;
      const head = new Head(size);
      return (chunk): void => {
        if (head.add(chunk)) tell(describeHeader(entry.target, head.bytes));
      };
    };
    const tellProgress = paced((read) => tell({ kind: "progress", read }));
    const onProgress = (bytes: number): void => tellProgress(read = bytes);
    const archive = await readArchive(
      (hashed ?? source).open(),
      { ...ANY_TIME, onProgress },
      consume,
    );
    const policyChecks = policy && await checkPolicy(
      archive,
      { ...policy, bundles: readBundles(bundles) },
      { digest: (await hashed?.hashed())?.digest },
    );
    tell({
      kind: "done",
      archive,
      report: await judgeToken(archive.token),
      ...(policyChecks && { policyChecks }),
    });
  } catch (error) {
    const refusal = toRefusal(error);
    const blamed = refusal.code === "ERR_HASH_MISMATCH" && claimsFirst;
    tell({
      kind: "failed",
      refusal,
      read,
      ...(blamed && current !== undefined && { key: current }),
    });
  }
}

/** Reads the bundles. Of one that is too large, reads just enough to show that. */
async function* readBundles(files: readonly File[]): AsyncGenerator<CandidateBundle> {
  for (const file of files) {
    const bytes = new Uint8Array(await file.slice(0, MAX_BUNDLE_SIZE + 1).arrayBuffer());
    yield { bytes, place: file.name };
  }
}

function describeHeader(target: Target, head: Uint8Array): InspectionEvent {
  const executable = readExecutable(head);
  return executable
    ? {
      kind: "header",
      key: target,
      header: `${executable.format} for ${executable.machine}`,
      fits: runsOn(executable, target),
    }
    : { kind: "header", key: target, header: "neither ELF, Mach-O nor PE" };
}

/** Keeps the first bytes of a binary, in which its header is. */
class Head {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(Math.min(size, EXECUTABLE_HEADER_LENGTH));
  }

  /** Takes bytes. Gives true once, when there are enough. */
  add(chunk: Uint8Array): boolean {
    if (this.#length === this.#bytes.length) return false;
    const part = chunk.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
    return this.#length === this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

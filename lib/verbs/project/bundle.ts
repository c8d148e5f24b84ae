/**
 * The contents of an archive that is about to be made, from wherever they come.
 *
 * @module
 */

import { EntryCursor } from "../../archive/cursor.ts";
import { WIT_ENTRY } from "../../archive/entries.ts";
import {
  type MeasuredContent,
  measureWit,
  type PackedArchive,
  type ProviderDescription,
  signContents,
  type Signing,
  type SignOptions,
  statedClaims,
  type WriteProgress,
} from "../../archive/pack.ts";
import { readArchive, type ReadOptions, type VerifiedArchive } from "../../archive/reader.ts";
import { blobSource } from "../../bytes/source.ts";
import { ParError } from "../../errors.ts";
import { type Claims, formatClaims } from "../../signing/claims.ts";
import { fileSource, writeFile } from "../../system/files.ts";
import type { Target } from "../../target/target.ts";
import type { OpenBinary } from "../binary.ts";
import { addContents, DESCRIPTION, type Fact, requireAgreement } from "../merge.ts";
import { openArchive, requireIdentity } from "../rewrite.ts";

/** Settings that have to do with the archive alone. */
export interface BundleOptions {
  /** When the archive begins to be valid; at once where left out. */
  readonly notBefore?: Date | undefined;
  /** When it ends to be valid; never where left out. */
  readonly expires?: Date | undefined;
  /** Seconds since the epoch to state as the time of issue; see `Signing`. */
  readonly sourceDateEpoch?: number | undefined;
  /** Deflate's effort from 1 to 9; 9 where left out. */
  readonly compressLevel?: number | undefined;
  /** How many threads compress; as many as cores where left out. */
  readonly jobs?: number | undefined;
  /** Bounds on the archives that are read. */
  readonly limits?: ReadOptions["limits"];
  /** Stops the work; an archive that was there stays. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the contents are written, and of how many. */
  readonly onProgress?: WriteProgress | undefined;
}

/** The archive that a bundle was written to. */
export interface BundleResult {
  /** The claims that it has. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in it, sorted. */
  readonly targets: readonly Target[];
  /** Whether the archive that was there already says the same, and was left as it is. */
  readonly upToDate: boolean;
}

/** Who signs; a new key is stored when it is confirmed, as `Signing` has it. */
export type BuildSigners = Pick<Signing, "issuer" | "subject" | "confirmKeys">;

/** What a project and an archive of it made elsewhere have to say alike. */
const FACTS: readonly Fact[] = [...DESCRIPTION, ["revision", ({ wascap }) => wascap.rev]];

/** An archive's contents, gathered one after the other, then signed once. */
export class Bundle implements AsyncDisposable {
  readonly #stated: Pick<SignOptions, "wascap" | "exp" | "nbf">;
  readonly #from: string;
  readonly #options: BundleOptions;
  readonly #added = new Map<string, MeasuredContent>();
  /** What archives had. */
  readonly #taken = new Map<string, MeasuredContent>();
  readonly #archives: { readonly path: string; readonly claims: Claims }[] = [];
  readonly #cursors = new AsyncDisposableStack();

  /**
   * @param provider What the claims say.
   * @param from The file that says so.
   * @param options Settings of the archive.
   * @throws {ParError} `ERR_OPTION_INVALID`.
   */
  constructor(provider: ProviderDescription, from: string, options: BundleOptions) {
    const { expires, notBefore } = options;
    this.#stated = statedClaims({ ...provider, expires, notBefore });
    this.#from = from;
    this.#options = options;
  }

  get #contents(): ReadonlyMap<string, MeasuredContent> {
    return new Map([...this.#taken, ...this.#added]);
  }

  /** The targets that there is a binary for. */
  get targets(): readonly Target[] {
    return [...this.#contents.keys()].filter((key) => key !== WIT_ENTRY) as Target[];
  }

  /** Adds binaries by target, in place of those that archives had. */
  add(binaries: readonly OpenBinary[]): void {
    for (const { target, content } of binaries) this.#added.set(target, content);
  }

  /**
   * Verifies an archive of the same provider, and adds its contents. A binary that was added before
   * stays.
   *
   * @throws {ParError} Any code of the category `untrusted`, `ERR_MERGE_CONFLICT`,
   * `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_ABORTED`.
   */
  async addArchive(path: string): Promise<void> {
    const source = fileSource(path);
    const { limits, signal } = this.#options;
    const cursor = this.#cursors.use(new EntryCursor(source, { limits, signal }));
    const { archive: { claims }, contents } = await openArchive(source, cursor, this.#options);
    const ours = {
      path: this.#from,
      claims: { wascap: { ...this.#stated.wascap, target_hashes: {} } },
    };
    requireAgreement(FACTS, ours, { path, claims });
    addContents(this.#taken, contents, path);
    this.#archives.push({ path, claims });
  }

  /** Sets the WIT package, in place of one that an archive had. */
  async setWit(wit: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#added.set(WIT_ENTRY, await measureWit(blobSource(wit, "the WIT package")));
  }

  /**
   * Signs the contents and writes the archive, unless the one that is there says the same of them.
   *
   * @param path The archive's path; it is compressed if it ends in `.gz`.
   * @param signers Who signs.
   * @throws {ParError} `ERR_KEY_ROLE`, `ERR_KEY_MISMATCH`, `ERR_OPTION_INVALID`,
   * `ERR_FILE_CHANGED`, `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`.
   */
  async write(path: string, signers: BuildSigners): Promise<BundleResult> {
    for (const { path, claims } of this.#archives) requireIdentity(claims, signers, path);
    const compress = path.endsWith(".gz");
    let kept: BundleResult | undefined;
    const keep = new Error("the archive that is there says the same");
    try {
      return await writeFile(path, async (sink) => {
        const packed = await signContents({
          ...this.#options,
          ...signers,
          ...this.#stated,
          ...this.#validity,
          contents: this.#contents,
          compress,
          patch: sink.patch,
        });
        const before = await this.#read(path);
        if (before?.compressed === compress && this.#isSame(before, packed)) {
          const { claims, token } = before;
          kept = { claims, token, targets: packed.targets, upToDate: true };
          throw keep;
        }
        for await (const chunk of packed.bytes) await sink.write(chunk);
        const { claims, token, targets } = packed;
        return { claims, token, targets, upToDate: false };
      }, { signal: this.#options.signal });
    } catch (error) {
      if (error === keep && kept) return kept;
      throw error;
    }
  }

  /** What is common to the windows of all archives, as `merge` has it. */
  get #validity(): Pick<SignOptions, "exp" | "nbf"> {
    const all = [this.#stated, ...this.#archives.map(({ claims }) => claims)];
    const latest = Math.max(...all.map(({ nbf = -Infinity }) => nbf));
    const earliest = Math.min(...all.map(({ exp = Infinity }) => exp));
    return {
      ...(Number.isFinite(latest) && { nbf: latest }),
      ...(Number.isFinite(earliest) && { exp: earliest }),
    };
  }

  /** The archive that is there, if it can be trusted. */
  async #read(path: string): Promise<VerifiedArchive | undefined> {
    const { limits, signal } = this.#options;
    try {
      return await readArchive(fileSource(path).open(), { limits, signal, allowEarly: true });
    } catch (error) {
      if (error instanceof ParError && error.code !== "ERR_ABORTED") return undefined;
      throw error;
    }
  }

  /** Whoever asks for the same bytes every time gets them; else the time of issue may be another. */
  #isSame(before: VerifiedArchive, { claims, token }: PackedArchive): boolean {
    if (this.#options.sourceDateEpoch !== undefined) return before.token === token;
    const timeless = ({ jti: _jti, iat: _iat, ...rest }: Claims): string =>
      formatClaims({ ...rest, jti: "", iat: 0 });
    return timeless(before.claims) === timeless(claims);
  }

  /** Closes the archives that contents come from. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cursors.disposeAsync();
  }
}

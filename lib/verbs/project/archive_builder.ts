/**
 * Collects the contents of an archive from binaries and other archives, and writes it.
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
} from "../../archive/pack.ts";
import { readArchive, type VerifiedArchive } from "../../archive/reader.ts";
import { blobSource } from "../../bytes/source.ts";
import { inFile, ParError } from "../../errors.ts";
import { type Claims, formatClaims } from "../../signing/claims.ts";
import { fileSource, writeFile } from "../../system/files.ts";
import type { Target } from "../../target/target.ts";
import type { OpenBinary } from "../binary.ts";
import { addContents, commonValidity, DESCRIPTION, type Fact, requireAgreement } from "../merge.ts";
import { openArchive, requireIdentity, type Resigning } from "../rewrite.ts";

/** Settings of the archive: when it is valid, and how it is written. */
export type ArchiveOptions =
  & Pick<Signing, "notBefore" | "expires">
  & Omit<Resigning, "issuer" | "subject" | "newIdentity" | "confirmKeys">;

/** The archive that was written. */
export interface BuiltArchive {
  /** The signed claims. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in the archive, sorted. */
  readonly targets: readonly Target[];
  /** Whether an archive with the same content existed and was not written again. */
  readonly upToDate: boolean;
}

/** The keys that sign. A new key is stored by `confirmKeys`; see `Signing`. */
export type BuildSigners = Pick<Signing, "issuer" | "subject" | "confirmKeys">;

/** The claims that must be equal in a project and in archives of it that were made elsewhere. */
const FACTS: readonly Fact[] = [...DESCRIPTION, ["revision", ({ wascap }) => wascap.rev]];

/** Collects the contents of an archive, then signs and writes it. */
export class ArchiveBuilder implements AsyncDisposable {
  readonly #stated: Pick<SignOptions, "wascap" | "exp" | "nbf">;
  readonly #from: string;
  readonly #options: ArchiveOptions;
  readonly #added = new Map<string, MeasuredContent>();
  /** The contents of other archives. */
  readonly #taken = new Map<string, MeasuredContent>();
  readonly #archives: { readonly path: string; readonly claims: Claims }[] = [];
  readonly #cursors = new AsyncDisposableStack();

  /**
   * @param provider The description of the provider.
   * @param from The path of the file with this description.
   * @param options Settings of the archive.
   * @throws {ParError} `ERR_OPTION_INVALID`.
   */
  constructor(provider: ProviderDescription, from: string, options: ArchiveOptions) {
    const { expires, notBefore } = options;
    this.#stated = statedClaims({ ...provider, expires, notBefore });
    this.#from = from;
    this.#options = options;
  }

  get #contents(): ReadonlyMap<string, MeasuredContent> {
    return new Map([...this.#taken, ...this.#added]);
  }

  /** The targets that have a binary. */
  get targets(): readonly Target[] {
    return [...this.#contents.keys()].filter((key) => key !== WIT_ENTRY) as Target[];
  }

  /** Adds binaries. They replace those of other archives. */
  add(binaries: readonly OpenBinary[]): void {
    for (const { target, content } of binaries) this.#added.set(target, content);
  }

  /**
   * Verifies an archive of the same provider, and adds its contents. They do not replace binaries that
   * were added with {@linkcode add}.
   *
   * @throws {ParError} Of the category `untrusted` if the archive is refused, else of the category
   * `failed`; `ERR_MERGE_CONFLICT` if it describes another provider.
   */
  async addArchive(path: string): Promise<void> {
    const source = fileSource(path);
    const { limits, signal } = this.#options;
    const cursor = this.#cursors.use(new EntryCursor(source, { limits, signal }));
    const { archive: { claims }, contents } = await openArchive(source, cursor, this.#options)
      .catch((error) => {
        throw error instanceof ParError ? inFile(error, path) : error;
      });
    const ours = {
      path: this.#from,
      claims: { wascap: { ...this.#stated.wascap, target_hashes: {} } },
    };
    requireAgreement(FACTS, ours, { path, claims });
    addContents(this.#taken, contents, path);
    this.#archives.push({ path, claims });
  }

  /** Sets the WIT package. It replaces that of another archive. */
  async setWit(wit: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#added.set(WIT_ENTRY, await measureWit(blobSource(wit, "the WIT package")));
  }

  /**
   * Signs the contents and writes the archive, unless the same archive exists already.
   *
   * @param path The archive's path. The archive is compressed if it ends in `.gz`.
   * @param signers The keys that sign.
   * @throws {ParError} Of the category `usage` for a wrong option, else of the category `failed`.
   */
  async write(path: string, signers: BuildSigners): Promise<BuiltArchive> {
    for (const { path, claims } of this.#archives) requireIdentity(claims, signers, path);
    const compress = path.endsWith(".gz");
    let kept: BuiltArchive | undefined;
    const keep = new Error("the archive is up to date");
    try {
      return await writeFile(path, async (sink) => {
        const packed = await signContents({
          ...this.#options,
          ...signers,
          ...this.#stated,
          ...commonValidity([this.#stated, ...this.#archives.map(({ claims }) => claims)]),
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
      }, { signal: this.#options.signal, onWarning: this.#options.onWarning });
    } catch (error) {
      if (error === keep && kept) return kept;
      throw error;
    }
  }

  /** The existing archive, if there is one and it can be verified. */
  async #read(path: string): Promise<VerifiedArchive | undefined> {
    const { limits, signal } = this.#options;
    try {
      return await readArchive(fileSource(path).open(), { limits, signal, allowEarly: true });
    } catch (error) {
      if (error instanceof ParError && error.code !== "ERR_ABORTED") return undefined;
      throw error;
    }
  }

  /** Compares two archives. With `sourceDateEpoch` the tokens must be equal, else the time may differ. */
  #isSame(before: VerifiedArchive, { claims, token }: PackedArchive): boolean {
    if (this.#options.sourceDateEpoch !== undefined) return before.token === token;
    const timeless = ({ jti: _jti, iat: _iat, ...rest }: Claims): string =>
      formatClaims({ ...rest, jti: "", iat: 0 });
    return timeless(before.claims) === timeless(claims);
  }

  /** Closes the archives. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cursors.disposeAsync();
  }
}

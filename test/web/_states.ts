/**
 * The states that the page can be in, and how to get there: for what must hold in all of them.
 *
 * @module
 */

import { archiveOf, entriesOf, gzipped, payloadFor, signToken, tokenOf } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { ISSUER, OTHER_ISSUER, otherIssuerPair } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";
import { type ArchiveServer, serveArchives, SHARED } from "./_archive_server.ts";
import { elf, LIBRARIES, MACHINE, providerArchive } from "./_binaries.ts";
import { choose, loadPolicy, type Page, type Site, trust, verdictOf } from "./_browser.ts";

import { bundleOf, strictPolicy } from "./_policies.ts";

/** What getting to a state needs. */
export interface Stage {
  readonly site: Site;
  readonly page: Page;
  /** The address of a server of archives. */
  readonly address: string;
}

/** Gets a new page, which is the one for files, into a state. */
export type Enter = (stage: Stage) => Promise<void>;

const HOUR = 3600;
const now = (): number => Math.floor(Date.now() / 1000);

type Content = Uint8Array | string;

/** Has the page, which trusts the usual issuer, check an archive. */
function check(content: () => Content | Promise<Content>, ...trusted: readonly string[]): Enter {
  return async ({ site, page }) => {
    for (const key of trusted) await trust(page, key, "Payments team, Acme");
    await choose(page, await site.write("fakepay.par.gz", await content()));
    await verdictOf(page);
  };
}

/** The states by name. */
export const STATES: Readonly<Record<string, Enter>> = {
  "nothing chosen, nobody trusted": () => Promise.resolve(),
  "nothing chosen, two trusted": async ({ page }) => {
    await trust(page, ISSUER.publicKey, "Payments team, Acme");
    await trust(page, OTHER_ISSUER.publicKey, "");
  },
  "a key that is none": ({ page }) => trust(page, "nonsense", ""),
  "checking": async ({ page, site, address }) => {
    await fetchFrom(page, `${new URL("url.html", site.servedPage)}#${address}/endless.par.gz`);
    await page.locator("#targets tr").first().waitFor();
  },
  "cancelled": async (stage) => {
    await STATES["checking"]?.(stage);
    await stage.page.getByRole("button", { name: "Cancel" }).click();
  },
  "yes, without end": check(providerArchive, ISSUER.publicKey),
  "yes, until a day": check(
    () => providerArchive({ bend: (payload) => payload["exp"] = now() + 49 * HOUR }),
    ISSUER.publicKey,
  ),
  "yes, all unfolded": async (stage) => {
    const { page } = stage;
    await check(providerArchive, ISSUER.publicKey)(stage);
    await page.getByRole("button", { name: "Show hashes" }).click();
    for (const fold of await page.locator("details > summary").all()) await fold.click();
    await page.getByRole("button", { name: "Copy claims" }).click();
    await page.locator("#copied:not(:empty)").waitFor();
  },
  "no, after another verdict": async (stage) => {
    await check(providerArchive, ISSUER.publicKey)(stage);
    await choose(stage.page, await stage.site.write("other.par.gz", tampered(await others())));
    await stage.page.locator("#verdict-title").filter({ hasText: /^No/ }).waitFor();
  },
  "you decide, nobody trusted": check(providerArchive),
  "you decide, another trusted": check(providerArchive, OTHER_ISSUER.publicKey),
  "the question of trust": async (stage) => {
    await check(providerArchive)(stage);
    await stage.page.getByRole("button", { name: "Trust this issuer…" }).click();
  },
  "careful, another machine": check(
    () =>
      providerArchive({ binaries: { ...LIBRARIES, "aarch64-linux": elf(MACHINE.x86_64, 5000) } }),
    ISSUER.publicKey,
  ),
  "you decide, another machine": check(() =>
    providerArchive({ binaries: { ...LIBRARIES, "aarch64-linux": elf(MACHINE.x86_64, 5000) } })
  ),
  "careful, no binaries": check(() => providerArchive({ binaries: {} }), ISSUER.publicKey),
  "a WIT package, an unknown header, another system": check(async () => {
    const binaries = { "world.wasm": "wit", "sparc64-solaris": "a script" };
    return gzipped(concat(
      tarEntry({ name: "claims.jwt", content: await tokenOf({ binaries }) }),
      tarEntry({ name: "world.wasm", content: "wit" }),
      tarEntry({ name: "sparc64-solaris.bin", content: "a script" }),
      TAR_END,
    ));
  }, ISSUER.publicKey),
  "no, expired": check(
    () => providerArchive({ bend: (payload) => payload["exp"] = now() - 200 }),
    ISSUER.publicKey,
  ),
  "not yet": check(
    () => providerArchive({ bend: (payload) => payload["nbf"] = now() + 49 * HOUR }),
    ISSUER.publicKey,
  ),
  "no, changed": check(
    () =>
      providerArchive({
        bend: (payload) => payload["wascap"].target_hashes["x86_64-linux"] = "A".repeat(64),
      }),
    ISSUER.publicKey,
  ),
  "no, changed, claims behind": check(async () => {
    const [claims, ...binaries] = await entriesOf({
      bend: (payload) => payload["wascap"].target_hashes["aarch64-linux"] = "A".repeat(64),
    });
    return concat(...binaries, claims ?? "", TAR_END);
  }, ISSUER.publicKey),
  "no, one added": check(
    () =>
      providerArchive({
        bend: (payload) => delete payload["wascap"].target_hashes["x86_64-linux"],
      }),
    ISSUER.publicKey,
  ),
  "no, one removed": check(
    () =>
      providerArchive({
        bend: (payload) => payload["wascap"].target_hashes["x86_64-macos"] = "A".repeat(64),
      }),
    ISSUER.publicKey,
  ),
  "no, forged": check(async () => {
    const [header, , signature] = (await signToken(payloadFor(LIBRARIES))).split(".");
    const payload = payloadFor(LIBRARIES);
    payload["wascap"].vendor = "Mallory";
    const [, forged] = (await signToken(payload)).split(".");
    return await providerArchive({ token: `${header}.${forged}.${signature}` });
  }, ISSUER.publicKey),
  "no, cut off": check(async () => (await providerArchive()).subarray(0, 200_000)),
  "no, something behind": check(async () => concat(await archiveOf(), "more")),
  "no, two entries of one name": check(async () => {
    const [claims, binary, other] = await entriesOf();
    return concat(claims ?? "", binary ?? "", binary ?? "", other ?? "", TAR_END);
  }),
  "no archive": check(() => "just a text, and long enough for a tar header: ".repeat(20)),
  "an empty file": check(() => ""),
  "long names": check(async () =>
    providerArchive({
      signer: await otherIssuerPair(),
      binaries: { [`riscv64-${"x".repeat(60)}`]: elf(MACHINE.aarch64, 5000) },
      bend: (payload) => {
        payload["iss"] = OTHER_ISSUER.publicKey;
        payload["wascap"].name = "A provider with a name of many words ".repeat(4).trim();
        payload["wascap"].vendor = "W".repeat(120);
      },
    })
  ),
  "yes, by a policy with bundles": async ({ site, page }) => {
    const archive = await providerArchive();
    await loadPolicy(page, await site.write("policy.json", strictPolicy()));
    await choose(
      page,
      await site.write("fakepay.par.gz", archive),
      await site.write("fakepay.par.gz.sigstore.json", await bundleOf(archive)),
      await site.write("fakepay.par.gz.sigstore.2.json", await bundleOf(archive, "cyclonedx")),
    );
    await verdictOf(page);
  },
  "no, by a policy": async ({ site, page }) => {
    await loadPolicy(page, await site.write("policy.json", strictPolicy()));
    await choose(page, await site.write("fakepay.par.gz", await providerArchive()));
    await verdictOf(page);
  },
  "a policy that is none": async ({ site, page }) => {
    await loadPolicy(page, await site.write("policy.json", "{}"));
  },
  "careful, a bundle without a policy": async ({ site, page }) => {
    const archive = await providerArchive();
    await trust(page, ISSUER.publicKey, "Payments team, Acme");
    await choose(
      page,
      await site.write("fakepay.par.gz", archive),
      await site.write("fakepay.par.gz.sigstore.json", await bundleOf(archive)),
    );
    await verdictOf(page);
  },
  "a bundle alone": async ({ site, page }) => {
    await choose(page, await site.write("fakepay.par.gz.sigstore.json", "{}"));
    await page.locator("#choose-error:not(:empty)").waitFor();
  },
  "an address, not given yet": async ({ page, site }) => {
    await page.goto(`${new URL("url.html", site.servedPage)}`);
  },
  "an address that has nothing": async ({ page, site, address }) => {
    await fetchFrom(page, `${new URL("url.html", site.servedPage)}#${address}/nothing.par.gz`);
    await verdictOf(page);
  },
};

async function fetchFrom(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.locator("#result").waitFor();
}

/** An archive by an issuer whom nobody trusts. */
async function others(): Promise<Uint8Array<ArrayBuffer>> {
  return await providerArchive({
    signer: await otherIssuerPair(),
    bend: (payload) => payload["iss"] = OTHER_ISSUER.publicKey,
  });
}

function tampered(archive: Uint8Array): Uint8Array {
  return archive.subarray(0, archive.length / 2);
}

/** Starts the server of archives that the states need: one that never ends, and nothing else. */
export async function serveStates(): Promise<ArchiveServer> {
  const archive = await providerArchive();
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let asked = 0;
  const server = serveArchives((path) => {
    if (path !== "/endless.par.gz") return undefined;
    // The page looks at the claims first, with a request of its own.
    if (++asked % 2 === 1) return new Response(archive, { headers: SHARED });
    let mine: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(archive.slice(0, archive.length / 2));
        open.add(mine = controller);
      },
      cancel: () => void open.delete(mine),
    });
    return new Response(body, { headers: { ...SHARED, "content-length": `${archive.length}` } });
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      for (const controller of open) controller.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

import assert from "node:assert/strict";
import { ISSUER } from "../_keys.ts";
import { LIBRARIES, providerArchive, writeLargeArchive } from "./_binaries.ts";
import {
  checkOf,
  choose,
  hasFirefox,
  launchFirefox,
  openSite,
  PATIENCE,
  reload,
  targetOf,
  trust,
  verdictOf,
} from "./_browser.ts";
import { bundleOf, strictPolicy } from "./_policies.ts";

Deno.test({
  name: "the page judges archives in Firefox (needs Firefox 153)",
  ignore: !hasFirefox,
}, async (t) => {
  await using site = await openSite(launchFirefox);

  await t.step("a good one, and saves from it", async () => {
    await using opened = await site.open();
    const { page, complaints } = opened;
    await trust(page, ISSUER.publicKey, "Example Corp");
    await choose(page, await site.write("good.par.gz", await providerArchive()));
    assert.equal(await verdictOf(page), "Yes: signed by Example Corp, valid without end");
    assert.equal((await checkOf(page, "Headers match targets")).tone, "good");
    const binary = LIBRARIES["x86_64-linux"] as Uint8Array;
    using watcher = Deno.watchFs(site.folder);
    await page.getByRole("button", { name: "Save x86_64-linux" }).click();
    const saved = await appearing(watcher, `${site.folder}/good.x86_64-linux.bin`, binary.length);
    assert.deepEqual(saved, binary);
    await reload(page);
    assert.equal(await page.locator("#issuers .key").innerText(), ISSUER.publicKey);
    assert.deepEqual(complaints, []);
  });

  await t.step("one of an issuer who is not trusted, until the person trusts", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await choose(page, await site.write("good.par.gz", await providerArchive()));
    assert.match(await verdictOf(page), /^You decide: /);
    await page.getByRole("button", { name: "Trust this issuer…" }).click();
    await page.keyboard.type("Example Corp");
    await page.keyboard.press("Enter");
    assert.match(await verdictOf(page), /^Yes: signed by Example Corp, /);
  });

  await t.step("one that was changed after signing", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const archive = await providerArchive({
      bend: (payload) => payload["wascap"].target_hashes["x86_64-linux"] = "A".repeat(64),
    });
    await choose(page, await site.write("tampered.par.gz", archive));
    assert.equal(await verdictOf(page), "No: x86_64-linux was changed after signing");
    assert.equal((await targetOf(page, "x86_64-linux")).saves, false);
  });

  await t.step("one that has expired", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const archive = await providerArchive({
      bend: (payload) => payload["exp"] = Math.floor(Date.now() / 1000) - 200,
    });
    await choose(page, await site.write("expired.par.gz", archive));
    assert.match(
      await verdictOf(page),
      /^No: it expired 3 minutes ago \(.+\sUTC\); ask the issuer/,
    );
  });

  await t.step("one of 100 MiB", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const path = `${site.folder}/large.par`;
    await writeLargeArchive(path, 100);
    await choose(page, path);
    assert.match(await verdictOf(page), /^You decide: /);
    assert.equal((await targetOf(page, "x86_64-linux")).text, "As signed");
  });

  await t.step("one with its bundles, by a policy", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const archive = await providerArchive();
    // The driver hears of one file chooser of a page, and of no second one.
    await page.locator("#policy-file").setInputFiles(
      await site.write("policy.json", strictPolicy()),
    );
    await page.getByText("policy.json decides, until you remove it.").waitFor();
    await choose(
      page,
      await site.write("good.par.gz", archive),
      await site.write("good.par.gz.sigstore.json", await bundleOf(archive)),
      await site.write("good.par.gz.sigstore.2.json", await bundleOf(archive, "cyclonedx")),
    );
    assert.match(await verdictOf(page), /^Yes: signed by Payments team, Acme, /);
  });

  await t.step("and connects to nothing", async () => {
    await using opened = await site.open(site.servedPage);
    const { page } = opened;
    const sent = await page.evaluate(
      (target) => fetch(target, { mode: "no-cors" }).then(() => "sent", () => "blocked"),
      site.servedPage,
    );
    assert.equal(sent, "blocked");
  });
});

/** Waits for a file of a length. The driver does not tell of what Firefox saves from a blob. */
async function appearing(
  watcher: Deno.FsWatcher,
  path: string,
  length: number,
): Promise<Uint8Array> {
  const patience = setTimeout(() => watcher.close(), PATIENCE);
  try {
    for await (const _event of watcher) {
      const bytes = await Deno.readFile(path).catch(() => undefined);
      if (bytes?.length === length) return bytes;
    }
  } finally {
    clearTimeout(patience);
  }
  assert.fail(`${path} did not appear`);
}

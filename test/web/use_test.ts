/// <reference lib="dom" />
import assert from "node:assert/strict";
import { hostTarget } from "../../lib/target/target.ts";
import { ISSUER, OTHER_ISSUER } from "../_keys.ts";
import { LIBRARIES, providerArchive } from "./_binaries.ts";
import {
  choose,
  explanationOf,
  hasChromium,
  openSite,
  type Page,
  reload,
  savedBy,
  type Site,
  trust,
  verdictOf,
} from "./_browser.ts";

/** Where the picture of the page goes, for the README; it is not kept where left out. */
const PICTURE = Deno.env.get("PAR_PICTURE");

Deno.test({ name: "the page is used (needs Chromium)", ignore: !hasChromium }, async (t) => {
  await using site = await openSite();
  const good = await site.write("fakepay.par.gz", await providerArchive());
  const tampered = await site.write(
    "tampered.par.gz",
    await providerArchive({
      bend: (payload) => payload["wascap"].target_hashes["x86_64-linux"] = "A".repeat(64),
    }),
  );

  await t.step("with the keyboard alone: choose, trust, unfold, save", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const chooser = page.waitForEvent("filechooser");
    await tabTo(page, "Choose a file…");
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(good);
    assert.match(await verdictOf(page), /^You decide: /);
    assert.match((await explanationOf(page)).detail, /You trust nobody yet\./);
    assert.equal(await focused(page), "fakepay.par.gz");
    await tabTo(page, "Trust this issuer…");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Example Corp");
    await page.keyboard.press("Enter");
    assert.match(await verdictOf(page), /^Yes: signed by Example Corp, /);
    await tabTo(page, "Save aarch64-linux");
    const saved = await savedBy(page, () => page.keyboard.press("Enter"));
    assert.deepEqual(saved.bytes, LIBRARIES["aarch64-linux"]);
    await tabTo(page, "Schema of the link definition");
    await page.keyboard.press("Enter");
    assert(await page.locator("#schema pre").isVisible());
  });

  await t.step("by dropping a file", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const bytes = [...await Deno.readFile(good)];
    await page.evaluate((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "dropped.par.gz"));
      dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, cancelable: true }));
    }, bytes);
    assert(await page.getByText("Drop it to check it").isVisible());
    await page.evaluate((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "dropped.par.gz"));
      dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
    }, bytes);
    assert.match(await verdictOf(page), /^You decide/);
    assert(!await page.getByText("Drop it to check it").isVisible());
    assert.equal(await page.locator("#result-name").innerText(), "dropped.par.gz");
  });

  await t.step("one archive after another", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "");
    for (
      const [path, verdict] of [[tampered, /^No: x86_64-linux was/], [good, /^Yes/]] as const
    ) {
      await choose(page, path);
      await page.locator("#verdict-title").filter({ hasText: verdict }).waitFor();
    }
    assert.equal(await page.title(), "Yes – fakepay.par.gz");
    assert.equal(
      await page.locator("#previous").innerText(),
      "Before: tampered.par.gz. No: x86_64-linux was changed after signing.",
    );
  });

  await t.step("the verdict is the first thing, and stays in sight", async () => {
    await using opened = await site.open(undefined, { viewport: { width: 360, height: 640 } });
    const { page } = opened;
    await choose(page, tampered);
    await verdictOf(page);
    const inSight = (): Promise<boolean> =>
      page.locator("#verdict-title").evaluate((title) => {
        const { top, bottom } = title.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      });
    assert(await inSight());
    await page.locator("#provider-card").evaluate((card) =>
      card.scrollIntoView({ behavior: "instant", block: "start" })
    );
    assert(await page.evaluate(() => scrollY > 300));
    assert(await inSight());
  });

  await t.step("the target of this computer is marked", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await choose(page, good);
    await verdictOf(page);
    const marked = page.locator("#targets tr").filter({
      has: page.getByText("this computer").locator("visible=true"),
    });
    assert.deepEqual(await marked.locator(".name").allInnerTexts(), [hostTarget()]);
  });

  await t.step("the list of issuers lasts, exports, and imports", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "Example  Corp #1");
    await trust(page, `  ${OTHER_ISSUER.publicKey} `, "");
    await reload(page);
    const listed = (): Promise<string[]> => page.locator("#issuers .key").allInnerTexts();
    assert.deepEqual(await listed(), [ISSUER.publicKey, OTHER_ISSUER.publicKey]);
    const exported = await savedBy(
      page,
      () => page.getByRole("button", { name: "Export the list" }).click(),
    );
    const text = new TextDecoder().decode(exported.bytes);
    assert.equal(text, `${ISSUER.publicKey} # Example Corp #1\n${OTHER_ISSUER.publicKey}\n`);

    await using fresh = await site.open();
    const list = await site.write("issuers.txt", `# ours\n\n${text}AAAA # broken\n`);
    const chooser = fresh.page.waitForEvent("filechooser");
    await fresh.page.getByRole("button", { name: "Import a list…" }).click();
    await (await chooser).setFiles(list);
    await fresh.page.getByText("Imported 2 keys").waitFor();
    assert.deepEqual(await fresh.page.locator("#issuers .key").allInnerTexts(), await listed());
    assert.match(await fresh.page.locator("#issuer-error").innerText(), /^Cannot .+"AAAA"/);
  });

  await t.step("a key that is none is refused where it was typed", async () => {
    await using opened = await site.open();
    const { page } = opened;
    for (const key of ["", "nonsense", ISSUER.publicKey.replace("7", "6"), OTHER_ISSUER.seed]) {
      await trust(page, key, "");
      assert.match(await page.locator("#issuer-error").innerText(), /^Cannot /);
      assert.equal(await page.locator("#issuers li").count(), 0);
      assert.equal(
        await page.getByLabel("Issuer’s public key (A…)").getAttribute("aria-invalid"),
        "true",
      );
    }
    // The last of them was a seed: neither a text nor the field shows it.
    const shown = await page.locator("body").innerText() +
      await page.getByLabel("Issuer’s public key (A…)").inputValue();
    assert(!shown.includes(OTHER_ISSUER.seed.slice(4, 20)), shown);
    assert.match(shown, /it is a seed/);
  });

  await t.step("its picture", () => takePicture(site, good));
});

/** Presses Tab until something has the focus that is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press("Tab");
    if (await focused(page) === name) return;
  }
  assert.fail(`Tab never came to ${name}`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const active = document.activeElement as HTMLElement | null;
    return active?.getAttribute("aria-label") ?? active?.innerText ?? "";
  });
}

async function takePicture(site: Site, path: string): Promise<void> {
  await using opened = await site.open(undefined, { viewport: { width: 960, height: 945 } });
  const { page } = opened;
  await trust(page, ISSUER.publicKey, "Example Corp");
  await choose(page, path);
  assert.match(await verdictOf(page), /^Yes/);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const png = await page.screenshot(PICTURE === undefined ? {} : { path: PICTURE });
  assert.deepEqual([...png.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
}

/// <reference lib="dom" />
import assert from "node:assert/strict";
import axeCore from "npm:axe-core@4.14.1";
import { ISSUER, OTHER_ISSUER } from "../_keys.ts";
import { elf, LIBRARIES, MACHINE, providerArchive } from "./_binaries.ts";
import {
  choose,
  hasChromium,
  openSite,
  type Page,
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
  const doubtful = await site.write(
    "doubtful.par.gz",
    await providerArchive({
      binaries: { ...LIBRARIES, "aarch64-linux": elf(MACHINE.x86_64, 5000) },
    }),
  );
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
    assert.equal(await verdictOf(page), "Verified, from an issuer you have not listed");
    assert.equal(await focused(page), "fakepay.par.gz");
    await tabTo(page, "Trust this issuer…");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Example Corp");
    await page.keyboard.press("Enter");
    assert.equal(await verdictOf(page), "Verified");
    await tabTo(page, "Schema of the link definition");
    await page.keyboard.press("Enter");
    assert(await page.locator("#schema pre").isVisible());
    await tabTo(page, "Save aarch64-linux");
    const saved = await savedBy(page, () => page.keyboard.press("Enter"));
    assert.deepEqual(saved.bytes, LIBRARIES["aarch64-linux"]);
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
    assert(await page.getByText("Drop to inspect").isVisible());
    await page.evaluate((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "dropped.par.gz"));
      dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
    }, bytes);
    assert.match(await verdictOf(page), /^Verified/);
    assert(!await page.getByText("Drop to inspect").isVisible());
    assert.equal(await page.locator("#result-name").innerText(), "dropped.par.gz");
  });

  await t.step("one archive after another", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "");
    for (
      const [path, verdict] of [[tampered, /^Not to be trusted/], [good, /^Verified$/]] as const
    ) {
      await choose(page, path);
      await page.locator("#verdict-title").filter({ hasText: verdict }).waitFor();
    }
    assert.equal(await page.title(), "Verified – fakepay.par.gz");
  });

  await t.step("the list of issuers lasts, exports, and imports", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "Example  Corp #1");
    await trust(page, `  ${OTHER_ISSUER.publicKey} `, "");
    await page.reload();
    const listed = (): Promise<string[]> => page.locator("#issuers .key").allInnerTexts();
    assert.deepEqual(await listed(), [ISSUER.publicKey, OTHER_ISSUER.publicKey]);
    const exported = await savedBy(
      page,
      () => page.getByRole("button", { name: "Export" }).click(),
    );
    const text = new TextDecoder().decode(exported.bytes);
    assert.equal(text, `${ISSUER.publicKey} # Example Corp #1\n${OTHER_ISSUER.publicKey}\n`);

    await using fresh = await site.open();
    const list = await site.write("issuers.txt", `# ours\n\n${text}AAAA # broken\n`);
    const chooser = fresh.page.waitForEvent("filechooser");
    await fresh.page.getByRole("button", { name: "Import…" }).click();
    await (await chooser).setFiles(list);
    await fresh.page.getByText("2 imported").waitFor();
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
      assert.equal(await page.getByLabel("Public key (A…)").getAttribute("aria-invalid"), "true");
    }
    // The last of them was a seed: neither a text nor the field shows it.
    const shown = await page.locator("body").innerText() +
      await page.getByLabel("Public key (A…)").inputValue();
    assert(!shown.includes(OTHER_ISSUER.seed.slice(4, 20)), shown);
    assert.match(shown, /it is a seed/);
  });

  for (const scheme of ["light", "dark"] as const) {
    await t.step(`axe-core finds nothing, ${scheme}`, async () => {
      await using opened = await site.open(undefined, { colorScheme: scheme });
      const { page } = opened;
      assert.deepEqual(await violations(page), []);
      await trust(page, "nonsense", "");
      for (const path of [good, doubtful, tampered]) {
        await choose(page, path);
        await page.locator("#result-name").filter({ hasText: path.split("/").pop() ?? "" })
          .waitFor();
        await verdictOf(page);
        await page.locator("details").evaluateAll((all) =>
          all.forEach((each) => (each as HTMLDetailsElement).open = true)
        );
        assert.deepEqual(await violations(page), []);
      }
    });
  }

  await t.step("nothing is wider than a phone", async () => {
    await using opened = await site.open(undefined, { viewport: { width: 320, height: 640 } });
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "A note that is long enough to need a second line");
    await choose(page, good);
    await verdictOf(page);
    const [inner = Infinity, outer = 0] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    assert(inner <= outer, `${inner} px in ${outer} px`);
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

/** What axe-core has against the page as it is, in short. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeCore.source);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof axeCore };
    const { violations } = await axe.run();
    return violations.map(({ id, impact, nodes }) =>
      `${impact} ${id}: ${nodes.map(({ html }) => html).join(" ")}`
    );
  });
}

async function takePicture(site: Site, path: string): Promise<void> {
  await using opened = await site.open(undefined, { viewport: { width: 960, height: 1290 } });
  const { page } = opened;
  await trust(page, ISSUER.publicKey, "Example Corp");
  await choose(page, path);
  assert.equal(await verdictOf(page), "Verified");
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    document.getElementById("result-name")?.scrollIntoView({ behavior: "instant" });
  });
  const png = await page.screenshot(PICTURE === undefined ? {} : { path: PICTURE });
  assert.deepEqual([...png.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
}

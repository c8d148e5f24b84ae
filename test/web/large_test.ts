/// <reference lib="dom" />
import assert from "node:assert/strict";
import { ISSUER } from "../_keys.ts";
import { writeLargeArchive } from "./_binaries.ts";
import {
  choose,
  hasChromium,
  openSite,
  type Page,
  savedBy,
  targetOf,
  trust,
  verdictOf,
} from "./_browser.ts";
import { MemoryWatch } from "./_memory.ts";

const MIB = 1024 * 1024;

/** Far below the archive's size, and above what a collector of garbage may leave lying about. */
const FLAT = 80 * MIB;

/** The length, in MiB, of a binary that is large enough to go to its file as it is read. */
const SAVED = 70;

Deno.test({
  name: "the page reads an archive of 300 MiB in flat memory (needs Chromium)",
  ignore: !hasChromium,
}, async (t) => {
  await using site = await openSite();
  const path = `${site.folder}/large.par`;
  await writeLargeArchive(path, 300);

  await t.step("with progress, and without a jump of what is on the page", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "");
    const memory = await MemoryWatch.begin(site.browser);
    await watch(page);
    await choose(page, path);
    assert.match(await verdictOf(page), /^Yes/);
    assert((await targetOf(page, "x86_64-linux")).saves);
    const { bars, states, shift } = await page.evaluate(() => globalThis.seen);
    assert(bars.length > 10, `the bar had ${bars.length} values`);
    assert(bars.every((value, at) => value >= (bars[at - 1] ?? 0)), `the bar went back: ${bars}`);
    assert.deepEqual(states, ["Waiting", "Reading…", "As signed"]);
    assert(shift < 0.01, `what is on the page moved: ${shift}`);
    assertFlat(await memory.growth());
  });

  await t.step("and saves from it, to memory of the browser's or to a file", async () => {
    await using opened = await site.open(site.servedPage);
    const { page } = opened;
    const less = `${site.folder}/less.par`;
    await writeLargeArchive(less, 2 * SAVED);
    await choose(page, less);
    await verdictOf(page);
    const save = page.getByRole("button", { name: "Save aarch64-linux" });

    // The origin's private files stand in for the file that a person would have picked.
    await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const file = await folder.getFileHandle("picked", { create: true });
      Object.assign(globalThis, { showSaveFilePicker: () => Promise.resolve(file) });
    });
    const memory = await MemoryWatch.begin(site.browser);
    await save.click();
    await save.filter({ hasText: /^\d+ %$/ }).waitFor();
    await save.filter({ hasText: /^Save$/ }).waitFor();
    assertFlat(await memory.growth());
    const written = await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      return (await (await folder.getFileHandle("picked")).getFile()).size;
    });
    assert.equal(written, SAVED * MIB);

    await page.evaluate(() => Object.assign(globalThis, { showSaveFilePicker: undefined }));
    const saved = await savedBy(page, () => save.click());
    assert.equal(saved.name, "less.aarch64-linux.bin");
    assert.equal(saved.bytes.length, SAVED * MIB);
  });

  await t.step("and stops when the person has had enough", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await choose(page, path);
    const cancel = page.getByRole("button", { name: "Cancel" });
    await page.locator("#progress-text").filter({ hasText: /^[1-9]\d?\s%/ }).waitFor();
    await cancel.press("Enter");
    assert.equal(await verdictOf(page), "Cancelled: there is no answer");
    assert.equal(
      await page.locator("#targets-note").innerText(),
      "You cancelled before the end, so none of them was checked.",
    );
    assert.equal(
      await page.locator("#provider-note").innerText(),
      "The issuer signed this. You cancelled before the binaries were checked.",
    );
    assert.equal(await cancel.isVisible(), false);
    assert.equal((await targetOf(page, "x86_64-linux")).saves, false);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "result-name");
    const read = await page.locator("#progress-text").innerText();
    // The worker's end is told a moment later.
    if (page.workers().length > 0) await page.workers()[0]?.waitForEvent("close");
    await choose(page, path);
    assert.match(await verdictOf(page), /^You decide/);
    assert.notEqual(await page.locator("#progress-text").innerText(), read);
  });
});

function assertFlat(growth: number): void {
  assert(growth < FLAT, `memory grew by ${(growth / MIB).toFixed()} MiB`);
}

/** What {@linkcode watch} sees. */
interface Seen {
  /** The values of the archive's bar. */
  readonly bars: number[];
  /** The states of the last target, in turn. */
  readonly states: string[];
  /** The score of layout shifts (Layout Instability, CLS), once the targets are listed. */
  shift: number;
}

declare global {
  var seen: Seen;
}

/** Has the page note what changes on it. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Seen = globalThis.seen = { bars: [], states: [], shift: 0 };
    const bar = document.getElementById("progress") as HTMLProgressElement;
    new MutationObserver(() => {
      if (bar.position >= 0 && seen.bars.at(-1) !== bar.position) seen.bars.push(bar.position);
      const state = document.querySelector("#targets > tr:nth-last-child(2) .text")?.textContent;
      if (state && seen.states.at(-1) !== state) seen.states.push(state);
    }).observe(document.body, {
      attributes: true,
      childList: true,
      characterData: true,
      subtree: true,
    });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (seen.states.length > 0) seen.shift += (entry as unknown as { value: number }).value;
      }
    }).observe({ type: "layout-shift" });
  });
}

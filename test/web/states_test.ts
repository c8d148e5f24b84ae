/// <reference lib="dom" />
import assert from "node:assert/strict";
import axeCore from "npm:axe-core@4.14.1";
import { hasChromium, openSite, type Page } from "./_browser.ts";
import { serveStates, STATES } from "./_states.ts";

Deno.test({ name: "every state of the page (needs Chromium)", ignore: !hasChromium }, async (t) => {
  await using site = await openSite();
  await using server = await serveStates();
  for (const [name, enter] of Object.entries(STATES)) {
    await t.step(`${name}: axe-core finds nothing, and nothing is wider than a phone`, async () => {
      await using opened = await site.open();
      const { page } = opened;
      await enter({ site, page, address: server.address });
      await page.locator("details").evaluateAll((all) =>
        all.forEach((each) => (each as HTMLDetailsElement).open = true)
      );
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const width of [1280, 320]) {
          await page.setViewportSize({ width, height: 800 });
          assert.deepEqual(await violations(page), [], `${colorScheme}, ${width} px`);
        }
      }
      const [inner = Infinity, outer = 0] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
      ]);
      assert(inner <= outer, `${inner} px in ${outer} px`);
    });
  }
});

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

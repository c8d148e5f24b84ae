/**
 * Takes pictures of every state of the page, light and dark, at three widths, to be looked at.
 *
 * @module
 */

import { openSite } from "./_browser.ts";
import { serveStates, STATES } from "./_states.ts";

const [folder, only = ""] = Deno.args;
if (folder === undefined) {
  console.error("Usage: gallery.ts FOLDER [PART OF A STATE'S NAME]");
  Deno.exit(2);
}
await Deno.mkdir(folder, { recursive: true });
await using site = await openSite();
await using server = await serveStates();
for (const [name, enter] of Object.entries(STATES)) {
  if (!name.includes(only)) continue;
  await using opened = await site.open();
  const { page } = opened;
  await enter({ site, page, address: server.address });
  const file = `${folder}/${name.replaceAll(/\W+/g, "-")}`;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [360, 800, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${file}.${colorScheme}.${width}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  await page.screenshot({ path: `${file}.print.png`, fullPage: true });
  console.log(file);
}

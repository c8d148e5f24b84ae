/**
 * The built page in a browser: Debian's Chromium, or its Firefox, without a window.
 *
 * @module
 */

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  firefox,
  type Page,
} from "npm:playwright-core@1.64.1";
import { build } from "../../web/build.ts";
import { isInstalled, temporaryFolder } from "../_tools.ts";

export type { Browser, BrowserContext, Page };

const CHROMIUM = "/usr/bin/chromium";
const FIREFOX = "/usr/bin/firefox-esr";

/** Milliseconds to wait for what must come: generous, as the machine may have other work. */
export const PATIENCE = 180_000;

/** Whether there is a browser to test with; `scripts/install-programs.sh` installs one. */
export const hasChromium: boolean = isInstalled(CHROMIUM);

/** The oldest Firefox that the driver was tried with. It sends commands that version 140 does not know. */
const OLDEST_FIREFOX = 153;

/** Whether there is a Firefox that the driver can drive, too. */
export const hasFirefox: boolean = isInstalled(FIREFOX) && firefoxVersion() >= OLDEST_FIREFOX;

function firefoxVersion(): number {
  const { stdout } = new Deno.Command(FIREFOX, { args: ["--version"], stderr: "null" })
    .outputSync();
  return Number(/[0-9]+/.exec(new TextDecoder().decode(stdout))?.[0]);
}

/** The built page, on disk and on a server of its own, and a browser. */
export interface Site extends AsyncDisposable {
  readonly browser: Browser;
  /** A folder to put archives in. */
  readonly folder: string;
  /** The page for files, from disk. */
  readonly filePage: string;
  /** The page for files, from a server. */
  readonly servedPage: string;
  /** Writes a file into the folder, and gives its path. */
  write(name: string, content: Uint8Array | string): Promise<string>;
  /** Opens a page in a profile of its own, and closes it at the end of the block. */
  open(address?: string, options?: BrowserContextOptions): Promise<AsyncDisposable & OpenPage>;
}

/** A page, and what it did that no page should. */
export interface OpenPage {
  readonly page: Page;
  /** Errors that nothing caught, and complaints of the browser. */
  readonly complaints: readonly string[];
}

/** Starts a browser that keeps to itself. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--js-flags=--expose-gc",
    ],
  });
}

/**
 * Starts Firefox as it is released, through WebDriver BiDi.
 *
 * @param downloads The folder that it saves in.
 */
export function launchFirefox(downloads: string): Promise<Browser> {
  return firefox.launch({
    executablePath: FIREFOX,
    channel: "moz-firefox",
    downloadsPath: downloads,
  });
}

/**
 * Builds the page and starts a browser.
 *
 * @param launch Starts it, and is given the site's folder.
 */
export async function openSite(
  launch: (folder: string) => Promise<Browser> = launchChromium,
): Promise<Site> {
  const temporary = await temporaryFolder();
  const built = `${temporary.path}/site`;
  const pages = await build();
  await Deno.mkdir(built);
  for (const [name, text] of pages) await Deno.writeTextFile(`${built}/${name}`, text);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const page = pages.get(new URL(request.url).pathname.slice(1) || "index.html");
    if (page === undefined) return new Response(null, { status: 404 });
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  });
  const browser = await launch(temporary.path);
  const filePage = `file://${built}/index.html`;
  return {
    browser,
    folder: temporary.path,
    filePage,
    servedPage: `http://127.0.0.1:${server.addr.port}/index.html`,
    async write(name, content) {
      const path = `${temporary.path}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      if (typeof content === "string") await Deno.writeTextFile(path, content);
      else await Deno.writeFile(path, content);
      return path;
    },
    async open(address = filePage, options = {}) {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(PATIENCE);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      // A listener that stays keeps the browser's own dialog away. For one that waits for a single
      // file it is kept away only from then on, and a click once came to nothing.
      page.on("filechooser", () => {});
      await page.goto(address);
      return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

/** Has the page check files, as if a person had chosen them. */
export async function choose(page: Page, ...paths: readonly string[]): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a file…" }).click();
  await (await chooser).setFiles(paths);
}

/**
 * Loads the page again, with what it kept. A browser may start another process for it, and that one
 * reads what was kept from a third, which the first tells a moment later.
 */
export async function reload(page: Page): Promise<void> {
  const kept = (): Promise<string> => page.evaluate(() => JSON.stringify({ ...localStorage }));
  const before = await kept();
  for (let tries = 0; tries < 100; tries++) {
    await page.reload();
    if (await kept() === before) break;
  }
}

/** Runs the garbage collector in the page's workers, over and over, from now on. */
export function collectGarbage(page: Page): void {
  page.on("worker", async (worker) => {
    try {
      for (;;) await worker.evaluate(() => (globalThis as unknown as { gc(): void }).gc());
    } catch {
      // The worker has ended.
    }
  });
}

/** Has the page load a policy file, as if a person had chosen it. */
export async function loadPolicy(page: Page, path: string): Promise<void> {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: /^Load (a policy file|another)…$/ }).click();
  await (await chooser).setFiles(path);
  await page.locator("#policy-status:not(:empty), #policy-error:not(:empty)").first().waitFor();
}

/** Waits for the end of the inspection, and gives the verdict's title. */
export async function verdictOf(page: Page): Promise<string> {
  const verdict = page.locator('#result:not([data-tone="busy"])');
  await verdict.waitFor({ timeout: PATIENCE });
  return await page.locator("#verdict-title").innerText();
}

/** What is said beside the verdict: of the provider, and of what to do. */
export async function explanationOf(page: Page): Promise<{ provider: string; detail: string }> {
  return {
    provider: await page.locator("#verdict-provider").innerText(),
    detail: await page.locator("#verdict-detail").innerText(),
  };
}

/** What a check says. */
export async function checkOf(
  page: Page,
  name: string,
): Promise<{ tone: string; text: string; code?: string }> {
  const row = page.locator("#checks li").filter({ has: page.getByText(name, { exact: true }) });
  const code = await row.locator("code").innerText();
  return {
    tone: await row.getAttribute("data-tone") ?? "",
    text: await row.locator(".text").innerText(),
    ...(code !== "" && { code }),
  };
}

/** The names of all checks that the page shows. */
export function checksOf(page: Page): Promise<string[]> {
  return page.locator("#checks .name").allInnerTexts();
}

/** What a target's row says. */
export async function targetOf(
  page: Page,
  target: string,
): Promise<{ tone: string; text: string; header: string; size: string; saves: boolean }> {
  const row = page.locator("#targets > tr").filter({
    has: page.getByText(target, { exact: true }),
  });
  return {
    tone: await row.getAttribute("data-tone") ?? "",
    text: await row.locator(".state .text").innerText(),
    header: await row.locator(".header").innerText(),
    size: await row.locator(".size").innerText(),
    saves: await row.getByRole("button", { name: `Save ${target}` }).isEnabled(),
  };
}

/** Adds an issuer to those the person trusts. */
export async function trust(page: Page, key: string, note: string): Promise<void> {
  const field = page.getByLabel("Issuer’s public key (A…)");
  if (!await field.isVisible()) await page.getByText("Add a key by hand").click();
  await field.fill(key);
  await page.locator("#issuer-note").fill(note);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

/** What the page saves when something is done. */
export async function savedBy(
  page: Page,
  act: () => Promise<void>,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const event = page.waitForEvent("download", { timeout: PATIENCE });
  await act();
  const download = await event;
  return { name: download.suggestedFilename(), bytes: await Deno.readFile(await download.path()) };
}

/// <reference lib="dom" />
import assert from "node:assert/strict";
import { ISSUER } from "../_keys.ts";
import { serveArchives, SHARED } from "./_archive_server.ts";
import { LIBRARIES, providerArchive } from "./_binaries.ts";
import {
  checkOf,
  checksOf,
  choose,
  explanationOf,
  hasChromium,
  openSite,
  type Page,
  savedBy,
  trust,
  verdictOf,
} from "./_browser.ts";

Deno.test({ name: "the page connects (needs Chromium)", ignore: !hasChromium }, async (t) => {
  await using site = await openSite();
  const archive = await providerArchive();
  await using other = serveArchives((path) =>
    path === "/moved.par.gz" ? new Response(archive, { headers: SHARED }) : undefined
  );
  await using server = serveArchives((path) => {
    switch (path) {
      case "/dir/fakepay;1.par.gz":
        return new Response(archive, { headers: SHARED });
      case "/packed-on-the-way.par": {
        const headers = {
          ...SHARED,
          "content-encoding": "gzip",
          "content-length": `${archive.length}`,
        };
        return new Response(archive, { headers });
      }
      case "/private.par.gz":
        return new Response(archive);
      case "/away.par.gz":
        return new Response(null, {
          status: 302,
          headers: { ...SHARED, location: `${other.address}/moved.par.gz` },
        });
      default:
        return undefined;
    }
  });

  /** Has a page fetch an address, and gives the page with its verdict. */
  const fetched = async (page: Page, address: string): Promise<string> => {
    await fillAddress(page, address);
    await page.locator("#result-name").filter({ hasText: address }).waitFor();
    return await verdictOf(page);
  };

  for (const [kind, start] of [["disk", site.filePage], ["a server", site.servedPage]] as const) {
    await t.step(
      `to the address it is given, opened from ${kind}, and saves from there`,
      async () => {
        await using opened = await site.open(start);
        const { page, complaints } = opened;
        await trust(page, ISSUER.publicKey, "");
        const address = `${server.address}/dir/fakepay;1.par.gz?token=1`;
        assert.match(await fetched(page, address), /^Yes: signed by an issuer you trust, /);
        const saved = await savedBy(
          page,
          () => page.getByRole("button", { name: "Save x86_64-windows" }).click(),
        );
        assert.match(saved.name, /^fakepay.1\.x86_64-windows\.bin$/);
        assert.deepEqual(saved.bytes, LIBRARIES["x86_64-windows"]);
        assert.deepEqual(complaints, []);
      },
    );
  }

  await t.step("to nothing else: not with a file, and not beside the address", async () => {
    const path = await site.write("fakepay.par.gz", archive);
    await using files = await site.open(site.servedPage);
    await choose(files.page, path);
    assert.match(await verdictOf(files.page), /^You decide/);
    await using address = await site.open(site.servedPage);
    await fetched(address.page, `${server.address}/dir/fakepay;1.par.gz`);
    const before = [server.asked.length, other.asked.length];
    for (const { page } of [files, address]) {
      for (const target of [`${server.address}/elsewhere`, `${other.address}/moved.par.gz`]) {
        for (const way of WAYS_OUT) assert.equal(await page.evaluate(way, target), "blocked");
      }
      assert.equal(await page.evaluate(inWorker, `${other.address}/moved.par.gz`), "blocked");
    }
    assert.deepEqual([server.asked.length, other.asked.length], before);
  });

  await t.step("and says why it could not fetch", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await using hasty = serveLess();
    const cases = [
      [`${server.address}/missing.par.gz`, /the host answered 404; check the address, .+\.$/],
      [`${server.address}/private.par.gz`, /does not let other pages read it/],
      [`${server.address}/away.par.gz`, /sends on to another host/],
      [`${hasty.address}/cut.par.gz`, /the connection was lost/],
    ] as const;
    for (const [address, expected] of cases) {
      assert.equal(await fetched(page, address), "No answer: the archive could not be read");
      assert.match((await explanationOf(page)).detail, expected);
      assert.equal(await page.locator("#result").getAttribute("data-tone"), "none");
      assert.deepEqual(await checksOf(page), []);
    }
    assert.deepEqual(other.asked, []);
  });

  await t.step("to a host that compresses on the way", async () => {
    await using opened = await site.open();
    const verdict = await fetched(opened.page, `${server.address}/packed-on-the-way.par`);
    assert.match(verdict, /^You decide/);
    assert.match(
      (await checkOf(opened.page, "Archive")).text,
      /^Whole and well-formed, not compressed/,
    );
  });

  await t.step("to no address that is none", async () => {
    await using opened = await site.open();
    const { page } = opened;
    for (const address of ["file:///etc/passwd", "javascript:alert(1)"]) {
      await fillAddress(page, address);
      assert.match(await page.locator("#address-error").innerText(), /^Cannot fetch this/);
      assert.equal(page.url(), site.filePage);
    }
  });

  await t.step("back to the page for files", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await fetched(page, `${server.address}/missing.par.gz`);
    assert.equal(await page.getByRole("button", { name: "Choose a file…" }).isVisible(), false);
    await page.getByRole("link", { name: "Check a file" }).click();
    await page.getByRole("button", { name: "Choose a file…" }).waitFor();
    assert.equal(page.url(), site.filePage);
  });
});

/** Fills an address in, and has the page fetch it. */
async function fillAddress(page: Page, address: string): Promise<void> {
  const field = page.getByLabel("Address of the archive");
  if (!await field.isVisible()) await page.getByText("Fetch one from a web address").click();
  await field.fill(address);
  await page.getByRole("button", { name: "Fetch" }).click();
}

/** A server that says less than it announced, and hangs up. */
function serveLess(): AsyncDisposable & { readonly address: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      const head =
        "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nAccess-Control-Allow-Origin: *\r\n\r\n";
      await connection.write(new TextEncoder().encode(`${head}and no more`));
      connection.close();
    }
  })();
  return {
    address: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

/** How a page may try to tell others what it knows. Each runs in the page. */
const WAYS_OUT: readonly ((target: string) => Promise<string>)[] = [
  (target) => fetch(target, { mode: "no-cors" }).then(() => "sent", () => "blocked"),
  (target) =>
    new Promise((resolve) => {
      addEventListener("securitypolicyviolation", () => resolve("blocked"), { once: true });
      navigator.sendBeacon(target, "secret");
    }),
  (target) =>
    new Promise((resolve) => {
      const image = new Image();
      image.onload = (): void => resolve("sent");
      image.onerror = (): void => resolve("blocked");
      image.src = target;
    }),
  (target) =>
    new Promise((resolve) => {
      addEventListener("securitypolicyviolation", () => resolve("blocked"), { once: true });
      const frame = document.createElement("iframe");
      frame.src = target;
      document.body.append(frame);
    }),
  (target) =>
    new Promise((resolve) => {
      const socket = new WebSocket(target.replace("http", "ws"));
      socket.onopen = (): void => resolve("sent");
      socket.onerror = (): void => resolve("blocked");
    }),
];

/** A worker of the page's is bound by the page's policy. Runs in the page. */
function inWorker(target: string): Promise<string> {
  const script = `fetch("${target}").then(() => postMessage("sent"), () => postMessage("blocked"))`;
  const worker = new Worker(URL.createObjectURL(new Blob([script])));
  return new Promise((resolve) => worker.onmessage = ({ data }): void => resolve(data));
}

/// <reference lib="dom" />
import assert from "node:assert/strict";
import {
  archiveOf,
  claimsHash,
  entriesOf,
  gzipped,
  payloadFor,
  signToken,
  tokenOf,
} from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { ISSUER, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";
import { elf, LIBRARIES, MACHINE, providerArchive, SCHEMA } from "./_binaries.ts";
import {
  checkOf,
  checksOf,
  choose,
  explanationOf,
  hasChromium,
  openSite,
  type Page,
  reload,
  savedBy,
  targetOf,
  trust,
  verdictOf,
} from "./_browser.ts";

const HOUR = 3600;
const now = (): number => Math.floor(Date.now() / 1000);

Deno.test(
  { name: "the page judges archives (needs Chromium)", ignore: !hasChromium },
  async (t) => {
    await using site = await openSite();

    await using opened = await site.open();
    const { page, complaints } = opened;
    await trust(page, ISSUER.publicKey, "Example Corp");

    /** Has the page, which trusts the usual issuer, inspect an archive. */
    let archives = 0;
    const inspect = async (
      content: Uint8Array | string | Promise<Uint8Array>,
      look: (page: Page, verdict: string) => Promise<void>,
    ): Promise<void> => {
      const path = await site.write(`archive-${++archives}/fakepay.par.gz`, await content);
      await reload(page);
      await choose(page, path);
      await look(page, await verdictOf(page));
      assert.deepEqual(complaints, []);
    };

    await t.step("a good one", () =>
      inspect(providerArchive(), async (page, verdict) => {
        assert.equal(verdict, "Yes: signed by Example Corp, valid without end");
        const { provider, detail } = await explanationOf(page);
        assert.equal(provider, "Fake Payments 1.0, from wasmCloud");
        assert.equal(detail, "The archive is intact. All 3 binaries are as signed.");
        const names = [
          "Archive",
          "Signature",
          "Validity",
          "Issuer",
          "Binaries",
          "Headers match targets",
        ];
        assert.deepEqual(await checksOf(page), names);
        for (const name of names) assert.equal((await checkOf(page, name)).tone, "good", name);
        assert.equal((await checkOf(page, "Issuer")).text, "You trust it: Example Corp");
        assert.match(
          (await checkOf(page, "Validity")).text,
          /^Issued \d+ years ago, valid without end$/,
        );
        assert.deepEqual(await providerTable(page), {
          "Name": "Fake Payments",
          "Version": "1.0",
          "Revision": "1",
          "Vendor": "wasmCloud",
          "Contract Capability Contract ID": "examples:payments",
          "Issuer’s key Issuer": ISSUER.publicKey,
          "Provider’s key Public Key": SUBJECT.publicKey,
          "Valid": "From 14\u00a0Nov\u00a02023 22:13\u00a0UTC, without end",
        });
        assert.deepEqual(
          await page.locator("#targets .target .name").allInnerTexts(),
          Object.keys(LIBRARIES),
        );
        assert(!await page.locator("progress").isVisible());
        assert.deepEqual(await targetOf(page, "x86_64-windows"), {
          tone: "good",
          text: "As signed",
          header: "PE for x86_64",
          size: "160.0\u00a0kB",
          saves: true,
        });
      }));

    await t.step(
      "its schema and claims are folded, whole, and copied",
      () =>
        inspect(providerArchive(), async (page) => {
          const schema = page.locator("#schema pre");
          assert(!await schema.isVisible());
          await page.getByText("Schema of the link definition").click();
          assert.equal(await schema.innerText(), JSON.stringify(SCHEMA, undefined, 2));
          assert.match(await schema.innerText(), /"minimum": 0\.0$/m);
          await page.getByText("Claims as they were signed").click();
          const shown = JSON.parse(await page.locator("#claims pre").innerText());
          assert.equal(shown.iss, ISSUER.publicKey);
          assert.deepEqual(Object.keys(shown.wascap.target_hashes), Object.keys(LIBRARIES));
          await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
          await page.getByRole("button", { name: "Copy claims" }).click();
          await page.getByText("Copied the claims").waitFor();
          const copied = await page.evaluate(() => navigator.clipboard.readText());
          assert.deepEqual(JSON.parse(copied), shown);
        }),
    );

    await t.step(
      "hashes are shown on demand; keys, hashes and the result are copied",
      () =>
        inspect(providerArchive(), async (page) => {
          await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
          const hash = claimsHash(LIBRARIES["x86_64-linux"] ?? "");
          assert(!await page.locator("#targets").getByText(hash).isVisible());
          await page.getByRole("button", { name: "Show hashes" }).click();
          assert(await page.locator("#targets").getByText(hash).isVisible());
          const copied = async (name: string): Promise<string> => {
            await page.getByRole("button", { name, exact: true }).click();
            await page.getByText(
              `Copied ${name.slice("Copy ".length)}`.replace(" result", " the result"),
            )
              .waitFor();
            return await page.evaluate(() => navigator.clipboard.readText());
          };
          assert.equal(await copied("Copy the hash of x86_64-linux"), hash);
          assert.equal(await copied("Copy the issuer’s key"), ISSUER.publicKey);
          assert.equal(await copied("Copy the provider’s key"), SUBJECT.publicKey);
          const result = await copied("Copy result");
          assert.match(
            result,
            /^fakepay\.par\.gz: Yes: signed by Example Corp, valid without end\n/,
          );
          assert.match(result, /\nChecked on \d+ \w+ \d{4} \d\d:\d\d UTC\.\n/);
          assert(result.includes(`\nIssuer: ${ISSUER.publicKey}\n`));
          assert(
            result.endsWith(`\nx86_64-windows: ${claimsHash(LIBRARIES["x86_64-windows"] ?? "")}\n`),
          );
          await page.getByRole("button", { name: "Hide hashes" }).click();
          assert(!await page.locator("#targets").getByText(hash).isVisible());
        }),
    );

    await t.step(
      "a printed page has the verdict and the hashes, and nothing to press",
      () =>
        inspect(providerArchive(), async (page) => {
          await page.emulateMedia({ media: "print" });
          await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
          assert(await page.locator("#verdict-title").isVisible());
          assert(
            await page.locator("#targets").getByText(claimsHash(LIBRARIES["x86_64-linux"] ?? ""))
              .isVisible(),
          );
          for (const button of await page.locator("button").all()) {
            assert(!await button.isVisible());
          }
          assert(!await page.locator("#trust").isVisible());
          await page.emulateMedia({ media: "screen" });
        }),
    );

    await t.step(
      "a binary is saved as it was signed, under the archive's name",
      () =>
        inspect(providerArchive(), async (page) => {
          const saved = await savedBy(
            page,
            () => page.getByRole("button", { name: "Save x86_64-linux" }).click(),
          );
          assert.equal(saved.name, "fakepay.x86_64-linux.bin");
          assert.deepEqual(saved.bytes, LIBRARIES["x86_64-linux"]);
        }),
    );

    await t.step("an archive that was changed since is not saved from", async () => {
      const path = await site.write("changing.par.gz", await providerArchive());
      await using opened = await site.open();
      await choose(opened.page, path);
      await verdictOf(opened.page);
      await site.write("changing.par.gz", await providerArchive({ binaries: {} }));
      await opened.page.getByRole("button", { name: "Save x86_64-linux" }).click();
      const error = opened.page.locator("#save-error");
      await error.filter({ hasText: "Cannot" }).waitFor();
      assert.match(await error.innerText(), /^Cannot read "changing.par.gz": it was changed/);
    });

    await t.step("one with a binary that was changed after signing", () =>
      inspect(
        providerArchive({
          bend: (payload) => payload["wascap"].target_hashes["x86_64-linux"] = "A".repeat(64),
        }),
        async (page, verdict) => {
          assert.equal(verdict, "No: x86_64-linux was changed after signing");
          assert.equal(
            (await explanationOf(page)).provider,
            "Calls itself Fake Payments 1.0, from wasmCloud",
          );
          const binaries = await checkOf(page, "Binaries");
          assert.equal(binaries.tone, "bad");
          assert.match(binaries.text, /^Cannot trust .+[^.]$/);
          assert.equal(binaries.code, "ERR_HASH_MISMATCH");
          assert.equal((await checkOf(page, "Signature")).tone, "good");
          assert.equal(
            (await checkOf(page, "Not checked")).text,
            "Archive, Headers match targets. Reading stopped at the fault.",
          );
          const changed = await targetOf(page, "x86_64-linux");
          assert.deepEqual([changed.tone, changed.saves], ["bad", false]);
          assert.equal(changed.text, "Changed");
          const before = await targetOf(page, "aarch64-linux");
          assert.deepEqual([before.tone, before.saves], ["none", false]);
          assert.match(
            await page.locator("#targets-note").innerText(),
            /^Reading stopped at the fault\. None of the binaries is accepted/,
          );
        },
      ));

    await t.step("no binary is blamed where the claims stand behind them", async () => {
      const [claims, ...binaries] = await entriesOf({
        bend: (payload) => payload["wascap"].target_hashes["aarch64-linux"] = "A".repeat(64),
      });
      assert(claims);
      await inspect(concat(...binaries, claims, TAR_END), async (page, verdict) => {
        assert.equal(verdict, "No: a binary was changed after signing");
        for (const target of ["aarch64-linux", "x86_64-linux"]) {
          assert.equal((await targetOf(page, target)).tone, "none");
        }
      });
    });

    await t.step("one with a binary added or removed after signing", async () => {
      await inspect(
        providerArchive({
          bend: (payload) => delete payload["wascap"].target_hashes["x86_64-linux"],
        }),
        async (page, verdict) => {
          assert.equal(verdict, "No: a binary was added after signing");
          assert.match((await checkOf(page, "Binaries")).text, /"x86_64-linux"/);
        },
      );
      await inspect(
        providerArchive({
          bend: (payload) => payload["wascap"].target_hashes["x86_64-macos"] = "A".repeat(64),
        }),
        async (page, verdict) => {
          assert.equal(verdict, "No: x86_64-macos was removed after signing");
          const missing = await targetOf(page, "x86_64-macos");
          assert.deepEqual([missing.tone, missing.text], ["bad", "Missing"]);
        },
      );
    });

    await t.step(
      "one whose claims were changed after signing shows none of them as true",
      async () => {
        const [header, , signature] = (await signToken(payloadFor(LIBRARIES))).split(".");
        const payload = payloadFor(LIBRARIES);
        payload["wascap"].vendor = "Mallory";
        const [, forged] = (await signToken(payload)).split(".");
        await inspect(
          providerArchive({ token: `${header}.${forged}.${signature}` }),
          async (page, verdict) => {
            assert.equal(
              verdict,
              "No: its claims were changed after signing, or somebody else signed them",
            );
            assert.equal((await checkOf(page, "Signature")).tone, "bad");
            assert.deepEqual(await checksOf(page), ["Signature", "Not checked"]);
            assert.match((await checkOf(page, "Not checked")).text, /Issuer/);
            assert.equal((await explanationOf(page)).provider, "");
            for (const card of ["#provider-card", "#targets-card"]) {
              assert(!await page.locator(card).isVisible(), card);
            }
            await page.getByText("Claims that are not to be believed").click();
            assert.match(await page.locator("#claims pre").innerText(), /Mallory/);
          },
        );
      },
    );

    await t.step("one whose claims can be read in two ways shows them as they are", async () => {
      const text = JSON.stringify(payloadFor(LIBRARIES))
        .replace('"vendor":', () => '"vendor":"Mallory","vendor":');
      await inspect(
        providerArchive({ token: await signToken(text) }),
        async (page) => {
          assert(!await page.locator("#provider-card").isVisible());
          assert(!await page.locator("#schema").isVisible());
          await page.getByText("Claims that are not to be believed").click();
          assert.equal(await page.locator("#claims pre").innerText(), text);
        },
      );
    });

    await t.step("an expired one, whole but for that", () =>
      inspect(
        providerArchive({ bend: (payload) => payload["exp"] = now() - 49 * HOUR }),
        async (page, verdict) => {
          assert.match(
            verdict,
            /^No: it expired 2 days ago \(\d+\s\w+\s\d{4} \d\d:\d\d\sUTC\); ask the issuer for a new one$/,
          );
          assert.equal(
            (await explanationOf(page)).detail,
            "Apart from that, the archive is intact, and signed by Example Corp.",
          );
          assert.deepEqual(await checkOf(page, "Validity"), {
            tone: "bad",
            text: "Ended 2 days ago",
            code: "ERR_TOKEN_EXPIRED",
          });
          assert.equal((await checkOf(page, "Binaries")).tone, "good");
          const target = await targetOf(page, "x86_64-linux");
          assert.deepEqual([target.tone, target.saves], ["good", false]);
        },
      ));

    await t.step("one that is not valid yet, and one that will expire", async () => {
      await inspect(
        providerArchive({ bend: (payload) => payload["nbf"] = now() + 49 * HOUR }),
        async (page, verdict) => {
          assert.match(verdict, /^Not yet: it becomes valid in 2 days \(.+\sUTC\)$/);
          assert.deepEqual(await checkOf(page, "Validity"), {
            tone: "bad",
            text: "Begins in 2 days",
            code: "ERR_TOKEN_NOT_YET_VALID",
          });
        },
      );
      await inspect(
        providerArchive({ bend: (payload) => payload["exp"] = now() + 49 * HOUR }),
        async (page, verdict) => {
          assert.match(verdict, /^Yes: signed by Example Corp, valid until .+\sUTC$/);
          assert.match((await checkOf(page, "Validity")).text, /, ends in 2 days$/);
        },
      );
    });

    await t.step("one by an issuer who is not trusted, until the person trusts", async () => {
      const signer = await otherIssuerPair();
      const archive = providerArchive({
        signer,
        bend: (payload) => payload["iss"] = OTHER_ISSUER.publicKey,
      });
      await inspect(archive, async (page, verdict) => {
        const undecided = "You decide: signed by an issuer you do not trust yet";
        assert.equal(verdict, undecided);
        assert.equal((await checkOf(page, "Issuer")).tone, "caution");
        assert.doesNotMatch((await explanationOf(page)).detail, /nobody/);
        const ask = page.getByRole("button", { name: "Trust this issuer…" });
        const dialog = page.getByRole("dialog", { name: "Trust this issuer?" });
        await ask.click();
        assert.equal(
          await dialog.locator(".key > span").first().innerText(),
          OTHER_ISSUER.publicKey.slice(0, 4),
        );
        assert.equal(await dialog.locator(".key").innerText(), OTHER_ISSUER.publicKey);
        assert(await dialog.getByText("Compare it with what the vendor published").isVisible());
        await dialog.getByRole("button", { name: "Cancel" }).click();
        assert.equal(await verdictOf(page), undecided);
        await ask.click();
        // A trusted issuer has a name.
        await page.keyboard.press("Enter");
        assert(await dialog.isVisible());
        await page.keyboard.type("Other Corp");
        await page.keyboard.press("Enter");
        assert(!await dialog.isVisible());
        assert.equal(await verdictOf(page), "Yes: signed by Other Corp, valid without end");
        assert.equal((await checkOf(page, "Issuer")).text, "You trust it: Other Corp");
        await page.getByRole("button", { name: "Remove Other Corp" }).click();
        assert.equal(await verdictOf(page), undecided);
      });
    });

    await t.step("one with a binary for another machine than its name says", () =>
      inspect(
        providerArchive({
          binaries: { ...LIBRARIES, "aarch64-linux": elf(MACHINE.x86_64, 5000) },
        }),
        async (page, verdict) => {
          assert.equal(
            (await explanationOf(page)).provider,
            "Fake Payments 1.0, from wasmCloud",
          );
          assert.equal(
            verdict,
            "Careful: signed by Example Corp, but the binary for aarch64-linux is for another " +
              "machine (ELF for x86_64)",
          );
          assert.deepEqual(await checkOf(page, "Headers match targets"), {
            tone: "caution",
            text: "The binary for aarch64-linux is ELF for x86_64",
          });
          assert.equal((await targetOf(page, "aarch64-linux")).header, "ELF for x86_64");
          assert.equal(
            await page.locator('#targets .header[data-tone="caution"]').count(),
            1,
          );
          assert.equal((await targetOf(page, "x86_64-linux")).header, "ELF for x86_64");
        },
      ));

    await t.step("one with a WIT package and a binary of no known format", () =>
      inspect(
        (async () => {
          const binaries = { "world.wasm": "wit", "x86_64-linux": "a script" };
          return gzipped(concat(
            tarEntry({ name: "claims.jwt", content: await tokenOf({ binaries }) }),
            tarEntry({ name: "world.wasm", content: "wit" }),
            tarEntry({ name: "x86_64-linux.bin", content: "a script" }),
            TAR_END,
          ));
        })(),
        async (page, verdict) => {
          assert.equal(verdict, "Yes: signed by Example Corp, valid without end");
          assert.equal((await targetOf(page, "world.wasm")).header, "WIT package");
          assert.equal(
            (await targetOf(page, "x86_64-linux")).header,
            "neither ELF, Mach-O nor PE",
          );
          assert.equal((await checkOf(page, "Headers match targets")).tone, "none");
          const saved = await savedBy(
            page,
            () => page.getByRole("button", { name: "Save world.wasm" }).click(),
          );
          assert.equal(saved.name, "fakepay.world.wasm");
          assert.equal(new TextDecoder().decode(saved.bytes), "wit");
        },
      ));

    await t.step("files that are no archives, and broken ones", async () => {
      const good = await providerArchive();
      const text = "just a text, and long enough for a tar header: ".repeat(20);
      for (const content of [text, "", new Uint8Array(1024)]) {
        await inspect(content, async (page, verdict) => {
          assert.equal(verdict, "No: this is not a provider archive");
          assert.match((await explanationOf(page)).detail, /^Cannot .+[.?] \(ERR_[A-Z_]+\)$/);
          for (const card of await page.locator("#result .card").all()) {
            assert(!await card.isVisible());
          }
        });
      }
      const cases: [Uint8Array, string][] = [
        [good.subarray(0, good.length / 2), "No: the archive ends before it is complete"],
        [concat(await archiveOf(), "more"), "No: bytes follow the end of the archive"],
      ];
      for (const [content, expected] of cases) {
        await inspect(content, async (page, verdict) => {
          assert.equal(verdict, expected);
          assert.match((await explanationOf(page)).detail, /^Do not run it\./);
          assert.equal((await checkOf(page, "Archive")).tone, "bad");
          assert.match((await checkOf(page, "Archive")).text, /^Cannot .+[^.]$/);
          assert.match((await checkOf(page, "Archive")).code ?? "", /^ERR_[A-Z_]+$/);
        });
      }
    });

    await t.step("somebody's text stays text", () =>
      inspect(
        providerArchive({
          bend: (payload) => payload["wascap"].vendor = "<b>bold</b>\u202e\u0007&amp;",
        }),
        async (page) => {
          const vendor = "<b>bold</b>\ufffd\ufffd&amp;";
          assert.equal((await providerTable(page))["Vendor"], vendor);
          assert.equal((await explanationOf(page)).provider, `Fake Payments 1.0, from ${vendor}`);
          assert.equal(await page.locator("#result b").count(), 0);
        },
      ));
  },
);

/** The provider's table, with what can be pressed in it left out. */
async function providerTable(page: Page): Promise<Record<string, string>> {
  const table = await page.locator("#provider").evaluate((list) =>
    [...list.querySelectorAll("dt")].map((title) => {
      const value = title.nextElementSibling?.cloneNode(true) as Element;
      value.querySelector("button")?.remove();
      return [title.textContent ?? "", value.textContent ?? ""] as const;
    })
  );
  return Object.fromEntries(table);
}

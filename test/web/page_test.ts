import assert from "node:assert/strict";
import { entriesOf, gzipped, payloadFor, signToken, tokenOf } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { ISSUER, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";
import { elf, LIBRARIES, MACHINE, providerArchive, SCHEMA } from "./_binaries.ts";
import {
  checkOf,
  choose,
  hasChromium,
  openSite,
  type Page,
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
      await page.reload();
      await choose(page, path);
      await look(page, await verdictOf(page));
      assert.deepEqual(complaints, []);
    };

    await t.step("a good one", () =>
      inspect(providerArchive(), async (page, verdict) => {
        assert.equal(verdict, "Verified");
        for (const name of ["Archive", "Signature", "Validity", "Issuer", "Binaries", "Machines"]) {
          assert.equal((await checkOf(page, name)).tone, "good", name);
        }
        assert.equal((await checkOf(page, "Issuer")).text, "Trusted: Example Corp");
        assert.match((await checkOf(page, "Validity")).text, /^Issued \d+ years ago, without end$/);
        assert.deepEqual(await page.locator("#provider dt").allInnerTexts(), [
          "Public Key",
          "Issuer",
          "Capability Contract ID",
          "Vendor",
          "Version",
          "Revision",
          "Valid",
        ]);
        assert.deepEqual(await page.locator("#provider dd").allInnerTexts(), [
          SUBJECT.publicKey,
          ISSUER.publicKey,
          "examples:payments",
          "wasmCloud",
          "1.0",
          "1",
          "From 14 November 2023 at 22:13 UTC, without end",
        ]);
        assert.deepEqual(
          await page.locator("#targets .target").allInnerTexts(),
          Object.keys(LIBRARIES),
        );
        assert.deepEqual(await targetOf(page, "x86_64-windows"), {
          tone: "good",
          text: "Has the signed hash",
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
          await page.getByText("Claims copied").waitFor();
          const copied = await page.evaluate(() => navigator.clipboard.readText());
          assert.deepEqual(JSON.parse(copied), shown);
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
      assert.match(await error.innerText(), /Cannot read "changing.par.gz": it was changed/);
    });

    await t.step("one with a binary that was changed after signing", () =>
      inspect(
        providerArchive({
          bend: (payload) => payload["wascap"].target_hashes["x86_64-linux"] = "A".repeat(64),
        }),
        async (page, verdict) => {
          assert.equal(verdict, "Not to be trusted: its content is not what was signed");
          assert.equal((await checkOf(page, "Binaries")).tone, "bad");
          assert.equal((await checkOf(page, "Signature")).tone, "good");
          const changed = await targetOf(page, "x86_64-linux");
          assert.deepEqual([changed.tone, changed.saves], ["bad", false]);
          assert.equal(changed.text, "Differs from the signed hash");
          const before = await targetOf(page, "aarch64-linux");
          assert.deepEqual([before.tone, before.saves], ["none", false]);
        },
      ));

    await t.step("no binary is blamed where the claims stand behind them", async () => {
      const [claims, ...binaries] = await entriesOf({
        bend: (payload) => payload["wascap"].target_hashes["aarch64-linux"] = "A".repeat(64),
      });
      assert(claims);
      await inspect(concat(...binaries, claims, TAR_END), async (page, verdict) => {
        assert.equal(verdict, "Not to be trusted: its content is not what was signed");
        for (const target of ["aarch64-linux", "x86_64-linux"]) {
          assert.equal((await targetOf(page, target)).tone, "none");
        }
      });
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
            assert.equal(verdict, "Not to be trusted: its signature does not hold");
            assert.equal((await checkOf(page, "Signature")).tone, "bad");
            assert.equal((await checkOf(page, "Issuer")).tone, "none");
            assert.equal(await page.locator("#provider").innerText(), "");
            await page.getByText("Claims, not to be believed").click();
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
          assert.equal(await page.locator("#provider").innerText(), "");
          assert(!await page.locator("#schema").isVisible());
          await page.getByText("Claims, not to be believed").click();
          assert.equal(await page.locator("#claims pre").innerText(), text);
        },
      );
    });

    await t.step("an expired one, whole but for that", () =>
      inspect(
        providerArchive({ bend: (payload) => payload["exp"] = now() - 49 * HOUR }),
        async (page, verdict) => {
          assert.equal(verdict, "Expired");
          assert.deepEqual(await checkOf(page, "Validity"), {
            tone: "bad",
            text: "Ended 2 days ago",
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
          assert.equal(verdict, "Not valid yet");
          assert.deepEqual(await checkOf(page, "Validity"), {
            tone: "bad",
            text: "Begins in 2 days",
          });
        },
      );
      await inspect(
        providerArchive({ bend: (payload) => payload["exp"] = now() + 49 * HOUR }),
        async (page, verdict) => {
          assert.equal(verdict, "Verified");
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
        assert.equal(verdict, "Verified, from an issuer you have not listed");
        assert.equal((await checkOf(page, "Issuer")).tone, "caution");
        await page.getByRole("button", { name: "Trust this issuer…" }).click();
        await page.keyboard.type("Other Corp");
        await page.keyboard.press("Enter");
        assert.equal(await verdictOf(page), "Verified");
        assert.equal((await checkOf(page, "Issuer")).text, "Trusted: Other Corp");
        await page.getByRole("button", { name: "Remove Other Corp" }).click();
        assert.equal(await verdictOf(page), "Verified, from an issuer you have not listed");
      });
    });

    await t.step("one with a binary for another machine than its name says", () =>
      inspect(
        providerArchive({
          binaries: { ...LIBRARIES, "aarch64-linux": elf(MACHINE.x86_64, 5000) },
        }),
        async (page, verdict) => {
          assert.equal(verdict, "Verified, but a binary is not what its name says");
          assert.deepEqual(await checkOf(page, "Machines"), {
            tone: "caution",
            text: "aarch64-linux is for another machine",
          });
          assert.equal(
            (await targetOf(page, "aarch64-linux")).header,
            "its header says ELF for x86_64",
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
          assert.equal(verdict, "Verified");
          assert.equal((await targetOf(page, "world.wasm")).header, "the provider’s WIT package");
          assert.equal(
            (await targetOf(page, "x86_64-linux")).header,
            "neither ELF, Mach-O nor PE",
          );
          assert.equal((await checkOf(page, "Machines")).tone, "none");
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
      const cases: [Uint8Array | string, string][] = [
        [
          "just a text, and long enough for a tar header: ".repeat(20),
          "This is no provider archive",
        ],
        ["", "This is no provider archive"],
        [
          new Uint8Array(1024),
          "This is no provider archive",
        ],
        [good.subarray(0, good.length / 2), "Not to be trusted"],
        [concat(good, "more"), "Not to be trusted"],
      ];
      for (const [content, expected] of cases) {
        await inspect(content, async (page, verdict) => {
          assert.equal(verdict, expected);
          assert.match(await page.locator("#verdict-detail").innerText(), /^Cannot .+\.$/);
          assert.equal((await checkOf(page, "Archive")).tone, "bad");
        });
      }
    });

    await t.step("somebody's text stays text", () =>
      inspect(
        providerArchive({
          bend: (payload) => payload["wascap"].vendor = "<b>bold</b>\u202e\u0007&amp;",
        }),
        async (page) => {
          assert.equal(
            await page.locator("#provider dd").nth(3).innerText(),
            "<b>bold</b>\ufffd\ufffd&amp;",
          );
          assert.equal(await page.locator("#provider b").count(), 0);
        },
      ));
  },
);

/// <reference lib="dom" />
import assert from "node:assert/strict";
import { signerOf } from "../../lib/signing/mod.ts";
import { ISSUER, issuerPair, OTHER_ISSUER } from "../_keys.ts";
import { providerArchive } from "./_binaries.ts";
import {
  checkOf,
  checksOf,
  choose,
  explanationOf,
  hasChromium,
  loadPolicy,
  openSite,
  reload,
  targetOf,
  trust,
  verdictOf,
} from "./_browser.ts";
import { bundleOf, policyText, RELEASE, strictPolicy } from "./_policies.ts";

Deno.test({
  name: "the page judges by a policy (needs Chromium)",
  ignore: !hasChromium,
}, async (t) => {
  await using site = await openSite();
  const archive = await providerArchive();
  const good = await site.write("fakepay.par.gz", archive);
  const signature = await site.write("fakepay.par.gz.sigstore.json", await bundleOf(archive));
  const sbom = await site.write(
    "fakepay.par.gz.sigstore.2.json",
    await bundleOf(archive, "cyclonedx"),
  );
  const foreign = await site.write(
    "foreign.sigstore.json",
    await bundleOf(archive, "signature", await signerOf(await issuerPair())),
  );
  const strict = await site.write("strict.json", strictPolicy());

  await t.step("and takes the bundles that are chosen with the archive", async () => {
    await using opened = await site.open();
    const { page, complaints } = opened;
    await loadPolicy(page, strict);
    await choose(page, good, sbom, signature);
    assert.equal(await verdictOf(page), "Yes: signed by Payments team, Acme, valid without end");
    assert.match((await explanationOf(page)).detail, / It meets the policy strict\.json\.$/);
    assert.deepEqual((await checksOf(page)).slice(-3), [
      "Issuer",
      "Bundle signature",
      "Attestation cyclonedx",
    ]);
    const { tone, text } = await checkOf(page, "Bundle signature");
    assert.equal(tone, "good");
    assert.equal(text, `By release (${RELEASE.key}), in fakepay.par.gz.sigstore.json`);
    assert.deepEqual(await page.locator("#policy-rules li").allInnerTexts(), [
      "strict.json decides, until you remove it.",
      "It trusts Payments team, Acme.",
      "It asks for a bundle that is signed by release.",
      "It asks for attestations of the type cyclonedx.",
    ]);
    assert.deepEqual(complaints, []);
  });

  await t.step("refuses without the bundles, or with others", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await loadPolicy(page, strict);
    for (const bundles of [[], [foreign]]) {
      await choose(page, good, ...bundles);
      assert.equal(await verdictOf(page), "No: it has no bundle signature that the policy accepts");
      assert.match((await checkOf(page, "Bundle signature")).code ?? "", /^ERR_[A-Z_]+$/);
      assert.equal((await targetOf(page, "x86_64-linux")).saves, false);
      assert.equal(
        await page.locator("#targets-note").innerText(),
        "None of them can be saved: the archive is refused.",
      );
    }
    await choose(page, good, signature);
    await page.getByText("No: it has no cyclonedx attestation that the policy accepts").waitFor();
    assert.equal((await checkOf(page, "Bundle signature")).tone, "good");
  });

  await t.step("by the issuers of the policy alone, until it is removed", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "Example Corp");
    const others = policyText({ issuers: [{ name: "Others", key: OTHER_ISSUER.publicKey }] });
    await loadPolicy(page, await site.write("others.json", others));
    await choose(page, good);
    assert.equal(await verdictOf(page), "No: the policy does not trust its issuer");
    assert(!await page.getByRole("button", { name: "Trust this issuer…" }).isVisible());
    await reload(page);
    await choose(page, good);
    assert.equal(await verdictOf(page), "No: the policy does not trust its issuer");
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("Yes: signed by Example Corp, valid without end").waitFor();
  });

  await t.step("by its other rules", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const cases = [
      [{ maxAgeDays: 90 }, "No: it is older than the policy allows"],
      [{ revoked: { keys: [{ key: ISSUER.publicKey }] } }, "No: a key that signed it is revoked"],
      [
        { issuers: [{ name: "Payments team", key: ISSUER.publicKey, vendors: ["Acme"] }] },
        "No: the policy does not trust Payments team for this archive",
      ],
    ] as const;
    await choose(page, good);
    for (const [members, verdict] of cases) {
      await loadPolicy(page, await site.write("policy.json", policyText(members)));
      await page.locator("#verdict-title").filter({ hasText: verdict }).waitFor();
    }
  });

  await t.step("and in every tab alike", async () => {
    await using opened = await site.open();
    const other = await opened.page.context().newPage();
    await other.goto(site.filePage);
    await choose(other, good);
    assert.match(await verdictOf(other), /^You decide/);
    const told = (verdict: string): Promise<void> =>
      other.locator("#verdict-title").filter({ hasText: verdict }).waitFor();
    await loadPolicy(opened.page, await site.write("policy.json", policyText({ maxAgeDays: 90 })));
    await told("No: it is older than the policy allows");
    await opened.page.getByRole("button", { name: "Remove it" }).click();
    await told("You decide");
  });

  await t.step("and takes no policy that is none", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await loadPolicy(page, await site.write("bad.json", '{ "issuers": [] }'));
    const error = page.locator("#policy-error");
    await error.filter({ hasText: "Cannot" }).waitFor();
    assert.match(
      await error.innerText(),
      /^Cannot use the policy "bad\.json": issuers: the list is .+\. Nothing was changed\.$/,
    );
    assert(!await page.getByRole("button", { name: "Remove it" }).isVisible());
    assert(await page.getByText("There is none.").isVisible());
  });

  await t.step("and trusts nobody where a policy that was kept cannot be read", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "Example Corp");
    await page.evaluate(() =>
      localStorage.setItem("par.policy", JSON.stringify({ name: "old.json", text: "{}" }))
    );
    await reload(page);
    await page.getByText("old.json cannot be used.").waitFor();
    await choose(page, good);
    assert.equal(await verdictOf(page), "No answer: the policy cannot be used");
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("Yes: signed by Example Corp, valid without end").waitFor();
  });

  await t.step("a bundle that nobody checks does not seem to be in order", async () => {
    await using opened = await site.open();
    const { page } = opened;
    await trust(page, ISSUER.publicKey, "Example Corp");
    await choose(page, good, signature);
    assert.equal(
      await verdictOf(page),
      "Careful: signed by Example Corp, but its bundle was not checked",
    );
    assert.equal((await checkOf(page, "Bundles")).tone, "caution");
  });

  await t.step("bundles alone, or several archives, are not taken", async () => {
    await using opened = await site.open();
    const { page } = opened;
    const error = page.locator("#choose-error");
    await choose(page, signature);
    await error.filter({ hasText: "Cannot check a bundle alone" }).waitFor();
    await choose(page, good, strict);
    await error.filter({ hasText: "Cannot check several archives at once" }).waitFor();
    assert(!await page.locator("#result").isVisible());
    await choose(page, good);
    await verdictOf(page);
    assert.equal(await error.innerText(), "");
  });
});

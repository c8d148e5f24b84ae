import assert from "node:assert/strict";
import { archiveOf, entriesOf, gzipped } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { TAR_END, tarEntry } from "../_tar.ts";

/** Colours, a title for the window, a cleared screen, eight-bit controls, text turned around. */
const HOSTILE = "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b2J\u202eesrever\r\x08";

/** Characters that make a terminal do something else than show them. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

Deno.test("nothing that an archive says can move a terminal's cursor or colour it", async () => {
  await using s = await sandbox();
  const bent = {
    "name.par": await archiveOf({ bend: (payload) => payload["wascap"].name = HOSTILE }),
    "vendor.par": await archiveOf({ bend: (payload) => payload["wascap"].vendor = HOSTILE }),
    "capid.par.gz": gzipped(
      await archiveOf({ bend: (payload) => payload["wascap"].capid = HOSTILE }),
    ),
    "ver.par": await archiveOf({ bend: (payload) => payload["wascap"].ver = HOSTILE }),
    "schema.par": await archiveOf({ bend: (payload) => payload["wascap"].config_schema = HOSTILE }),
    "jti.par": await archiveOf({ bend: (payload) => payload["jti"] = HOSTILE }),
    "iss.par": await archiveOf({ bend: (payload) => payload["iss"] = HOSTILE }),
    "sub.par": await archiveOf({ bend: (payload) => payload["sub"] = HOSTILE }),
    "hash.par": await archiveOf({
      bend: (payload) => payload["wascap"].target_hashes[HOSTILE] = "0".repeat(64),
    }),
    "alg.par": await archiveOf({ header: { typ: "jwt", alg: HOSTILE } }),
    "typ.par": await archiveOf({ header: { typ: HOSTILE, alg: "Ed25519" } }),
    "header.par": await archiveOf({ header: { typ: "jwt", alg: "Ed25519", [HOSTILE]: 1 } }),
    "entry.par": concat(...await entriesOf(), tarEntry({ name: HOSTILE }), TAR_END),
    "path.par": concat(...await entriesOf(), tarEntry({ name: `a/${HOSTILE}` }), TAR_END),
  };
  await s.write("good.par", await archiveOf());
  for (const [name, archive] of Object.entries(bent)) {
    await s.write(name, archive);
    const readers = [["inspect", name], ["verify", name]];
    // What these say differs by what is wrong with the description, or with the archive.
    const writers = /^(name|vendor|schema)/.test(name)
      ? [["merge", name, "good.par", "--destination", "out.par", ...FIXED_KEYS]]
      : /^(header|hash|path)/.test(name)
      ? [
        ["extract", name, "--all", "--output", "."],
        ["insert", name, "-b", "arm-linux=none", ...FIXED_KEYS],
        ["remove", name, "-a", "mips-linux", "--verbose", ...FIXED_KEYS],
      ]
      : [];
    for (const args of [...readers, ...writers]) {
      const { stdout, stderr } = await s.run(args);
      for (const text of [stdout, stderr]) {
        const found = CONTROLS.exec(text);
        assert(!found, `par ${args.join(" ")} prints U+${found?.[0].charCodeAt(0).toString(16)}`);
      }
    }
  }
});

import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import stringWidth from "npm:string-width@8.2.1";
import { pad, widthOf, wrap } from "../../lib/cli/text.ts";
import { anyText } from "../_text.ts";

/** Scripts of the world, wide characters, and characters that are several or none. */
const TEXTS = [
  "par",
  "支払い",
  "결제",
  "ｶﾅ",
  "Zürich",
  "e\u0301",
  "💸",
  "👩🏽‍🔬",
  "🇨🇭",
  "—",
  "\u200b",
  "हिन्दी",
];

Deno.test("widthOf() counts columns as string-width does", () => {
  for (const text of TEXTS) assert.equal(widthOf(text), stringWidth(text), text);
  assert.equal(widthOf("支払い 💸 e\u0301"), 11);
  const text = fc.array(fc.constantFrom(...TEXTS, " ")).map((texts) => texts.join(""));
  fc.assert(fc.property(text, (text) => assert.equal(widthOf(text), stringWidth(text))));
});

Deno.test("wrap() breaks any text into lines that fit, and loses nothing but spaces", () => {
  const text = fc.oneof(
    anyText(40),
    fc.string({ maxLength: 60 }),
    fc.array(fc.constantFrom(...TEXTS), { maxLength: 20 }).map((texts) => texts.join(" ")),
  );
  fc.assert(fc.property(text, fc.integer({ min: 2, max: 30 }), (text, width) => {
    const lines = wrap(text, width);
    assert(lines.length > 0);
    for (const line of lines) assert(widthOf(line) <= width, JSON.stringify(lines));
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }));
});

Deno.test("wrap() breaks between words where they fit, and leaves a text that fits as it is", () => {
  assert.deepEqual(wrap("a few words of a sentence", 10), ["a few", "words of a", "sentence"]);
  assert.deepEqual(wrap("a word-that-is-long", 8), ["a", "word-tha", "t-is-lon", "g"]);
  assert.deepEqual(wrap("支払い", 4), ["支払", "い"]);
  for (const text of ["", " ", "a  b", " a "]) assert.deepEqual(wrap(text, 10), [text]);
});

Deno.test("pad() fills up to the width that is seen", () => {
  assert.equal(pad("支", 4, "left"), "支  ");
  assert.equal(pad("支", 4, "right"), "  支");
  assert.equal(pad("支", 5, "centre"), " 支  ");
  assert.equal(pad("too long", 4, "centre"), "too long");
});

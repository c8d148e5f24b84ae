import assert from "node:assert/strict";
import { draw, readImports, roomOf, ROOMS } from "../scripts/draw_house.ts";
import { ROOT } from "./_tools.ts";

const IMPORTS = await readImports();

Deno.test("every file of lib/ lies in a room, and every room has a sign", async () => {
  const names = await Array.fromAsync(Deno.readDir(`${ROOT}/lib`), ({ name }) => name);
  assert.deepEqual(names.map((name) => roomOf(name)).sort(), [...ROOMS].sort());
  for (const room of ROOMS.slice(0, -1)) {
    const sign = await Deno.readTextFile(`${ROOT}/lib/${room}/README.md`);
    assert.match(sign, /^# .+\n\n.+/);
    assert.match(sign, /\*\*Other rooms use\*\*: .+/);
    assert.match(sign, /\*\*It knows nothing about\*\*: .+/);
    for (const behind of ROOMS.slice(ROOMS.indexOf(room) + 1)) {
      assert(
        sign.includes(`\`${behind}${behind === "errors" ? ".ts" : ""}\``),
        `${room}: ${behind}`,
      );
    }
  }
});

Deno.test("no import of lib/ points to the left, also not of a type", () => {
  assert(IMPORTS.length > 100, `only ${IMPORTS.length} imports were found`);
  const rooms: readonly string[] = ROOMS;
  const left = IMPORTS.filter(({ from, to }) =>
    rooms.indexOf(roomOf(from)) > rooms.indexOf(roomOf(to))
  );
  assert.deepEqual(left, []);
});

Deno.test("no files of lib/ import each other in a circle, also not for types", () => {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of IMPORTS) {
    // A module may name itself in the examples of its documentation.
    if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert(!path.includes(file), `a circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
});

Deno.test("CONTRIBUTING.md draws the imports as they are", async () => {
  const page = await Deno.readTextFile(`${ROOT}/CONTRIBUTING.md`);
  const cells = (text: string): string => text.replaceAll(/[ :|-]+/g, " ");
  assert(cells(page).includes(cells(draw(IMPORTS))), "run scripts/draw_house.ts");
});

/**
 * Types command lines as a person would, and draws what a terminal shows then to `docs/session.svg`.
 *
 * Keys, times and binaries are fixed, so that the same toolkit gives the same picture.
 *
 * @module
 */

/** Of the reference implementation's own tests, and known to everybody. */
const ISSUER = "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW";
const OTHER_ISSUER = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";

/** What is typed. */
const SESSION: readonly string[] = [
  `par create --name "Fake Payments" --vendor wasmCloud --capid examples:payments \\
    --version 1.0 --revision 1 --binary target/release/libfakepay_provider.so \\
    --destination fakepay.par.gz --compress`,
  "par insert fakepay.par.gz --binary from-the-mac/libfakepay_provider.dylib",
  "par inspect fakepay.par.gz",
  "par verify fakepay.par.gz --trusted-issuer issuers.txt --require-arch aarch64-macos",
  `par verify fakepay.par.gz --trusted-issuer ${OTHER_ISSUER}`,
  "echo $?",
];

const ENVIRONMENT: Readonly<Record<string, string>> = {
  WASH_ISSUER_KEY: "SAACTTUPKR55VUWUDK7GJ5SU5KGED455FR7BDO46RUVOTHUWKBLECLH2UU",
  WASH_SUBJECT_KEY: "SVAOZUSBWWFL65P255DOHIETPTXUQMM5ETLSYPITI5G4K4HI6M2CDAPWAU",
  SOURCE_DATE_EPOCH: "1700000000",
  FORCE_COLOR: "1",
};

/** Just enough of a header to tell a library and its machine: ELF for x86_64, Mach-O for AArch64. */
const FILES: Readonly<Record<string, Uint8Array | string>> = {
  "target/release/libfakepay_provider.so": header(
    [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array(9).fill(0), 3],
    18,
    62,
  ),
  "from-the-mac/libfakepay_provider.dylib": header([0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1], 12, 6),
  "issuers.txt": `${ISSUER}\n`,
};

function header(start: readonly number[], at: number, byte: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set(start);
  bytes[at] = byte;
  return bytes;
}

/** Runs the session, and gives what the terminal shows. */
export async function record(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "par-session-" });
  try {
    for (const [path, content] of Object.entries(FILES)) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/") + 1)}`, {
        recursive: true,
      });
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${folder}/${path}`, bytes);
    }
    const module = new URL("../cli.ts", import.meta.url).pathname;
    await Deno.writeTextFile(
      `${folder}/par`,
      `#!/bin/sh\nexec "$DENO" run --quiet --no-prompt -RWEN --allow-run=wasm-tools '${module}' "$@"\n`,
    );
    await Deno.chmod(`${folder}/par`, 0o755);
    // One shell runs it all, so that a line can ask how the one before it ended.
    const script = SESSION.map((line) => `(printf '\\0'; exit $status)\n${line}\nstatus=$?`);
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 2>&1\nstatus=0\n${script.join("\n")}`],
      cwd: folder,
      env: {
        ...ENVIRONMENT,
        DENO: Deno.execPath(),
        PATH: `${folder}:${Deno.env.get("PATH") ?? ""}`,
      },
    }).output();
    const [, ...outputs] = new TextDecoder().decode(stdout).split("\0");
    return SESSION.map((line, i) => `\x1b[1m$ ${line}\x1b[22m\n${outputs[i] ?? ""}`).join("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A run of characters in one style: the class that draws it, if it is not plain. */
interface Run {
  readonly text: string;
  readonly style: string;
}

/** SGR codes of ECMA-48 that the command uses, and the classes that draw them. */
const STYLES: Readonly<Record<string, string>> = {
  "1": "bold",
  "2": "dim",
  "22": "",
  "31": "red",
  "32": "green",
  "33": "yellow",
  "39": "",
};

function* runsOf(line: string, style: string): Generator<Run> {
  // deno-lint-ignore no-control-regex -- this is what colours begin with
  for (const [i, part] of line.split(/\x1b\[(\d+)m/).entries()) {
    if (i % 2 === 1) style = STYLES[part] ?? "";
    else yield { text: part, style };
  }
}

/** A character's width and a line's height, in the picture's units. */
const CELL = { width: 8.4, height: 18 };
const MARGIN = 16;
const BAR_HEIGHT = 32;

/**
 * Draws a terminal's text.
 *
 * @param text What the terminal shows, with its colours.
 */
export function draw(text: string): string {
  const lines = text.trimEnd().split("\n");
  const rows: string[] = [];
  let columns = 0;
  let style = "";
  lines.forEach((line, row) => {
    let column = 0;
    for (const run of runsOf(line, style)) {
      style = run.style;
      const length = [...run.text].length;
      if (run.text.trim() !== "") rows.push(drawRun(run, column, row));
      column += length;
    }
    columns = Math.max(columns, column);
  });
  const width = Math.ceil(2 * MARGIN + columns * CELL.width);
  const height = BAR_HEIGHT + 2 * MARGIN + lines.length * CELL.height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>A terminal session: an archive is created, inserted into, inspected and verified</title>
<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d5dae3; white-space: pre }
.bold { fill: #ffffff; font-weight: bold }
.dim { fill: #8b949e }
.red { fill: #ff7b72 }
.green { fill: #7ee787 }
.yellow { fill: #e3b341 }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#161b22"/>
<g fill="#484f58"><circle cx="20" cy="17" r="5"/><circle cx="38" cy="17" r="5"/><circle cx="56" cy="17" r="5"/></g>
${rows.join("\n")}
</svg>
`;
}

/** The length is stated, so that lines meet in fonts of any width. */
function drawRun({ text, style }: Run, column: number, row: number): string {
  const indent = text.length - text.trimStart().length;
  const shown = text.trim();
  const x = (MARGIN + (column + indent) * CELL.width).toFixed(1);
  const y = BAR_HEIGHT + MARGIN + (row + 0.7) * CELL.height;
  const length = ([...shown].length * CELL.width).toFixed(1);
  const escaped = shown.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<text x="${x}" y="${y.toFixed(1)}"${
    style && ` class="${style}"`
  } textLength="${length}" ` +
    `lengthAdjust="spacingAndGlyphs" xml:space="preserve">${escaped}</text>`;
}

if (import.meta.main) {
  await Deno.writeTextFile(
    new URL("../docs/session.svg", import.meta.url),
    draw(await record()),
  );
}

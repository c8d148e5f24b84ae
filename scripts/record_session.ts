/**
 * Runs command lines in a terminal of 80 columns, and draws what the terminal shows as
 * `docs/session.svg`: a provider is built, inspected, pushed and verified.
 *
 * It needs Linux on x86_64, cargo, Debian's `docker-registry`, and `script` of util-linux, which makes
 * the terminal. Keys, times and the binary are fixed, so that the same toolkit gives the same picture.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { startDockerRegistry } from "../test/registry/_registry.ts";

/** Keys from the tests of the reference implementation. Their seeds are public. */
const ISSUER = "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW";
const OTHER_ISSUER = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";

/** The columns of the terminal. */
const COLUMNS = 80;

/** The registry in the command lines. The one that runs has another port. */
const REGISTRY = "localhost:5000";

const ARCHIVE = "build/libfakepay_provider.par.gz";

/** The command lines. */
const SESSION: readonly string[] = [
  'par build --name "Fake Payments" --vendor wasmCloud --capid examples:payments',
  `par inspect ${ARCHIVE}`,
  `par push ${REGISTRY}/fakepay:1.0.0 ${ARCHIVE}`,
  `par verify ${REGISTRY}/fakepay:1.0.0 --trusted-issuer issuers.txt`,
  `par verify ${ARCHIVE} --trusted-issuer others.txt`,
  "echo $?",
];

const ENVIRONMENT: Readonly<Record<string, string>> = {
  WASH_ISSUER_KEY: "SAACTTUPKR55VUWUDK7GJ5SU5KGED455FR7BDO46RUVOTHUWKBLECLH2UU",
  WASH_SUBJECT_KEY: "SVAOZUSBWWFL65P255DOHIETPTXUQMM5ETLSYPITI5G4K4HI6M2CDAPWAU",
  SOURCE_DATE_EPOCH: "1700000000",
  // Cargo would print how long it took.
  CARGO_TERM_QUIET: "true",
};

/**
 * The files of the project. Its linker writes the same library with each version of Rust: a header that
 * names the machine, and nothing else.
 */
const FILES: Readonly<Record<string, string>> = {
  "Cargo.toml": `[package]
name = "fakepay-provider"
version = "1.0.0"
edition = "2021"

[lib]
name = "fakepay_provider"
crate-type = ["cdylib"]
`,
  "src/lib.rs": "",
  "linker": `#!/bin/sh
while [ "$1" != -o ]; do shift; done
printf '\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0\\76\\0' >"$2"
head -c 44 /dev/zero >>"$2"
`,
  "issuers.txt": `${ISSUER}\n`,
  "others.txt": `${OTHER_ISSUER}\n`,
};

/** Runs the session, and gives what the terminal shows. */
export async function record(): Promise<string> {
  const temporary = await Deno.makeTempDir({ prefix: "par-session-" });
  await using registry = await startDockerRegistry();
  const host = registry.host.replace("127.0.0.1", "localhost");
  try {
    const folder = `${temporary}/fakepay`;
    for (const [path, text] of Object.entries(FILES)) {
      await Deno.mkdir(`${folder}/${path}`.replace(/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await Deno.chmod(`${folder}/linker`, 0o755);
    const module = fileURLToPath(new URL("../cli.ts", import.meta.url));
    await Deno.writeTextFile(
      `${temporary}/par`,
      `#!/bin/sh\nexec "$DENO" run --quiet --no-prompt -RWEN --allow-run '${module}' "$@"\n`,
    );
    await Deno.chmod(`${temporary}/par`, 0o755);
    // One shell runs all lines, so that `$?` works.
    const lines = SESSION.map((line) =>
      `(printf '\\0'; exit $status)\n${line.replaceAll(REGISTRY, host)}\nstatus=$?`
    );
    const setup = `stty cols ${COLUMNS} rows 50; status=0`;
    await Deno.writeTextFile(`${temporary}/session`, [setup, ...lines, ""].join("\n"));
    const { stdout } = await new Deno.Command("script", {
      args: ["--quiet", "--command", `sh ${temporary}/session`, "/dev/null"],
      cwd: folder,
      env: {
        ...ENVIRONMENT,
        DENO: Deno.execPath(),
        PATH: `${temporary}:${Deno.env.get("PATH") ?? ""}`,
        HOME: temporary,
        CARGO_HOME: Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`,
        RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? `${Deno.env.get("HOME")}/.rustup`,
        CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER: `${folder}/linker`,
        DENO_DIR: await denoDir(),
        NO_COLOR: "",
        TERM: "xterm-256color",
      },
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout).replaceAll("\r\n", "\n");
    const [, ...outputs] = text.replaceAll(host, REGISTRY).split("\0");
    return SESSION.map((line, i) => `\x1b[1m$ ${line}\x1b[22m\n${outputs[i] ?? ""}`).join("\n");
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
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
  const lines = text.trimEnd().split("\n").flatMap(breakLine);
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
<title>A terminal session: a provider is built, inspected, pushed and verified</title>
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

/** Breaks a line as a terminal does: after its last column, even within a word. */
function breakLine(line: string): string[] {
  // deno-lint-ignore no-control-regex -- this is what colours begin with
  const parts = line.match(/\x1b\[\d+m|./gsu) ?? [""];
  const rows = [""];
  let column = 0;
  for (const part of parts) {
    if (!part.startsWith("\x1b") && part !== "" && column++ === COLUMNS) {
      rows.push("");
      column = 1;
    }
    rows.push((rows.pop() ?? "") + part);
  }
  return rows;
}

/** Draws a run. It states the length, so that lines meet in a font of any width. */
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

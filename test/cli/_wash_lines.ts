/**
 * The forms of command lines with which Makefiles, scripts, workflows and instructions of 2020 to 2026
 * called `wash` for provider archives. A form is the verb with its groups, the flags in their spelling and
 * order, where the arguments stand, and what is quoted; each stands here once. Files, names and versions are
 * of the tests: see `setUp()` in wash_test.ts.
 *
 * @module
 */

/** Calls of `create`. */
export const CREATES: readonly string[] = [
  // All flags, as provider.mk has them.
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  "--vendor wasmCloud --version 0.1.0 --revision 0 --destination kv.par.gz --compress",
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  '--vendor "wasmCloud" --version 0.1.0 --revision 1 --destination kv.par.gz --compress',
  'par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name "Key Value" ' +
  "--vendor wasmCloud --version 0.1.0 --revision 1 --destination kv.par.gz --compress",
  'par create --arch x86_64-linux --binary ./x86.so --capid "wasmcloud:keyvalue" --name "Key Value" ' +
  '--vendor "wasmCloud" --version "0.1.0" --revision 1 --destination ./kv.par.gz',
  'par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name "Key Value" ' +
  "--vendor wasmCloud --version v0.1.0 --revision 1 --destination kv.par.gz",
  'par create --name "Key Value" --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue ' +
  "--vendor wasmCloud --version 1.0 --revision 1 --destination kv.par.gz --compress",
  // Without version and revision.
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  "--vendor wasmCloud --destination kv.par.gz --compress",
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  "--vendor wasmCloud --compress",
  "par create --name KV --arch x86_64-linux --capid wasmcloud:keyvalue --binary ./x86.so " +
  "--vendor wasmCloud --destination=kv.par",
  "par create --capid wasmcloud:keyvalue --vendor wasmCloud --name KV --arch x86_64-linux " +
  "--binary ./x86.so",
  "par create --vendor wasmCloud --compress --arch x86_64-linux --name KV " +
  "--capid wasmcloud:keyvalue --destination kv.par.gz --binary x86.so",
  // Without a target.
  'par create --capid wasmcloud:keyvalue --vendor wasmCloud --name "Key Value" --binary x86.so ' +
  "--destination kv.par.gz",
  "par create --capid wasmcloud:keyvalue --vendor wasmCloud --name KV --binary ./x86.so --compress",
  // Without a capability id, since 2024.
  'par create --binary "./x86.so" --compress --destination "kv.par.gz" --name "KV" ' +
  "--vendor wasmCloud --version 0.1.0",
  'par create --name "KV" --vendor wasmCloud --binary "x86.so" --destination "kv.par.gz" ' +
  "--compress --version 0.1.0",
  "par create --compress --binary x86.so --vendor wasmCloud --version 0.1.0 --name KV",
  "par create --name KV --vendor wasmCloud --version 0.1.0 --binary ./x86.so",
  "par create --vendor wasmCloud --compress --name KV --destination kv.par.gz --binary x86.so",
  "par create --vendor wasmCloud --compress --name KV --binary ./x86.so --destination kv.par.gz",
  'par create --vendor wasmCloud --name "Key Value" --binary ./x86.so --compress',
  // Short flags, and no group.
  "par create -a x86_64-linux -b x86.so -c wasmcloud:keyvalue -n KV -v wasmCloud -r 1 " +
  "--destination kv.par.gz --compress",
  "create --compress --binary x86.so --name KV --vendor wasmCloud --destination kv.par.gz",
];

/** Calls of `insert`, where the archive has the target x86_64-linux. */
export const INSERTS: readonly string[] = [
  "par insert --arch aarch64-linux --binary arm.so kv.par.gz",
  'par insert --arch aarch64-linux --binary "./arm.so" "kv.par.gz"',
  "par insert --arch aarch64-unknown-linux-gnu --binary arm.so kv.par.gz",
  "par insert kv.par.gz --arch aarch64-linux --binary arm.so",
  "par insert ./kv.par.gz --binary ./arm.so --arch aarch64-linux",
  "par insert -a aarch64-linux -b ./arm.so ./kv.par.gz",
  "par insert -a aarch64-linux -b ./arm.so ./kv.par.gz -i ISSUER -s SUBJECT",
];

/** The other targets that `insert` and `create` name. Each is the name of a file too. */
export const TARGETS: readonly string[] = [
  ...["aarch64-macos", "x86_64-macos", "x86_64-windows", "arm-linux", "armv7-linux"],
  ...["mips-linux", "mipsel-linux", "mips64-linux", "mips64el-linux"],
];

/** Calls of `inspect`, and a pattern of what they print. */
export const INSPECTS: readonly (readonly [line: string, prints: RegExp])[] = [
  ["par inspect kv.par.gz", /KV - Provider Archive[^]*x86_64-linux/],
  ['par inspect "kv.par.gz"', /KV - Provider Archive[^]*x86_64-linux/],
  ["inspect ./kv.par.gz", /KV - Provider Archive[^]*x86_64-linux/],
  ["par inspect -o json kv.par.gz", /"service":\s*"V/],
  ["par inspect kv.par.gz -o json", /"service":\s*"V/],
  ["inspect ./kv.par.gz -o json", /"service":\s*"V/],
];

/** Calls of `inspect` with a reference. */
export const REMOTE_INSPECTS: readonly string[] = [
  "par inspect HOST/kv:0.1.0",
  "inspect HOST/kv:0.1.0",
  "par inspect HOST/kv:0.1.0 --insecure",
];

/** Calls of `push`. HOST/TO is where this line's archive goes. */
export const PUSHES: readonly string[] = [
  "reg push HOST/TO:0.1.0 kv.par.gz",
  "reg push --insecure HOST/TO:0.1.0 kv.par.gz",
  "reg push HOST/TO:0.1.0 --insecure kv.par.gz",
  "reg push HOST/TO:0.1.0 ./kv.par.gz --insecure",
  "reg push HOST/TO:0.1.0 kv.par.gz -a org.opencontainers.image.source=https://localhost/kv",
  "reg push HOST/TO:latest kv.par.gz -a org.opencontainers.image.source=https://localhost/kv " +
  "--allow-latest",
  "reg push -u me -p secret HOST/TO:0.1.0 kv.par.gz",
  "push HOST/TO:0.1.0 kv.par.gz",
  'push HOST/v2/TO:canary "kv.par.gz"',
  "push --insecure HOST/TO:0.1.0 kv.par.gz",
  "push HOST/TO:0.1.0 kv.par.gz --insecure",
  "push --allow-latest HOST/TO:latest kv.par.gz",
  "push --insecure --registry HOST TO:0.1.0 ./kv.par.gz",
  'push --user "me" --password "secret" HOST/TO:0.1.0 kv.par.gz',
];

/** Calls of `pull`, and the file that they write. */
export const PULLS: readonly (readonly [line: string, file: string])[] = [
  ["reg pull HOST/kv:0.1.0", "kv.par.gz"],
  ["reg pull HOST/kv:0.1.0 --destination pulled.par.gz", "pulled.par.gz"],
  ["reg pull HOST/kv:0.1.0 --destination pulled.par.gz -o json", "pulled.par.gz"],
  ["reg pull HOST/kv:0.1.0 -o json --destination pulled.par.gz", "pulled.par.gz"],
  ["reg pull HOST/kv:0.1.0 --insecure --destination pulled.par.gz", "pulled.par.gz"],
  ["pull HOST/kv:0.1.0", "kv.par.gz"],
  ["pull HOST/kv:0.1.0 --destination pulled.par.gz --insecure", "pulled.par.gz"],
];

/** Calls of `build`, and the folder that the project is in. */
export const BUILDS: readonly (readonly [line: string, folder: string])[] = [
  ["build", "."],
  ["build -p provider", "provider"],
  ["build -p ./provider", "provider"],
  ["build -p providers/kv", "providers/kv"],
  ["build -p provider/wasmcloud.toml", "provider"],
  ["build --config-path providers/kv", "providers/kv"],
  ["build --config-path wasmcloud.toml", "."],
];

/** Slips of authors, and flags that `par` has not, with what the message must say. */
export const SLIPS: readonly (readonly [line: string, says: string])[] = [
  // A line that was to go on, but has no backslash.
  ["par create --compress", "it needs --name <name> and --vendor <vendor>"],
  ["par create --name KV", "it needs --vendor <vendor>"],
  // A variable without a value.
  ["par create --name KV --vendor --version 0.1.0 --binary x86.so", "it needs --vendor <vendor>"],
  [
    "par create --arch x86_64-linux --binary x86.so --name KV --vendor wasmCloud --revision " +
    "--destination kv.par.gz",
    "it needs --revision <number>",
  ],
  ["par insert --arch aarch64-linux --binary arm.so", "it needs <archive>"],
  ["reg push --insecure HOST/kv:0.1.0", "it needs <archive>"],
  ["par push HOST/kv:0.1.0", "it needs <archive>"],
  ["reg push https://HOST/kv:0.1.0 kv.par.gz", "the only scheme of a reference is oci://"],
  // Workflows of 2020 give -o a file.
  [
    "par create -a x86_64-linux -b ./x86.so -n KV -v wasmCloud -c wasmcloud:keyvalue " +
    "-o ./kv.par.gz --compress",
    '--output takes text or json, and not "./kv.par.gz"',
  ],
  ["build --release", "it has no flag --release"],
  ["build --sign-only --config-path wasmcloud.toml", "it has no flag --sign-only"],
  ["-C ./component build", "it needs a verb before -C"],
  // Misspelt.
  ["par create --revison 1", "--revison"],
  ["par insret a.par", "did you mean insert?"],
  ["reg ping x", 'there is no verb "ping"'],
];

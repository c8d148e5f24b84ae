/**
 * Cases at random: gentle bends, most of which leave an archive that readers take, and harsh ones,
 * which are what readers are known to differ in.
 *
 * @module
 */

import fc from "npm:fast-check@4.10.2";
import { OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { type Base, type Bend, type Case, CONTENTS, type TokenBend } from "./_case.ts";
import type { GzipBend, Subfield } from "./_gzip_bends.ts";
import type { JsonBend, Path } from "./_json.ts";
import {
  CHECKSUM_STYLES,
  type Field,
  FIELDS,
  type PaxRecord,
  SPELLINGS,
  type TarBend,
} from "./_tar_bends.ts";

const { constant, constantFrom, integer, record } = fc;

/** Some values, each as often as the others. */
const some = <Value>(values: readonly Value[]): fc.Arbitrary<Value> => constantFrom(...values);

/** Present in half of the cases. */
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 });

// Archives in order.

const target = fc.oneof(
  {
    weight: 5,
    arbitrary: some(["x86_64-linux", "aarch64-linux", "armv7-linux", "x86_64-windows"]),
  },
  {
    weight: 1,
    arbitrary: some([
      ...["a.b-linux", "X86_64-LINUX", "constructor", "toString", "a", "0", "7-linux", "claims.x"],
      ...["world-x", "x86_64-linux.bin", "aux-linux", "CLAIMS", "World", "a+b", "a-.-", "a..b"],
      ...["n".repeat(95), "n".repeat(96)],
    ]),
  },
);

const base: fc.Arbitrary<Base> = record({
  packing: fc.oneof(
    { weight: 5, arbitrary: constant("plain" as const) },
    { weight: 3, arbitrary: constant("gzip" as const) },
    { weight: 2, arbitrary: constant("index" as const) },
  ),
  binaries: fc.uniqueArray(
    fc.tuple(
      target,
      fc.oneof(
        { weight: 4, arbitrary: constant("text" as const) },
        { weight: 3, arbitrary: some(CONTENTS) },
      ),
    ),
    { selector: ([name]) => name, minLength: 1, maxLength: 3 },
  ),
  wit: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

// JSON.

const MEMBERS: readonly Path[] = [
  ...["exp", "jti", "iat", "iss", "sub", "nbf", "wascap", "wascap_revision"].map((name) => [name]),
  ...["name", "capid", "vendor", "rev", "ver", "target_hashes", "config_schema"]
    .map((name) => ["wascap", name]),
  ["wascap", "target_hashes", "#0"],
  ["wascap", "target_hashes", "#1"],
  ["wascap", "config_schema", "type"],
  ["wascap", "config_schema", "maximum"],
];

const OBJECTS: readonly Path[] = [
  [],
  ["wascap"],
  ["wascap", "target_hashes"],
  ["wascap", "config_schema"],
];

const NUMBERS = [
  ...["0", "-0", "1", "-1", "1.0", "1.5", "1e0", "1E0", "10e-1", "1e1", "01", "+1", "1.", ".5"],
  ...["0x10", "1_0", "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "0e999999"],
  ...["1.7e9", "1700000000.0", "1700000000.5", "32503680000", "253402300800"],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296"],
  ...["9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807"],
  ...["9223372036854775808", "18446744073709551615", "18446744073709551616"],
  ...["123456789012345678901234567890", "0.1", "0.30000000000000004", "1e23", "1e21"],
  ...["5e-324", "2.2250738585072014e-308", "1.00000000000000000001", "-0.0", "1e+2", "1e05"],
];

/** Half a surrogate pair from U+DC80 on stands for a byte; see `_json.ts`. */
const STRINGS = [
  ...['""', '"a"', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00"', '"\\udc00\\ud800"'],
  ...[
    '"\\ud83d\\ude00"',
    '"\\uD83D\\uDE00"',
    '"😀"',
    '"\\ud83d😀"',
    '"é"',
    '"\\u00e9"',
    '"e\u0301"',
  ],
  ...['"\\/"', '"\\b\\f\\n\\r\\t\\"\\\\"', '"\\a"', '"\\x41"', '"\\u00"', '"\\U0041"', '"\\u{41}"'],
  ...[
    '"\n"',
    '"\t"',
    '"\0"',
    '"\u007f"',
    '"\u0085"',
    '"\u2028"',
    '"\ufeff"',
    '"\ufffd"',
    '"\uffff"',
  ],
  ...['"\u{10ffff}"', '"\udcff"', '"\udcc0\udc80"', '"\udced\udca0\udc80"', '"\udcf5\udc80"'],
  ...["'a'", "a", '"a', '"<script>&"', '"\\u003c"', '"%00"', '"\\ufffe"', '"\u202e"'],
];

const VALUES = [
  ...["null", "true", "false", "[]", "{}", "[1,]", '{"a":1,}', '{"a":1,"a":2}', '{"__proto__":1}'],
  ...['{"a":{"b":1,"\\u0062":2}}', "[[[[]]]]", "undefined", "", "nul", "True", '{"":1}', "[,]"],
  ...['{"a":1e400}', '{"a":12345678901234567890}', '{"a":-0}', '{"a":"\\ud800"}', '{"\\ud800":1}'],
  ...['{"$ref":"#"}', '{"constructor":{"prototype":1}}', '{"toJSON":1}', '{"a":0.1e1}'],
  ...[
    '{"a":9007199254740993}',
    '{"b":1,"a":2}',
    '{"1":1,"0":2}',
    '{"a":1.0}',
    '{"é":1,"e\u0301":2}',
  ],
  ...['{"$serde_json::private::Number":"1"}', '{"$serde_json::private::RawValue":"1"}'],
  ...["[".repeat(100) + "]".repeat(100), "[".repeat(124) + "]".repeat(124)],
  ...["[".repeat(126) + "]".repeat(126), "[".repeat(130) + "]".repeat(130)],
];

const anyValue = fc.oneof(some(NUMBERS), some(STRINGS), some(VALUES));

const hash = some(["0".repeat(64), "A".repeat(64), "a".repeat(64)].map((text) => `"${text}"`));

/** Other spellings of a name, the same to some readers, as the text of a member. */
const respelled = (name: string): fc.Arbitrary<string> => {
  const escapeAt = (at: number): string =>
    `"${name.slice(0, at)}\\u${name.charCodeAt(at).toString(16).padStart(4, "0")}${
      name.slice(at + 1)
    }"`;
  return fc.oneof(
    integer({ min: 0, max: Math.max(name.length - 1, 0) }).map(escapeAt),
    some([
      name.toUpperCase(),
      `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
      // Letters that fold to ASCII ones: the long s and the Kelvin sign.
      name.replace("s", "\u017f"),
      name.replace("k", "\u212a"),
      `${name} `,
      ` ${name}`,
      `${name}\\u0000`,
      `${name}\u200b`,
      name.replaceAll("_", ""),
      name.replaceAll("_", "-"),
      `\ufeff${name}`,
    ].map((text) => `"${text}"`)),
  );
};

const nameOf = (path: Path): string => {
  const name = path.at(-1) ?? "";
  return name.startsWith("#") ? "x86_64-linux" : name;
};

const unknownName = some([
  ...['"x"', '""', '"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '"aud"'],
  ...['"\\u0000"', '"\\ud800"', '"é"', '"\\u00e9"', '"a.b"', '"Iss"', '"Name"', '"hash"', '"tags"'],
  ...['"then"', '"valueOf"', '"0"', '"-1"', '"kid"', '"crit"', '"b64"', '"jwk"', '"x5c"', '"cty"'],
  ...["x", "'x'", "1", "null", '"\udcff"', '"\t"', '"call_alias"', '"issuer"', '"metadata"'],
]);

const knownMember = some(MEMBERS);

const gentleJson: fc.Arbitrary<JsonBend> = fc.oneof(
  record({
    do: constant("between" as const),
    at: fc.nat(120),
    text: some([" ", "  ", "\t", "\n", "\r\n", " \t\r\n "]),
  }),
  record({ do: constant("move" as const), path: knownMember }),
  record({
    do: constant("add" as const),
    path: some(OBJECTS.filter((path) => path.at(-1) !== "target_hashes")),
    name: some(['"x"', '"aud"', '"é"', '"a.b"', '"constructor"', '"hash"', '""']),
    text: some(["1", '"a"', "[]", "{}", "null", "true", '"é"', '{"a":[1,2]}', "-1", "0.5"]),
    first: fc.boolean(),
  }),
  record({
    do: constant("value" as const),
    path: some([["wascap", "name"], ["wascap", "ver"], ["wascap", "vendor"], ["wascap", "capid"]]),
    text: some(['""', '"a"', '"é"', '"😀"', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\n\\t"', '"\\/"']),
  }),
  record({
    do: constant("value" as const),
    path: some([["iat"], ["nbf"], ["wascap", "rev"], ["wascap_revision"]]),
    text: some(["0", "1", "3", "1700000000", "2147483647"]),
  }),
  record({
    do: constant("value" as const),
    path: constant(["wascap", "config_schema"]),
    text: some(['{"a":[1,2,{"b":null}]}', "[]", '"a"', "true", "0.5", "-1.5e-3", '{"b":1,"a":2}']),
  }),
  record({
    do: constant("drop" as const),
    path: some([
      ...[["exp"], ["nbf"], ["wascap", "name"], ["wascap", "rev"], ["wascap", "ver"]],
      ...[["wascap", "config_schema"], ["wascap_revision"]],
    ]),
  }),
);

const harshJson: fc.Arbitrary<JsonBend> = fc.oneof(
  record({
    do: constant("value" as const),
    path: knownMember,
    text: fc.oneof(anyValue, some(NUMBERS), hash, constant(`"${OTHER_ISSUER.publicKey}"`)),
  }),
  record({
    do: constant("value" as const),
    path: some([["iat"], ["exp"], ["nbf"], ["wascap", "rev"], ["wascap_revision"]]),
    text: some(NUMBERS),
  }),
  record({ do: constant("value" as const), path: knownMember, text: some(STRINGS) }),
  record({
    do: constant("value" as const),
    path: some([["wascap", "config_schema"], ["wascap", "config_schema", "maximum"]]),
    text: anyValue,
  }),
  knownMember.chain((path) =>
    respelled(nameOf(path)).map((text) => ({ do: "name" as const, path, text }))
  ),
  record({ do: constant("drop" as const), path: knownMember }),
  record({
    do: constant("add" as const),
    path: some(OBJECTS),
    name: unknownName,
    text: fc.oneof(anyValue, hash),
    first: fc.boolean(),
  }),
  // Another spelling beside the right one.
  knownMember.chain((path) =>
    record({
      do: constant("twice" as const),
      path: constant(path),
      name: maybe(respelled(nameOf(path))),
      text: maybe(
        fc.oneof(
          anyValue,
          some([`"${OTHER_ISSUER.publicKey}"`, `"${SUBJECT.publicKey}"`, '"Evil"', "7", "{}"]),
          hash,
        ),
      ),
      first: fc.boolean(),
    })
  ).map(({ name, text, ...rest }) => ({
    ...rest,
    ...(name !== undefined && { name }),
    ...(text !== undefined && { text }),
  })),
  record({
    do: constant("between" as const),
    at: fc.oneof(constant(0), fc.nat(120)),
    text: some([
      ...[
        "\ufeff",
        "\f",
        "\v",
        "\u00a0",
        "\u2028",
        "\0",
        "//x\n",
        "/**/",
        "#",
        ",",
        ":",
        "x",
        "\x1e",
      ],
      ...["}", "{}", "1", '"', "\udcff", "\u0085", "\u3000", ")]}'"],
    ]),
  }),
);

// The token.

const tokenBend: fc.Arbitrary<TokenBend> = record({
  part: some([0, 1, 2] as const),
  side: some(["start", "end"] as const),
  drop: fc.oneof({ weight: 3, arbitrary: constant(0) }, { weight: 1, arbitrary: some([1, 2]) }),
  text: some([
    ...[
      "",
      "=",
      "==",
      "\n",
      "\r\n",
      " ",
      "\0",
      ".",
      "..",
      "A",
      "AA",
      "AAAA",
      "+",
      "/",
      "-",
      "\ufeff",
    ],
    ...["%3d", "\u00e9", "\udcff", "\t", "Q", "g", "w", "1", "9", "_"],
  ]),
});

// Tar.

const entry = fc.nat(3);

const numericField = some<Field>(["mode", "uid", "gid", "size", "mtime", "devmajor", "devminor"]);

const textField = some<Field>(["name", "linkname", "uname", "gname", "prefix", "rest"]);

const FLAGS = [
  ...[
    "0",
    "\0",
    "7",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "g",
    "x",
    "X",
    "L",
    "K",
    "S",
    "V",
    "M",
    "D",
    "N",
  ],
  ...["A", "E", "I", "8", "9", " ", "\xff", "-", "F", "s", "P"],
];

const MAGICS = [
  ...["ustar\x0000", "ustar  \0", "\0\0\0\0\0\0\0\0", "ustar\0  ", "ustar\0\0\0", "ustar 00"],
  ...[
    "ustar\x0001",
    "ustar\x000\0",
    "USTAR\x0000",
    "ustar   ",
    "ustar\0 \0",
    "ustar0\x00",
    "tar\0",
  ],
  ...["ustar\x00\x000", "ustar\0\xff\xff", "ustar00\0", "GNUtar \0", "ustar\x00 0"],
];

const NAMES = [
  ...["./claims.jwt", "/claims.jwt", "claims.jwt/", "a/claims.jwt", "claims.jwt ", " claims.jwt"],
  ...["CLAIMS.JWT", "claims.jwt\0x", "claims.jwt\0\0x86_64-linux.bin", "claims.jwt\n", "claims"],
  ...["./x86_64-linux.bin", "x86_64-linux.bin/", "../x86_64-linux.bin", "x86_64-linux.bin\0/", "."],
  ...["\\x86_64-linux.bin", "a\\x86_64-linux.bin", "x86_64-linux.BIN", "x86_64-linux.bin\xff", ""],
  ...[
    "c:x86_64-linux.bin",
    "x86_64-linux.bin.",
    "world.wasm",
    "claims.jwt.bin",
    "claims.bin",
    "\0",
  ],
];

const PREFIXES = [
  ...["a", "a/", ".", "./", "/", "..", "\0a", "claims.jwt", " ", "\xff", "a\0b", "p".repeat(155)],
  ...["a".repeat(131) + "\0" + "0".repeat(23), "0".repeat(155), "00000000000 00000000000 "],
];

const TEXTS = [
  "",
  "a",
  "root",
  "é",
  "\xff",
  "a\0b",
  " ",
  "\n",
  "x".repeat(32),
  "y".repeat(100),
  "/",
];

const KEYWORDS = [
  ...["path", "size", "linkpath", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname"],
  ...["comment", "charset", "hdrcharset", "realtime.x", "security.x", "mode", "type", "devmajor"],
  ...["GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.name", "GNU.sparse.realsize"],
  ...["GNU.sparse.size", "GNU.sparse.map", "GNU.sparse.numblocks", "GNU.sparse.offset"],
  ...["GNU.sparse.numbytes", "GNU.volume.label", "GNU.dumpdir", "SUN.holesdata", "SUN.x"],
  ...["SCHILY.realsize", "SCHILY.offset", "SCHILY.filetype", "SCHILY.dev", "SCHILY.ino"],
  ...[
    "SCHILY.acl.access",
    "SCHILY.xattr.user.a",
    "SCHILY.fflags",
    "SCHILY.nlink",
    "SCHILY.tarfiletype",
  ],
  ...["SCHILY.volhdr", "SCHILY.archtype", "LIBARCHIVE.creationtime", "LIBARCHIVE.xattr.a"],
  ...["LIBARCHIVE.symlinktype", "RHT.security.selinux", "APPLE.x", "MSWINDOWS.x", "VENDOR.key"],
  ...["Path", "PATH", "path ", " path", "path\0", "SIZE", "size\0x", "", "a b", "é", "\xff"],
];

const PAX_VALUES = [
  ...["{name}", "{size}", "{other}", "{token}", "./{name}", "/{name}", "a/{name}", "{name}/"],
  ...[
    "{name}\0",
    "{name}\0x",
    "{name}\n",
    "{name} ",
    "../{name}",
    "claims.jwt",
    "x86_64-linux.bin",
  ],
  ...[
    "0{size}",
    "+{size}",
    " {size}",
    "{size} ",
    "{size}.0",
    "{size}\0",
    "-1",
    "0",
    "1",
    "512",
    "1024",
  ],
  ...["99999999999999999999", "8589934592", "0x10", "", "a", "1700000000", "1700000000.123456789"],
  ...[
    "-1.5",
    "1e3",
    "BINARY",
    "ISO-IR 10646 2000 UTF-8",
    "ISO-IR 8859 1 1998",
    "0 512 1024",
    "0,1",
  ],
  ...["\xff\xfe", "é", "a\nb", "a\n11 path=b\n", "5", "2", "\0", "u", "file", "dir", "100600"],
];

const paxRecord: fc.Arbitrary<PaxRecord> = fc.oneof(
  record({ keyword: some(KEYWORDS), value: some(PAX_VALUES) }),
  record({
    keyword: constant("path"),
    value: some(PAX_VALUES.filter((value) => /name|other|[a-z]/.test(value))),
  }),
  record({ keyword: constant("path"), value: constant("{name}") }),
  record({
    keyword: constant("size"),
    value: some(PAX_VALUES.filter((value) => /size|\d/.test(value))),
  }),
  record({
    keyword: some(["comment", "mtime", "uid", "uname", "VENDOR.key"]),
    value: some(["1", "{token}", "a"]),
  }),
  record({
    keyword: some(["path", "size", "comment"]),
    value: some(["{name}", "{size}", "a"]),
    length: some(
      ["zeros before", "a space before", "one less", "one more", "none", "plus"] as const,
    ),
  }),
  record({
    keyword: some(["path", "size", "comment"]),
    value: some(["{name}", "{size}", "a"]),
    end: some(["", "\0", "\n\n", " \n", "\r\n", "x"]),
  }),
);

/** Records that say nothing about names and contents, in values that not every reader expects. */
const harmlessRecord: fc.Arbitrary<PaxRecord> = fc.oneof(
  record({
    keyword: some(["mtime", "atime", "ctime"]),
    value: some([
      ...["0", "1", "1700000000.5", "-1", "-1.5", "1.123456789123456789", "99999999999"],
      ...["99999999999999999999", "00", "0001.10", "-0"],
    ]),
  }),
  record({
    keyword: some(["uid", "gid"]),
    value: some([
      "0",
      "1000",
      "2097152",
      "4294967295",
      "4294967296",
      "99999999999999999999",
      "007",
    ]),
  }),
  record({
    keyword: some(["uname", "gname", "comment"]),
    value: some(["", "a", "é", "\xff", "\t", "path=x", "a=b", "7 path=x", "n".repeat(600), "/"]),
  }),
  record({
    keyword: some(["SCHILY.dev", "SCHILY.ino", "SCHILY.nlink"]),
    value: some(["0", "1", "-1", "99999999999999999999"]),
  }),
  record({
    keyword: some([
      ...["SCHILY.fflags", "SCHILY.acl.access", "SCHILY.acl.default", "SCHILY.acl.ace"],
      ...["SCHILY.xattr.user.a", "SCHILY.xattr.trusted.overlay.opaque", "LIBARCHIVE.xattr.user.a"],
      ...["LIBARCHIVE.xattr.user.%00", "LIBARCHIVE.creationtime", "RHT.security.selinux"],
      ...[
        "MSWINDOWS.rawsd",
        "MSWINDOWS.fileattr",
        "RHT.security.x",
        "SCHILY.xattr.security.capability",
      ],
    ]),
    value: some([
      "",
      "a",
      "user::rw-,group::r--,other::r--",
      "=",
      "YQ==",
      "y",
      "nodump",
      "1",
      "\xff",
    ]),
  }),
  record({ keyword: constant("path"), value: constant("{name}") }),
);

const gentleTar: fc.Arbitrary<TarBend> = fc.oneof(
  record({
    do: constant("number" as const),
    entry,
    field: some<Field>(["mode", "uid", "gid", "mtime", "devmajor", "devminor"]),
    spelling: some(SPELLINGS.slice(0, 3)),
    value: fc.oneof(some([0, 1, 0o644, 0o755, 0o777, 1000]), fc.nat(0o7777777)),
  }),
  record({
    do: constant("number" as const),
    entry,
    field: constant<Field>("size"),
    spelling: some(SPELLINGS.slice(0, 3)),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: some<Field>(["uname", "gname"]),
    text: some(["root", "a", "", "nobody"]),
    fill: constant("\0"),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("magic"),
    text: some(MAGICS.slice(0, 2)),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("type"),
    text: some(["0", "\0"]),
  }),
  record({ do: constant("checksum" as const), entry, style: some(CHECKSUM_STYLES.slice(0, 2)) }),
  record({ do: constant("copy" as const), entry, before: fc.nat(4), keep: constant(false) }),
  record({
    do: constant("end" as const),
    blocks: integer({ min: 2, max: 24 }),
    behind: constant("" as const),
  }),
  record({
    do: constant("number" as const),
    entry,
    field: some<Field>(["atime", "ctime"]),
    spelling: some(SPELLINGS.slice(0, 4)),
    value: fc.nat(0o7777777),
  }),
  record({
    do: constant("pax" as const),
    entry,
    type: constant("x"),
    name: some([
      ...["PaxHeaders/{name}", "PaxHeaders.123/{name}", "./PaxHeaders/{name}", "{name}", "{other}"],
      ...["claims.jwt", "", "././@PaxHeader", "a/b", "../x"],
    ]),
    records: fc.uniqueArray(harmlessRecord, {
      selector: ({ keyword }) => keyword,
      maxLength: 3,
    }),
  }),
);

const harshTar: fc.Arbitrary<TarBend> = fc.oneof(
  record({
    do: constant("number" as const),
    entry,
    field: numericField,
    spelling: some(SPELLINGS),
    value: maybe(some([0, 1, 0o17, 511, 512, 1024, 1536, 0o77777777777, 2 ** 33, 2 ** 40])),
    add: maybe(some([1, -1, 512, -512, 8, 1024])),
  }).map(({ value, add, ...rest }) => ({
    ...rest,
    ...(value !== undefined && { value }),
    ...(add !== undefined && { add }),
  })),
  record({
    do: constant("number" as const),
    entry,
    field: numericField,
    spelling: some(SPELLINGS),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: numericField,
    text: fc.string({ unit: some([..."01234567 \0\x80\xff89-+.ax"]), minLength: 1, maxLength: 12 }),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: textField,
    text: fc.oneof(some(TEXTS), some(NAMES), some(PREFIXES)),
    fill: some(["\0", " ", "x"]),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("name"),
    text: some(NAMES),
    fill: constant("\0"),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("prefix"),
    text: some(PREFIXES),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("type"),
    text: some(FLAGS),
  }),
  record({
    do: constant("field" as const),
    entry,
    field: constant<Field>("magic"),
    text: some(MAGICS),
  }),
  // The places where a field has no place of its own, too.
  record({ do: constant("byte" as const), entry, at: fc.nat(511), byte: fc.nat(255) }),
  record({
    do: constant("byte" as const),
    entry,
    at: some(Object.values(FIELDS).flatMap(([offset, length]) => [offset, offset + length - 1])),
    byte: some([0, 0x20, 0x30, 0x37, 0x2f, 0x41, 0x80, 0xff]),
  }),
  record({ do: constant("checksum" as const), entry, style: some(CHECKSUM_STYLES) }),
  record({
    do: constant("pax" as const),
    entry: fc.nat(4),
    type: fc.oneof({ weight: 4, arbitrary: constant("x") }, {
      weight: 2,
      arbitrary: some(["g", "X"]),
    }),
    name: maybe(
      some(["claims.jwt", "{name}", "{other}", "./PaxHeaders/{name}", "", "x86_64-linux.bin"]),
    ),
    records: fc.array(paxRecord, { maxLength: 3 }),
    magic: fc.option(some(["gnu", "v7"] as const), { nil: undefined, freq: 6 }),
    behind: fc.option(some(["\0", "\n", "x", "\0".repeat(20), "7 path=\n"]), {
      nil: undefined,
      freq: 6,
    }),
  }).map(({ name, magic, behind, ...rest }) => ({
    ...rest,
    ...(name !== undefined && { name }),
    ...(magic && { magic }),
    ...(behind !== undefined && { behind }),
  })),
  record({
    do: constant("long" as const),
    entry: fc.nat(4),
    type: some(["L", "K"]),
    text: some(["{name}\0", "{name}", "{other}\0", "a/{name}\0", "", "\0", "{name}\0x", "{token}"]),
  }),
  record({ do: constant("copy" as const), entry, before: fc.nat(4), keep: fc.boolean() }),
  record({ do: constant("drop" as const), entry }),
  record({ do: constant("padding" as const), entry, text: some(["x", "\0\0x", " "]) }),
  record({ do: constant("gap" as const), entry, blocks: some([1, 2, 3]) }),
  record({
    do: constant("end" as const),
    blocks: some([0, 1, 2, 3, 20]),
    behind: some(["", "a byte", "zeros", "a block", "another archive", "an entry"] as const),
  }),
);

// Gzip.

const GZIP_TEXTS = ["fakepay.par", "a", "", "é", "\xe9", "a/b.par", "../a", "\n", "x".repeat(300)];

const subfield: fc.Arbitrary<Subfield> = fc.oneof(
  record({ id: some(["XX", "AP", "BC", "RA", "Lu"]), text: some(["", "a", "\0\0", "abcdefgh"]) }),
  record({
    id: some(["PA", "XX", "\0\0"]),
    text: some(["", "\x01", "\x02", "a"]),
    length: some([0, 1, 2, 65535]),
  }),
);

const gentleGzip: fc.Arbitrary<GzipBend> = fc.oneof(
  record({
    do: constant("header" as const),
    time: some([0, 1, 1_700_000_000, 0xffffffff]),
    effort: some([0, 2, 4, 1, 255]),
    system: some([0, 3, 11, 255]),
    flags: some([0, 1]),
  }),
  record({
    do: constant("text" as const),
    field: some(["name", "comment"] as const),
    text: some(GZIP_TEXTS.slice(0, 5)),
  }),
  record({ do: constant("crc16" as const), value: constant("right" as const) }),
  record({
    do: constant("deflate" as const),
    level: integer({ min: 0, max: 9 }),
    strategy: fc.nat(4),
  }),
  record({
    do: constant("extra" as const),
    subfields: fc.array(
      record({ id: some(["XX", "AP", "BC"]), text: some(["", "a", "abcdefgh"]) }),
      { minLength: 1, maxLength: 2 },
    ),
    before: fc.boolean(),
    behind: constant(""),
  }),
);

const harshGzip: fc.Arbitrary<GzipBend> = fc.oneof(
  record({
    do: constant("header" as const),
    method: some([8, 8, 0, 7, 9]),
    flags: some([0, 1, 0x20, 0x40, 0x80, 0xe0, 2, 4, 8, 16]),
  }),
  record({
    do: constant("text" as const),
    field: some(["name", "comment"] as const),
    text: some(GZIP_TEXTS),
  }),
  record({
    do: constant("extra" as const),
    subfields: fc.array(subfield, { maxLength: 2 }),
    before: fc.boolean(),
    behind: some(["", "\0", "P", "PA", "XX\xff\xff", "PA\0\0"]),
  }),
  record({ do: constant("crc16" as const), value: some(["right", "wrong", "zero"] as const) }),
  record({
    do: constant("split" as const),
    at: fc.oneof(some([0, 0.5, 1]), fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  record({
    do: constant("behind" as const),
    what: some(
      ["a zero", "zeros", "a byte", "a magic", "an empty member", "another archive"] as const,
    ),
  }),
  record({ do: constant("trailer" as const), crc: some([0, 1, 255]), size: some([0, 1, -1]) }),
  record({
    do: constant("byte" as const),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    xor: some([1, 2, 0x20, 0x80, 0xff]),
  }),
  record({ do: constant("header byte" as const), at: fc.nat(9), byte: fc.nat(255) }),
  record({ do: constant("cut" as const), bytes: some([1, 4, 8, 9, 20, 100]) }),
  record({ do: constant("again" as const) }),
);

const indexBend: fc.Arbitrary<GzipBend> = fc.oneof(
  fc.oneof(
    record({
      do: constant("index" as const),
      segment: fc.nat(4),
      deflated: some([1, -1, 2, 5, 1000]),
    }),
    record({
      do: constant("index" as const),
      segment: fc.nat(4),
      length: some([512, -512, 1, 1024]),
    }),
    record({
      do: constant("index" as const),
      segment: fc.nat(4),
      name: some(["", "claims.jwt", "x86_64-linux.bin", "é", "a"]),
    }),
  ),
  record({
    do: constant("index as a whole" as const),
    what: some(
      [
        ...(["another version", "blank", "twice", "swapped", "without the last", "cut"] as const),
        ...(["a byte more", "no lengths at the end"] as const),
      ],
    ),
  }),
);

// Cases.

const to = <To extends Bend["to"], B>(
  name: To,
  bend: fc.Arbitrary<B>,
): fc.Arbitrary<{ to: To; bend: B }> => bend.map((bend) => ({ to: name, bend }));

const gentle = (packing: Base["packing"]): fc.Arbitrary<Bend> =>
  fc.oneof(
    { weight: 4, arbitrary: to("payload", gentleJson) },
    { weight: 6, arbitrary: to("tar", gentleTar) },
    { weight: packing === "plain" ? 0 : 4, arbitrary: to("gzip", gentleGzip) },
  );

const harsh = (packing: Base["packing"]): fc.Arbitrary<Bend> =>
  fc.oneof(
    { weight: 6, arbitrary: to("payload", harshJson) },
    { weight: 1, arbitrary: to("header", headerBend) },
    { weight: 1, arbitrary: to("token", tokenBend) },
    { weight: 10, arbitrary: to("tar", harshTar) },
    { weight: packing === "plain" ? 0 : 8, arbitrary: to("gzip", harshGzip) },
    { weight: packing === "index" ? 8 : 0, arbitrary: to("gzip", indexBend) },
  );

const headerBend: fc.Arbitrary<JsonBend> = fc.oneof(
  record({
    do: constant("between" as const),
    at: fc.nat(12),
    text: some([" ", "\n", "\ufeff", "\f", "\0", ","]),
  }),
  some([["typ"], ["alg"]]).chain((path) =>
    fc.oneof(
      respelled(nameOf(path)).map((text) => ({ do: "name" as const, path, text })),
      respelled(nameOf(path)).map((name) => ({
        do: "twice" as const,
        path,
        name,
        text: '"none"',
        first: false,
      })),
      some(['"JWT"', '"Jwt"', '"EdDSA"', '"none"', '"\\u0045d25519"', '"\\u006awt"', "null"])
        .map((text) => ({ do: "value" as const, path, text })),
      constant({ do: "move" as const, path }),
      constant({ do: "twice" as const, path, first: true }),
    )
  ),
  record({
    do: constant("add" as const),
    path: constant([] as Path),
    name: unknownName,
    text: some(["1", '"a"', "[]", "null"]),
    first: fc.boolean(),
  }),
);

/** An archive of which some is bent, or nothing. */
export const anyCase: fc.Arbitrary<Case> = base.chain((base) =>
  record({
    base: constant(base),
    bends: fc.tuple(
      fc.array(gentle(base.packing), { maxLength: 3, size: "max" }),
      fc.oneof(
        { weight: 2, arbitrary: constant([]) },
        { weight: 5, arbitrary: fc.tuple(harsh(base.packing)) },
        { weight: 2, arbitrary: fc.tuple(harsh(base.packing), harsh(base.packing)) },
      ),
    ).map(([gently, harshly]): Bend[] => [...gently, ...harshly]),
  })
);

/**
 * Gives cases, the same at every call.
 *
 * @param count How many.
 * @param seed Where to begin.
 */
export function casesOf(count: number, seed: number): Case[] {
  return fc.sample(anyCase, { numRuns: count, seed });
}

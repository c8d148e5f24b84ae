import { readArchive } from "../../lib/archive/reader.ts";
import {
  KeyPair,
  parseBundle,
  parseBundleKey,
  parseSigningKey,
  verifyBundle,
  verifySignature,
  verifyToken,
} from "../../lib/signing/mod.ts";
import { packArchive } from "../../lib/archive/pack.ts";
import { parseTarget } from "../../lib/target/target.ts";

Object.assign(globalThis, {
  par: {
    KeyPair,
    packArchive,
    parseBundle,
    parseBundleKey,
    parseSigningKey,
    parseTarget,
    readArchive,
    verifyBundle,
    verifySignature,
    verifyToken,
  },
});

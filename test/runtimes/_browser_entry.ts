import { readArchive } from "../../lib/archive/reader.ts";
import { KeyPair, verifySignature, verifyToken } from "../../lib/signing/mod.ts";
import { packArchive } from "../../lib/archive/pack.ts";
import { parseTarget } from "../../lib/target/target.ts";

Object.assign(globalThis, {
  par: { KeyPair, packArchive, parseTarget, readArchive, verifySignature, verifyToken },
});

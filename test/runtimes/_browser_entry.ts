import { readArchive } from "../../lib/archive/reader.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";
import { packArchive } from "../../lib/archive/pack.ts";
import { parseTarget } from "../../lib/target/target.ts";

Object.assign(globalThis, { par: { KeyPair, packArchive, parseTarget, readArchive } });

import { readArchive } from "../../lib/archive/reader.ts";
import { KeyPair } from "../../lib/nkey.ts";
import { packArchive } from "../../lib/pack.ts";
import { parseTarget } from "../../lib/target.ts";

Object.assign(globalThis, { par: { KeyPair, packArchive, parseTarget, readArchive } });

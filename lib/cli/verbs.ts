import type { Verb } from "./verb.ts";

/** The toolkit's version, which `deno.json` states too. */
export const VERSION = "0.1.0";

/** Each verb, loaded when it is asked for: starting up should not pay for the others. */
export const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  build: async () => (await import("./build.ts")).BUILD,
  create: async () => (await import("./create.ts")).CREATE,
  insert: async () => (await import("./insert.ts")).INSERT,
  remove: async () => (await import("./remove.ts")).REMOVE,
  merge: async () => (await import("./merge.ts")).MERGE,
  extract: async () => (await import("./extract.ts")).EXTRACT,
  inspect: async () => (await import("./inspect.ts")).INSPECT,
  verify: async () => (await import("./verify.ts")).VERIFY,
  push: async () => (await import("./push.ts")).PUSH,
  pull: async () => (await import("./pull.ts")).PULL,
  keys: async () => (await import("./keys.ts")).KEYS,
  completions: async () => (await import("./completions.ts")).completionsOf(Object.values(VERBS)),
};

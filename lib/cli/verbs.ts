import type { Command } from "npm:commander@15.1.0";

/** The toolkit's version, which `deno.json` states too. */
export const VERSION = "0.1.0";

/**
 * Builds a verb's command. The signal tells it that the user wants it to stop; the program, with
 * every verb, is there for those that tell of the others.
 */
export type VerbBuilder = (signal: AbortSignal, program: () => Promise<Command>) => Command;

/** Each verb, loaded when it is asked for: starting up should not pay for the others. */
export const VERBS: Readonly<Record<string, () => Promise<VerbBuilder>>> = {
  create: async () => (await import("./create.ts")).createCommand,
  insert: async () => (await import("./insert.ts")).insertCommand,
  remove: async () => (await import("./remove.ts")).removeCommand,
  merge: async () => (await import("./merge.ts")).mergeCommand,
  extract: async () => (await import("./extract.ts")).extractCommand,
  inspect: async () => (await import("./inspect.ts")).inspectCommand,
  verify: async () => (await import("./verify.ts")).verifyCommand,
  push: async () => (await import("./push.ts")).pushCommand,
  pull: async () => (await import("./pull.ts")).pullCommand,
  keys: async () => (await import("./keys.ts")).keysCommand,
  completions: async () => {
    const { completionsCommand } = await import("./completions.ts");
    return (_signal, program) => completionsCommand(program);
  },
};

import { printable } from "../errors.ts";
import { formatRepository, parseReference } from "../registry/reference.ts";
import { listTags } from "../registry/tags.ts";
import { print, printJson } from "./io.ts";
import { referenceOptions, registryOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Flags = Values<typeof VERBS.list.flags>;

/** Runs `par list`. */
export async function run(this: Context, flags: Flags, repository: string): Promise<void> {
  const reference = parseReference(repository, { ...referenceOptions(flags), allowLatest: true });
  const tags = await listTags(reference, await registryOptions(flags, this.signal));
  if (flags.output === "json") {
    return await printJson({ repository: formatRepository(reference), tags, success: true });
  }
  if (tags.length > 0) await print(printable(tags.join("\n")));
}

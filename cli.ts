import { main } from "./lib/cli/main.ts";

/** The command `par`. */
if (import.meta.main) Deno.exit(await main(Deno.args));

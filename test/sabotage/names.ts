/**
 * Loaded before the tests, makes known which test runs, so that what it comes to can be noted.
 *
 * @module
 */

/** What the notes of {@linkcode traced} read and write in each process. */
export interface Notes {
  /** The test that runs; nothing outside of tests, and in threads. */
  parTest?: string;
  /** What is noted already. */
  parTrace?: Set<string>;
}

/** What a note about a test begins with, that of the time it took. */
export const TOOK = "took";

/** The variable that holds the path of the file to note things in. */
export const LOG = "PAR_SABOTAGE_LOG";

const notes = globalThis as Notes;
const log = Deno.env.get(LOG);

type Body = (context: Deno.TestContext) => void | Promise<void>;

/** Runs a test as the one that runs. */
function named(name: string, body: Body): Body {
  return async (context) => {
    notes.parTest = name;
    const started = performance.now();
    try {
      await body(context);
    } finally {
      const took = Math.ceil(performance.now() - started);
      if (log) Deno.writeTextFileSync(log, `${TOOK}\t${took}\t${name}\n`, { append: true });
      delete notes.parTest;
    }
  };
}

if (log) {
  const test = new Proxy(Deno.test, {
    apply(test, self, args: unknown[]) {
      const given = args.map((arg) =>
        typeof arg === "object" && arg !== null && "fn" in arg
          ? { ...arg, fn: named(String((arg as Deno.TestDefinition).name), arg.fn as Body) }
          : arg
      );
      const [name] = args;
      const body = given.at(-1);
      if (typeof body === "function") {
        const options = typeof name === "object" ? name as Deno.TestDefinition : undefined;
        given[given.length - 1] = named(String(options?.name ?? name), body as Body);
      }
      return Reflect.apply(test, self, given);
    },
  });
  Object.defineProperty(Deno, "test", { value: test });
}

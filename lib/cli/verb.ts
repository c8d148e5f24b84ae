/**
 * What a verb says of itself: enough to read a command line and to explain one.
 *
 * @module
 */

/** A verb of the command, or a group of verbs. */
export interface Verb {
  /** What is typed. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly description: string;
  /** What it takes beside flags, in order. */
  readonly arguments?: readonly Argument[];
  /** Its flags, in the order of its help. */
  readonly flags?: readonly Flag[];
  /** Command lines to start from. */
  readonly examples?: readonly string[];
  /** The verbs of a group. */
  readonly verbs?: readonly Verb[];
  /** Does it. Flags come under their names in camel case. */
  run?(args: readonly string[], flags: object, context: Context): Promise<void>;
}

/** An argument: `<one>`, `<some...>` of which there is at least one, or `[one]` that may be left out. */
export interface Argument {
  /** How help shows it. */
  readonly name: string;
  /** What it is. */
  readonly description: string;
}

/** A flag; one without a value is true where it is given. */
export interface Flag {
  /** How it is written, as help shows it: `-o, --output <format>`. */
  readonly flags: string;
  /** What it means. */
  readonly description: string;
  /** Whether the verb cannot do without. */
  readonly required?: true;
  /** Whether it may be given several times; its values are an array then. */
  readonly repeatable?: true;
  /** The environment variable that stands in for it. */
  readonly env?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** Its value where it is not given. */
  readonly default?: string;
  /** The camel-case name of a flag that it does not go with. */
  readonly conflicts?: string;
}

/** What a verb is told beside its command line. */
export interface Context {
  /** The user wants it to stop. */
  readonly signal: AbortSignal;
  /** Whether a flag, by its name in camel case, is on the command line and not in the environment. */
  isGiven(flag: string): boolean;
}

/**
 * What a verb says of itself, as data: what it takes, and what it needs of the machine. Reading a
 * command line, help, completions, tasks and launchers all follow from it.
 *
 * @module
 */

import type { ParError } from "../errors.ts";

/** A verb of the command. */
export interface Verb {
  /** What it does, in a few words. */
  readonly brief: string;
  /** What it takes beside flags, in order. */
  readonly arguments?: readonly Argument[];
  /** Its flags, in the order of its help. */
  readonly flags: Flags;
  /** Command lines to start from. */
  readonly examples: readonly string[];
  /** What it may do. */
  readonly needs: Permissions;
  /** What it may do beside, where it reads an archive from a registry. */
  readonly remote?: Permissions;
}

/** Verbs behind a word of their own, such as `par keys`. */
export interface Group {
  /** What they are for, in a few words. */
  readonly brief: string;
  /** The verbs. */
  readonly verbs: Readonly<Record<string, Verb>>;
}

/** An argument, of which there must be one unless it says otherwise. */
export interface Argument {
  /** How help shows it. */
  readonly name: string;
  /** What it is. */
  readonly brief: string;
  /** What `-` stands for. */
  readonly dash?: Dash;
  /** Whether there may be more than one. */
  readonly many?: true;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** What it may be, where that can be listed. */
  readonly proposals?: Proposals;
}

/** What `-` stands for where a path is expected; `refused` where nothing can take the path's place. */
export type Dash = "standard input" | "standard output" | "refused";

/** A list of values that completions propose. */
export type Proposals = "targets" | "key kinds" | "predicate types" | "shells";

/** Flags by their names in camel case: `forceArch` is typed `--force-arch`. */
export type Flags = Readonly<Record<string, Flag>>;

/** A flag; one that takes no value is true where it is given. */
export interface Flag {
  /** What it means. */
  readonly brief: string;
  /** The letter that stands for its name. */
  readonly short?: string;
  /** How help shows its value, where it takes one. */
  readonly value?: string;
  /** What `-` stands for as its value. */
  readonly dash?: Dash;
  /** Whether the verb cannot do without. */
  readonly required?: true;
  /** Whether all its values count, and not the last one alone. */
  readonly repeatable?: true;
  /** Reads its value; `name` is for messages, such as `--max-size`. */
  readonly parse?: (text: string, name: string) => unknown;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** What its value may be, where that can be listed. */
  readonly proposals?: Proposals;
  /** Its value where it is not given. */
  readonly default?: string;
  /** The environment variable that stands in for it. A flag without a value is given if it is true. */
  readonly env?: string;
  /** Whether the verb reads that variable itself, where it comes to need it. */
  readonly late?: true;
  /** The flags that it does not go with. */
  readonly conflicts?: readonly string[];
}

/** What Deno lets a verb do; nothing where left out. */
export interface Permissions {
  /** Read files. */
  readonly read?: true;
  /** Write files. */
  readonly write?: true;
  /** Use the network. */
  readonly net?: true;
  /** The programs it may start. */
  readonly run?: readonly string[];
  /** Start the credential helpers that docker's and podman's files name. */
  readonly helpers?: true;
  /** Start whatever a project builds with, in an environment of its own. */
  readonly start?: true;
  /** The environment variables it may read, beside those of its flags. */
  readonly env?: readonly string[];
}

type One<F extends Flag> = F extends { choices: readonly (infer Choice)[] } ? Choice
  : F extends { parse: (text: string, name: string) => infer Parsed } ? Parsed
  : string;

type Value<F extends Flag> = F extends { repeatable: true } ? readonly One<F>[]
  : F extends { value: string } ? One<F>
  : boolean;

type IsThere<F extends Flag> = F extends { required: true } | { default: string } ? true
  : F extends { value: string } ? false
  : true;

/** What a verb is told of its flags. */
export type Values<F extends Flags> = {
  readonly [Name in keyof F]: IsThere<F[Name]> extends true ? Value<F[Name]>
    : Value<F[Name]> | undefined;
};

/** What a verb is told beside its command line. */
export interface Context {
  /** The user wants it to stop. */
  readonly signal: AbortSignal;
  /**
   * Prints what went wrong, for a verb that goes on or ends in its own way.
   *
   * @param archive The archive that it is about, if there are several.
   * @returns The exit status that it should end with.
   */
  report(error: ParError, archive?: string): Promise<number>;
}

/** A flag's name as it is typed, without dashes. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

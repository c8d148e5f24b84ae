/**
 * The description of a verb, as data: what it takes, and which permissions it needs. Parsing, help,
 * completions, tasks and launchers come from it.
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
  /** What else it may do if its archive may be in a registry. */
  readonly remote?: Permissions;
}

/** Verbs behind a word of their own, such as `par keys`. */
export interface Group {
  /** What they are for, in a few words. */
  readonly brief: string;
  /** The verbs. */
  readonly verbs: Readonly<Record<string, Verb>>;
}

/** An argument. It must be given once, unless it says otherwise. */
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

/** What `-` means in place of a path; `refused` if neither standard input nor output can be used. */
export type Dash = "standard input" | "standard output" | "refused";

/** A list of values that completions propose. */
export type Proposals = "targets" | "key kinds" | "predicate types" | "shells";

/** Flags by their names in camel case: `forceArch` is typed `--force-arch`. */
export type Flags = Readonly<Record<string, Flag>>;

/** A flag. Without a value, it is true if it is given. */
export interface Flag {
  /** What it means. */
  readonly brief: string;
  /** The letter that stands for its name. */
  readonly short?: string;
  /** The placeholder of its value in help, if it takes one. */
  readonly value?: string;
  /** What `-` stands for as its value. */
  readonly dash?: Dash;
  /** Whether it must be given. */
  readonly required?: true;
  /** Whether all its values count, not only the last one. */
  readonly repeatable?: true;
  /** Reads its value; `name` is for messages, such as `--max-size`. */
  readonly parse?: (text: string, name: string) => unknown;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** What its value may be, where that can be listed. */
  readonly proposals?: Proposals;
  /** Its value if it is not given. */
  readonly default?: string;
  /** The environment variable that is read if the flag is not given. */
  readonly env?: string;
  /** Whether the verb reads that variable itself, if it comes to need it. */
  readonly late?: true;
  /** The flags that it cannot be used together with. */
  readonly conflicts?: readonly string[];
}

/** What Deno lets a verb do. What is left out is not allowed. */
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
  /** Start any program, and read the whole environment: for builds. */
  readonly start?: true;
  /** The environment variables that it may read, in addition to those of its flags. */
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

/** The flags of a verb, as its function gets them. */
export type Values<F extends Flags> = {
  readonly [Name in keyof F]: IsThere<F[Name]> extends true ? Value<F[Name]>
    : Value<F[Name]> | undefined;
};

/** What a verb gets beside its flags and arguments. */
export interface Context {
  /** Aborts when the user wants to stop. */
  readonly signal: AbortSignal;
  /**
   * Prints an error, for a verb that continues after it or chooses its own exit status.
   *
   * @param archive The archive that the error is about, if there are several.
   * @returns The exit status of the error.
   */
  report(error: ParError, archive?: string): Promise<number>;
}

/** A flag's name as it is typed, without dashes. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

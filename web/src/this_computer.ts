/// <reference lib="dom" />
import { parseTarget, type Target, usualTarget } from "../../lib/target/target.ts";

/** What a browser tells about the machine. Some have only the user agent's text. */
export interface Machine {
  readonly userAgent: string;
  readonly userAgentData?: {
    getHighEntropyValues(
      hints: readonly string[],
    ): Promise<{ platform?: string; architecture?: string; bitness?: string }>;
  };
}

/**
 * Finds the target of the computer that the page is shown on.
 *
 * @param machine The browser's `navigator`.
 * @returns The target, or `undefined` if the browser does not tell: on a Mac, for example, the text of
 * every user agent says Intel.
 */
export async function findThisComputer(machine: Machine): Promise<Target | undefined> {
  const told = await machine.userAgentData?.getHighEntropyValues(["architecture", "bitness"])
    .catch(() => undefined);
  const { architecture, bitness, platform } = told ?? {};
  if (architecture && platform) {
    const processor = PROCESSORS[`${architecture} ${bitness}`];
    const system = SYSTEMS[platform];
    return processor && system ? parseTarget(`${processor}-${system}`) : undefined;
  }
  const { userAgent } = machine;
  if (/Android|Mac/.test(userAgent)) return undefined;
  // Windows on arm calls itself x64, too.
  if (/Win64; x64/.test(userAgent)) return parseTarget("x86_64-windows");
  const processor = /Linux ([a-z0-9_]+)/.exec(userAgent)?.[1];
  return processor === undefined ? undefined : usualTarget(parseTarget(`${processor}-linux`));
}

const PROCESSORS: Readonly<Record<string, string>> = {
  "x86 64": "x86_64",
  "x86 32": "x86",
  "arm 64": "aarch64",
  "arm 32": "arm",
};

const SYSTEMS: Readonly<Record<string, string>> = {
  Linux: "linux",
  macOS: "macos",
  Windows: "windows",
};

import type { Findings } from "./findings.ts";
import type { Judgement } from "./judgement.ts";

/**
 * Writes the result as a text, for a ticket or a mail.
 *
 * @param judgement What to think of the archive.
 * @param findings What is known of it.
 */
export function describeResult(judgement: Judgement, { name, report }: Findings): string {
  const claims = report?.claims;
  const lines = [
    `${name}: ${judgement.title}`,
    ...[judgement.provider, judgement.detail].filter((line) => line !== ""),
    "",
    ...judgement.checks.map(({ name, text, code }) =>
      `${name}: ${text}${code === undefined ? "" : ` (${code})`}`
    ),
    ...claims
      ? [
        "",
        `Issuer: ${claims.iss}`,
        `Provider: ${claims.sub}`,
        ...Object.entries(claims.wascap.target_hashes).map(([key, hash]) => `${key}: ${hash}`),
      ]
      : [],
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

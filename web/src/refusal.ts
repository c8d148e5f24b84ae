import { ParError, redact } from "../../lib/errors.ts";
import type { Refusal } from "./protocol.ts";

/** Takes from an error what the page shows. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof ParError) {
    return { code: error.code, category: error.category, message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { category: "failed", message: redact(`Cannot go on: ${message}`) };
}

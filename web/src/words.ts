/**
 * Numbers, times and lists, as the page writes them.
 *
 * @module
 */

/** Writes a number of bytes in decimal units. Number and unit stay on one line. */
export function sayBytes(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  if (unit === 0) return bytes === 1 ? "1\u00a0byte" : `${bytes}\u00a0bytes`;
  return `${value.toFixed(1)}\u00a0${units[unit]}`;
}

/** Writes a duration in seconds. */
export function saySeconds(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u00a0s`;
}

/**
 * Writes a time of the claims as a date in UTC, such as `25 Nov 2026 22:28 UTC`. It breaks only between
 * day and hour. A number past all dates stays a number.
 */
export function sayDate(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} s after 1970`;
  const [day = "", time = ""] = DATE.format(date).split(", ");
  return `${day.replaceAll(" ", "\u00a0")} ${time}\u00a0UTC`;
}

const DATE = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365.25 * 86400],
  ["month", 30.44 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** Writes how far a time is from now, in the largest unit that fits: `3 days ago`, `in 2 hours`. */
export function sayDistance(seconds: number, now: Date): string {
  const distance = seconds - now.getTime() / 1000;
  const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "always" });
  for (const [unit, length] of UNITS) {
    if (Math.abs(distance) >= length) return words.format(Math.trunc(distance / length), unit);
  }
  return distance < 0 ? "just now" : "in a moment";
}

/** Ends a text with a full stop, unless it has a mark at its end. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Joins things: `a`, `a and b`, `a, b and c`, or with another word than `and`. */
export function sayList(things: readonly string[], word = "and"): string {
  const last = things.at(-1) ?? "";
  return things.length < 2 ? last : `${things.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** Writes a number of things: `1 key`, `2 keys`. */
export function sayCount(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

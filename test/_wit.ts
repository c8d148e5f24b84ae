/**
 * A WIT package, as text and as bytes.
 *
 * @module
 */

/** The package's text, as `wasm-tools` prints it. */
export const WIT_TEXT = `/// What a provider of payments does.
package examples:payments@1.0.0;

interface payments {
  /// Charges an amount in cents, and gives the transaction's id.
  charge: func(cents: u64) -> result<string, string>;
}

world provider {
  export payments;
}
`;

/** What `wasm-tools` 1.262.0 encodes it to. */
export const WIT_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from(
  atob(
    "AGFzbQ0AAQAHSAFBAgFCAwFqAXMBcwFAAQVjZW50c3cAAAQABmNoYXJnZQEBBAAgZXhhbXBsZXM6cGF5bWVudHMvcG" +
      "F5bWVudHNAMS4wLjAFAAsOAQAIcGF5bWVudHMDAAAHcAFBAgFBAgFCAwFqAXMBcwFAAQVjZW50c3cAAAQABmNoYX" +
      "JnZQEBBAAgZXhhbXBsZXM6cGF5bWVudHMvcGF5bWVudHNAMS4wLjAFAAQAIGV4YW1wbGVzOnBheW1lbnRzL3Byb3" +
      "ZpZGVyQDEuMC4wBAALDgEACHByb3ZpZGVyAwIAALABDHBhY2thZ2UtZG9jcwF7ImRvY3MiOiJXaGF0IGEgcHJvdm" +
      "lkZXIgb2YgcGF5bWVudHMgZG9lcy4iLCJpbnRlcmZhY2VzIjp7InBheW1lbnRzIjp7ImZ1bmNzIjp7ImNoYXJnZS" +
      "I6eyJkb2NzIjoiQ2hhcmdlcyBhbiBhbW91bnQgaW4gY2VudHMsIGFuZCBnaXZlcyB0aGUgdHJhbnNhY3Rpb24ncy" +
      "BpZC4ifX19fX0ALwlwcm9kdWNlcnMBDHByb2Nlc3NlZC1ieQENd2l0LWNvbXBvbmVudAcwLjI2Mi4w",
  ),
  (char) => char.charCodeAt(0),
);

/** What every component begins with. */
export const COMPONENT: readonly number[] = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];

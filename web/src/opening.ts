/// <reference lib="dom" />
import { byId, setText } from "./dom.ts";
import { addressPolicy, type PageKind, parseAddress } from "./policy.ts";
import type { Origin } from "./protocol.ts";

const ADDRESS_PAGE = "url.html";

/**
 * Takes an archive from the person: a file that is dropped or chosen, or an address.
 *
 * @param onOpen Is given the archive.
 */
export function takeArchives(onOpen: (origin: Origin) => void): void {
  const page = document.body.dataset["page"] as PageKind;
  const take = (origin: Origin): void => {
    shrink();
    onOpen(origin);
  };
  if (page === "files") takeFiles(take);
  else takeAddress(take);
  const field = byId<HTMLInputElement>("address");
  byId("address-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = parseAddress(field.value);
    setText(
      byId("address-error"),
      url
        ? ""
        : "Cannot fetch this: give an address of http or https, without a user and a password",
    );
    // Behind the `#`, the address is not told to whoever serves this page.
    if (url) location.assign(`${ADDRESS_PAGE}#${url.href}`);
  });
}

/** Makes one line of the way to open an archive, so that the verdict comes first. */
function shrink(): void {
  document.body.classList.add("opened");
  setText(byId("open-heading"), "Check another");
  byId("choose").classList.remove("primary");
  byId<HTMLDetailsElement>("address-fold").open = false;
}

function takeFiles(onOpen: (origin: Origin) => void): void {
  const input = byId<HTMLInputElement>("file");
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) onOpen(file);
    // So that the same file can be chosen again, after it was built anew.
    input.value = "";
  });
  const veil = byId("veil");
  addEventListener("dragover", (event) => {
    event.preventDefault();
    veil.hidden = !event.dataTransfer?.types.includes("Files");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    veil.hidden = true;
    const [file] = event.dataTransfer?.files ?? [];
    if (file) onOpen(file);
  });
}

/** The policy is narrowed before anything is fetched, and cannot be widened again. */
function takeAddress(onOpen: (origin: Origin) => void): void {
  byId("files").hidden = true;
  byId("address-only").hidden = false;
  byId<HTMLDetailsElement>("address-fold").open = true;
  const url = parseAddress(location.hash.slice(1));
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = addressPolicy(url);
  document.head.append(policy);
  addEventListener("hashchange", () => location.reload());
  for (const kind of ["dragover", "drop"]) {
    addEventListener(kind, (event) => event.preventDefault());
  }
  if (!url) return;
  byId<HTMLInputElement>("address").value = url.href;
  onOpen(url.href);
}

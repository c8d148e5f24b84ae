/// <reference lib="dom" />
import { byId, setText } from "./dom.ts";
import { addressPolicy, type PageKind, parseAddress } from "./csp.ts";
import type { Origin } from "./protocol.ts";

const ADDRESS_PAGE = "url.html";

/** Takes an archive, and the bundles that came with it. */
type OnOpen = (origin: Origin, bundles: readonly File[]) => void;

/**
 * Takes an archive from the person: files that are dropped or chosen, or an address.
 *
 * @param onOpen Is called with the archive.
 */
export function takeArchives(onOpen: OnOpen): void {
  const page = document.body.dataset["page"] as PageKind;
  const take: OnOpen = (origin, bundles) => {
    shrink();
    onOpen(origin, bundles);
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
        : "Cannot fetch this: give an address of http or https, without a user and a password.",
    );
    // Browsers do not send what stands after the `#` to the host of the page.
    if (url) location.assign(`${ADDRESS_PAGE}#${url.href}`);
  });
}

/** Shrinks the area for opening an archive to one line, so that the verdict comes first. */
function shrink(): void {
  document.body.classList.add("opened");
  setText(byId("open-heading"), "Check another");
  byId("choose").classList.remove("primary");
  byId<HTMLDetailsElement>("address-fold").open = false;
}

/** The name of a bundle beside an archive: `<archive>.sigstore.json`, `<archive>.sigstore.2.json`. */
const BUNDLE_NAME = /\.sigstore(\.\d+)?\.json$/;

function takeFiles(onOpen: OnOpen): void {
  const input = byId<HTMLInputElement>("file");
  const take = (files: FileList | undefined | null): void => {
    const chosen = [...files ?? []];
    if (chosen.length === 0) return;
    const bundles = chosen.filter(({ name }) => BUNDLE_NAME.test(name));
    const [archive, ...others] = chosen.filter((file) => !bundles.includes(file));
    const problem = archive
      ? others.length === 0 ? "" : "Cannot check several archives at once: choose one."
      : "Cannot check a bundle alone: choose it together with its archive.";
    setText(byId("choose-error"), problem);
    if (archive && problem === "") onOpen(archive, bundles);
  };
  byId("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files);
    // So that the same file can be chosen again, for example after a new build.
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
    take(event.dataTransfer?.files);
  });
}

/** Restricts the page's security policy to the address before it fetches. Nothing can undo that. */
function takeAddress(onOpen: OnOpen): void {
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
  onOpen(url.href, []);
}

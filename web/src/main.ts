/// <reference lib="dom" />
import { redact } from "../../lib/errors.ts";
import { ClaimsView } from "./claims_view.ts";
import { byId, download, setText } from "./dom.ts";
import { type Findings, learn, nothingOf } from "./findings.ts";
import { type RunningJob, startJob } from "./jobs.ts";
import { isWit, judge } from "./judgement.ts";
import { takeArchives } from "./opening.ts";
import type { Origin } from "./protocol.ts";
import { ProviderView } from "./provider_view.ts";
import { fileNameFor, saveEntry } from "./saving.ts";
import { TargetsView } from "./targets_view.ts";
import { TrustStore } from "./trust_store.ts";
import { TrustView } from "./trust_view.ts";
import { VerdictView } from "./verdict_view.ts";
import { printable } from "../../lib/errors.ts";

/** The archive that is looked at. */
interface Opened {
  readonly origin: Origin;
  readonly job: RunningJob;
  readonly started: number;
  readonly findings: Findings;
  /** Milliseconds from the start to the end, once there is one. */
  readonly took?: number;
}

let opened: Opened | undefined;

const store = new TrustStore(() => {
  trust.show();
  show();
});
const trust = new TrustView(store);
const provider = new ProviderView();
const claims = new ClaimsView();
const targets = new TargetsView(save);
const verdict = new VerdictView(cancel, () => {
  const issuer = opened?.findings.report?.claims?.iss;
  if (issuer !== undefined) trust.propose(issuer);
});

function open(origin: Origin): void {
  opened?.job.cancel();
  const name = redact(typeof origin === "string" ? origin : origin.name);
  const job = startJob({ kind: "inspect", origin }, (event) => {
    if (opened?.job === job) update(learn(opened.findings, event));
  });
  opened = { origin, job, started: performance.now(), findings: nothingOf(name) };
  setText(byId("save-error"), "");
  byId("result").hidden = false;
  setText(byId("result-name"), printable(name));
  show();
  byId("result-name").focus();
}

function cancel(): void {
  if (opened?.findings.phase !== "working") return;
  opened.job.cancel();
  update({ ...opened.findings, phase: "stopped" });
}

function update(findings: Findings): void {
  if (!opened) return;
  const ended = findings.phase !== "working";
  opened = { ...opened, findings, ...(ended && { took: performance.now() - opened.started }) };
  show();
}

function show(): void {
  if (!opened) return;
  const { findings, started, took } = opened;
  const judgement = judge(findings, store.issuers, new Date());
  verdict.show(judgement);
  verdict.showProgress(findings, (took ?? performance.now() - started) / 1000);
  provider.show(findings);
  targets.show(findings, judgement.usable);
  claims.show(findings);
  document.title = `${judgement.title} – ${printable(findings.name)}`;
}

async function save(key: string): Promise<void> {
  const archive = opened?.findings.archive;
  const entry = isWit(key) ? archive?.wit : archive?.binaries.find(({ target }) => target === key);
  if (!opened || !entry) return;
  const { origin, job } = opened;
  const name = fileNameFor(opened.findings.name, isWit(key) ? key : `${key}.bin`);
  setText(byId("save-error"), "");
  targets.showSaving(key, "Saving…");
  try {
    const saved = await saveEntry(origin, entry, name, (done) => {
      const percent = Math.floor(done / Math.max(entry.size, 1) * 100);
      if (opened?.job === job) targets.showSaving(key, `${percent} %`);
    });
    if (saved instanceof Blob) download(saved, name);
    if (opened.job === job) targets.showSaving(key);
  } catch (error) {
    if (opened.job !== job) return;
    targets.showSaving(key);
    setText(byId("save-error"), error instanceof Error ? error.message : String(error));
  }
}

takeArchives(open);

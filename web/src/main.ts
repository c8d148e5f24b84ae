/// <reference lib="dom" />
import { WIT_ENTRY } from "../../lib/archive/entries.ts";
import { printable, redact } from "../../lib/errors.ts";
import { ClaimsView } from "./claims_view.ts";
import { byId, setText, setTone } from "./dom.ts";
import { type Findings, learn, nothingOf } from "./findings.ts";
import { type RunningJob, startJob } from "./jobs.ts";
import { judge, type Judgement } from "./judgement.ts";
import { takeArchives } from "./opening.ts";
import type { Origin } from "./protocol.ts";
import { PolicyView } from "./policy_view.ts";
import { ProviderView } from "./provider_view.ts";
import { saveEntry } from "./saving.ts";
import { TargetsView } from "./targets_view.ts";
import { findThisComputer } from "./this_computer.ts";
import { TrustDialog } from "./trust_dialog.ts";
import { TrustStore } from "./trust_store.ts";
import { TrustView } from "./trust_view.ts";
import { VerdictView } from "./verdict_view.ts";
import { sentence } from "./words.ts";

/** The archive on the page. */
interface Opened {
  readonly origin: Origin;
  readonly bundles: readonly File[];
  readonly job: RunningJob;
  readonly started: number;
  readonly findings: Findings;
  /** Milliseconds that the inspection took, once it has ended. */
  readonly took?: number;
}

let opened: Opened | undefined;

const store = new TrustStore(() => {
  trust.show();
  show();
});
const trust = new TrustView(store);
const policy = new PolicyView(() => {
  // The worker checks the policy while it reads.
  if (opened) open(opened.origin, opened.bundles);
});
const dialog = new TrustDialog(store);
const provider = new ProviderView();
const claims = new ClaimsView();
const targets = new TargetsView(save);
const verdict = new VerdictView(cancel, () => {
  const issuer = opened?.findings.report?.claims?.iss;
  if (opened && issuer !== undefined) dialog.ask(issuer, opened.findings.name);
});

function open(origin: Origin, bundles: readonly File[]): void {
  opened?.job.cancel();
  showPrevious();
  const name = redact(typeof origin === "string" ? origin : origin.name);
  const text = policy.loaded?.text;
  const job = startJob({ kind: "inspect", origin, bundles, policy: text }, (event) => {
    if (opened?.job === job) update(learn(opened.findings, event));
  });
  const findings = nothingOf(name, bundles.length);
  opened = { origin, bundles, job, started: performance.now(), findings };
  setText(byId("save-error"), "");
  byId("result").hidden = false;
  setText(byId("result-name"), printable(name));
  show();
  byId("result-name").focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

/** Keeps the last verdict on the page while the next archive is inspected. */
function showPrevious(): void {
  const previous = byId("previous");
  if (!opened || opened.findings.phase === "working") return;
  const { tone, title } = currentJudgement(opened);
  previous.hidden = false;
  setTone(previous, tone);
  const text = `Before: ${opened.findings.name}. ${title}.`;
  setText(previous.lastElementChild as Element, printable(text));
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

function currentJudgement({ findings }: Opened): Judgement {
  const { loaded } = policy;
  const rules = loaded
    ? { trusted: loaded.issuers, policy: `the policy ${loaded.name}` }
    : { trusted: store.issuers };
  return judge(findings, rules, new Date());
}

function show(): void {
  if (!opened) return;
  const { findings, started, took } = opened;
  const judgement = currentJudgement(opened);
  verdict.show(judgement, findings);
  verdict.showProgress(findings, (took ?? performance.now() - started) / 1000);
  provider.show(findings);
  targets.show(findings, judgement.usable);
  claims.show(findings);
  document.title = `${judgement.answer} – ${printable(findings.name)}`;
}

async function save(key: string): Promise<void> {
  const archive = opened?.findings.archive;
  const entry = key === WIT_ENTRY
    ? archive?.wit
    : archive?.binaries.find(({ target }) => target === key);
  if (!opened || !entry) return;
  const { origin, job, findings: { name } } = opened;
  setText(byId("save-error"), "");
  targets.showSaving(key, "Saving…");
  try {
    await saveEntry(origin, entry, name, (done) => {
      const percent = Math.floor(done / Math.max(entry.size, 1) * 100);
      if (opened?.job === job) targets.showSaving(key, `${percent} %`);
    });
    if (opened.job === job) targets.showSaving(key);
  } catch (error) {
    if (opened.job !== job) return;
    targets.showSaving(key);
    setText(byId("save-error"), sentence((error as Error).message));
  }
}

policy.restore().then(() => takeArchives(open));
findThisComputer(navigator).then((here) => {
  targets.mark(here);
  show();
});

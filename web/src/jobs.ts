/// <reference lib="dom" />
import type { InspectionEvent, Job, SaveEvent, SaveJob } from "./protocol.ts";

/** A job that a worker is doing. */
export interface RunningJob {
  /** Ends the worker at once. */
  cancel(): void;
}

/** The URL of the worker's script, which is in the page: from `file:`, a page may load no other. */
let program: string | undefined;

/**
 * Starts a job in a worker of its own.
 *
 * @param job The job.
 * @param onEvent Is called with each event of the worker, until the job ends or is cancelled.
 */
export function startJob<J extends Job>(
  job: J,
  onEvent: (event: J extends SaveJob ? SaveEvent : InspectionEvent) => void,
): RunningJob {
  program ??= URL.createObjectURL(
    new Blob([document.getElementById("worker")?.textContent ?? ""], { type: "text/javascript" }),
  );
  const worker = new Worker(program);
  worker.onmessage = ({ data }): void => {
    if (["done", "failed", "saved"].includes(data.kind)) worker.terminate();
    onEvent(data);
  };
  worker.onerror = (event): void => {
    worker.terminate();
    const message = `Cannot go on: ${event.message ?? "the browser started no worker"}`;
    onEvent({ kind: "failed", refusal: { category: "failed", message } });
  };
  worker.postMessage(job);
  return { cancel: () => worker.terminate() };
}

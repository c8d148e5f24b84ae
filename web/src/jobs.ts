/// <reference lib="dom" />
import type { InspectionEvent, Job, SaveEvent, SaveJob } from "./protocol.ts";

/** A job that a worker is at. */
export interface RunningJob {
  /** Ends it at once, with whatever it holds. */
  cancel(): void;
}

/** The worker's program is a part of the page: from `file:` a browser loads no other. */
let program: string | undefined;

/**
 * Starts a job in a worker of its own.
 *
 * @param job The job.
 * @param onEvent Is told what the worker tells, until the job ends or is cancelled.
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

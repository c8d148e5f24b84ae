import "./disposal.ts";
import { inspectArchive } from "./inspect_job.ts";
import { openOrigin } from "./origin.ts";
import type { InspectionEvent, Job, SaveEvent } from "./protocol.ts";
import { saveBinary } from "./save_job.ts";

const scope = globalThis as unknown as {
  postMessage(event: InspectionEvent | SaveEvent): void;
  onmessage: (message: { readonly data: Job }) => void;
};

scope.onmessage = async ({ data: job }): Promise<void> => {
  const source = openOrigin(job.origin);
  const tell = (event: InspectionEvent | SaveEvent): void => scope.postMessage(event);
  if (job.kind === "inspect") await inspectArchive(source, job, tell);
  else await saveBinary(source, job.binary, tell);
};

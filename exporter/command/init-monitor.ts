/** A project's Worker, and what it needs to watch its models: `bn-edge init --monitor`. */
import { withoutComments } from '../deploy/openness.ts';

/** `worker/index.ts` of every project. */
export const workerSource = `import { createWorker } from 'bn-edge/worker';
import image from '../.bn-edge/image.mjs';

export default createWorker(image);
`;

/** That of a project that watches. */
export const monitorSource = `import { createWorker } from 'bn-edge/worker';
import { DriftMonitor, monitor } from 'bn-edge/worker/drift';
import image from '../.bn-edge/image.mjs';

export { DriftMonitor };
export default createWorker(image, { monitor });
`;

/** At the end of wrangler.toml. https://developers.cloudflare.com/durable-objects/reference/durable-objects-migrations/ */
export const monitorToml = `
# Keeps what monitored models were asked, as sums: "monitor": true in card.json.
[[durable_objects.bindings]]
name = "DRIFT"
class_name = "DriftMonitor"

[[migrations]]
tag = "drift-monitor"
new_sqlite_classes = ["DriftMonitor"]
`;

const monitorJson =
  '"durable_objects": { "bindings": [{ "name": "DRIFT", "class_name": "DriftMonitor" }] }, "migrations": [{ "tag": "drift-monitor", "new_sqlite_classes": ["DriftMonitor"] }]';

/** A file of the project with what it lacks, or else what the user has to write into it; neither where it lacks nothing. */
export interface Completed {
  readonly content?: string;
  readonly note?: string;
}

export function withBinding(file: string, text: string): Completed {
  const inForce = withoutComments(text, file);
  const [hasClass, hasName] = [inForce.includes('DriftMonitor'), /["']DRIFT["']/.test(inForce)];
  if (hasClass && hasName) return {};
  const newline = text.endsWith('\n') ? '' : '\n';
  // Another table of these would need to be its neighbour, or one of an array that only the user can extend.
  const isOpen =
    file.endsWith('.toml') && !hasClass && !hasName && !/^\s*(\[\[?)?(durable_objects|migrations)\b/m.test(text);
  if (isOpen) return { content: `${text}${newline}${monitorToml}` };
  const needs = file.endsWith('.toml') ? monitorToml.trim().split('\n').slice(1).join(' ') : monitorJson;
  const clash = hasName ? '; what is called DRIFT there needs another name' : '';
  return { note: `${file} is yours: to monitor it needs ${needs}${clash}` };
}

/** A Worker as `init` writes it becomes one that watches; of another one only the user knows what to do. */
export function withClass(file: string, text: string): Completed {
  if (text.includes('DriftMonitor')) return {};
  if (text === workerSource) return { content: monitorSource };
  const needs =
    "import { DriftMonitor, monitor } from 'bn-edge/worker/drift', export { DriftMonitor }, and the option { monitor }";
  return { note: `${file} is yours: to monitor it needs ${needs}` };
}

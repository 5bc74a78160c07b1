/** Adds monitoring to a project's Worker, for `bn-edge init --monitor`. */
import { withoutComments } from '../deploy/configuration.ts';

/** `worker/index.ts` of a project without monitoring. */
export const workerSource = `import { createWorker } from 'bn-edge/worker';
import image from '../.bn-edge/image.mjs';

export default createWorker(image);
`;

/** `worker/index.ts` of a project with monitoring. */
export const monitorSource = `import { createWorker } from 'bn-edge/worker';
import { DriftMonitor, monitor } from 'bn-edge/worker/drift';
import image from '../.bn-edge/image.mjs';

export { DriftMonitor };
export default createWorker(image, { monitor });
`;

/** The end of wrangler.toml. https://developers.cloudflare.com/durable-objects/reference/durable-objects-migrations/ */
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

/**
 * A file of the project with the additions that it needs, or what the user has to write into it; neither if it needs
 * nothing.
 */
export interface Completed {
  readonly content?: string;
  readonly note?: string;
}

export function withBinding(file: string, text: string): Completed {
  const inForce = withoutComments(text, file);
  const [hasClass, hasName] = [inForce.includes('DriftMonitor'), /["']DRIFT["']/.test(inForce)];
  if (hasClass && hasName) return {};
  const newline = text.endsWith('\n') ? '' : '\n';
  // TOML allows no second table of that name, and entries of an array must stand together: only the user can extend
  // these.
  const isOpen =
    file.endsWith('.toml') && !hasClass && !hasName && !/^\s*(\[\[?)?(durable_objects|migrations)\b/m.test(text);
  if (isOpen) return { content: `${text}${newline}${monitorToml}` };
  const needs = file.endsWith('.toml') ? monitorToml.trim().split('\n').slice(1).join(' ') : monitorJson;
  const clash = hasName ? '; what is called DRIFT there needs another name' : '';
  return { note: `${file} is yours: to monitor it needs ${needs}${clash}` };
}

/** Adds monitoring to a Worker that is as `init` has written it. Any other Worker is left to the user. */
export function withClass(file: string, text: string): Completed {
  if (text.includes('DriftMonitor')) return {};
  if (text === workerSource) return { content: monitorSource };
  const needs =
    "import { DriftMonitor, monitor } from 'bn-edge/worker/drift', export { DriftMonitor }, and the option { monitor }";
  return { note: `${file} is yours: to monitor it needs ${needs}` };
}

/**
 * `bn-edge/worker/drift` has what a Worker needs beyond `bn-edge/worker` to monitor its models.
 *
 *     import { createWorker } from 'bn-edge/worker';
 *     import { DriftMonitor, monitor } from 'bn-edge/worker/drift';
 *     import image from '../.bn-edge/image.mjs';
 *
 *     export { DriftMonitor };
 *     export default createWorker(image, { monitor });
 */
import { createMonitor } from './watch.ts';

export { DriftMonitor } from './drift-monitor.ts';
export type { Monitor } from './monitor.ts';
export { createMonitor, type MonitorOptions } from './watch.ts';
export type { ChannelSums, ColumnSums, DriftReader, DriftWindow, WindowsQuery } from './window.ts';

export const monitor = createMonitor();

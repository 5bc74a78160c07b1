/**
 * How large a Worker may be, compressed, on each of the platform's plans.
 * https://developers.cloudflare.com/workers/platform/limits/#worker-size
 */
const MIB = 1024 * 1024;

export const plans = { free: 3 * MIB, paid: 10 * MIB } as const;

export type PlanName = keyof typeof plans;

/** One line where the Worker does not fit. */
export function tooLarge(plan: PlanName, gzipBytes: number): readonly string[] {
  if (gzipBytes <= plans[plan]) return [];
  return [`worker: expected at most ${megabytes(plans[plan])} gzip on the ${plan} plan, got ${megabytes(gzipBytes)}`];
}

export const megabytes = (bytes: number): string => `${(bytes / MIB).toFixed(2)} MiB`;

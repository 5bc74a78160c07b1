const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * Draws numbers above 0 as a curve on a logarithmic scale, with one character for each of `width` equal shares of them.
 */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length);
  const share = (column: number) => Math.floor((column * values.length) / columns);
  const logs = Array.from({ length: columns }, (_, i) => Math.log(mean(values.slice(share(i), share(i + 1)))));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const height = (log: number) => Math.round(((log - low) / (high - low || 1)) * (bars.length - 1));
  return logs.map((log) => bars[height(log)] ?? '').join('');
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

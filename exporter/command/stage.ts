/** What a build is at, in one line that is written over; only a terminal shows it. */

export function showStage(stage: string, model = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1B[Kimage: ${stage} ${model}`);
}

export function clearStage(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1B[K');
}

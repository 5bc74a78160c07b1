/**
 * Broken requests: the Worker refuses each or answers it, never fails, and is right afterwards. `npm run bench:worker -- --fuzz 12000` sends
 * more of them to the built Worker, and watches its memory.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import worker from '../../worker/index.ts';
import { pixels, post } from './client.ts';
import { mutantOf } from './mutants.ts';

const MUTANTS = 4000;

it(`answers ${MUTANTS.toLocaleString('en')} mutated requests with 2xx and 4xx only`, { timeout: 300_000 }, async () => {
  const question = { parameters: { statistics: 'running' }, inputs: [pixels(4)] };
  const [infer, explain] = ['/v2/models/digits/infer', '/v2/models/digits/explain'];
  const before = [await post(infer, question), await post(explain, question)];
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  for (let seed = 0; seed < MUTANTS; seed++) {
    const { path, ...init } = mutantOf(seed);
    const response = await worker.fetch(new Request(`http://worker${path}`, init), env, createExecutionContext());
    const family = Math.floor(response.status / 100);
    statuses.set(family, (statuses.get(family) ?? 0) + 1);
    if (family !== 2 && family !== 4) failures.push(`seed ${seed}: ${response.status} ${await response.text()}`);
  }
  expect(failures).toEqual([]);
  expect([...statuses.keys()].toSorted()).toEqual([2, 4]);
  expect(statuses.get(4), 'mutants that were refused').toBeGreaterThan(MUTANTS / 2);
  const after = [await post(infer, question), await post(explain, question)];
  expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body));
});

/**
 * The Worker refuses or answers each broken request, never fails, and still answers right ones. `npm run bench:worker
 * -- --fuzz 12000` sends more of them to the built Worker, and watches its memory.
 */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import worker from '../../worker/index.ts';
import { type Mutant, mutantOf, rightOf } from './mutants.ts';

const MUTANTS = 4000;

it(`answers ${MUTANTS.toLocaleString('en')} mutated requests with 2xx and 4xx only`, { timeout: 300_000 }, async () => {
  const right = Array.from({ length: 100 }, (_, seed) => rightOf(seed));
  const answers = async (): Promise<readonly string[]> => {
    const responses = await Promise.all(right.map(fetched));
    return Promise.all(responses.map(async (response) => `${response.status} ${await response.text()}`));
  };
  const before = await answers();
  expect(before.filter((answer) => !answer.startsWith('200 '))).toEqual([]);
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  for (let seed = 0; seed < MUTANTS; seed++) {
    const response = await fetched(mutantOf(seed));
    const family = Math.floor(response.status / 100);
    statuses.set(family, (statuses.get(family) ?? 0) + 1);
    if (family !== 2 && family !== 4) failures.push(`seed ${seed}: ${response.status} ${await response.text()}`);
  }
  expect(failures).toEqual([]);
  expect([...statuses.keys()].toSorted()).toEqual([2, 4]);
  expect(statuses.get(4), 'mutants that were refused').toBeGreaterThan(MUTANTS / 2);
  expect(await answers()).toEqual(before);
});

const fetched = async ({ path, ...init }: Mutant): Promise<Response> =>
  worker.fetch(new Request(`http://worker${path}`, init), env, createExecutionContext());

/**
 * The beginning of a model's drift is reported once, however many isolates detect it: workerd's own Durable Objects
 * keep the verdict.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWorker, type WorkerHandler } from '../../worker/create-worker.ts';
import { createMonitor } from '../../worker/drift/index.ts';
import type { DriftNamespace } from '../../worker/drift/monitor.ts';
import { storeOf } from '../../worker/drift/store.ts';
import { imageOf, layer, samples } from './images.ts';

const { DRIFT } = env as unknown as { readonly DRIFT: DriftNamespace };

/** A full hour. */
const noon = 490_000 * 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a verdict', () => {
  it('is another one only where it is other than the last one on the version', async () => {
    const store = storeOf({ DRIFT }, 'verdicts');
    const told = async (version: string, drifted: boolean): Promise<boolean | undefined> =>
      store?.recordVerdict(version, drifted);
    expect(await told('1', false)).toBe(false);
    expect(await told('1', true)).toBe(true);
    expect(await told('1', true)).toBe(false);
    expect(await told('2', true)).toBe(true);
    expect(await told('1', false)).toBe(true);
    expect(await told('2', true)).toBe(false);
  });

  it('is that of one of many who say so at once', async () => {
    const store = storeOf({ DRIFT }, 'verdicts at once');
    const tell = async (): Promise<boolean | undefined> => store?.recordVerdict('1', true);
    const all = await Promise.all(Array.from({ length: 8 }, tell));
    expect(all.filter((isOther) => isOther)).toHaveLength(1);
  });
});

const modelOf = (name: string) => ({
  name,
  kind: 'logits' as const,
  labels: ['a', 'b'],
  batchNorm: [layer],
  monitor: { layers: [{ name: 'norm', of: 'input' as const, hasPlaces: false }], columns: [] },
  watched: ({ x }: { readonly x?: unknown }, names: readonly string[] = []) =>
    Object.fromEntries(names.map((output) => [output, x])) as never,
});

describe('isolates of one model', () => {
  const isolateOf = (name: string): WorkerHandler =>
    createWorker(imageOf(modelOf(name)), {
      monitor: createMonitor({ every: 1, flushSamples: 1, now: () => noon, wait: () => Promise.resolve() }),
      log: false,
    });

  /** Sends fifty samples around `mean`, with variance 1. */
  async function ask(isolate: WorkerHandler, name: string, mean: number): Promise<void> {
    const rows = Array.from({ length: 50 }, (_, i) => [mean + (i % 2 === 0 ? 1 : -1), mean - (i % 2 === 0 ? 1 : -1)]);
    const context = createExecutionContext();
    const request = new Request(`http://worker/v2/models/${name}/infer`, samples(rows));
    const response = await isolate.fetch(request, { DRIFT }, context);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    await waitOnExecutionContext(context);
  }

  it('tell of a crossing once, of the samples of both', async () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    const isolates = [isolateOf('both'), isolateOf('both')];
    for (let i = 0; i < 5; i++) await Promise.all(isolates.map((isolate) => ask(isolate, 'both', 3)));
    const lines = warned.mock.calls.map(([line]) => JSON.parse(String(line)) as object);
    expect(lines).toMatchObject([{ event: 'drift', model: 'both', drifted: true, start: noon }]);
  });

  it('tell of nothing where there is nothing', async () => {
    const warned = vi.spyOn(console, 'warn').mockReturnValue();
    const isolates = [isolateOf('calm'), isolateOf('calm')];
    for (let i = 0; i < 5; i++) await Promise.all(isolates.map((isolate) => ask(isolate, 'calm', 0)));
    expect(warned.mock.calls).toEqual([]);
    const { status, body } = await report(isolates[0], 'calm');
    expect([status, body]).toMatchObject([200, { drifted: null, trend: [] }]);
  });

  async function report(isolate: WorkerHandler | undefined, name: string) {
    const response = await isolate?.fetch(new Request(`http://worker/v2/models/${name}/drift`), { DRIFT });
    return { status: response?.status, body: await response?.json() };
  }
});

import { describe, expect, it } from 'vitest';
import { type Clocks, foreignLoad, waitingAsSuits } from '../../../training/backend/index.ts';

/** A session that says which one it is, and one for the log of what was opened and released. */
function recordedSessions() {
  const log: string[] = [];
  const open = (spinning: boolean) => {
    const name = spinning ? 'spinning' : 'asleep';
    log.push(`open ${name}`);
    return Promise.resolve({
      run: () => {
        log.push(name);
        return Promise.resolve({});
      },
      release: () => {
        log.push(`release ${name}`);
        return Promise.resolve();
      },
    });
  };
  return { log, open };
}

describe('a session of many threads', () => {
  it('waits in a busy loop while nobody else uses the machine, and asleep otherwise', async () => {
    const { log, open } = recordedSessions();
    const loads = [0, 0, 1, 0.1];
    const session = await waitingAsSuits(open, () => loads.shift() ?? NaN);
    for (let call = 0; call < 3; call++) await session.run({});
    expect(log).toEqual(['open spinning', 'spinning', 'open asleep', 'asleep', 'spinning']);
  });

  it('releases what it has opened', async () => {
    const { log, open } = recordedSessions();
    const loads = [2, 2, 0];
    const session = await waitingAsSuits(open, () => loads.shift() ?? NaN);
    await session.run({});
    await session.run({});
    await session.release();
    expect(log.slice(-2)).toEqual(['release asleep', 'release spinning']);
  });

  it('opens one at once, so that a file that is none is reported where it is loaded', async () => {
    const refused = () => Promise.reject(new Error('no model'));
    await expect(waitingAsSuits(refused, () => 0)).rejects.toThrow('no model');
  });
});

describe('the load of others', () => {
  const loadsOf = (...readings: readonly Clocks[]) => {
    const left = [...readings];
    const load = foreignLoad(() => left.shift() ?? { busy: NaN, own: NaN, now: NaN });
    return readings.slice(1).map(() => load());
  };

  it('is what keeps cores busy and is not this process', () => {
    expect(loadsOf({ busy: 1000, own: 10, now: 0 }, { busy: 1350, own: 210, now: 200 })).toEqual([0.75]);
  });

  it('stays as it was until a span is long enough to tell', () => {
    const start = { busy: 0, own: 0, now: 0 };
    const readings = [
      start,
      { busy: 200, own: 0, now: 100 },
      { busy: 299, own: 0, now: 199 },
      { busy: 400, own: 0, now: 300 },
    ];
    expect(loadsOf(...readings)).toEqual([2, 2, 1]);
  });

  it('is none where clocks of different grain say less than none', () => {
    expect(loadsOf({ busy: 0, own: 0, now: 0 }, { busy: 190, own: 200, now: 100 })).toEqual([0]);
  });
});

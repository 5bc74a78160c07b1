import { describe, expect, it } from 'vitest';
import { type Clocks, foreignLoad, adaptiveWaiting } from '../../../training/backend/index.ts';

/** Returns a function that opens sessions, and the log of their openings, runs and releases. */
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
  it.each([
    ['in a busy loop while nobody else uses the machine', [0, 0.3], ['open spinning', 'spinning']],
    ['asleep while others do', [1, 0.2], ['open asleep', 'asleep']],
    ['asleep once others do', [0, 1], ['open spinning', 'release spinning', 'open asleep', 'asleep']],
    ['in a busy loop once they have gone', [1, 0], ['open asleep', 'release asleep', 'open spinning', 'spinning']],
  ])('waits %s', async (_, loads, expected) => {
    const { log, open } = recordedSessions();
    const left = [...loads];
    const session = await adaptiveWaiting(open, () => left.shift() ?? NaN);
    await session.run();
    expect(log).toEqual(expected);
  });

  it('finishes what runs before it changes, and releases what it has opened last', async () => {
    const { log, open } = recordedSessions();
    const loads = [0, 0, 1, 1];
    const session = await adaptiveWaiting(open, () => loads.shift() ?? NaN);
    await Promise.all([session.run(), session.run()]);
    await session.run();
    await session.release();
    const changed = ['release spinning', 'open asleep', 'asleep', 'release asleep'];
    expect(log).toEqual(['open spinning', 'spinning', 'spinning', ...changed]);
  });

  it('is opened by the next call where it could not be opened once', async () => {
    const { log, open } = recordedSessions();
    const opens = [open, () => Promise.reject(new Error('no memory left')), open];
    const loads = [0, 1, 1];
    const session = await adaptiveWaiting(
      (spinning) => opens.shift()?.(spinning) ?? Promise.reject(new Error('opened too often')),
      () => loads.shift() ?? NaN,
    );
    await expect(session.run()).rejects.toThrow('no memory left');
    await session.run();
    await session.release();
    expect(log).toEqual(['open spinning', 'release spinning', 'open asleep', 'asleep', 'release asleep']);
  });

  it('has nothing to release where it could not be opened again', async () => {
    const { log, open } = recordedSessions();
    const opens = [open, () => Promise.reject(new Error('no memory left'))];
    const loads = [0, 1];
    const session = await adaptiveWaiting(
      (spinning) => opens.shift()?.(spinning) ?? Promise.reject(new Error('opened too often')),
      () => loads.shift() ?? NaN,
    );
    await expect(session.run()).rejects.toThrow('no memory left');
    await session.release();
    expect(log).toEqual(['open spinning', 'release spinning']);
  });

  it('opens one at once, so that a file that is none is reported where it is loaded', async () => {
    const refused = () => Promise.reject(new Error('no model'));
    await expect(adaptiveWaiting(refused, () => 0)).rejects.toThrow('no model');
  });
});

describe('the load of others', () => {
  const loadsOf = (...readings: readonly Clocks[]) => {
    const left = [...readings];
    const load = foreignLoad(() => left.shift() ?? { busy: NaN, own: NaN, now: NaN });
    return readings.slice(1).map(() => load());
  };

  it('is what keeps cores busy and is not this process', () => {
    expect(loadsOf({ busy: 1000, own: 10, now: 0 }, { busy: 1750, own: 210, now: 1000 })).toEqual([0.55]);
  });

  it('stays as it was until a span is long enough to tell', () => {
    const start = { busy: 0, own: 0, now: 0 };
    const readings = [
      start,
      { busy: 1000, own: 0, now: 500 },
      { busy: 1300, own: 0, now: 999 },
      { busy: 1500, own: 0, now: 1000 },
    ];
    expect(loadsOf(...readings)).toEqual([2, 2, 1]);
  });

  it('is none where clocks of different grain say less than none', () => {
    expect(loadsOf({ busy: 0, own: 0, now: 0 }, { busy: 490, own: 500, now: 500 })).toEqual([0]);
  });
});

/**
 * The Durable Object of a monitored model. It keeps the model's windows by version, so that a new version starts
 * afresh.
 * https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 */
import { DurableObject } from 'cloudflare:workers';
import type { Progress } from './crossing.ts';
import { addTo, keyOf, type Kind, type Sums, windowOf } from './sums.ts';
import type { DriftStore } from './store.ts';
import type { DriftWindow, WindowsQuery } from './window.ts';

/**
 * Counts the windows that are kept: 31 days of each version, and four times as many of all versions. A window is
 * dropped when enough newer ones exist, not by the clock: a clock that is wrong once deletes nothing.
 */
const kept = { ofVersion: 31 * 24, ofAll: 4 * 31 * 24 } as const;

const schema = `
  CREATE TABLE IF NOT EXISTS windows (version TEXT, start INTEGER, samples INTEGER, PRIMARY KEY (version, start)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sums (
    version TEXT, start INTEGER, kind TEXT, name TEXT, numbers BLOB, PRIMARY KEY (version, start, kind, name)
  );
  CREATE TABLE IF NOT EXISTS origins (version TEXT PRIMARY KEY, reference TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS verdicts (version TEXT PRIMARY KEY, drifted INTEGER) WITHOUT ROWID;
`;

export class DriftMonitor extends DurableObject implements DriftStore {
  readonly #sql: SqlStorage;

  constructor(context: DurableObjectState, env: unknown) {
    super(context, env as Cloudflare.Env);
    this.#sql = context.storage.sql;
    this.#sql.exec(schema);
  }

  /** Adds all sums, or none. */
  async add(sums: readonly Sums[], reference?: string): Promise<readonly Progress[]> {
    return Promise.resolve(
      this.ctx.storage.transactionSync(() => {
        for (const version of new Set(sums.map((each) => each.version))) this.#countAgainst(version, reference);
        return sums.map((each) => this.#addOne(each));
      }),
    );
  }

  async recordVerdict(version: string, drifted: boolean): Promise<boolean> {
    const [last] = this.#sql.exec<{ drifted: number }>('SELECT drifted FROM verdicts WHERE version = ?', version);
    this.#sql.exec('INSERT OR REPLACE INTO verdicts VALUES (?, ?)', version, Number(drifted));
    return Promise.resolve((last?.drifted === 1) !== drifted);
  }

  async windows({ version, reference, from, to }: WindowsQuery): Promise<readonly DriftWindow[]> {
    if (this.#isOfAnother(version, reference)) return Promise.resolve([]);
    const found = this.#sql.exec<{ start: number; samples: number }>(
      'SELECT start, samples FROM windows WHERE version = ? AND start >= ? AND start < ? ORDER BY start',
      version,
      from,
      to,
    );
    return Promise.resolve(
      Array.from(found, ({ start, samples }) => windowOf({ start, samples, parts: this.#partsOf(version, start) })),
    );
  }

  /** Is true when the sums kept of the version were counted against another reference. */
  #isOfAnother(version: string, reference: string | undefined): boolean {
    if (reference === undefined) return false;
    const [own] = this.#sql.exec<{ reference: string }>('SELECT reference FROM origins WHERE version = ?', version);
    return own !== undefined && own.reference !== reference;
  }

  /** Records the reference of a version's sums, and deletes those that were counted against another one. */
  #countAgainst(version: string, reference: string | undefined): void {
    if (reference === undefined) return;
    if (this.#isOfAnother(version, reference))
      for (const table of ['sums', 'windows', 'verdicts'])
        this.#sql.exec(`DELETE FROM ${table} WHERE version = ?`, version);
    this.#sql.exec('INSERT OR REPLACE INTO origins VALUES (?, ?)', version, reference);
  }

  #addOne({ version, start, samples, parts }: Sums): Progress {
    const known = new Map(this.#partsOf(version, start).map((part) => [keyOf(part), part.numbers]));
    const isOther = parts.some((part) => (known.get(keyOf(part)) ?? part.numbers).length !== part.numbers.length);
    // The model was replaced by another one of the same version, for which the former sums mean nothing.
    if (isOther) {
      this.#delete(version, start);
      known.clear();
    }
    const [former] = this.#sql.exec<{ samples: number }>(
      'SELECT samples FROM windows WHERE version = ? AND start = ?',
      version,
      start,
    );
    this.#sql.exec(
      `INSERT INTO windows VALUES (?, ?, ?)
       ON CONFLICT (version, start) DO UPDATE SET samples = samples + excluded.samples`,
      version,
      start,
      samples,
    );
    for (const part of parts) {
      const { kind, name } = part;
      const all = part.numbers.slice();
      const own = known.get(keyOf(part));
      if (own) addTo(all, own);
      this.#sql.exec('INSERT OR REPLACE INTO sums VALUES (?, ?, ?, ?, ?)', version, start, kind, name, all.buffer);
    }
    if (!former) this.#prune(version);
    const before = former?.samples ?? 0;
    return { version, start, before, after: before + samples };
  }

  #partsOf(version: string, start: number) {
    const rows = this.#sql.exec<{ kind: Kind; name: string; numbers: ArrayBuffer }>(
      'SELECT kind, name, numbers FROM sums WHERE version = ? AND start = ? ORDER BY rowid',
      version,
      start,
    );
    return Array.from(rows, ({ kind, name, numbers }) => ({ kind, name, numbers: new Float64Array(numbers) }));
  }

  #prune(version: string): void {
    const old = [
      ...this.#sql.exec<{ version: string; start: number }>(
        'SELECT version, start FROM windows WHERE version = ? ORDER BY start DESC LIMIT -1 OFFSET ?',
        version,
        kept.ofVersion,
      ),
      ...this.#sql.exec<{ version: string; start: number }>(
        'SELECT version, start FROM windows ORDER BY start DESC LIMIT -1 OFFSET ?',
        kept.ofAll,
      ),
    ];
    for (const each of old) this.#delete(each.version, each.start);
  }

  #delete(version: string, start: number): void {
    for (const table of ['sums', 'windows'])
      this.#sql.exec(`DELETE FROM ${table} WHERE version = ? AND start = ?`, version, start);
  }
}

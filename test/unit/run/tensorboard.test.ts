/** Event files are read back by protobufjs from the published message definitions, with the framing parsed by hand. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterEach, expect, it, vi } from 'vitest';
import { maskedCrc32c, openEventFile } from '../../../training/run/tensorboard.ts';

afterEach(() => {
  vi.useRealTimers();
});

// https://github.com/tensorflow/tensorflow/blob/v2.17.0/tensorflow/core/util/event.proto, and summary.proto
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what { string file_version = 3; bytes graph_def = 4; Summary summary = 5; SessionLog session_log = 7; }
  }
  message Summary { message Value { string tag = 1; float simple_value = 2; } repeated Value value = 1; }
  message SessionLog { enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; } SessionStatus status = 1; }
`);
const Event = root.lookupType('Event');

function readRecords(file: Buffer): readonly object[] {
  const records: object[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(maskedCrc32c(file.subarray(at, at + 8)));
    const message = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(message));
    records.push(Event.toObject(Event.decode(message), { longs: Number, enums: String }));
    at += 16 + length;
  }
  return records;
}

it.each([
  // CRC-32C's own vectors, RFC 3720, B.4, and the check value; masked by hand with the formula of record_writer.h
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['"123456789"', Buffer.from('123456789'), 0xe3069283],
])('the checksum of %s is the published one, masked', (_, bytes, crc) => {
  const rotated = BigInt.asUintN(32, (BigInt(crc) >> 15n) | (BigInt(crc) << 17n));
  expect(maskedCrc32c(bytes)).toBe(Number(BigInt.asUintN(32, rotated + 0xa282ead8n)));
});

it('an event file holds the version, the start of the session, and scalars by step', async () => {
  const wallTime = 1_800_000_000.5;
  vi.useFakeTimers({ now: 1000 * wallTime, toFake: ['Date'] });
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  const path = join(folder, 'events.out.tfevents.1');
  const events = openEventFile(path, 200);
  events.add(300, { 'loss/train': 0.5, 'accuracy/train': 0.75 });
  events.add(3_000_000_000, { 'loss/train': 0.25 });
  expect(readRecords(await readFile(path))).toEqual([
    { wallTime, step: 0, fileVersion: 'brain.Event:2' },
    { wallTime, step: 200, sessionLog: { status: 'START' } },
    {
      wallTime,
      step: 300,
      summary: {
        value: [
          { tag: 'loss/train', simpleValue: 0.5 },
          { tag: 'accuracy/train', simpleValue: 0.75 },
        ],
      },
    },
    { wallTime, step: 3_000_000_000, summary: { value: [{ tag: 'loss/train', simpleValue: 0.25 }] } },
  ]);
  await rm(folder, { recursive: true });
});

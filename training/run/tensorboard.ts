/**
 * TensorBoard's event files, scalars alone: records of TFRecord framing around `Event` messages.
 *
 *   8 bytes  length of the message, unsigned, little-endian        4 bytes  masked CRC-32C of these
 *   N bytes  the message                                           4 bytes  masked CRC-32C of it
 *
 * Source: https://github.com/tensorflow/tensorflow/blob/v2.17.0/tensorflow/core/util/event.proto, summary.proto in
 * tensorflow/core/framework, and record_writer.h in tensorflow/compiler/xla/tsl/lib/io there.
 */
import crc32c from 'crc-32/crc32c.js';
import { PbfWriter } from 'pbf';
import { append } from '../files/index.ts';

/** Names a curve: a slash groups them on the page. */
export type Scalars = Readonly<Record<string, number>>;

export interface EventFile {
  readonly add: (step: number, scalars: Scalars) => void;
}

/** @param step after which this file goes on; TensorBoard then drops what a killed process wrote beyond it */
export function openEventFile(path: string, step: number): EventFile {
  const write = (event: Event) => {
    append(path, record(encode(event)));
  };
  write({ step: 0, fileVersion: 'brain.Event:2' });
  write({ step, isStart: true });
  return {
    add: (step, scalars) => {
      write({ step, scalars });
    },
  };
}

interface Event {
  readonly step: number;
  readonly fileVersion?: string;
  readonly scalars?: Scalars;
  readonly isStart?: boolean;
}

/** `Event { wall_time, step, file_version | summary | session_log }` */
function encode({ step, fileVersion, scalars, isStart }: Event): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeDoubleField(1, Date.now() / 1000);
  pbf.writeVarintField(2, step);
  if (fileVersion !== undefined) pbf.writeStringField(3, fileVersion);
  if (scalars) pbf.writeMessage(5, writeSummary, scalars);
  if (isStart) pbf.writeMessage(7, writeSessionStart, undefined);
  return pbf.finish();
}

/** `SessionLog { status = START }` */
function writeSessionStart(_: undefined, pbf: PbfWriter): void {
  pbf.writeVarintField(1, 1);
}

/** `Summary { repeated Value { tag, simple_value } }` */
function writeSummary(scalars: Scalars, pbf: PbfWriter): void {
  for (const scalar of Object.entries(scalars)) pbf.writeMessage(1, writeValue, scalar);
}

function writeValue([tag, value]: [string, number], pbf: PbfWriter): void {
  pbf.writeStringField(1, tag);
  pbf.writeFloatField(2, value);
}

function record(message: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, checksum(length), message, checksum(message)]);
}

function checksum(bytes: Uint8Array): Uint8Array {
  const result = Buffer.alloc(4);
  result.writeUInt32LE(maskedCrc32c(bytes));
  return result;
}

/** masked = (crc rotated right by 15 bits) + 0xa282ead8 mod 2³² */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

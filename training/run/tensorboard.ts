/**
 * Writes TensorBoard's event files, with scalars only: TFRecord frames around `Event` messages.
 *
 *   8 bytes  length of the message, unsigned, little-endian        4 bytes  masked CRC-32C of these
 *   N bytes  the message                                           4 bytes  masked CRC-32C of it
 *
 * Source: https://github.com/tensorflow/tensorflow/blob/v2.17.0/tensorflow/core/util/event.proto, summary.proto in
 * tensorflow/core/framework, and record_writer.h in tensorflow/compiler/xla/tsl/lib/io there.
 */
import crc32c from 'crc-32/crc32c.js';
import protobuf from 'protobufjs/minimal.js';
import { append } from '../files/index.ts';

/** Maps the name of a curve to its value. A slash groups curves on the page. */
export type Scalars = Readonly<Record<string, number>>;

export interface EventFile {
  readonly add: (step: number, scalars: Scalars) => void;
}

/**
 * Opens an event file.
 *
 * @param step after which the file continues; TensorBoard then drops what a killed process wrote beyond it
 */
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
  const event = protobuf.Writer.create();
  event.uint32(tag(1, wire.fixed64)).double(Date.now() / 1000);
  event.uint32(tag(2, wire.varint)).int64(step);
  if (fileVersion !== undefined) event.uint32(tag(3, wire.bytes)).string(fileVersion);
  if (scalars) event.uint32(tag(5, wire.bytes)).bytes(summaryOf(scalars));
  if (isStart) event.uint32(tag(7, wire.bytes)).bytes(sessionStart());
  return event.finish();
}

/** The wire types of fields: https://protobuf.dev/programming-guides/encoding/#structure */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const tag = (field: number, type: number): number => (field << 3) | type;

/** `SessionLog { status = START }` */
const sessionStart = (): Uint8Array => protobuf.Writer.create().uint32(tag(1, wire.varint)).int32(1).finish();

/** `Summary { repeated Value { tag, simple_value } }` */
function summaryOf(scalars: Scalars): Uint8Array {
  const summary = protobuf.Writer.create();
  for (const [name, value] of Object.entries(scalars)) {
    summary.uint32(tag(1, wire.bytes)).fork();
    summary.uint32(tag(1, wire.bytes)).string(name).uint32(tag(2, wire.fixed32)).float(value).ldelim();
  }
  return summary.finish();
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

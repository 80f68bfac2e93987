// TFRecord framing: where a record begins and ends, and whether its bytes are those that were written. Each record is
//   uint64 length, uint32 masked CRC-32C of the length, the data, uint32 masked CRC-32C of the data
// in little-endian order (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
import { TwingradError } from "../../errors.ts";
import { fileKind } from "../fileKind.ts";
import { ByteStream } from "./byteStream.ts";

/** CRC-32C (Castagnoli, polynomial 0x1edc6f41) as an unsigned 32-bit integer. */
export type Crc32c = (bytes: Uint8Array) => number;

export interface RawRecord {
  /** From 1; records that were skipped count. */
  number: number;
  /** Of the record's first byte (its length field) in the uncompressed file. */
  offset: number;
  /** May be a view into a larger chunk: copy what is to be kept for long. */
  data: Uint8Array;
}

/** A record that cannot be read. Its message names the file, the record's number, its byte offset and the reason. */
export class CorruptRecordError extends TwingradError {
  constructor(
    /** The file's name or address. */
    readonly file: string,
    /** The record's number, from 0. */
    readonly record: number,
    /** Of the record in the uncompressed file, in bytes. */
    readonly offset: number,
    /** Why it cannot be read. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super("CORRUPT_RECORD", `${file}: record ${record} at byte ${offset}: ${reason}`, options);
    this.name = "CorruptRecordError";
  }
}

export interface ReadOptions {
  /** What messages call the file. */
  file: string;
  crc32c: Crc32c;
  /** Is told of a record that cannot be read, and reading goes on behind it; without it such a record is an error. */
  onCorrupt?: (error: CorruptRecordError) => void;
  /** The longest record that is taken into memory, in bytes. */
  largest?: number;
}

/** A picture's record takes no more; a file that says otherwise is broken, or wants to take the memory away. */
export const largestRecord = 2 ** 28;

const headerBytes = 12;
const footerBytes = 4;

/**
 * The records of an uncompressed stream, one after the other; no more of the stream is held than the record in hand.
 * A wrong checksum of the data costs that record alone. A wrong checksum of the length, or an end in the middle,
 * ends the file: where the next record begins nobody knows.
 * @throws CORRUPT_RECORD, a `CorruptRecordError`, unless `onCorrupt` takes it.
 */
export async function* readRecords(
  source: AsyncIterable<Uint8Array>,
  { file, crc32c, onCorrupt, largest = largestRecord }: ReadOptions,
): AsyncGenerator<RawRecord, void> {
  const bytes = new ByteStream(source);
  let number = 1;
  let offset = 0;
  const corrupt = (reason: string, cause?: unknown) => {
    const error = new CorruptRecordError(file, number, offset, reason, { cause });
    if (!onCorrupt) throw error;
    onCorrupt(error);
  };
  try {
    for (; ; number++) {
      offset = bytes.position;
      if (bytes.held < headerBytes && !(await bytes.fill(headerBytes))) {
        if (bytes.held > 0)
          corrupt(`the file is cut short: ${bytes.held} of the header's ${headerBytes} bytes are there`);
        return;
      }
      const header = bytes.take(headerBytes);
      const fault = checksumFault(header.subarray(0, 8), header, 8, crc32c);
      if (fault) {
        const kind = number === 1 ? fileKind(header) : undefined;
        const none = kind
          ? `this is ${kind}, no TFRecord file; `
          : number === 1
            ? "this may be no TFRecord file: "
            : "";
        corrupt(`${none}the checksum of its length is wrong (${fault}): nothing behind it can be found`);
        return;
      }
      const length = view(header).getBigUint64(0, true);
      if (length > largest) {
        // Not an allocation: the bytes pass by, to tell a record that is too long from a file that is cut short.
        const wanted = Number(length) + footerBytes;
        const there = await bytes.skip(wanted);
        if (there < wanted) {
          corrupt(cutShort(length, there));
          return;
        }
        corrupt(`it is ${length} bytes long; at most ${largest} are taken`);
        continue;
      }
      const size = Number(length);
      if (bytes.held < size + footerBytes && !(await bytes.fill(size + footerBytes))) {
        corrupt(cutShort(length, bytes.held));
        return;
      }
      const data = bytes.take(size);
      const dataFault = checksumFault(data, bytes.take(footerBytes), 0, crc32c);
      if (dataFault) corrupt(`the checksum of its data is wrong (${dataFault})`);
      else yield { number, offset, data };
    }
  } catch (error) {
    // The stream itself told of broken compression: what lies behind is lost.
    if (!(error instanceof TwingradError && error.code === "CORRUPT_FILE")) throw error;
    corrupt(error.message, error);
  } finally {
    await bytes.close();
  }
}

const cutShort = (length: bigint, there: number) =>
  `the file is cut short: ${length} bytes of data and ${footerBytes} of checksum were expected, ${there} are there`;

/**
 * The data of the framed record in `bytes`, which were read once before: a file that has changed since does not pass.
 * @throws CORRUPT_FILE
 */
export function unframe(bytes: Uint8Array, crc32c: Crc32c): Uint8Array {
  const data = bytes.subarray(headerBytes, bytes.length - footerBytes);
  const sound =
    bytes.length >= headerBytes + footerBytes &&
    view(bytes).getBigUint64(0, true) === BigInt(data.length) &&
    !checksumFault(bytes.subarray(0, 8), bytes, 8, crc32c) &&
    !checksumFault(data, bytes, bytes.length - footerBytes, crc32c);
  if (!sound) throw new TwingradError("CORRUPT_FILE", "the file has changed since it was opened");
  return data;
}

/** How many bytes a record of `length` bytes of data takes in a file. */
export const framedLength = (length: number) => headerBytes + length + footerBytes;

/** A record as it lies in a file. */
export function frame(data: Uint8Array, crc32c: Crc32c): Uint8Array {
  const framed = new Uint8Array(framedLength(data.length));
  const fields = view(framed);
  fields.setBigUint64(0, BigInt(data.length), true);
  fields.setUint32(8, masked(crc32c(framed.subarray(0, 8))), true);
  framed.set(data, headerBytes);
  fields.setUint32(headerBytes + data.length, masked(crc32c(data)), true);
  return framed;
}

/** Whether the bytes begin with a record's header: its length and the right checksum of it. */
export function beginsWithHeader(bytes: Uint8Array, crc32c: Crc32c): boolean {
  return bytes.length >= headerBytes && !checksumFault(bytes.subarray(0, 8), bytes, 8, crc32c);
}

/** The checksum of data that holds checksums itself must not be one: rotated by 15 bits, plus a constant. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function checksumFault(data: Uint8Array, stored: Uint8Array, at: number, crc32c: Crc32c): string | undefined {
  const expected = view(stored).getUint32(at, true);
  const found = masked(crc32c(data));
  return expected === found ? undefined : `${hex(expected)} is stored, the bytes give ${hex(found)}`;
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

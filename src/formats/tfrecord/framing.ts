// TFRecord framing: the boundaries of records, and the integrity of their bytes. Each record is
//   uint64 length, uint32 masked CRC-32C of the length, the data, uint32 masked CRC-32C of the data
// in little-endian order (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
import { TwingradError } from "../../errors.ts";
import { fileKind } from "../fileKind.ts";
import { isNetpbm } from "../netpbm.ts";
import { ByteStream } from "./byteStream.ts";

/** CRC-32C (Castagnoli, polynomial 0x1edc6f41) as an unsigned 32-bit integer. */
export type Crc32c = (bytes: Uint8Array) => number;

export interface RawRecord {
  /** From 1; skipped records count. */
  number: number;
  /** Offset of the record's first byte (its length field) in the uncompressed file. */
  offset: number;
  /** May be a view of a larger chunk: copy it to keep it. */
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
  /** The file's name in messages. */
  file: string;
  crc32c: Crc32c;
  /** Called for an unreadable record, which is then skipped; absent: such a record is an error. */
  onCorrupt?: (error: CorruptRecordError) => void;
  /** The longest record to load into memory, in bytes. */
  largest?: number;
}

/** No picture's record is longer; a larger length is corrupt or an attempt to exhaust memory. */
export const largestRecord = 2 ** 28;

const headerBytes = 12;
const footerBytes = 4;

/**
 * The records of an uncompressed stream, in order; only the current record is buffered. A wrong checksum of the data
 * skips that record alone. A wrong checksum of the length, or a truncated record, ends the file, since the next record
 * cannot be located.
 * @throws CORRUPT_RECORD, a `CorruptRecordError`, without `onCorrupt`.
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
          corrupt(`the file is truncated: expected ${headerBytes} bytes of a header, got ${bytes.held}`);
        return;
      }
      const header = bytes.take(headerBytes);
      const fault = checksumFault(header.subarray(0, 8), header, 8, crc32c);
      if (fault) {
        const kind = number > 1 ? undefined : isNetpbm(header) ? "a PGM or PPM picture" : fileKind(header);
        if (kind?.includes("picture")) {
          corrupt(
            `this is ${kind}, not a TFRecord file; for pictures, give the folder with one subfolder for each identity`,
          );
          return;
        }
        const none = kind
          ? `this is ${kind}, not a TFRecord file; `
          : number === 1
            ? "this may not be a TFRecord file: "
            : "";
        corrupt(`${none}the checksum of its length is wrong (${fault}), so nothing after it can be read`);
        return;
      }
      const length = view(header).getBigUint64(0, true);
      if (length > largest) {
        // Skips the bytes without buffering, to tell a record that is too long from a truncated file.
        const wanted = Number(length) + footerBytes;
        const there = await bytes.skip(wanted);
        if (there < wanted) {
          corrupt(cutShort(length, there));
          return;
        }
        corrupt(`it is ${length} bytes long; the limit is ${largest}`);
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
    // The stream reported corrupt compression: the rest is lost.
    if (!(error instanceof TwingradError && error.code === "CORRUPT_FILE")) throw error;
    corrupt(error.message, error);
  } finally {
    await bytes.close();
  }
}

const cutShort = (length: bigint, there: number) =>
  `the file is truncated: expected ${length} bytes of data and ${footerBytes} of checksum, got ${there}`;

/**
 * The data of a framed record that was read before; a file that has changed since is detected.
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

/** The size of a record in a file, for `length` bytes of data. */
export const framedLength = (length: number) => headerBytes + length + footerBytes;

/** A record with its framing. */
export function frame(data: Uint8Array, crc32c: Crc32c): Uint8Array {
  const framed = new Uint8Array(framedLength(data.length));
  const fields = view(framed);
  fields.setBigUint64(0, BigInt(data.length), true);
  fields.setUint32(8, masked(crc32c(framed.subarray(0, 8))), true);
  framed.set(data, headerBytes);
  fields.setUint32(headerBytes + data.length, masked(crc32c(data)), true);
  return framed;
}

/** Whether the bytes begin with a record's header: a length with a valid checksum. */
export function beginsWithHeader(bytes: Uint8Array, crc32c: Crc32c): boolean {
  return bytes.length >= headerBytes && !checksumFault(bytes.subarray(0, 8), bytes, 8, crc32c);
}

/** Checksums are masked (rotated by 15 bits, plus a constant), since data may itself hold checksums. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function checksumFault(data: Uint8Array, stored: Uint8Array, at: number, crc32c: Crc32c): string | undefined {
  const expected = view(stored).getUint32(at, true);
  const found = masked(crc32c(data));
  return expected === found ? undefined : `stored ${hex(expected)}, computed ${hex(found)}`;
}

const hex = (value: number) => value.toString(16).padStart(8, "0");

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

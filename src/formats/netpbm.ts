// PGM and PPM, the formats of the classic face datasets, which the image library's prebuilt binary does not support.
// Format: https://netpbm.sourceforge.net/doc/pgm.html and ppm.html (P2, P3, P5, P6; up to 16 bits).
import { TwingradError } from "../errors.ts";

export interface RawPicture {
  width: number;
  height: number;
  channels: 1 | 3;
  /** Row by row, scaled to 0..255. */
  pixels: Uint8Array;
}

/** Whether the bytes begin like a PGM or PPM file. */
export function isNetpbm(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && [0x32, 0x33, 0x35, 0x36].includes(bytes[1]) && isSpace(bytes[2]);
}

/** @throws CORRUPT_FILE for an invalid header or invalid data, before pixels are allocated. */
export function decodeNetpbm(bytes: Uint8Array): RawPicture {
  const kind = bytes[1] - 0x30;
  const plain = kind <= 3;
  const channels = kind === 2 || kind === 5 ? 1 : 3;
  const reader = new Reader(bytes, 2);
  const width = reader.integer("width", 65_536);
  const height = reader.integer("height", 65_536);
  const maximum = reader.integer("maximum value", 65_535);
  const count = width * height * channels;
  const scale = 255 / maximum;
  // A binary sample has one byte or two; a plain one at least a digit and a space, except the last.
  const bytesNeeded = plain ? 2 * count - 1 : maximum < 256 ? count : 2 * count;
  // A single white space ends the header of a binary file.
  const start = plain ? reader.position : reader.position + 1;
  if (bytes.length - start < bytesNeeded) {
    throw corrupt(`${width}x${height} pixels need at least ${bytesNeeded} bytes; ${bytes.length - start} follow`);
  }
  const pixels = new Uint8Array(count);
  const twoBytes = !plain && maximum > 255;
  for (let i = 0; i < count; i++) {
    const value = plain
      ? reader.integer("sample", maximum, 0)
      : twoBytes
        ? bytes[start + 2 * i] * 256 + bytes[start + 2 * i + 1]
        : bytes[start + i];
    if (value > maximum) throw corrupt(`sample ${i} is ${value}, above the maximum ${maximum}`);
    pixels[i] = Math.round(value * scale);
  }
  return { width, height, channels, pixels };
}

/** White-space separated decimal numbers; "#" begins a comment that ends with the line. */
class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public position: number,
  ) {}

  integer(what: string, largest: number, smallest = 1): number {
    const before = this.position;
    for (; isSpace(this.bytes[this.position]) || this.bytes[this.position] === 0x23; this.position++) {
      if (this.bytes[this.position] === 0x23) {
        while (this.position < this.bytes.length && this.bytes[this.position] !== 0x0a) this.position++;
      }
    }
    const start = this.position;
    let value = 0;
    for (; this.bytes[this.position] >= 0x30 && this.bytes[this.position] <= 0x39; this.position++) {
      value = value * 10 + this.bytes[this.position] - 0x30;
      if (value > largest) throw corrupt(`the ${what} at byte ${start} is above ${largest}`);
    }
    const next = this.bytes[this.position];
    if (before === start || start === this.position || !(next === undefined || isSpace(next) || next === 0x23)) {
      throw corrupt(`expected the ${what} at byte ${start}`);
    }
    if (value < smallest) throw corrupt(`the ${what} at byte ${start} is ${value}`);
    return value;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

function corrupt(reason: string): TwingradError {
  return new TwingradError("CORRUPT_FILE", `Invalid PGM or PPM file: ${reason}`);
}

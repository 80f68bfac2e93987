// Detects the compression of a record file by its first bytes, since its name may say nothing or be wrong.

import { beginsWithHeader } from "./framing.ts";
import type { Compression, RecordCodec } from "./recordTypes.ts";

/** Enough for a record's header, to tell one from the beginning of a compressed file. */
const headBytes = 12;

/** The uncompressed bytes of a record file, and the detected compression. */
export async function uncompressed(
  source: AsyncIterable<Uint8Array>,
  codec: RecordCodec,
): Promise<{ compression: Compression; bytes: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let head = new Uint8Array(0);
  while (head.length < headBytes) {
    const { done, value } = await iterator.next();
    if (done) break;
    chunks.push(value);
    head = join(head, value.subarray(0, headBytes - head.length));
  }
  const compression = beginsWithHeader(head, codec.crc32c) ? "none" : (compressionOf(head) ?? "none");
  const whole = chain(chunks, iterator);
  return { compression, bytes: compression === "none" ? whole : codec.inflate(whole, compression) };
}

/**
 * GZIP begins with 1f 8b 08 (RFC 1952); ZLIB with method 8, a window of at most 32 KiB and a check value (RFC 1950).
 * Undefined for anything else. A record's header with a valid checksum takes precedence.
 */
export function compressionOf(head: Uint8Array): "gzip" | "zlib" | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const zlib = (head[0] & 0x0f) === 8 && head[0] >> 4 <= 7 && (head[0] * 256 + head[1]) % 31 === 0;
  return zlib && head.length >= 2 ? "zlib" : undefined;
}

async function* chain(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

// GZIP and ZLIB by pako, in pieces: neither the compressed file nor what comes out is ever held whole. The browser's own
// DecompressionStream ends with the first member of a GZIP file; record files are made of several where they were joined.
import {
  Z_BUF_ERROR,
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from "pako";
import { TwingradError } from "../../errors.ts";

const outputBytes = 2 ** 16;

/** zlib's codes for the wrapper: 15 bits of window, and 16 for GZIP. */
const windowBits = { gzip: 31, zlib: 15 } as const;

/** Yields as soon as something came out; each piece is new memory. */
export async function* inflate(
  source: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zlib",
): AsyncGenerator<Uint8Array> {
  const broken = (reason: string) => new TwingradError("CORRUPT_FILE", `the ${compression} data are broken: ${reason}`);
  const stream = new ZStream();
  zlibInflateInit2(stream, windowBits[compression]);
  let ended = false;
  for await (const chunk of source) {
    stream.input = chunk;
    stream.next_in = 0;
    stream.avail_in = chunk.length;
    for (let full = false; stream.avail_in > 0 || full; ) {
      if (ended) {
        // Zeros fill up a tape's last block; anything else begins another member.
        if (stream.input[stream.next_in] === 0) {
          stream.next_in++;
          stream.avail_in--;
          continue;
        }
        if (compression === "zlib") throw broken("bytes follow its end");
        zlibInflateReset(stream);
        ended = false;
      }
      stream.output = new Uint8Array(outputBytes);
      stream.next_out = 0;
      stream.avail_out = outputBytes;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (stream.next_out > 0) yield stream.output.subarray(0, stream.next_out);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR)
        throw broken(stream.msg || `status ${status}`);
      ended = status === Z_STREAM_END;
      full = !ended && stream.avail_out === 0;
    }
  }
  if (!ended) throw broken("they are cut short");
}

// Streaming GZIP and ZLIB decompression with pako: neither the compressed nor the uncompressed file is held in memory.
// The browser's DecompressionStream stops after the first member of a GZIP file; concatenated record files have
// several.
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

/** Yields each piece as soon as it is decompressed; each is a new array. */
export async function* inflate(
  source: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zlib",
): AsyncGenerator<Uint8Array> {
  const invalid = (reason: string) => new TwingradError("CORRUPT_FILE", `Invalid ${compression} data: ${reason}`);
  const stream = new ZStream();
  zlibInflateInit2(stream, windowBits[compression]);
  let ended = false;
  for await (const chunk of source) {
    stream.input = chunk;
    stream.next_in = 0;
    stream.avail_in = chunk.length;
    for (let full = false; stream.avail_in > 0 || full; ) {
      if (ended) {
        // Zeros may pad the end of the file; anything else begins another member.
        if (stream.input[stream.next_in] === 0) {
          stream.next_in++;
          stream.avail_in--;
          continue;
        }
        if (compression === "zlib") throw invalid("bytes follow its end");
        zlibInflateReset(stream);
        ended = false;
      }
      stream.output = new Uint8Array(outputBytes);
      stream.next_out = 0;
      stream.avail_out = outputBytes;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      if (stream.next_out > 0) yield stream.output.subarray(0, stream.next_out);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR)
        throw invalid(stream.msg || `status ${status}`);
      ended = status === Z_STREAM_END;
      full = !ended && stream.avail_out === 0;
    }
  }
  if (!ended) throw invalid("they are truncated");
}

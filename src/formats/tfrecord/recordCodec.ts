// The packages behind the record reader, in one place: CRC-32C (hash-wasm), inflate (pako), protobuf's wire format
// (@bufbuild/protobuf). All of them run in pages, workers and Node.
import { createCRC32 } from "hash-wasm";
import { readExample, writeExample } from "./example.ts";
import { inflate } from "./inflate.ts";
import type { RecordCodec } from "./recordTypes.ts";

/** 0x1edc6f41, bits reversed. */
const castagnoli = 0x82f63b78;

let opened: Promise<RecordCodec> | undefined;

/** Compiles the checksum's WebAssembly once. */
export function recordCodec(): Promise<RecordCodec> {
  opened ??= createCRC32(castagnoli).then((hasher) => ({
    crc32c: (bytes) => Number.parseInt(hasher.init().update(bytes).digest(), 16),
    inflate,
    readExample,
    writeExample,
  }));
  return opened;
}

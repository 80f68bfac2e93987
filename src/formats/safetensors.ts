// Reads and writes safetensors, the format of saved models. Every rule of the format is checked, since files are
// untrusted. Format: https://github.com/huggingface/safetensors (README, "Format").

import { TwingradError } from "../errors.ts";
import { fileKind } from "./fileKind.ts";

const bitsOf = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  F64: 64,
  I64: 64,
  U64: 64,
  C64: 64,
} as const;

export type Dtype = keyof typeof bitsOf;

export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian values as in the file, in a copy. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  tensors: Map<string, StoredTensor>;
  metadata: Record<string, string>;
}

/** The bytes are not a valid safetensors file. The message says which rule is violated, and where. */
export class SafetensorsError extends TwingradError {
  constructor(message: string) {
    super("CORRUPT_FILE", message);
    this.name = "SafetensorsError";
  }
}

const lengthBytes = 8;
/** The reference reader's limit: a larger header length is rejected before anything is allocated. */
const maximumHeader = 100_000_000;

/** The values of an F32 tensor. @throws SafetensorsError when the tensor is missing or of another type. */
export function float32(file: Safetensors, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new SafetensorsError(`the tensor "${name}" is missing`);
  if (tensor.dtype !== "F32") throw new SafetensorsError(`the tensor "${name}" is ${tensor.dtype}, not F32`);
  // Like `encode`, this relies on little-endian memory, which holds wherever WebGPU runs.
  return new Float32Array(tensor.bytes.slice().buffer);
}

/**
 * The JSON in a file's metadata under `key`; undefined where it is missing.
 * @throws CORRUPT_FILE, with what `refusal` says of the text, unless `isValid` accepts the value; text that is not JSON
 * has none.
 */
export function jsonMetadata<T>(
  { metadata }: Safetensors,
  key: string,
  isValid: (value: unknown) => boolean,
  refusal: (text: string) => string,
): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // refused below
  }
  if (isValid(value)) return value as T;
  throw new TwingradError("CORRUPT_FILE", refusal(text));
}

/**
 * Float32 tensors and string metadata as the bytes of a safetensors file. The same input gives the same bytes; the data
 * begin at a multiple of 8.
 * @throws SafetensorsError where a name is reserved or a shape does not match its data.
 */
export function encode(
  tensors: ReadonlyMap<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>,
  metadata: Record<string, string>,
): Uint8Array {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    if (name === "__metadata__" || name === "__proto__") {
      throw new SafetensorsError(`the tensor name "${name}" is reserved`);
    }
    if (shape.reduce((product, extent) => product * extent, 1) !== data.length) {
      throw new SafetensorsError(`the tensor "${name}" of shape [${shape}] has ${data.length} values`);
    }
    const begin = end;
    end += data.byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const text = new TextEncoder().encode(`{${entries.join(",")}}`);
  const headerLength = Math.ceil(text.length / 8) * 8;
  const dataStart = lengthBytes + headerLength;
  const bytes = new Uint8Array(dataStart + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, lengthBytes);
  bytes.fill(0x20, lengthBytes + text.length, dataStart);
  let position = dataStart;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/**
 * The tensors and metadata of a safetensors file. Tensor data is copied.
 * @throws SafetensorsError where the bytes violate a rule of the format; nothing is read out of bounds.
 */
export function decode(file: Uint8Array): Safetensors {
  // A subclass may slice differently: Node's Buffer returns views where Uint8Array returns copies.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  // The header begins with "{"; anything else is not a safetensors file.
  const kind = bytes[lengthBytes] === 0x7b ? undefined : fileKind(bytes);
  if (kind) throw new SafetensorsError(`this is ${kind}, not a safetensors file`);
  if (bytes.length < lengthBytes) {
    throw new SafetensorsError(`a file of ${bytes.length} bytes is too short for the 8 bytes of the header's length`);
  }
  const declared = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(maximumHeader)) {
    throw new SafetensorsError(`the header claims ${declared} bytes; at most ${maximumHeader} are accepted`);
  }
  const dataStart = lengthBytes + Number(declared);
  if (dataStart > bytes.length) {
    throw new SafetensorsError(`the header claims ${declared} bytes where ${bytes.length - lengthBytes} follow`);
  }
  const header = parseHeader(bytes.subarray(lengthBytes, dataStart));

  const tensors = new Map<string, StoredTensor>();
  const extents: { name: string; begin: number; end: number }[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      metadata = checkMetadata(value);
      continue;
    }
    const { dtype, shape, begin, end } = checkTensor(name, value);
    if (dataStart + end > bytes.length) {
      throw new SafetensorsError(
        `the tensor "${name}" ends at byte ${end} of the data, which has ${bytes.length - dataStart}`,
      );
    }
    extents.push({ name, begin, end });
    tensors.set(name, { dtype, shape, bytes: bytes.slice(dataStart + begin, dataStart + end) });
  }
  checkContiguous(extents, bytes.length - dataStart);
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    // ignoreBOM: a byte-order mark is not "{" and must not be stripped.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafetensorsError("the header is not UTF-8");
  }
  if (text[0] !== "{") throw new SafetensorsError('the header does not begin with "{"');
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new SafetensorsError(`the header is not JSON: ${(error as Error).message}`);
  }
  rejectAmbiguousKeys(text);
  return header;
}

/**
 * JSON.parse keeps the last of duplicate keys and accepts "__proto__" as a name, so two readers could see two different
 * files. `text` is valid JSON, so a string followed by a colon is a key.
 */
function rejectAmbiguousKeys(text: string): void {
  const open: Set<string>[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gy;
  const between = /[^"{}]*/y;
  for (let position = 0; position < text.length; ) {
    between.lastIndex = position;
    between.exec(text);
    token.lastIndex = between.lastIndex;
    const match = token.exec(text);
    if (!match) return;
    position = token.lastIndex;
    if (match[0] === "{") open.push(new Set());
    else if (match[0] === "}") open.pop();
    else if (match[1] !== undefined) {
      const key = JSON.parse(match[0].slice(0, match[0].length - match[1].length)) as string;
      const keys = open[open.length - 1];
      if (keys.has(key)) throw new SafetensorsError(`the header has the key ${JSON.stringify(key)} twice`);
      if (key === "__proto__") throw new SafetensorsError('the header has the key "__proto__"');
      keys.add(key);
    }
  }
}

function checkMetadata(value: unknown): Record<string, string> {
  if (!isObject(value)) throw new SafetensorsError("__metadata__ is not an object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw new SafetensorsError(`__metadata__: the value of "${key}" is not a string`);
  }
  return value as Record<string, string>;
}

function checkTensor(name: string, value: unknown) {
  const fail = (reason: string) => new SafetensorsError(`the tensor "${name}": ${reason}`);
  if (!isObject(value)) throw fail("its description is not an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(bitsOf, dtype)) {
    throw fail(`unknown dtype ${JSON.stringify(dtype)}; known are ${Object.keys(bitsOf).join(", ")}`);
  }
  if (!isSizes(shape)) throw fail("its shape is not a list of integers from 0");
  if (!isSizes(offsets) || offsets.length !== 2) throw fail("data_offsets is not a pair of integers from 0");
  const [begin, end] = offsets;
  if (begin > end) throw fail(`it begins at ${begin}, after its end at ${end}`);
  const bits = shape.reduce((product, extent) => product * extent, bitsOf[dtype as Dtype]);
  if (!Number.isSafeInteger(bits)) throw fail(`the shape [${shape}] is too large`);
  if (bits !== (end - begin) * 8) {
    throw fail(`the shape [${shape}] of ${dtype} takes ${bits / 8} bytes; data_offsets span ${end - begin}`);
  }
  return { dtype: dtype as Dtype, shape, begin, end };
}

/** The data must be covered from its first byte to its last, without gap or overlap. */
function checkContiguous(extents: { name: string; begin: number; end: number }[], dataLength: number): void {
  extents.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of extents) {
    if (begin !== covered) {
      const what = begin < covered ? "overlaps the one before it" : "leaves a gap after the one before it";
      throw new SafetensorsError(`the tensor "${name}" begins at byte ${begin} of the data and ${what}, at ${covered}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new SafetensorsError(`the tensors take ${covered} bytes; the file has ${dataLength} after its header`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
}

// A digest of a whole safetensors file, stored in its own metadata. Readers of the format do not check the tensors'
// bytes, so without it a flipped bit in a weight would go unnoticed.
import { decode, encode, float32, type Safetensors, SafetensorsError } from "./safetensors.ts";

/** Metadata key: the SHA-256 of the file in hexadecimal, computed with these 64 characters set to zeros. */
export const sealKey = "sha256";
const blank = "0".repeat(64);

/** Like `encode`, with the digest added. The same input gives the same bytes. */
export async function encodeSealed(...[tensors, metadata]: Parameters<typeof encode>): Promise<Uint8Array> {
  const bytes = encode(tensors, { ...metadata, [sealKey]: blank });
  bytes.set(new TextEncoder().encode(await sha256(bytes)), placeOfDigest(bytes));
  return bytes;
}

/**
 * Like `decode`, and verifies the digest where the file has one.
 * @throws SafetensorsError for an invalid safetensors file, or a digest mismatch.
 */
export async function decodeSealed(bytes: Uint8Array): Promise<Safetensors> {
  const file = decode(bytes);
  const expected = file.metadata[sealKey];
  if (expected === undefined) return file;
  if (!/^[0-9a-f]{64}$/.test(expected)) throw new SafetensorsError(`the digest "${expected}" is not a SHA-256`);
  const blanked = new Uint8Array(bytes);
  blanked.fill(0x30, placeOfDigest(bytes), placeOfDigest(bytes) + blank.length);
  const actual = await sha256(blanked);
  if (actual !== expected) {
    throw new SafetensorsError(
      `the file was damaged after it was written: the SHA-256 of its content is ${actual}, its header says ${expected}`,
    );
  }
  return file;
}

/** Float32 tensors by name. */
type Tensors = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;

/**
 * The same file with metadata and tensors added or replaced (undefined: removed), and a new digest. All tensors must be
 * F32.
 */
export async function withMetadata(
  bytes: Uint8Array,
  added: Record<string, string | undefined>,
  addedTensors: Tensors = {},
): Promise<Uint8Array> {
  const file = await decodeSealed(bytes);
  const kept = [...file.tensors].map(([name, { shape }]) => [name, { shape, data: float32(file, name) }] as const);
  const tensors = [...kept, ...Object.entries(addedTensors)].map(
    ([name, tensor]) => [name, { dtype: "F32" as const, ...tensor }] as const,
  );
  return encodeSealed(new Map(tensors), { ...file.metadata, ...added } as Record<string, string>);
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Pages have it in secure contexts only, which WebGPU requires as well.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Inside a JSON string the quotes would be escaped, so the first match in the header is the key. */
function placeOfDigest(bytes: Uint8Array): number {
  const headerEnd = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const key = `"${sealKey}":"`;
  // latin1 maps each byte to one character, so that positions agree.
  const at = new TextDecoder("latin1").decode(bytes.subarray(0, headerEnd)).indexOf(key);
  if (at < 0) throw new SafetensorsError(`the header spells the key "${sealKey}" in an unusual way`);
  return at + key.length;
}

// NumPy's .npy, for matrices of floats: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
import { TwingradError } from "../../errors.ts";
import { floats } from "../weights/layouts.ts";

const magic = "\x93NUMPY";
const alignment = 64;
const dtypes = { f2: "F16", f4: "F32", f8: "F64" } as const;

export function encodeNpy(values: Float32Array, length: number): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length / length}, ${length}), }`;
  const before = magic.length + 4;
  const padded = Math.ceil((before + dictionary.length + 1) / alignment) * alignment;
  const header = `${dictionary.padEnd(padded - before - 1)}\n`;
  const bytes = new Uint8Array(padded + values.byteLength);
  const text = (at: number, characters: string) => {
    for (let i = 0; i < characters.length; i++) bytes[at + i] = characters.charCodeAt(i);
  };
  text(0, magic);
  bytes[magic.length] = 1; // version 1.0
  new DataView(bytes.buffer).setUint16(magic.length + 2, header.length, true);
  text(before, header);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), padded);
  return bytes;
}

/** @throws CORRUPT_FILE for bytes that are not a .npy file; BAD_INPUT for an array that is not a matrix of floats. */
export function decodeNpy(bytes: Uint8Array): { readonly length: number; readonly values: Float32Array } {
  const corrupt = (what: string): never => {
    throw new TwingradError("CORRUPT_FILE", `this is not a .npy file: ${what}`);
  };
  const latin1 = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (latin1(0, magic.length) !== magic) corrupt("it does not begin with NumPy's magic string");
  const version = bytes[magic.length];
  const wide = version > 1 ? 4 : 2;
  const begin = magic.length + 2 + wide;
  if (bytes.length < begin) corrupt("it ends within its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = wide === 2 ? view.getUint16(begin - wide, true) : view.getUint32(begin - wide, true);
  const start = begin + size;
  if (start > bytes.length || size > 65_536) corrupt(`its header claims ${size} bytes`);
  const header = latin1(begin, start);
  const [, descr] = /'descr': '([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order': (True|False)/.exec(header) ?? [];
  const [, shape] = /'shape': \(([\d, ]*)\)/.exec(header) ?? [];
  if (descr === undefined || order === undefined || shape === undefined) corrupt(`its header is ${header.trim()}`);
  const extents = shape
    .split(",")
    .filter((text) => text.trim() !== "")
    .map(Number);
  const dtype = dtypes[descr.replace(/^[<=]/, "") as keyof typeof dtypes];
  if (extents.length !== 2 || order === "True" || !dtype || descr.startsWith(">")) {
    const found = `${descr} (${shape})${order === "True" ? ", columns first" : ""}`;
    throw new TwingradError(
      "BAD_INPUT",
      `the array is ${found}; expected (rows, columns) of <f2, <f4 or <f8, rows first`,
    );
  }
  const data = bytes.slice(start);
  const width = { F16: 2, F32: 4, F64: 8 }[dtype];
  if (data.length !== extents[0] * extents[1] * width) corrupt(`${data.length} bytes for an array of (${shape})`);
  return { length: extents[1], values: floats({ dtype, shape: extents, bytes: data })! };
}

// Identifies a file of the wrong type by its first bytes, so that an error can say what the file is.

const marks: readonly (readonly [kind: string, start: string])[] = [
  ["a PNG picture", "\x89PNG"],
  ["a JPEG picture", "\xff\xd8\xff"],
  ["a RIFF file, as WebP pictures are", "RIFF"],
  ["a ZIP archive", "PK\x03\x04"],
  ["a GZIP file", "\x1f\x8b"],
  ["a NumPy array", "\x93NUMPY"],
  ["an HDF5 file, as Keras writes with the ending .h5", "\x89HDF"],
  ["a Git LFS pointer", "version https://"],
];

/** Undefined where the bytes are neither text nor a format that is often given by mistake. */
export function fileKind(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  if (start === "") return "an empty file";
  const mark = marks.find(([, begin]) => start.startsWith(begin));
  if (mark) return mark[0];
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return "a Python pickle"; // and its protocol
  // Fields of a protobuf: ONNX begins with its version, a number, then a text or the graph.
  if (start[0] === "\b" && bytes[2] % 8 === 2) return "an ONNX model";
  // The length of the first record in 8 bytes and its checksum, then a tf.train.Example's only field.
  if (start[12] === "\n" && start.slice(4, 8) === "\0\0\0\0") return "a TFRecord file";
  if (/^\s*[{[]/.test(start)) return "a JSON file";
  if (/^\s*</.test(start)) return "an HTML page";
  return /^[\t-\r -\xff]*$/.test(start) ? "a text file" : undefined;
}

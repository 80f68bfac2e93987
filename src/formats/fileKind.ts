// Identifies a file of the wrong type by its first bytes, so that an error can say what the file is.

const marks: readonly (readonly [kind: string, start: string])[] = [
  ["a PNG picture", "\x89PNG"],
  ["a JPEG picture", "\xff\xd8\xff"],
  ["a GIF picture", "GIF8"],
  ["a RIFF file, as WebP pictures are", "RIFF"],
  ["a ZIP archive, as .npz and PyTorch's files are", "PK\x03\x04"],
  ["a GZIP file", "\x1f\x8b"],
  ["a NumPy array", "\x93NUMPY"],
  ["an HDF5 file, as Keras writes", "\x89HDF"],
  ["a Python pickle", "\x80\x02"],
  ["a GGUF file", "GGUF"],
  ["a Git LFS pointer in place of the file", "version https://"],
];

/** Undefined where the bytes are neither text nor a format that is often given by mistake. */
export function fileKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "an empty file";
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  const mark = marks.find(([, mark]) => start.startsWith(mark));
  if (mark) return mark[0];
  // Fields of a protobuf: ONNX begins with its version, then a text or the graph.
  if (bytes[0] === 8 && bytes[1] < 32 && bytes[2] > 8 && bytes[2] < 64 && bytes[2] % 8 === 2) return "an ONNX model";
  // The length of the first record in 8 bytes and its checksum, then a tf.train.Example's only field.
  if (bytes[12] === 10 && bytes.subarray(4, 8).every((byte) => byte === 0)) return "a TFRecord file";
  if (/^(\xef\xbb\xbf)?\s*[{[]/.test(start)) return "a JSON file";
  if (/^\s*</.test(start)) return "an HTML or XML file";
  if (/^P[1-7]\s/.test(start)) return "a PGM or PPM picture";
  const isText = bytes.subarray(0, 16).every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  return isText || /^(\xff\xfe|\xfe\xff)/.test(start) ? "a text file" : undefined;
}

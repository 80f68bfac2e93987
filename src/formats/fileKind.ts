// Identifies a file of the wrong type by its first bytes, so that an error can say what the file is.

const marks: readonly (readonly [kind: string, ...bytes: number[]])[] = [
  ["a PNG picture", 0x89, 0x50, 0x4e, 0x47],
  ["a JPEG picture", 0xff, 0xd8, 0xff],
  ["a RIFF file, as WebP pictures are", 0x52, 0x49, 0x46, 0x46],
  ["a ZIP archive", 0x50, 0x4b, 3, 4],
  ["a GZIP file", 0x1f, 0x8b],
];

/** Undefined where the bytes are neither text nor a format that is often given by mistake. */
export function fileKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "an empty file";
  const mark = marks.find(([, ...values]) => values.every((value, i) => bytes[i] === value));
  if (mark) return mark[0];
  const isText = bytes.subarray(0, 16).every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  return isText ? "a text file" : undefined;
}

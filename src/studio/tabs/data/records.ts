// The pictures of TFRecord files, as pictures to add; each stays encoded as in the record.
import type { StoredPicture } from "../../../data/pictures/storedPicture.ts";
import { TwingradError } from "../../../errors.ts";
import { tfrecords } from "../../../web/datasets.ts";
import type { NewPicture } from "../../worker/data/library.ts";

/** Unreadable records become unreadable pictures, so that they are listed as skipped. */
export async function recordPictures(files: readonly File[]): Promise<NewPicture[]> {
  const corrupt: NewPicture[] = [];
  const dataset = await tfrecords(files, {
    onCorrupt: (error) =>
      corrupt.push({
        person: "unknown",
        name: `record at byte ${error.offset}`,
        bytes: () => Promise.reject(error),
      }),
  });
  const pictures = dataset.items.map(
    ({ identity, name, stored }): NewPicture => ({
      person: dataset.identities[identity],
      name,
      bytes: async () => fileOf(await stored!()),
    }),
  );
  return [...corrupt, ...pictures];
}

/** A picture file; raw pixels are wrapped as Netpbm. */
function fileOf({ bytes, raw }: StoredPicture): Uint8Array {
  if (!raw) return bytes;
  const [height, width, channels] = raw;
  if (channels === 4)
    throw new TwingradError("BAD_INPUT", "Raw pixels with transparency are not supported: store PNG files.");
  const header = new TextEncoder().encode(`P${channels === 1 ? 5 : 6}\n${width} ${height}\n255\n`);
  const file = new Uint8Array(header.length + bytes.length);
  file.set(header);
  file.set(bytes, header.length);
  return file;
}

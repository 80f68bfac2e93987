// A dataset's picture as a data URI, in the network's input size.

import sharp from "sharp";
import type { ImageSize, Item } from "../../index.ts";
import type { Picture } from "../../report/html.ts";

export async function pictureUri(item: Item, size: ImageSize): Promise<Picture> {
  const [height, width, channels] = size;
  const raw = { width, height, channels: channels as 1 | 3 };
  const png = await sharp(await item.decode(size), { raw })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

// A picture to identify, from a file or the camera, cropped to its face where the browser can detect it.
import { cropOf, type PictureCrop } from "../../../data/pictures/crop.ts";
import type { StoredPicture } from "../../../data/pictures/storedPicture.ts";
import type { ShapeDetector } from "../../../web/shapeDetector.ts";
import type { FaceBox, Probe } from "../../messages.ts";

/** Enlarges a face's box on every side to include hair, chin and ears, as portraits do. */
const margin = 0.25;

export interface PreparedProbe {
  readonly stored: StoredPicture;
  /** The largest face; null without face detection, or where there is none. */
  readonly face: FaceBox | null;
}

/** Invalid files are left to the decoder, which reports them. */
export async function prepare(probe: Probe, finder: ShapeDetector | undefined): Promise<PreparedProbe> {
  const face = finder ? await largestFace(probe, finder) : null;
  const crop: PictureCrop | undefined = face
    ? cropOf(
        {
          xmin: face.left,
          ymin: face.top,
          xmax: face.left + face.width,
          ymax: face.top + face.height,
          relative: true,
        },
        { mode: "box", margin },
      )
    : undefined;
  if (probe instanceof Blob) return { stored: { bytes: new Uint8Array(await probe.arrayBuffer()), crop }, face };
  const { width, height } = probe;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(probe, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { stored: { bytes: new Uint8Array(data.buffer), raw: [height, width, 4], crop }, face };
}

async function largestFace(probe: Probe, finder: ShapeDetector): Promise<FaceBox | null> {
  const bitmap = probe instanceof Blob ? await createImageBitmap(probe).catch(() => null) : probe;
  if (!bitmap) return null;
  try {
    const { width, height } = bitmap;
    const faces = (await finder.detect(bitmap)).map(({ boundingBox }) => boundingBox);
    const [largest] = faces.sort((a, b) => b.width * b.height - a.width * a.height);
    return largest
      ? {
          left: largest.x / width,
          top: largest.y / height,
          width: largest.width / width,
          height: largest.height / height,
        }
      : null;
  } finally {
    if (bitmap !== probe) bitmap.close();
  }
}

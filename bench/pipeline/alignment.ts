// Measures the host time for aligning a face by its landmarks, compared with decoding without alignment: the fastest of
// several runs, since other programs can only slow it down.
//
//   node scripts/run.mjs bench/pipeline/alignment.ts
import sharp from "sharp";
import type { FaceLandmarks, Point } from "../../src/data/detection/faceFinder.ts";
import { frameToPicture, resampledThrough, standardFrame } from "../../src/data/detection/faceFrame.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { decodePicture } from "../../src/node/index.ts";

const rounds = 11;
/** The size of the network's pictures. */
const sides = [56, 112, 224];
/** The size of the photograph, and the side of the aligned face in it. */
const photographs = [
  { width: 640, height: 480, face: 160 },
  { width: 1920, height: 1080, face: 400 },
  { width: 4000, height: 3000, face: 1000 },
];

const now = () => performance.now();
async function timed(work: () => unknown): Promise<number> {
  const began = now();
  await work();
  return now() - began;
}

for (const { width, height, face } of photographs) {
  // Upscaled coarse noise: as smooth as a photograph.
  const coarse = { create: { width: width >> 2, height: height >> 2, channels: 3 as const, background: "#808080" } };
  const noise = { noise: { type: "gaussian" as const, mean: 128, sigma: 60 } };
  const bytes = await sharp({ create: { ...coarse.create, ...noise } })
    .resize(width, height)
    .jpeg({ quality: 90 })
    .toBuffer();
  const angle = Math.PI / 15;
  const landmarks = standardFrame.map(([x, y]): Point => {
    const [u, v] = [face * (x - 0.5), face * (y - 0.5)];
    const [across, down] = [u * Math.cos(angle) - v * Math.sin(angle), u * Math.sin(angle) + v * Math.cos(angle)];
    return [width / 2 + across, height / 2 + down];
  }) as unknown as FaceLandmarks;
  const box = { xmin: 0, ymin: 0, xmax: width, ymax: height, relative: false };
  const pixels = new Uint8Array(await sharp(bytes).raw().toBuffer());
  for (const side of sides) {
    const size: ImageSize = [side, side, 3];
    const map = frameToPicture(landmarks, [side, side]);
    const plain: number[] = [];
    const aligned: number[] = [];
    const resampling: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const times = [
        await timed(() => decodePicture({ bytes }, size)),
        await timed(() => decodePicture({ bytes, crop: { box, margin: 0, landmarks } }, size)),
        await timed(() => resampledThrough(map, pixels, [height, width, 3], [side, side])),
      ];
      if (round === 0) continue; // warmup
      for (const [i, list] of [plain, aligned, resampling].entries()) list.push(times[i]);
    }
    const [decode, align, sample] = [plain, aligned, resampling].map((times) => Number(Math.min(...times).toFixed(2)));
    const photograph = `${width}x${height}`;
    console.log(JSON.stringify({ photograph, face, side, decode, aligned: align, ofWhichResampling: sample }));
  }
}

// Faces in photographs: each picture is black but for a white square, which the crop must find again.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPictures } from "../../src/cli/commands/models.ts";
import { frame } from "../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../src/formats/tfrecord/recordCodec.ts";
import type { FeatureValues } from "../../src/formats/tfrecord/recordTypes.ts";
import { imageFolder, livenessImages } from "../../src/node/files/imageFolders.ts";
import { boxesOf } from "../../src/node/files/pictureBoxes.ts";
import { tfrecords } from "../../src/node/tfrecord/tfrecords.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-boxes-"));
});
afterEach(() => rm(folder, { recursive: true }));

const crop = { mode: "box" } as const;

/** 40 x 60 pixels, white from (x, y) over 10 x 10. With an orientation it is stored turned and means the same. */
async function photograph(x: number, y: number, orientation = 1): Promise<Buffer> {
  const white = await sharp({ create: { width: 10, height: 10, channels: 3, background: "white" } })
    .png()
    .toBuffer();
  const upright = sharp({ create: { width: 60, height: 40, channels: 3, background: "black" } }).composite([
    { input: white, left: x, top: y },
  ]);
  if (orientation === 1) return upright.png().toBuffer();
  const turned = sharp(await upright.png().toBuffer()).rotate(270); // orientation 6 turns it by 90 degrees again
  return turned.withMetadata({ orientation }).png().toBuffer();
}

async function put(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

const isWhite = (pixels: Uint8Array) => pixels.every((value) => value > 200);

describe("boxes beside pictures", () => {
  it("are those of the JSON file, else of the table; without one the center is used, with a note", async () => {
    await put("ada/1.png", await photograph(5, 25));
    await put("ada/2.png", await photograph(40, 3, 6));
    await put("ada/3.png", await photograph(0, 0));
    await put("ada/1.json", '{"box":{"x":5,"y":25,"width":10,"height":10}}');
    await put("boxes.csv", "file,x,y,width,height\nada/1.png,0,0,5,5\nada/2.png,40,3,10,10\n");
    const told: string[] = [];
    const { items } = await imageFolder(folder, { crop, tell: (text) => told.push(text) });
    expect(told).toEqual([
      expect.stringMatching(/^2 pictures are cropped about their box, 1 without a box to the largest/),
    ]);
    const [first, second, third] = await Promise.all(items.map((item) => item.decode([8, 8, 3])));
    expect(isWhite(first)).toBe(true);
    expect(isWhite(second)).toBe(true); // the box is of the upright picture
    expect(third).toEqual(await (await imageFolder(folder)).items[2].decode([8, 8, 3]));
    // One picture alone finds the same box, and a model's crop is applied to it.
    const [one, two, three] = items.map((item) => item.name);
    expect(await boxesOf([one, two, three])).toEqual([
      expect.objectContaining({ xmin: 5, ymax: 35 }),
      expect.objectContaining({ xmin: 40, ymax: 13 }),
      undefined,
    ]);
    expect(isWhite(await readPictures([one, two], { imageSize: [8, 8, 3], crop }))).toBe(true);
    expect(isWhite(await readPictures([one, two], { imageSize: [8, 8, 3] }))).toBe(false);
  });

  it("may be in a table elsewhere, and are taken for liveness, too", async () => {
    for (const kind of ["live", "spoof"]) await put(`${kind}/ada/1.png`, await photograph(30, 20));
    await put("tables/mine.csv", "file,x,y,width,height\nlive/ada/1.png,30,20,10,10\nspoof/ada/1.png,30,20,10,10\n");
    const boxes = join(folder, "tables", "mine.csv");
    const { items } = await livenessImages(folder, undefined, { crop, boxes });
    for (const item of items) expect(isWhite(await item.decode([6, 6, 1]))).toBe(true);
    await put("tables/others.csv", "file,x,y,width,height\nbob.png,30,20,10,10\n");
    const others = imageFolder(folder, { crop, boxes: join(folder, "tables", "others.csv") });
    const bothSides =
      /others\.csv: none of its 1 pictures is below .*: it lists "bob\.png", for example, and the folder has "live\/ada\/1\.png"/;
    await expect(others).rejects.toThrow(bothSides);
    const picture = join(folder, "live", "ada", "1.png");
    await expect(boxesOf([picture], join(folder, "tables", "others.csv"))).rejects.toThrow(
      /"bob\.png", for example, and the folder has/,
    );
    await put("boxes.csv", "file,x,y,width,height\nalive/ada/1.png,30,20,10,10\n");
    const own = imageFolder(folder, { crop });
    await expect(own).rejects.toThrow(
      /boxes\.csv: none of its 1 .*"alive\/ada\/1\.png", for example, and the folder has "live/,
    );
    await put("boxes.csv", "file,x,y,width,height\n");
    await expect(imageFolder(folder, { crop })).rejects.toThrow(/boxes\.csv: it has no boxes/);
    await expect(imageFolder(folder, { crop, boxes: join(folder, "none.csv") })).rejects.toThrow(
      /none\.csv: cannot be read/,
    );
  });

  it("that are invalid are reported with file, line and box", async () => {
    await put("ada/1.png", await photograph(0, 0));
    await put("boxes.csv", "file,xmin,ymin,xmax,ymax\nada/1.png,5,5,5,9\n");
    await expect(imageFolder(folder, { crop })).rejects.toThrow(/boxes\.csv: line 2: the box xmin 5, .* has no area/);
    await put("boxes.csv", "file,xmin,ymin,xmax,ymax\nada/1.png,500,5,600,9\n");
    const { items } = await imageFolder(folder, { crop });
    const outside = /ada.1\.png: the box xmin 500, .* lies outside the picture of 60 x 40 pixels/;
    await expect(items[0].decode([8, 8, 3])).rejects.toThrow(outside);
    await put("ada/1.json", '{"box":7}');
    await expect(imageFolder(folder, { crop })).rejects.toThrow(/ada.1\.json: Invalid "box" 7/);
  });
});

describe("boxes in records", () => {
  const name = "image/object/bbox";

  async function records(examples: Record<string, FeatureValues>[]): Promise<string> {
    const codec = await recordCodec();
    const parts: Uint8Array[] = [];
    for (const boxes of examples) {
      const image = new Uint8Array(await photograph(20, 10));
      const features = new Map<string, FeatureValues>(Object.entries({ image: [image], label: [3n], ...boxes }));
      parts.push(frame(codec.writeExample(features), codec.crc32c));
    }
    await put("faces.tfrecord", Buffer.concat(parts));
    return join(folder, "faces.tfrecord");
  }
  const shares = (x: number, y: number, side: number): Record<string, number[]> => ({
    [`${name}/xmin`]: [x / 60],
    [`${name}/ymin`]: [y / 40],
    [`${name}/xmax`]: [(x + side) / 60],
    [`${name}/ymax`]: [(y + side) / 40],
  });

  it("are shares as TensorFlow's Object Detection API has them; of several the largest counts", async () => {
    const two = Object.fromEntries(
      Object.entries(shares(20, 10, 10)).map(([key, [value]]) => [key, [shares(1, 1, 3)[key][0], value]]),
    );
    const told: string[] = [];
    const file = await records([shares(20, 10, 10), two, {}]);
    const { items } = await tfrecords(file, { crop, tell: (text) => told.push(text) });
    expect(told[0]).toMatch(/^2 pictures .* 1 without a box/);
    const white = await Promise.all(items.map(async (item) => isWhite(await item.decode([8, 8, 1]))));
    expect(white).toEqual([true, true, false]);
  });

  it("are pixels under other names", async () => {
    const file = await records([{ "face/x": [20n], "face/y": [10n], "face/width": [10n], "face/height": [10n] }]);
    const { items } = await tfrecords(file, { crop, features: { box: "face" } });
    expect(isWhite(await items[0].decode([8, 8, 1]))).toBe(true);
  });

  it("that are invalid are reported with file, record and box", async () => {
    const empty = tfrecords(await records([shares(20, 10, 0)]), { crop });
    await expect(empty).rejects.toThrow(/faces\.tfrecord.*record 1.*the box xmin 0\.3.*shares.* has no area/);
    const { [`${name}/ymax`]: _, ...lacking } = shares(20, 10, 10);
    await expect(tfrecords(await records([lacking]), { crop })).rejects.toThrow(
      /different numbers of coordinates: .*0 ymax/,
    );
    expect((await tfrecords(await records([lacking]))).items).toHaveLength(1); // nobody asked for boxes
  });
});

import { describe, expect, it } from "vitest";
import type { Dataset } from "../../../src/data/dataset.ts";
import { chooseFace, faceLimits, facePolicy } from "../../../src/data/detection/chooseFace.ts";
import { type FaceStore, faceDataset, faceOf, type PictureDecoder } from "../../../src/data/detection/faceDataset.ts";
import type { FaceLandmarks, FoundFace, Pixels, Point } from "../../../src/data/detection/faceFinder.ts";
import { standardFrame } from "../../../src/data/detection/faceFrame.ts";
import type { StoredPicture } from "../../../src/data/pictures/storedPicture.ts";
import { TwingradError } from "../../../src/errors.ts";

/** A face whose frame has a corner at (left, top) and this side. */
function face(left: number, top: number, side: number, changed: Partial<FoundFace> = {}): FoundFace {
  const landmarks = standardFrame.map(([x, y]): Point => [left + x * side, top + y * side]) as unknown as FaceLandmarks;
  const box = { xmin: left, ymin: top, xmax: left + side, ymax: top + side, relative: false };
  return { box, landmarks, score: 0.9, ...changed };
}

/** Noise has the most detail possible. */
const noise: Pixels = {
  height: 200,
  width: 200,
  data: Uint8Array.from({ length: 200 * 200 * 3 }, (_, i) => (Math.floor(i / 3) * 7919) % 251),
};
const smooth: Pixels = { ...noise, data: Uint8Array.from(noise.data, (_, i) => Math.floor(i / 3) % 200) };

describe("chooseFace", () => {
  const faultsOf = (faces: FoundFace[], picture = noise) => chooseFace(faces, picture).faults;

  it("takes the largest face, and reports each fault", () => {
    const large = face(20, 20, 120);
    expect(chooseFace([face(150, 150, 30), large], noise).face).toBe(large);
    expect(faultsOf([])).toEqual(["none"]);
    expect(faultsOf([large])).toEqual([]);
    expect(faultsOf([large, face(120, 120, 70)])).toEqual(["several"]);
    expect(faultsOf([large, face(150, 150, 30)])).toEqual([]); // far behind
    expect(faultsOf([face(20, 20, faceLimits.eyeDistance * 2)])).toEqual(["small"]);
    expect(faultsOf([large], smooth)).toEqual(["blurred"]);
    const [left, right, , ...mouth] = large.landmarks!;
    const turned = [left, right, [right[0] - 2, 100], ...mouth] as unknown as FaceLandmarks;
    expect(faultsOf([{ ...large, landmarks: turned }])).toEqual(["turned"]);
  });

  it("without landmarks only the box is checked", () => {
    expect(faultsOf([face(20, 20, 120, { landmarks: undefined })], smooth)).toEqual([]);
    expect(faultsOf([face(20, 20, 20, { landmarks: undefined })], smooth)).toEqual(["small"]);
  });

  it("facePolicy rejects unknown faults and actions", () => {
    expect(facePolicy({ turned: "skip" })).toMatchObject({ none: "skip", turned: "skip", blurred: "use" });
    expect(() => facePolicy({ hidden: "skip" } as never)).toThrow(/hidden: skip; expected one of none, several/);
  });
});

describe("a dataset of photographs", () => {
  const decoder: PictureDecoder = {
    decode: async ({ crop }, [height, width, channels]) =>
      new Uint8Array(height * width * channels).fill(crop ? crop.box.xmin : 255),
    whole: async () => ({ ...noise, scale: 0.5 }),
  };
  const items = ["ada/1.jpg", "ada/2.jpg", "ben/1.jpg"].map((name, i) => ({
    identity: Number(i > 1),
    name,
    decode: (): Promise<Uint8Array> => Promise.reject(new Error("not cropped")),
    stored: async (): Promise<StoredPicture> => ({ bytes: Uint8Array.of(i) }),
  }));
  const dataset: Dataset = { identities: ["ada", "ben"], items };
  /** Finds no face in the picture number `empty`. */
  function finder(empty = -1) {
    let calls = 0;
    return {
      name: "known places",
      find: async () => (calls++ === empty ? [] : [face(10 * calls, 20, 120)]),
      get calls() {
        return calls;
      },
    };
  }

  it("is cropped around its faces, in pixels of the picture and not of the downscaled one", async () => {
    const found = await faceDataset(dataset, decoder, { finder: finder(), margin: 0.2 });
    expect(found.identities).toEqual(["ada", "ben"]);
    expect((await found.items[1].decode([1, 1, 1]))[0]).toBe(40);
    expect((await found.items[1].stored!()).crop).toMatchObject({ margin: 0.2, box: { xmin: 40, xmax: 280 } });
  });

  it("skips, uses or rejects a picture without a face by the policy, and drops identities without pictures", async () => {
    const reported: unknown[] = [];
    const progress = { onFaults: (...parameters: unknown[]) => reported.push(parameters) };
    const skipped = await faceDataset(dataset, decoder, { finder: finder(2) }, progress);
    expect(skipped.identities).toEqual(["ada"]);
    expect(reported).toEqual([[items[2], ["none"], false]]);
    const used = await faceDataset(dataset, decoder, { finder: finder(2), policy: { none: "use" } }, progress);
    expect((await used.items[2].decode([1, 1, 1]))[0]).toBe(255);
    const failing = faceDataset(dataset, decoder, { finder: finder(2), policy: { none: "fail" } });
    await expect(failing).rejects.toThrow(/^ben\/1\.jpg: no face was found$/);
    const none = faceDataset(dataset, decoder, { finder: { name: "blind", find: async () => [] } });
    await expect(none).rejects.toMatchObject({
      code: "NO_FACE",
      message: expect.stringContaining("any of the 3 pictures"),
    });
  });

  it("detects each face once", async () => {
    const kept = new Map<string, never>();
    const store = { get: (d: string) => kept.get(d), set: (d: string, c: never) => void kept.set(d, c) } as FaceStore;
    const [first, second] = [finder(1), finder()];
    const before = await faceDataset(dataset, decoder, { finder: first, store });
    const after = await faceDataset(dataset, decoder, { finder: second, store });
    expect([first.calls, second.calls]).toEqual([3, 0]);
    const boxes = async ({ items }: typeof before) =>
      Promise.all(items.map(async (item) => (await item.stored!()).crop));
    expect(await boxes(after)).toEqual(await boxes(before));
  });

  it("names a picture that cannot be decoded", async () => {
    const broken = { ...decoder, whole: () => Promise.reject(new TwingradError("CORRUPT_FILE", "no JPEG")) };
    await expect(faceOf("ada/1.jpg", await items[0].stored(), broken, { finder: finder() })).rejects.toThrow(
      /^ada\/1\.jpg: no JPEG$/,
    );
  });
});

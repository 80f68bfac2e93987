import { describe, expect, it } from "vitest";
import { NotLiveError } from "../../src/errors.ts";
import { oneShotAccuracy } from "../../src/evaluation/oneShot.ts";
import { Gallery, type GalleryJson, verification } from "../../src/recognition/gallery.ts";
import { representatives } from "../../src/recognition/match.ts";
import type { Recognizer } from "../../src/recognition/recognizer.ts";

/** A model whose embedding of a two-pixel picture is the picture, with city-block distance. */
function pixelModel(changes: Partial<Recognizer> = {}): Recognizer {
  return {
    fingerprint: "pixels",
    embedding: 2,
    threshold: 10,
    embed: async (images) => Float32Array.from(images),
    distances: (a, b) =>
      Float64Array.from(
        { length: a.length / 2 },
        (_, row) => Math.abs(a[2 * row] - b[2 * row]) + Math.abs(a[2 * row + 1] - b[2 * row + 1]),
      ),
    probability: (distance) => Math.exp(-distance),
    ...changes,
  };
}
const bytes = (...values: number[]) => Uint8Array.from(values);

async function gallery(model = pixelModel()): Promise<Gallery> {
  const people = new Gallery(model);
  await people.enroll("Ada", bytes(0, 0, 40, 40));
  await people.enroll("Grace", bytes(100, 100));
  return people;
}

describe("Gallery", () => {
  it("identifies by the nearest of a person's pictures", async () => {
    expect(await (await gallery()).identify(bytes(44, 41))).toEqual({
      name: "Ada",
      distance: 5,
      threshold: 10,
      candidates: [
        { name: "Ada", distance: 5 },
        { name: "Grace", distance: 115 },
      ],
    });
  });

  it("rejects a picture whose embedding is not finite, and enrolls nothing of that call", async () => {
    const people = await gallery();
    const pictures = Float32Array.of(1, 1, 1, Number.NaN);
    const refused = { code: "BAD_INPUT", message: expect.stringContaining("picture 1") };
    await expect(people.enroll("Ada", pictures)).rejects.toMatchObject(refused);
    await expect(people.identify(Float32Array.of(Infinity, 1))).rejects.toMatchObject({ code: "BAD_INPUT" });
    expect(people.toJSON().people[0].embeddings).toHaveLength(2);
  });

  it("calls a person beyond the threshold unknown; the threshold itself is accepted", async () => {
    const people = await gallery();
    expect((await people.identify(bytes(105, 105))).name).toBe("Grace");
    expect((await people.identify(bytes(106, 105))).name).toBeNull();
    expect((await people.identify(bytes(106, 105), { threshold: 11 })).name).toBe("Grace");
    expect((await people.identify(bytes(106, 105), { candidates: 1 })).candidates).toHaveLength(1);
  });

  it("verifies against one person", async () => {
    const people = await gallery();
    expect(await people.verify("Grace", bytes(100, 101))).toEqual({
      same: true,
      distance: 1,
      probability: Math.exp(-1),
      threshold: 10,
    });
    expect((await people.verify("Ada", bytes(100, 101))).same).toBe(false);
    await expect(people.verify("Eve", bytes(0, 0))).rejects.toThrow(/"Eve" is not enrolled/);
  });

  it("refuses a distance that is not finite, which would pass for another person", async () => {
    const { model } = await gallery();
    for (const distance of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => verification(model, distance)).toThrow(expect.objectContaining({ code: "NOT_FINITE" }));
    }
  });

  it("uses the distance to the mean embedding, where requested (by hand)", async () => {
    const people = await gallery(); // Ada at (0, 0) and (40, 40): the mean is (20, 20)
    const probe = bytes(23, 19);
    const nearest = { name: "Ada", distance: 38 };
    expect((await people.identify(probe)).candidates[0]).toEqual(nearest);
    expect((await people.identify(probe, { match: "mean" })).candidates[0]).toEqual({ name: "Ada", distance: 4 });
    expect(await people.verify("Ada", probe, { match: "mean" })).toMatchObject({ same: true, distance: 4 });
    people.match = "mean";
    expect((await people.identify(probe)).name).toBe("Ada");
    expect((await people.identify(probe, { match: "nearest" })).candidates[0]).toEqual(nearest);
    expect(people.toJSON().match).toBe("mean");
  });

  it("keeps nothing of a removed person for a new one of the same name", async () => {
    const given: Float32Array[] = [];
    const embed = async (images: Uint8Array | Float32Array) => Float32Array.from(images);
    const distances = (a: Float32Array, b: Float32Array) => {
      given.push(b);
      return pixelModel().distances(a, b);
    };
    const people = new Gallery(pixelModel({ embed, distances }));
    await people.enroll("Ada", bytes(3, 4));
    people.remove("Ada");
    await people.enroll("Ada", bytes(9, 9));
    await people.verify("Ada", bytes(1, 1));
    expect(given.map((rows) => [...rows])).toEqual([[9, 9]]);
  });

  it("adds pictures to an enrolled name and counts them", async () => {
    const people = await gallery();
    expect(await people.enroll("Grace", bytes(0, 200, 200, 0))).toBe(3);
    expect(people.names).toEqual(["Ada", "Grace"]);
    expect((await people.identify(bytes(1, 200))).name).toBe("Grace");
  });

  it("removes every trace of a person", async () => {
    const people = await gallery();
    expect(people.remove("Ada")).toBe(true);
    expect(people.remove("Ada")).toBe(false);
    expect(JSON.stringify(people)).not.toContain("Ada");
    expect((await people.identify(bytes(0, 0))).name).toBeNull();
  });

  it("survives JSON exactly", async () => {
    const model = pixelModel({ embed: async () => Float32Array.of(0.1, -1e-40) });
    const people = new Gallery(model);
    await people.enroll('Zoë 李 "x"', bytes(1));
    const again = Gallery.fromJSON(model, JSON.parse(JSON.stringify(people)));
    expect(again.toJSON()).toEqual(people.toJSON());
    expect((await again.identify(bytes(1))).distance).toBe(0);
  });

  it("rejects the gallery of another model", async () => {
    const json = (await gallery()).toJSON();
    expect(() => Gallery.fromJSON(pixelModel({ fingerprint: "other" }), json)).toThrow(
      /another model \(pixels, not other\)/,
    );
  });

  it.each<[string, (json: GalleryJson) => unknown, RegExp]>([
    ["no object", () => 3, /"format"/],
    ["null", () => null, /"format"/],
    ["another format", (json) => ({ ...json, format: "x" }), /"format"/],
    ["another version", (json) => ({ ...json, version: 2 }), /version is 2/],
    ["people that are no list", (json) => ({ ...json, people: {} }), /"people"/],
    ["a person without name", (json) => ({ ...json, people: [{}] }), /no name/],
    ["a reserved name", (json) => ({ ...json, people: [{ ...json.people[0], name: "unknown" }] }), /is reserved/],
    ["an empty name", (json) => ({ ...json, people: [{ ...json.people[0], name: "\n" }] }), /name is empty/],
    ["a person twice", (json) => ({ ...json, people: [json.people[0], json.people[0]] }), /twice/],
    ["a person without embeddings", (json) => ({ ...json, people: [{ name: "A", embeddings: [] }] }), /no embeddings/],
    [
      "broken base64",
      (json) => ({ ...json, people: [{ name: "A", embeddings: ["*"] }] }),
      /does not have 2 finite values/,
    ],
    [
      "a short embedding",
      (json) => ({ ...json, people: [{ name: "A", embeddings: ["AAAAAA=="] }] }),
      /does not have 2/,
    ],
    ["NaN", (json) => ({ ...json, people: [{ name: "A", embeddings: ["AADAfwAAAAA="] }] }), /does not have 2/],
  ])("rejects JSON with %s", async (_, change, reason) => {
    const json = JSON.parse(JSON.stringify(await gallery()));
    expect(() => Gallery.fromJSON(pixelModel(), change(json))).toThrow(reason);
  });

  it("rejects empty and reserved names, no pictures, several probes, and an empty gallery", async () => {
    const people = await gallery();
    await expect(people.enroll(" ", bytes(1, 1))).rejects.toThrow(/name is empty/);
    await expect(people.enroll("unknown", bytes(1, 1))).rejects.toThrow(/is reserved/);
    await expect(people.enroll("Eve", bytes())).rejects.toThrow(/at least one picture/);
    expect(people.names).toEqual(["Ada", "Grace"]);
    await expect(people.identify(bytes(1, 1, 2, 2))).rejects.toThrow(/expected one picture, got 2/);
    await expect(new Gallery(pixelModel()).identify(bytes(1, 1))).rejects.toThrow(/gallery is empty/);
  });
});

describe("oneShotAccuracy", () => {
  it("counts strict winners only (by hand)", () => {
    const positions = [0, 1, 5, -1];
    const distance = (a: number, b: number) => Math.abs(positions[a] - positions[b]);
    const trials = [
      { probe: 0, support: [1, 2], answer: 0 }, // 1 against 5: right
      { probe: 0, support: [1, 2], answer: 1 }, // wrong
      { probe: 0, support: [3, 1], answer: 1 }, // 1 against 1: a tie is a miss
      { probe: 2, support: [3, 1], answer: 1 }, // 4 against 6: right
    ];
    expect(oneShotAccuracy(trials, distance)).toBe(0.5);
  });

  it("uses the nearest of several shots (by hand)", () => {
    const positions = [0, 3, 4, -2, 9];
    const distance = (a: number, b: number) => Math.abs(positions[a] - positions[b]);
    const trial = { probe: 0, support: [1, 2, 4, 3], shots: 2 }; // 3 and 4 against 9 and 2
    expect(oneShotAccuracy([{ ...trial, answer: 1 }], distance)).toBe(1);
    expect(oneShotAccuracy([{ ...trial, answer: 0 }], distance)).toBe(0);
  });
});

describe("representatives", () => {
  const rows = Float32Array.of(3, 0, 0, 4);

  it("are a person's embeddings, or their mean, normalized where they are (by hand)", () => {
    const plain = { embedding: 2 };
    expect(representatives(plain, rows, "nearest")).toEqual(rows);
    expect(representatives(plain, rows, "mean")).toEqual(Float32Array.of(1.5, 2));
    expect(representatives({ ...plain, unitLength: true }, rows, "mean")).toEqual(Float32Array.of(0.6, 0.8));
    expect(representatives({ ...plain, unitLength: true }, rows.slice(0, 2), "mean")).toEqual(Float32Array.of(3, 0));
  });

  it("a mean of opposites stays finite", () => {
    const opposite = Float32Array.of(1, 0, -1, 0);
    expect(representatives({ embedding: 2, unitLength: true }, opposite, "mean")).toEqual(Float32Array.of(0, 0));
  });
});

describe("a gallery with a liveness check", () => {
  /** Scores one-pixel pictures by their value, a percentage. */
  const scorer = {
    imageSize: [1, 1, 1] as const,
    threshold: 0.5,
    scores: async (images: Uint8Array | Float32Array) => Float64Array.from(images, (value) => value / 100),
  };
  const guarded = (threshold?: number) => {
    const calls: number[] = [];
    const embed = async (images: Uint8Array | Float32Array) => {
      calls.push(images.length);
      return Float32Array.from(images);
    };
    const people = new Gallery(pixelModel({ imageSize: [2, 1, 1], embed }), { liveness: { scorer, threshold } });
    return { people, calls };
  };
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error) => error,
    );

  it("accepts bona fide pictures, and computes nothing for presentation attacks", async () => {
    const { people, calls } = guarded();
    expect(await people.enroll("Ada", bytes(1, 2, 3, 4), { livenessImages: bytes(50, 90) })).toBe(2);
    const error = await refusal(people.enroll("Grace", bytes(1, 2, 3, 4), { livenessImages: bytes(80, 49) }));
    expect(error).toBeInstanceOf(NotLiveError);
    expect(error).toMatchObject({ code: "NOT_LIVE", picture: 1, score: 0.49, threshold: 0.5 });
    expect(people.names).toEqual(["Ada"]);
    expect(await refusal(people.verify("Ada", bytes(1, 2), { livenessImages: bytes(3) }))).toMatchObject({
      score: 0.03,
    });
    expect(await refusal(people.identify(bytes(1, 2), { livenessImages: bytes(3) }))).toMatchObject({ picture: 0 });
    expect(calls).toEqual([4]); // a rejected picture is not embedded
    expect(await people.identify(bytes(1, 2), { livenessImages: bytes(99) })).toMatchObject({ name: "Ada" });
  });

  it("accepts another threshold, and does not store it", async () => {
    const { people } = guarded(0.9);
    expect(await refusal(people.enroll("Ada", bytes(1, 2), { livenessImages: bytes(80) }))).toMatchObject({
      threshold: 0.9,
    });
    people.liveness = { scorer, threshold: 0.2 };
    await people.enroll("Ada", bytes(1, 2), { livenessImages: bytes(20) });
    const json: unknown = JSON.parse(JSON.stringify(people));
    expect(JSON.stringify(json)).not.toContain("live");
    const model = pixelModel({ imageSize: [2, 1, 1] });
    expect((await Gallery.fromJSON(model, json).verify("Ada", bytes(1, 2))).same).toBe(true);
    const again = Gallery.fromJSON(model, json, { liveness: { scorer } });
    expect(await refusal(again.verify("Ada", bytes(1, 2), { livenessImages: bytes(20) }))).toBeInstanceOf(NotLiveError);
  });

  it("requires the pictures in the liveness model's size, as many of them, and a valid threshold", async () => {
    const { people } = guarded();
    await expect(people.enroll("Ada", bytes(1, 2))).rejects.toThrow(
      /expects pictures of 1 x 1 x 1, the recognition model pictures of 2 x 1 x 1/,
    );
    const one = { livenessImages: bytes(99) };
    await expect(people.enroll("Ada", bytes(1, 2, 3, 4), one)).rejects.toThrow(/expected 2 pictures, .* got 1/);
    await expect(guarded(50).people.enroll("Ada", bytes(1, 2), one)).rejects.toThrow(
      /threshold 50: expected a score from 0 to 1/,
    );
    const alike = new Gallery(pixelModel(), { liveness: { scorer: { ...scorer, imageSize: [2, 1, 1] } } });
    await expect(alike.enroll("Ada", bytes(90, 10))).rejects.toThrow(NotLiveError);
  });
});

describe("names", () => {
  const composed = "Ren\u00e9e";
  const decomposed = "Rene\u0301e";

  it("are the same in any Unicode form: enrolled, verified and removed", async () => {
    const people = new Gallery(pixelModel());
    await people.enroll(composed, bytes(0, 0));
    expect(await people.enroll(` ${decomposed} `, bytes(1, 1))).toBe(2);
    expect(people.names).toEqual([composed]);
    expect((await people.verify(decomposed, bytes(0, 0))).same).toBe(true);
    expect(people.remove(decomposed)).toBe(true);
    expect(people.names).toEqual([]);
  });

  it("are merged in a gallery that an earlier version wrote with both forms", async () => {
    const people = new Gallery(pixelModel());
    await people.enroll(composed, bytes(0, 0));
    const saved = people.toJSON();
    saved.people.push({ ...saved.people[0], name: decomposed });
    const read = Gallery.fromJSON(pixelModel(), saved);
    expect(read.toJSON().people).toEqual([
      { name: composed, embeddings: [0, 1].map(() => saved.people[0].embeddings[0]) },
    ]);
    expect(read.remove(composed)).toBe(true);
    expect(read.names).toEqual([]);
  });

  it.each(["unknown ", " Unknown", "UNKNOWN", "un\u200dknown", "\uff55nknown", "A\u0000da", "\u001b[2JAda", "\u00a0"])(
    "%j is rejected when enrolled and when read",
    async (name) => {
      const people = await gallery();
      await expect(people.enroll(name, bytes(0, 0))).rejects.toMatchObject({ code: "BAD_INPUT" });
      const saved = people.toJSON();
      saved.people[0].name = name;
      expect(() => Gallery.fromJSON(pixelModel(), saved)).toThrow(expect.objectContaining({ code: "CORRUPT_FILE" }));
    },
  );
});

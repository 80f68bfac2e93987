import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { crc32 } from "hash-wasm";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { TwingradError } from "../../src/errors.ts";
import { decodeNetpbm, isNetpbm } from "../../src/formats/netpbm.ts";
import { decodePicture, readPicture } from "../../src/node/files/images.ts";

const shared = resolve(import.meta.dirname, "../../../shared/data");
const text = (value: string) => new TextEncoder().encode(value);
const binary = (header: string, ...samples: number[]) => Uint8Array.from([...text(header), ...samples]);

describe("PGM and PPM", () => {
  it.each<[string, Uint8Array, object]>([
    ["P5", binary("P5\n2 1\n255\n", 7, 0x0a), { width: 2, height: 1, channels: 1, pixels: Uint8Array.of(7, 10) }],
    [
      "P6",
      binary("P6 1 2 255 ", 1, 2, 3, 4, 5, 6),
      { width: 1, height: 2, channels: 3, pixels: Uint8Array.of(1, 2, 3, 4, 5, 6) },
    ],
    [
      "P2 with comments",
      text("P2 # a\n2#b\n2\n#c\n15\n0 15\n5 10"),
      { width: 2, height: 2, channels: 1, pixels: Uint8Array.of(0, 255, 85, 170) },
    ],
    ["P3", text("P3\n1 1\n255\n9 8 7\n"), { width: 1, height: 1, channels: 3, pixels: Uint8Array.of(9, 8, 7) }],
    [
      "16 bits",
      binary("P5 2 1 65535\n", 255, 255, 128, 0),
      { width: 2, height: 1, channels: 1, pixels: Uint8Array.of(255, 128) },
    ],
    ["a maximum of 1", binary("P5 2 1 1\n", 0, 1), { width: 2, height: 1, channels: 1, pixels: Uint8Array.of(0, 255) }],
    [
      "bytes behind the picture",
      binary("P5 1 1 255\n", 3, 99, 99),
      { width: 1, height: 1, channels: 1, pixels: Uint8Array.of(3) },
    ],
  ])("reads %s", (_, bytes, expected) => {
    expect(isNetpbm(bytes)).toBe(true);
    expect(decodeNetpbm(bytes)).toEqual(expected);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["data that are cut off", binary("P5 2 2 255\n", 1, 2, 3), /2x2 pixels need at least 4 bytes; 3 follow/],
    ["a huge size", text("P5 60000 60000 255\n"), /need at least 3600000000 bytes/],
    ["a size above the limit", text("P5 99999999999999999999 1 255\n"), /width at byte 3 is above 65536/],
    ["a width of 0", text("P5 0 1 255\n"), /width at byte 3 is 0/],
    ["no height", text("P5 3"), /expected the height/],
    ["a negative width", text("P5 -3 1 255\n"), /expected the width at byte 3/],
    ["a maximum of 0", text("P5 1 1 0\n"), /maximum value at byte 7 is 0/],
    ["a maximum beyond 16 bits", text("P5 1 1 65536\n"), /above 65535/],
    ["a sample above the maximum", binary("P5 1 1 9\n", 10), /sample 0 is 10, above the maximum 9/],
    ["a plain sample above the maximum", text("P2 1 1 9 10"), /sample at byte 9 is above 9/],
    ["letters among samples", text("P2 2 1 9 1 x"), /expected the sample/],
    ["too few plain samples", text("P2 2 2 9 1 2 3    "), /expected the sample/],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => decodeNetpbm(bytes)).toThrow(reason);
  });

  it("ends every mutation in a picture or in a TwingradError", () => {
    const valid = binary("P5 4 3 255\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(22), fc.nat(255)), { maxLength: 4 }),
        fc.integer({ min: 3, max: 23 }),
        (changes, length) => {
          const bytes = valid.slice(0, length);
          for (const [position, value] of changes) if (position > 1 && position < length) bytes[position] = value;
          try {
            const { width, height, channels, pixels } = decodeNetpbm(bytes);
            expect(pixels.length).toBe(width * height * channels);
          } catch (error) {
            expect(error).toBeInstanceOf(TwingradError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe("decodePicture", () => {
  const solid = (channels: 3 | 4, ...color: number[]) =>
    sharp(Uint8Array.from(Array.from({ length: 16 * 8 }, () => color).flat()), {
      raw: { width: 16, height: 8, channels },
    });

  it.each(["png", "webp", "jpeg"] as const)("reads %s in color and in gray", async (format) => {
    const bytes = new Uint8Array(await solid(3, 200, 200, 200).toFormat(format, { quality: 100 }).toBuffer());
    const color = await decodePicture(bytes, [4, 6, 3]);
    expect(color).toHaveLength(72);
    const gray = await decodePicture(bytes, [4, 6, 1]);
    expect(gray).toHaveLength(24);
    for (const value of [...color, ...gray]) expect(Math.abs(value - 200)).toBeLessThanOrEqual(2);
  });

  it("puts channels last, red first", async () => {
    const bytes = new Uint8Array(await solid(3, 10, 100, 250).png().toBuffer());
    expect((await decodePicture(bytes, [8, 16, 3])).slice(0, 3)).toEqual(Uint8Array.of(10, 100, 250));
  });

  it("repeats gray in three channels", async () => {
    const pixels = await decodePicture(binary("P5 2 2 255\n", 50, 50, 50, 50), [2, 2, 3]);
    expect(pixels).toEqual(new Uint8Array(12).fill(50));
  });

  it("keeps a picture of the wanted size as it is", async () => {
    const samples = Array.from({ length: 20 }, (_, i) => i * 12);
    expect(await decodePicture(binary("P5 5 4 255\n", ...samples), [4, 5, 1])).toEqual(Uint8Array.from(samples));
  });

  it("shows what is transparent as black", async () => {
    const bytes = new Uint8Array(await solid(4, 255, 255, 255, 0).png().toBuffer());
    expect(Math.max(...(await decodePicture(bytes, [4, 4, 1])))).toBe(0);
  });

  it("keeps the center when the shape differs", async () => {
    // Columns 0 0 200 200 0 0: the middle square of a 2 x 6 picture is bright.
    const row = [0, 0, 200, 200, 0, 0];
    expect(await decodePicture(binary("P5 6 2 255\n", ...row, ...row), [2, 2, 1])).toEqual(new Uint8Array(4).fill(200));
  });

  it("averages when it makes a picture smaller, instead of skipping pixels", async () => {
    const board = Array.from({ length: 64 * 64 }, (_, i) => ((i + Math.floor(i / 64)) % 2) * 255);
    const small = await decodePicture(binary("P5 64 64 255\n", ...board), [8, 8, 1]);
    for (const value of small) expect(Math.abs(value - 127.5)).toBeLessThan(8);
  });

  it("reads 16-bit pictures", async () => {
    const bytes = await sharp(
      Uint16Array.from({ length: 9 }, () => 0x8080),
      { raw: { width: 3, height: 3, channels: 1 } },
    )
      .toColorspace("gray16")
      .png()
      .toBuffer();
    expect(await decodePicture(new Uint8Array(bytes), [3, 3, 1])).toEqual(new Uint8Array(9).fill(0x80));
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["text", text("this is no picture")],
    ["half a PNG's signature", Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
  ])("refuses %s in one line", async (_, bytes) => {
    const error = await decodePicture(bytes, [4, 4, 3]).catch((reason) => reason);
    expect(error).toBeInstanceOf(TwingradError);
    expect(error.code).toBe("CORRUPT_FILE");
    expect(error.message).not.toContain("\n");
  });

  it("takes raw pixels of 1, 3 and 4 channels", async () => {
    const raw = (channels: number, ...bytes: number[]) => ({
      bytes: Uint8Array.from(bytes),
      raw: [1, 2, channels] as const,
    });
    expect(await decodePicture(raw(1, 7, 250), [1, 2, 3])).toEqual(Uint8Array.of(7, 7, 7, 250, 250, 250));
    expect(await decodePicture(raw(3, 1, 2, 3, 4, 5, 6), [1, 2, 3])).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    expect(await decodePicture(raw(4, 1, 2, 3, 255, 200, 200, 200, 0), [1, 2, 3])).toEqual(
      Uint8Array.of(1, 2, 3, 0, 0, 0),
    );
    await expect(decodePicture({ ...raw(3, 1, 2, 3) }, [1, 2, 3])).rejects.toMatchObject({ code: "CORRUPT_FILE" });
  });

  it("takes inks without a profile as ideal ones, upright", async () => {
    const colors = Uint8Array.from({ length: 16 * 24 * 3 }, (_, i) => (i * 7) % 256);
    const printed = sharp(colors, { raw: { width: 24, height: 16, channels: 3 } }).toColorspace("cmyk");
    const file = await printed.withMetadata({ orientation: 3 }).jpeg({ quality: 95 }).toBuffer();
    const plain = await sharp(file)
      .pipelineColorspace("cmyk")
      .toColorspace("cmyk")
      .withExif({ IFD0: { Orientation: "3" } })
      .jpeg({ quality: 100 })
      .toBuffer();
    const { space, hasProfile, orientation } = await sharp(plain).metadata();
    expect([space, hasProfile, orientation]).toEqual(["cmyk", false, 3]);
    const inks = await sharp(plain).pipelineColorspace("cmyk").toColorspace("cmyk").raw().toBuffer();
    const decoded = await decodePicture(new Uint8Array(plain), [16, 24, 3]);
    for (let pixel = 0; pixel < 16 * 24; pixel++) {
      const turned = 16 * 24 - 1 - pixel; // upside down
      for (let c = 0; c < 3; c++) {
        const wanted = 255 * (1 - inks[4 * turned + c] / 255) * (1 - inks[4 * turned + 3] / 255);
        expect(Math.abs(decoded[3 * pixel + c] - wanted)).toBeLessThanOrEqual(0.51);
      }
    }
  });

  it("goes by content, and takes no format but its own", async () => {
    const svg = text(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
    );
    const gif = new Uint8Array(await solid(3, 1, 2, 3).gif().toBuffer());
    const tiff = new Uint8Array(await solid(3, 1, 2, 3).tiff().toBuffer());
    for (const bytes of [svg, gif, tiff]) {
      await expect(decodePicture(bytes, [4, 4, 3])).rejects.toThrow("this is not a JPEG, PNG, WebP, PGM or PPM file");
    }
  });

  it("refuses a picture that claims more pixels than it would take memory for", async () => {
    const png = new Uint8Array(await solid(3, 1, 2, 3).png().toBuffer());
    const header = new DataView(png.buffer);
    header.setUint32(16, 60_000);
    header.setUint32(20, 60_000);
    header.setUint32(29, Number.parseInt(await crc32(png.subarray(12, 29)), 16));
    await expect(decodePicture(png, [4, 4, 3])).rejects.toThrow(/pixel limit/);
  });

  it("ends every mutation of a valid file in pixels or in a TwingradError, in bounded memory", async () => {
    const noise = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 2654435761) >>> 24);
    const image = () => sharp(noise, { raw: { width: 48, height: 32, channels: 3 } });
    const files = await Promise.all([
      image().jpeg().toBuffer(),
      image().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
      image().png().toBuffer(),
      image().png({ palette: true }).toBuffer(),
      image().webp().toBuffer(),
      image().webp({ lossless: true }).toBuffer(),
    ]);
    const before = process.resourceUsage().maxRSS;
    // Most faults matter in the header: half of the changes fall there.
    const change = fc.tuple(fc.oneof(fc.nat(60), fc.nat(100_000)), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        fc.nat(100_000),
        async (which, changes, cut) => {
          const file = files[which];
          const bytes = new Uint8Array(file.subarray(0, cut % 4 === 0 ? cut % file.length : file.length));
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          try {
            expect(await decodePicture(bytes, [16, 16, 3])).toHaveLength(768);
          } catch (error) {
            expect(error).toBeInstanceOf(TwingradError);
          }
        },
      ),
      { numRuns: 1500, interruptAfterTimeLimit: 20_000 },
    );
    // Some claim up to 2^26 pixels, which take 200 MB, and twice as much again to be turned; 0.6 GB was seen.
    expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(2 ** 30);
  });

  it("says that a picture is truncated or damaged", async () => {
    const noise = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 2654435761) >>> 24);
    const image = sharp(noise, { raw: { width: 48, height: 32, channels: 3 } });
    for (const file of await Promise.all([image.png().toBuffer(), image.jpeg().toBuffer(), image.webp().toBuffer()])) {
      for (const length of [40, 300]) {
        await expect(decodePicture(new Uint8Array(file.subarray(0, length)), [16, 16, 3])).rejects.toMatchObject({
          code: "CORRUPT_FILE",
          message: expect.stringMatching(/^the picture is truncated or damaged(: [^\n]*[^:\s])?$/),
        });
      }
    }
  });

  it("refuses two channels, and names the file that it cannot read", async () => {
    await expect(decodePicture(binary("P5 1 1 255\n", 1), [4, 4, 2])).rejects.toThrow(/expected 1 \(gray\) or 3/);
    await expect(readPicture("/nowhere/a.png", [4, 4, 3])).rejects.toThrow(/^\/nowhere\/a\.png: /);
  });

  describe.skipIf(!existsSync(shared))("real files (../shared/data)", () => {
    interface Entry {
      file: string;
      width?: number;
      height?: number;
      uprightSize?: [number, number];
      meanRGB?: [number, number, number];
      pil: string;
    }
    const manifest: Entry[] = existsSync(shared)
      ? JSON.parse(readFileSync(`${shared}/jpeg/manifest.json`, "utf8"))
      : [];
    const read = (entry: Entry, size: readonly [number, number, number]) =>
      decodePicture(new Uint8Array(readFileSync(`${shared}/jpeg/${entry.file}`)), size);

    const loadable = manifest.filter((entry) => /^(valid|exif-orientation|derived)\//.test(entry.file));
    it.each(loadable)("$file has the reference's mean color", async (entry) => {
      const [width, height] = entry.uprightSize ?? [entry.width!, entry.height!];
      const pixels = await read(entry, [height, width, 3]);
      const mean = [0, 1, 2].map(
        (c) => pixels.filter((_, i) => i % 3 === c).reduce((sum, v) => sum + v, 0) / (width * height),
      );
      // The reference applies no color profiles: there only the rough color can agree.
      const { hasProfile } = await sharp(`${shared}/jpeg/${entry.file}`).metadata();
      const tolerance = hasProfile ? 16 : 0.2;
      for (const c of [0, 1, 2]) expect(Math.abs(mean[c] - entry.meanRGB![c])).toBeLessThan(tolerance);
    });

    it.each(manifest.filter((entry) => /^(odd|broken|unsupported)\//.test(entry.file)))(
      "$file ends in pixels or in a TwingradError",
      async (entry) => {
        try {
          expect(await read(entry, [16, 16, 3])).toHaveLength(768);
        } catch (error) {
          expect(error).toBeInstanceOf(TwingradError);
        }
      },
    );

    it("a truncated JPEG is an error and no half picture", async () => {
      const path = `${shared}/jpeg/broken/derived_trunc_75pc.jpg`;
      await expect(readPicture(path, [16, 16, 3])).rejects.toThrow(/derived_trunc_75pc\.jpg: .*premature end/);
    });

    it("turns all eight orientations of a landscape upright", async () => {
      const landscapes = manifest.filter((entry) => /recurser_Landscape/.test(entry.file));
      const [upright, ...others] = await Promise.all(landscapes.map((entry) => read(entry, [45, 60, 1])));
      expect(others.length).toBeGreaterThanOrEqual(4);
      for (const other of others) expect(correlation(upright, other)).toBeGreaterThan(0.95);
      // Only the first has no color profile: applied correctly, the others' give the same brightness.
      const mean = (pixels: Uint8Array) => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
      for (const other of others) expect(Math.abs(mean(other) - mean(upright))).toBeLessThan(3);
    });

    it("reads a face of the ORL set as its pixels say", async () => {
      const path = `${shared}/orl/s1/1.pgm`;
      const file = readFileSync(path);
      expect(await readPicture(path, [112, 92, 1])).toEqual(new Uint8Array(file.subarray(file.length - 112 * 92)));
    });
  });
});

function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - meanA) * (b[i] - meanB);
    aa += (value - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

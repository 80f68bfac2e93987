import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { gunzipSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { reportRecords } from "../../src/cli/recordReport.ts";
import { type Dataset, type Item, labelsOf } from "../../src/data/dataset.ts";
import { uncompressed } from "../../src/formats/tfrecord/compression.ts";
import { readRecords } from "../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../src/formats/tfrecord/recordCodec.ts";
import { imageFolder } from "../../src/node/files/imageFolders.ts";
import { pictureSize } from "../../src/node/files/images.ts";
import { fileSource, recordFiles, Spool } from "../../src/node/tfrecord/recordFiles.ts";
import { writeRecords } from "../../src/node/tfrecord/recordWriter.ts";
import { tfrecords } from "../../src/node/tfrecord/tfrecords.ts";

const codec = await recordCodec();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-records-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true });
});
const at = (...parts: string[]) => join(folder, ...parts);

async function touch(...names: string[]): Promise<void> {
  for (const name of names) await writeFile(at(name), "");
}

describe("recordFiles", () => {
  const found = async (...paths: string[]) =>
    (await recordFiles(paths.map((path) => at(path)))).map((file) => relative(folder, file));

  beforeEach(async () => {
    await mkdir(at("many"));
    await mkdir(at("empty"));
    await touch("one.tfrecord", "two.tfrecords.gz", "notes.txt");
    for (let i = 0; i < 3; i++) await touch(`set.tfrecord-0000${i}-of-00003`);
    for (const name of ["b10.record", "b9.record", ".hidden.record", "c.tfrecord", "README"])
      await touch(`many/${name}`);
  });

  it("a file is itself, whatever its name", async () => {
    expect(await found("notes.txt")).toEqual(["notes.txt"]);
    expect(await found("set.tfrecord-00001-of-00003")).toEqual(["set.tfrecord-00001-of-00003"]);
  });

  it("a folder is the record files in it", async () => {
    expect(await found("many")).toEqual(["many/b9.record", "many/b10.record", "many/c.tfrecord"]);
    await expect(found("empty")).rejects.toThrow(/empty: there are no record files in this folder/);
  });

  it("a named pipe is refused, which opening would wait at for ever, and passed over in a folder", async () => {
    execFileSync("mkfifo", [at("pipe"), at("many/d.record")]);
    await expect(found("pipe")).rejects.toThrow(/pipe: expected a file, not a named pipe/);
    expect(await found("many")).toEqual(["many/b9.record", "many/b10.record", "many/c.tfrecord"]);
  });

  it("a pattern is what it matches, in the order of the names", async () => {
    expect(await found("many/*.record")).toEqual(["many/b9.record", "many/b10.record"]);
    expect(await found("*.tfrecord*")).toHaveLength(5);
    expect(await found("set.tfrecord-0000[01]-*")).toHaveLength(2);
    await expect(found("*.none")).rejects.toThrow(/no file matches this pattern/);
  });

  it("a set of shards goes by its common name, or with their number", async () => {
    const three = [0, 1, 2].map((i) => `set.tfrecord-0000${i}-of-00003`);
    expect(await found("set.tfrecord")).toEqual(three);
    expect(await found("set.tfrecord@3")).toEqual(three);
    await expect(found("set.tfrecord@4")).rejects.toThrow(/there are no shards set\.tfrecord-\?\?\?\?\?-of-00004/);
  });

  it("a set that lacks a shard, or two sets at once, are errors", async () => {
    await rm(at("set.tfrecord-00001-of-00003"));
    for (const path of ["set.tfrecord", "set.tfrecord@3", "."]) {
      await expect(found(path)).rejects.toThrow(/2 of the 3 shards of .*set\.tfrecord exist; a pattern/);
    }
    await touch("set.tfrecord-00000-of-00001");
    await expect(found("set.tfrecord")).rejects.toThrow(/sets of 1 and of 3 shards; .*set\.tfrecord@1 names one/);
    expect(await found("set.tfrecord@1")).toEqual(["set.tfrecord-00000-of-00001"]);
  });

  it("several paths are all of them, none twice", async () => {
    expect(await found("one.tfrecord", "*.tfrecord", "two.tfrecords.gz")).toEqual(["one.tfrecord", "two.tfrecords.gz"]);
    await expect(found("one.tfrecord", "none")).rejects.toThrow(/none: there is no such folder or file/);
  });
});

describe("Spool", () => {
  it("gives back what was put in, and leaves no file", async () => {
    for (const name of ["TMPDIR", "TEMP", "TMP"]) vi.stubEnv(name, folder); // nobody else's files come and go there
    const spool = new Spool();
    const parts = Array.from({ length: 50 }, (_, i) => new Uint8Array(i * 100).fill(i));
    const readers = await Promise.all(parts.map((bytes) => spool.keep(bytes)));
    for (const [i, read] of [...readers.entries()].reverse()) expect(await read()).toEqual(parts[i]);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("fileSource", () => {
  it("names the file when it cannot be read", async () => {
    const none = fileSource(at("none"));
    await expect(none.stream()[Symbol.asyncIterator]().next()).rejects.toThrow(`${at("none")}: cannot be read: ENOENT`);
    await expect(none.read(0, 1)).rejects.toThrow(`${at("none")}: cannot be read: ENOENT`);
  });
});

/** Three people, pictures of all kinds. */
async function drawPeople(): Promise<Dataset> {
  const image = (shade: number, channels: 1 | 3 | 4 = 3) =>
    sharp(
      Uint8Array.from({ length: 12 * 8 * channels }, (_, i) => (i % channels === 3 ? 255 : (shade + i) % 256)),
      {
        raw: { width: 12, height: 8, channels },
      },
    );
  const put = async (name: string, bytes: Uint8Array) => {
    await mkdir(at("people", name, ".."), { recursive: true });
    await writeFile(at("people", name), bytes);
  };
  await put("ada/1.png", await image(10).png().toBuffer());
  await put("ada/2.jpg", await image(20).jpeg().toBuffer());
  await put("ada/10.jpg", await image(30).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  await put("b/1.webp", await image(40).webp({ lossless: true }).toBuffer());
  await put("b/2.png", await image(50, 4).png().toBuffer());
  await put("c/c/1.pgm", Buffer.concat([Buffer.from("P5 12 8 255\n"), Buffer.alloc(96, 60)]));
  await put("c/c/2.png", await image(70, 1).toColorspace("b-w").png().toBuffer());
  return imageFolder(at("people"));
}

/** Each picture's pixels in its own size; scaled, a JPEG and the PNG made of it differ by how the decoder shrinks. */
async function decoded({ items }: Dataset): Promise<string[]> {
  const pixels = items.map(async (item) => {
    const { height, width } = await pictureSize(await item.stored!());
    return `${height}x${width}: ${Buffer.from(await item.decode([height, width, 3])).toString("base64")}`;
  });
  return Promise.all(pixels);
}

describe("writeRecords and tfrecords", () => {
  it("leaves nothing where it is stopped, and removes what a killed process left", async () => {
    const people = await drawPeople();
    const left = [".out-00001-of-00004.4194305.part", ".out-00000-of-00002-0123abcd.4194305.part"];
    for (const name of left) await writeFile(at(name), "half");
    await writeFile(at(".out.csv.4194305.part"), "another's");
    await writeFile(at("out-00000-of-00002"), "earlier");
    const stop = new AbortController();
    let asked = 0;
    const items = people.items.map((item) => ({
      ...item,
      stored: () => {
        if (++asked === 5) stop.abort(new Error("stopped"));
        return item.stored!();
      },
    }));
    const stopped = writeRecords(at("out"), { ...people, items }, { shards: 2, signal: stop.signal });
    await expect(stopped).rejects.toThrow("stopped");
    expect((await readdir(folder)).sort()).toEqual([".out.csv.4194305.part", "out-00000-of-00002", "people"]);
    expect(await readFile(at("out-00000-of-00002"), "utf8")).toBe("earlier");
  });

  it("writes where a link leads, keeps who may read it, and is one process's at a time", async () => {
    const people = await drawPeople();
    await writeFile(at("real"), "old", { mode: 0o600 });
    await symlink("real", at("out"));
    const both = await Promise.allSettled([writeRecords(at("out"), people), writeRecords(at("out"), people)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const refused = both.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ code: "DISK", reason: "busy" });
    expect((await tfrecords(at("real"))).items).toHaveLength(7);
    expect((await stat(at("real"))).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(["out", "people", "real"]);
    await expect(writeRecords("/dev/null", people)).rejects.toMatchObject({ code: "BAD_INPUT" });
  });

  it.each<[string, object, string]>([
    ["one file", {}, "out.tfrecord"],
    ["GZIP", { compression: "gzip" }, "out.tfrecord"],
    ["ZLIB", { compression: "zlib" }, "out.tfrecord"],
    ["shards", { shards: 3 }, "out.tfrecord"],
    ["shards in GZIP, named by a pattern", { shards: 2, compression: "gzip" }, "out.tfrecord-*"],
    ["a prefix", { prefix: "train" }, "out.tfrecord"],
  ])("%s: the dataset comes back, in its order", async (_, options, name) => {
    const people = await drawPeople();
    const written = await writeRecords(at("out.tfrecord"), people, options);
    expect(written).toMatchObject({ records: 7, labels: { ada: 3, b: 2, "c/c": 2 } });
    const { prefix } = options as { prefix?: string };
    const back = await tfrecords(at(name), { prefix });
    expect(back.identities).toEqual(people.identities);
    expect(labelsOf(back)).toEqual(labelsOf(people));
    expect(await decoded(back)).toEqual(await decoded(people));
    expect((await readdir(folder)).filter((file) => file.includes("part"))).toEqual([]);
    expect(written.files.map((file) => basename(file))).toEqual(
      (await readdir(folder)).filter((f) => f !== "people").sort(),
    );
  });

  it("writes JPEG and PNG as they are, the rest as PNG that stands upright, and says its size", async () => {
    const people = await drawPeople();
    const address = ({ name }: Item) => relative(at("people"), name);
    await writeRecords(at("out"), people, { address });
    const bytes = new Uint8Array(await readFile(at("out")));
    const examples = [];
    async function* whole() {
      yield bytes;
    }
    for await (const { data } of readRecords(whole(), { file: "out", crc32c: codec.crc32c })) {
      const example = codec.readExample(data);
      examples.push(Object.fromEntries([...example].map(([name, feature]) => [name, [...feature.values()][0]])));
    }
    const text = (value: unknown) => Buffer.from(value as Uint8Array).toString();
    expect(examples.map((e) => [text(e.addr), text(e.name), e.label, e.height, e.width])).toEqual([
      ["ada/1.png", "ada", 0n, 8n, 12n],
      ["ada/2.jpg", "ada", 0n, 8n, 12n],
      ["ada/10.jpg", "ada", 0n, 12n, 8n], // turned
      ["b/1.webp", "b", 1n, 8n, 12n],
      ["b/2.png", "b", 1n, 8n, 12n],
      ["c/c/1.pgm", "c/c", 2n, 8n, 12n],
      ["c/c/2.png", "c/c", 2n, 8n, 12n],
    ]);
    for (const [i, same] of [true, true, false, false, true, false, true].entries()) {
      const file = await readFile(people.items[i].name);
      expect(file.equals(examples[i].image as Uint8Array)).toBe(same);
      const { format, orientation = 1, channels } = await sharp(examples[i].image as Uint8Array).metadata();
      expect([same || format === "png", orientation]).toEqual([true, 1]);
      if (i >= 5) expect(channels).toBe(1);
    }
  });

  it("compresses with the wrappers that TensorFlow calls GZIP and ZLIB", async () => {
    const people = await drawPeople();
    await writeRecords(at("plain"), people);
    const plain = await readFile(at("plain"));
    await writeRecords(at("gzip"), people, { compression: "gzip" });
    await writeRecords(at("zlib"), people, { compression: "zlib" });
    expect(gunzipSync(await readFile(at("gzip"))).equals(plain)).toBe(true);
    expect(inflateSync(await readFile(at("zlib"))).equals(plain)).toBe(true);
  });

  it("a picture that cannot be decoded is an error, or is left out; a failure leaves nothing behind", async () => {
    const people = await drawPeople();
    const half = (await readFile(people.items[1].name)).subarray(0, 300);
    await writeFile(people.items[1].name, half);
    await expect(writeRecords(at("out"), people, { shards: 2 })).rejects.toThrow(/ada\/2\.jpg: /);
    expect(await readdir(folder)).toEqual(["people"]);
    const left: string[] = [];
    const onUnreadable = (_: Item, error: Error) => left.push(error.message);
    const { records, labels } = await writeRecords(at("out"), people, { onUnreadable });
    expect([records, labels.ada, left.length]).toEqual([6, 2, 1]);
    expect(left[0]).toContain("ada/2.jpg: ");
    await expect(writeRecords(at("out"), people, { shards: 8 })).rejects.toThrow("7 pictures cannot fill 8 shards");
    await expect(writeRecords(at("out", "x"), people)).rejects.toThrow(/out.x: cannot be written/);
  });

  it("writes records anew from records", async () => {
    const people = await drawPeople();
    await writeRecords(at("first"), people, { compression: "gzip" });
    await writeRecords(at("second"), await tfrecords(at("first")), { shards: 2, prefix: "v" });
    const back = await tfrecords(at("second"), { prefix: "v" });
    expect(back.identities).toEqual(people.identities);
    expect(await decoded(back)).toEqual(await decoded(people));
  });

  it("reports what is there, and what is wrong", async () => {
    const people = await drawPeople();
    const { files } = await writeRecords(at("out"), people, { shards: 2 });
    const report = await reportRecords([at("out")], { pictures: true });
    expect(report).toMatchObject({
      records: 7,
      corrupt: [],
      notExamples: [],
      unreadable: [],
      labels: { ada: 3, b: 2, "c/c": 2 },
    });
    expect(report.features).toEqual({
      addr: "bytes",
      height: "int64",
      image: "bytes",
      label: "int64",
      name: "bytes",
      width: "int64",
    });
    expect(report.featureRecords.image).toBe(7);
    const bytes = await readFile(files[1]);
    bytes[20] ^= 1;
    await writeFile(files[1], bytes);
    const named = await reportRecords([at("out")], { features: { label: "image" } });
    expect(named.unlabeled).toHaveLength(6);
    expect(named.unlabeled[0]).toMatchObject({ file: files[0], record: 1, reason: expect.stringContaining("image") });
    const broken = await reportRecords([at("out")]);
    expect(broken).toMatchObject({ records: 6, corrupt: [{ file: files[1], record: 1, offset: 0 }] });
    expect(broken.files.map((file) => file.records)).toEqual([3, 3]);
    await expect(tfrecords(at("out"))).rejects.toThrow(`${files[1]}: record 1 at byte 0: the checksum of its data`);
    expect((await tfrecords(at("out"), { onCorrupt: () => {} })).items).toHaveLength(6);
  });
});

const shared = resolve(import.meta.dirname, "../../../shared/data");
describe.skipIf(!existsSync(shared))("real files (../shared/data)", () => {
  it("JPEG records of object-detection tools, plain, GZIP and ZLIB, by names given as options", async () => {
    const features = { image: "image/encoded", label: "image/source_id" };
    const plain = await tfrecords(`${shared}/tfrecord/valid/ibm_anki_first12_jpeg.record`, { features });
    expect(plain.items).toHaveLength(12);
    const first = await plain.items[0].decode([48, 64, 3]);
    expect(first).toHaveLength(48 * 64 * 3);
    for (const ending of ["gz", "zlib"]) {
      const packed = await tfrecords(`${shared}/tfrecord/valid/derived_ibm_anki_first3_jpeg.record.${ending}`, {
        features,
      });
      expect(packed.items).toHaveLength(3);
      expect(await packed.items[0].decode([48, 64, 3])).toEqual(first);
    }
  });

  it("a file whose records lack the features says what they have", async () => {
    await expect(tfrecords(`${shared}/tfrecord/valid/tfx_penguin_eval.gz`)).rejects.toThrow(
      /record 1 at byte 0: it has no feature "label"; it has .*species/,
    );
  });

  it("the ORL set comes back from records as it is in its folder", async () => {
    const orl = await imageFolder(`${shared}/orl`);
    await writeRecords(at("orl"), orl, { compression: "gzip", shards: 3 });
    const back = await tfrecords(at("orl"));
    expect(back.identities).toEqual(orl.identities);
    expect(labelsOf(back)).toEqual(labelsOf(orl));
    for (const index of [0, 123, 399]) {
      expect(await back.items[index].decode([112, 92, 1])).toEqual(await orl.items[index].decode([112, 92, 1]));
    }
  });
});
if (!existsSync(shared)) it.skip(`no files at ${shared}: these cases are skipped`, () => {});

it("detects compression by content, not by name", async () => {
  const people = await drawPeople();
  await writeRecords(at("plain.gz"), people);
  const { compression } = await uncompressed(fileSource(at("plain.gz")).stream(), codec);
  expect(compression).toBe("none");
});

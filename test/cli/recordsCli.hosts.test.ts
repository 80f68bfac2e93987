// `twingrad records`, and training on records: as users meet them, in processes of their own.
import { execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { frame } from "../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../src/formats/tfrecord/recordCodec.ts";
import { buildCli, testFolder } from "./builtCli.ts";
import { tiny } from "./cliPeople.ts";

const folder = testFolder("records-cli-test");
const at = (...parts: string[]) => join(folder, ...parts);
const data = at("people");
let cli: Awaited<ReturnType<typeof buildCli>>;

/** Six people with four pictures each: a brightness of their own, and noise. */
async function drawPeople(): Promise<void> {
  for (let person = 0; person < 6; person++) {
    await mkdir(join(data, `p${person}`), { recursive: true });
    for (let picture = 0; picture < 4; picture++) {
      const noise = new Random(1, streams.trials, person * 10 + picture);
      const pixels = Uint8Array.from({ length: 256 }, () => 30 * person + noise.integer(60));
      await sharp(pixels, { raw: { width: 16, height: 16, channels: 1 } })
        .png()
        .toFile(join(data, `p${person}`, `${picture}.png`));
    }
  }
}

beforeAll(async () => {
  cli = await buildCli(folder);
  await drawPeople();
});
afterAll(() => rm(folder, { recursive: true }));

describe("records create, inspect, verify", () => {
  it("leaves nothing half-written on Ctrl-C, and removes what a killed one left", async () => {
    const many = at("many");
    for (let copy = 0; copy < 40; copy++) await cp(data, join(many, `copy ${copy}`), { recursive: true });
    const out = at("stopped", "out.tfrecord");
    const start = () => spawn(process.execPath, [cli.cli, "records", "create", many, out]);
    const parts = async () =>
      (await readdir(at("stopped")).catch(() => [])).filter((name) => name.endsWith(".part")).length;
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const before = signal === "SIGKILL" ? 0 : 1;
      const child = start();
      const ended = new Promise((done) => child.on("close", (status) => done(status)));
      const { pid } = child;
      while (
        !(await readdir(at("stopped")).catch(() => [])).some((name) =>
          new RegExp(`\\.${pid}(-\\d+)?\\.part$`).test(name),
        )
      )
        await new Promise((done) => setTimeout(done, 2));
      child.kill(signal);
      expect(await ended).toBe(signal === "SIGINT" ? 130 : null);
      expect(await parts()).toBe(1 - before);
    }
    expect(await readdir(at("stopped"))).toEqual([]);
    await rm(many, { recursive: true });
  });

  it("writes what it describes and checks", async () => {
    const created = await cli.json("records", "create", data, at("out.tfrecord"), "--prefix", "train");
    const labels = Object.fromEntries([0, 1, 2, 3, 4, 5].map((person) => [`p${person}`, 4]));
    const features = Object.fromEntries(
      ["addr", "height", "image", "label", "name", "width"].map((name) => [
        `train/${name}`,
        /label|height|width/.test(name) ? "int64" : "bytes",
      ]),
    );
    expect(created).toMatchObject({ records: 24, corrupt: [], labels, features, files: [at("out.tfrecord")] });
    expect(created.bytes).toBe((await readFile(at("out.tfrecord"))).length);
    const inspected = await cli.json("records", "inspect", at("out.tfrecord"), "--prefix", "train");
    expect(inspected).toMatchObject({ records: 24, corrupt: [], labels, features });
    const verified = await cli.json("records", "verify", at("out.tfrecord"), "--prefix", "train", "--pictures");
    expect(verified).toMatchObject({ records: 24, corrupt: [], unreadable: [] });

    const { status, stdout } = await cli.run("records", "inspect", at("out.tfrecord"));
    expect(status).toBe(0);
    expect(stdout).toMatch(/^24 records in 1 file\(s\), compression none; 0 corrupt\n {2}train\/addr +bytes\n/);
    expect(stdout).toContain("no labeled pictures under these feature names");
  });

  it("shards, compresses and shuffles, the same for the same seed", async () => {
    const options = ["--shards", "3", "--compression", "gzip", "--shuffle"];
    const first = await cli.json("records", "create", data, at("a"), ...options);
    expect(first.files).toEqual([0, 1, 2].map((i) => at(`a-0000${i}-of-00003`)));
    const again = await cli.json("records", "create", data, at("b"), ...options);
    const other = await cli.json("records", "create", data, at("c"), ...options, "--seed", "2");
    const contents = ({ files }: { files: string[] }) => Promise.all(files.map((file) => readFile(file, "base64")));
    expect(await contents(again)).toEqual(await contents(first));
    expect(await contents(other)).not.toEqual(await contents(first));
    const report = await cli.json("records", "verify", `${at("a")}@3`);
    expect(report).toMatchObject({ records: 24, corrupt: [], labels: { p0: 4, p5: 4 } });
    expect(report.files.map((file: { compression: string }) => file.compression)).toEqual(["gzip", "gzip", "gzip"]);
  });

  it("verify of corrupt files: the result, one line that says why, and status 1; inspect only tells", async () => {
    await cli.json("records", "create", data, at("broken.tfrecord"));
    const bytes = await readFile(at("broken.tfrecord"));
    bytes[30] ^= 1;
    await writeFile(at("broken.tfrecord"), bytes.subarray(0, -5));
    const { status, stdout, stderr } = await cli.run("records", "verify", at("broken.tfrecord"), "--json");
    expect(status).toBe(1);
    const { records, corrupt } = JSON.parse(stdout);
    expect(records).toBe(22);
    expect(corrupt).toMatchObject([
      { record: 1, offset: 0, reason: expect.stringMatching(/^the checksum of its data is wrong/) },
      { record: 24, reason: expect.stringMatching(/^the file is truncated/) },
    ]);
    expect(stderr.trimEnd()).toMatch(/^twingrad: 2 of the records cannot be read; the first: .*record 1 at byte 0.*$/);
    const inspected = await cli.run("records", "inspect", at("broken.tfrecord"));
    expect(inspected.status).toBe(0);
    expect(inspected.stdout).toContain("broken.tfrecord: record 24 at byte ");
  });

  it("create leaves out pictures that cannot be decoded, naming them, when told to", async () => {
    await mkdir(at("some", "a"), { recursive: true });
    await writeFile(at("some", "a", "1.png"), await readFile(join(data, "p0", "0.png")));
    await writeFile(at("some", "a", "2.png"), (await readFile(join(data, "p0", "1.png"))).subarray(0, 100));
    const failed = await cli.run("records", "create", at("some"), at("some.tfrecord"));
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringMatching(/^twingrad: .*some\/a\/2\.png: /) });
    const created = await cli.json("records", "create", at("some"), at("some.tfrecord"), "--skip-corrupt");
    expect(created).toMatchObject({ records: 1, corrupt: [{ file: at("some", "a", "2.png") }], labels: { a: 1 } });
    expect(created.stderr).toMatch(/skipped: .*2\.png: .*\n1 records or pictures were skipped/);
  });

  it("wrong usage: 2", async () => {
    for (const parameters of [
      ["create", data],
      ["create", data, "x", "--shards", "0"],
      ["create", data, "x", "--compression", "lzma"],
      ["inspect"],
      ["verify", "x", "--largest-record", "much"],
    ]) {
      expect((await cli.run("records", ...parameters)).status).toBe(2);
    }
    expect(await cli.run("records", "inspect", at("none"))).toMatchObject({
      status: 1,
      stderr: `twingrad: ${at("none")}: there is no such folder or file\n`,
    });
  });
});

describe("memory", () => {
  /** The largest resident set of a process, in bytes; Linux's maxRSS would count the parent's, too. */
  function peak(...parameters: string[]): Promise<{ peak: number; result: { records: number } }> {
    const hook = `import { existsSync, readFileSync } from "node:fs";
      process.on("exit", () => {
        const status = existsSync("/proc/self/status") && readFileSync("/proc/self/status", "utf8");
        console.error("peak", status ? /VmHWM:\\s+(\\d+)/.exec(status)[1] : process.resourceUsage().maxRSS);
      });`;
    const imported = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
    return new Promise((done, fail) => {
      execFile(process.execPath, [...imported, cli.cli, ...parameters], (error, stdout, stderr) => {
        if (error) return fail(error);
        const kilobytes = Number(/^peak (\d+)$/m.exec(stderr)![1]);
        done({ peak: kilobytes * 1024, result: JSON.parse(stdout) });
      });
    });
  }

  it("stays flat: half a gigabyte of records takes at most 128 MiB more than one record, plain and compressed", async () => {
    const codec = await recordCodec();
    const image = new Uint8Array(250_000).fill(7);
    image.set([0xff, 0xd8, 0xff]); // verify decodes nothing
    const example = codec.writeExample(
      new Map<string, Uint8Array[] | bigint[]>([
        ["image", [image]],
        ["label", [1n]],
      ]),
    );
    const record = frame(example, codec.crc32c);
    const count = 2000;
    const many = function* () {
      for (let i = 0; i < count; i++) yield record;
    };
    await writeFile(at("small.tfrecord"), record);
    await pipeline(many, createWriteStream(at("large.tfrecord")));
    await pipeline(many, createGzip({ level: 1 }), createWriteStream(at("large.tfrecord.gz")));
    expect(count * record.length).toBeGreaterThan(3.5 * 2 ** 27);
    const small = await peak("records", "verify", at("small.tfrecord"), "--json");
    for (const name of ["large.tfrecord", "large.tfrecord.gz"]) {
      const large = await peak("records", "verify", at(name), "--json");
      expect(large.result.records).toBe(count);
      // Chunks that nobody holds are collected once some 64 MiB have gathered.
      expect(large.peak - small.peak).toBeLessThan(2 ** 27);
    }
  });
});

describe("training on records", () => {
  it("is training on the folder that they were made of, bit for bit, also where it is resumed", async () => {
    await cli.json(
      "records",
      "create",
      data,
      at("t.tfrecord"),
      "--shards",
      "2",
      "--compression",
      "zlib",
      "--prefix",
      "train",
    );
    const options = [...tiny, "--image-size", "14x12", "--source-size", "16x15", "--validation", "0.34"];
    const folderRun = await cli.json("train", data, "--out", at("m1"), ...options, "--steps", "3");
    const records = [at("t.tfrecord"), "--prefix", "train", "--out", at("m2")];
    const begun = await cli.json("train", ...records, ...options, "--steps", "2");
    expect(begun.stderr).toContain("24 pictures of 6 people");
    // Sizes and all else come from the run that is gone on with; --skip-corrupt decodes every picture beforehand.
    const recordRun = await cli.json("train", ...records, "--resume", "--steps", "3", "--skip-corrupt");
    expect(recordRun.stderr).toContain("24 pictures of 6 people");
    expect(recordRun).toMatchObject({ firstLoss: folderRun.firstLoss, lastLoss: folderRun.lastLoss });
    const model = await readFile(at("m1", "model.safetensors"));
    expect(model.equals(await readFile(at("m2", "model.safetensors")))).toBe(true);
    const shards = [0, 1].map((i) => at(`t.tfrecord-0000${i}-of-00002`));
    const evaluated = await cli.json("evaluate", at("m1"), ...shards, "--prefix", "train", "--unseen");
    expect(evaluated).toMatchObject({ auc: folderRun.validation.auc, eer: folderRun.validation.eer });
  });

  it("skips what is corrupt when told to, and names it", async () => {
    await cli.json("records", "create", data, at("c.tfrecord"));
    const bytes = await readFile(at("c.tfrecord"));
    bytes[40] ^= 1;
    await writeFile(at("c.tfrecord"), bytes);
    const options = ["--out", at("m3"), ...tiny, "--steps", "1", "--validation", "0"];
    const failed = await cli.run("train", at("c.tfrecord"), ...options);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/^twingrad: .*c\.tfrecord: record 1 at byte 0: the checksum of its data is wrong/m);
    const done = await cli.json("train", at("c.tfrecord"), ...options, "--skip-corrupt");
    expect(done.stderr).toMatch(/skipped: .*record 1 at byte 0.*\n1 records or pictures were skipped\n/);
    expect(done.stderr).toContain("23 pictures of 6 people");
  });

  it("skips pictures of a folder that cannot be decoded, and people who have no other", async () => {
    const people = at("half");
    for (const [person, pictures] of [
      ["a", 3],
      ["b", 3],
      ["c", 1],
    ] as const) {
      await mkdir(join(people, person), { recursive: true });
      for (let i = 0; i < pictures; i++) {
        const bytes = await readFile(join(data, "p1", `${i}.png`));
        await writeFile(join(people, person, `${i}.png`), person === "c" || i === 2 ? bytes.subarray(0, 120) : bytes);
      }
    }
    const options = ["--out", at("m4"), ...tiny, "--steps", "1", "--validation", "0"];
    const done = await cli.json("train", people, ...options, "--skip-corrupt");
    expect(done.stderr).toContain("4 pictures of 2 people");
    for (const name of ["a/2.png", "b/2.png", "c/0.png"])
      expect(done.stderr).toMatch(new RegExp(`skipped: .*${name}: `));
    const evaluated = await cli.json("evaluate", at("m4"), people, "--skip-corrupt");
    expect(evaluated.stderr).toContain("3 records or pictures were skipped");
  });
});

describe("published protocols", () => {
  it("evaluate takes a list of pairs as LFW's, and one-shot runs as Omniglot's", async () => {
    await cli.json("train", data, "--out", at("m5"), ...tiny, "--steps", "1", "--validation", "0");
    const sets = [0, 1, 2].map((set) => [
      `p${set}\t0001\t2`,
      `p${set}\t2\t3`,
      `p${set}\t1\tp5\t${set + 1}`,
      `p${set}\t2\tp4\t${set + 1}`,
    ]);
    await writeFile(at("pairs.txt"), ["3\t2", ...sets.flat(), ""].join("\n"));
    const { accuracy, accuracyStd, ...rest } = await cli.json("evaluate", at("m5"), data, "--pairs", at("pairs.txt"));
    expect(rest).toMatchObject({ pairs: 12, sets: 3, accuracyStandardError: accuracyStd / Math.sqrt(3) });
    expect(accuracy).toBeGreaterThanOrEqual(0);

    await writeFile(
      at("one.txt"),
      [
        "4",
        ...sets.flatMap((set) => set.slice(0, 2)).slice(0, 4),
        ...sets.flatMap((set) => set.slice(2)).slice(0, 4),
      ].join("\n"),
    );
    const text = await cli.run("evaluate", at("m5"), data, "--pairs", at("one.txt"));
    expect(text.stdout).toMatch(/^8 pairs of 4 people\naccuracy .* \(the list has a single set: over folds of people/);

    for (const part of ["training", "test"]) await mkdir(at("runs", "run01", part), { recursive: true });
    for (let person = 0; person < 3; person++) {
      const from = (picture: number) => readFile(join(data, `p${person}`, `${picture}.png`));
      await writeFile(at("runs", "run01", "training", `class0${person}.png`), await from(0));
      await writeFile(at("runs", "run01", "test", `item0${person}.png`), await from(1));
    }
    const lines = [0, 1, 2].map((n) => `run01/test/item0${n}.png run01/training/class0${n}.png`);
    await writeFile(at("runs", "run01", "class_labels.txt"), lines.join("\n"));
    expect(await cli.json("evaluate", at("m5"), "--runs", at("runs"))).toMatchObject({
      trials: 3,
      ways: 3,
      runs: 1,
      interval: [expect.any(Number), expect.any(Number)],
    });
    expect(await cli.run("evaluate", at("m5"))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("missing required argument 'data'"),
    });
  });
});

// What several processes, odd names and odd files do to the command line, in processes of their own.
import { execFileSync, spawn } from "node:child_process";
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cliWithPeople, tiny } from "../cliPeople.ts";

const { data, at, picture, twingrad, json } = cliWithPeople("cli-faults-test");
const trainOn = (people: string, out: string, ...more: string[]) => ["train", people, "--out", out, ...tiny, ...more];

beforeAll(async () => {
  await json(...trainOn(data, at("model"), "--steps", "2"));
}, 120_000);

/** Lets at most three processes run at a time: each opens a device. */
async function some(runs: readonly (() => Promise<unknown>)[]): Promise<void> {
  const waiting = [...runs];
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      for (let run = waiting.shift(); run; run = waiting.shift()) await run();
    }),
  );
}

describe("processes at once", () => {
  it("20 of them enroll, one forgets somebody: nobody is lost, and who was forgotten stays so", async () => {
    const gallery = at("gallery.json");
    await json("enroll", at("model"), gallery, "Eve", picture(0, 0));
    const names = Array.from({ length: 20 }, (_, n) => `person ${n}`);
    const enrolled = names.map((name, n) => () => json("enroll", at("model"), gallery, name, picture(n % 12, 1)));
    const forgotten = () => json("forget", at("model"), gallery, "Eve");
    await some([...enrolled.slice(0, 10), forgotten, ...enrolled.slice(10)]);
    const { people } = JSON.parse(await readFile(gallery, "utf8"));
    expect(people.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort());
    expect((await readdir(at())).filter((name) => name.startsWith("."))).toEqual([]);
  }, 300_000);

  it("enroll of many pictures that is overtaken by forget brings nobody back", async () => {
    const gallery = at("overtaken.json");
    await json("enroll", at("model"), gallery, "Eve", picture(0, 0));
    const all = Array.from({ length: 60 }, (_, n) => picture(n % 12, n % 5));
    const many = json("enroll", at("model"), gallery, "Ada", ...all, ...all);
    await json("forget", at("model"), gallery, "Eve");
    expect(await many).toMatchObject({ images: 120 });
    const { people } = JSON.parse(await readFile(gallery, "utf8"));
    expect(people.map(({ name }: { name: string }) => name)).toEqual(["Ada"]);
  }, 120_000);

  it("a second training in a folder is refused with the first one's number, and a killed one holds nothing", async () => {
    const out = at("one folder");
    const first = spawn(process.execPath, [at("cli.mjs"), ...trainOn(data, out, "--steps", "1000000")]);
    const ended = new Promise((done) => first.on("close", done));
    while (!(await readFile(join(out, "log.csv"), "utf8").catch(() => "")).includes("\n1,"))
      await new Promise((done) => setTimeout(done, 20));
    const log = await readFile(join(out, "log.csv"), "utf8");
    for (const more of [["--steps", "3"], ["--resume"]]) {
      const { status, stdout } = await twingrad(...trainOn(data, out, ...more, "--json"));
      expect(status).toBe(1);
      expect(JSON.parse(stdout).error).toMatchObject({
        code: "DISK",
        message: expect.stringMatching(new RegExp(`is being trained in by process ${first.pid} on .* since 20`)),
      });
    }
    first.kill("SIGKILL");
    await ended;
    expect((await readFile(join(out, "log.csv"), "utf8")).startsWith(log)).toBe(true);
    const { stderr, steps } = await json(...trainOn(data, out, "--steps", "3"));
    expect(stderr).toMatch(/held this lock and no longer runs/);
    expect(steps).toBe(3);
  }, 120_000);
});

describe("odd names and files", () => {
  it("a person's folder that is called like a record file is a person's folder", async () => {
    const people = at("called");
    await cp(data, people, { recursive: true });
    for (const [from, to] of [
      ["person 0", "world.record"],
      ["person 1", "ada.jpg"],
      ["person 2", "model.safetensors"],
    ])
      await rename(join(people, from), join(people, to));
    const { stderr } = await json(...trainOn(people, at("of called"), "--steps", "1"));
    expect(stderr).toMatch(/^60 pictures of 12 people$/m);
  });

  it.runIf(process.platform === "linux")("a name that is not UTF-8 is told, with the cure, or left out", async () => {
    const people = at("bytes");
    await cp(data, people, { recursive: true });
    const folder = Buffer.concat([Buffer.from(`${people}/`), Buffer.from([0x5a, 0x6f, 0xe9])]);
    await mkdir(folder);
    await copyFile(picture(0, 0), Buffer.concat([folder, Buffer.from("/1.png")]));
    const refused = await twingrad(...trainOn(people, at("of bytes"), "--steps", "1"));
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toMatch(
      /Zo\ufffd: this name is not UTF-8; rename it, as with convmv; skip it with --skip-corrupt/,
    );
    const { stderr } = await json(...trainOn(people, at("of bytes"), "--steps", "1", "--skip-corrupt"));
    expect(stderr).toMatch(/skipped: .*not UTF-8/);
    expect(stderr).toMatch(/^60 pictures of 12 people$/m);
    // An argument of such bytes, which Node itself cannot hand on.
    const shell = `${process.execPath} ${at("cli.mjs")} forget ${at("model")} none.json "$(printf 'Zo\\351')" 2>&1; true`;
    expect(execFileSync("bash", ["-c", shell], { encoding: "utf8" })).toMatch(/^error: "Zo\ufffd" is not UTF-8/);
  });

  it("a dangling link is one picture less with --skip-corrupt, for train and for records create", async () => {
    const people = at("dangling");
    await cp(data, people, { recursive: true });
    await symlink("nowhere", join(people, "person 0", "9.png"));
    const { stderr } = await json(...trainOn(people, at("of dangling"), "--steps", "1", "--skip-corrupt"));
    expect(stderr).toMatch(/skipped: .*9\.png: cannot be read: ENOENT/);
    const create = ["records", "create", people, at("dangling.tfrecord")];
    const refused = await twingrad(...create);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/9\.png: cannot be read: ENOENT/) });
    expect(await json(...create, "--skip-corrupt")).toMatchObject({ records: 60, corrupt: [{}] });
  });

  it("records with an empty name are called by their labels", async (test) => {
    const file = resolve(import.meta.dirname, "../../../../shared/cases/emptyname.tfrecord");
    if (!(await readFile(file).catch(() => undefined))) test.skip(`${file} is not there`);
    const { labels } = await json("records", "inspect", file);
    expect(labels).toEqual({ 1: 3, 2: 3, 3: 3, 4: 3 });
    const { stderr } = await json(...trainOn(file, at("of empty"), "--steps", "1", "--validation", "0"));
    expect(stderr).toMatch(/^12 pictures of 4 people$/m);
  });

  it("a picture that is given as a model, and a text as records, are told for what they are", async () => {
    const { stderr } = await twingrad("verify", picture(0, 0), picture(0, 0), picture(0, 1));
    expect(stderr).toMatch(/0\.png: this is a PNG picture, not a safetensors file$/m);
    await writeFile(at("notes.tfrecord"), "this is a text, and no records\n");
    const records = await twingrad(...trainOn(at("notes.tfrecord"), at("of notes")));
    expect(records.stderr).toMatch(/notes\.tfrecord: record 1 at byte 0: this is a text file, not a TFRecord file/);
  });
});

describe("what cannot be done is told before it is begun", () => {
  it.each<[string, string[], RegExp]>([
    ["pictures of 100,000 pixels", ["--image-size", "100000"], /^error: --image-size 100000x100000: too large/],
    [
      "a batch that fits no memory",
      ["--batch-size", "100000000"],
      /LIMIT.* takes .* GiB; .*What would fit: a batch of/,
    ],
    [
      "whitening of people with one picture each",
      ["--whiten", "0.5", "--loss", "contrastive", "--validation", "0"],
      /--whiten: none of 12 people has two pictures/,
    ],
  ])(
    "%s",
    async (_, flags, message) => {
      const people = at("one each");
      for (let person = 0; person < 12; person++) {
        await mkdir(join(people, `p${person}`), { recursive: true });
        await copyFile(picture(person, 0), join(people, `p${person}`, "0.png"));
      }
      const begun = performance.now();
      const { status, stderr, stdout } = await twingrad(
        ...trainOn(flags.includes("--whiten") ? people : data, at("never"), "--steps", "1000000", ...flags, "--json"),
      );
      expect(status).not.toBe(0);
      expect(stderr + stdout).toMatch(message);
      expect(performance.now() - begun).toBeLessThan(60_000); // seconds; a busy machine takes longer
      expect(await readdir(at("never")).catch(() => [])).toEqual([]);
      await rm(people, { recursive: true });
    },
    120_000,
  );
});

describe("what --quiet leaves", () => {
  it("warnings stay: changed data of a run that goes on, and the earlier training's model, exported or through a link", async () => {
    const [people, out, link] = [at("changing"), at("again"), at("link.safetensors")];
    await cp(data, people, { recursive: true });
    await json(...trainOn(people, out, "--steps", "2"));
    await writeFile(join(out, "unfinished.json"), '{"since":"today"}\n');
    await symlink(join(out, "model.safetensors"), link);
    for (const model of [out, link]) {
      const { status, stderr } = await twingrad("export", model, "--onnx", at("a.onnx"), "--quiet");
      expect(status).toBe(0);
      expect(stderr).toContain("is the model of an earlier training: a newer one, started at today, has not ended");
    }
    const [name] = await readdir(people);
    const [file] = await readdir(join(people, name));
    await copyFile(join(people, name, file), join(people, "copy"));
    await rename(join(people, "copy"), join(people, name, file));
    const { status, stderr } = await twingrad(...trainOn(people, out, "--resume", "--steps", "3", "--quiet"));
    expect(status).toBe(0);
    expect(stderr).toContain("files were rewritten with the same sizes since the run to resume started");
  }, 120_000);
});

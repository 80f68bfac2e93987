// Presentation attack detection, from the command line.
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { livenessImages } from "../../src/node/files/imageFolders.ts";
import { buildCli, testFolder } from "./builtCli.ts";

const folder = testFolder("liveness-test");
const data = join(folder, "faces");
const at = (...parts: string[]) => join(folder, ...parts);
const picture = (kind: string, person: number, number: number) => join(data, kind, `p${person}`, `${number}.png`);
let cli: Awaited<ReturnType<typeof buildCli>>;

/** Seven people with four live pictures each: a pattern of their own with fine noise; a picture of it has lost the noise. */
async function drawPeople(): Promise<void> {
  for (let person = 0; person < 7; person++) {
    const own = new Random(1, streams.trials, person);
    const pattern = Array.from({ length: 16 }, () => 60 + own.integer(130));
    for (const kind of ["live", "spoof"]) await mkdir(join(data, kind, `p${person}`), { recursive: true });
    for (let n = 0; n < 4; n++) {
      const noise = new Random(2, streams.trials, person * 100 + n);
      const light = noise.integer(30) - 15;
      const draw = (grain: number) =>
        sharp(
          Uint8Array.from({ length: 256 }, (_, i) => {
            return pattern[Math.floor(i / 64) * 4 + Math.floor((i % 16) / 4)] + light + noise.integer(grain);
          }),
          { raw: { width: 16, height: 16, channels: 1 } },
        ).png();
      await draw(40).toFile(picture("live", person, n));
      await draw(4).toFile(picture("spoof", person, n));
    }
  }
}

beforeAll(async () => {
  cli = await buildCli(folder);
  await drawPeople();
});
afterAll(() => rm(folder, { recursive: true }));

const network = ["--image-size", "16", "--channels", "1", "--filters", "8", "--embedding", "8", "--batch-size", "8"];
const settings = ["--task", "liveness", "--no-tune", "--l2", "0", "--learning-rate", "0.01", "--standardize"];
const learning = [...network, ...settings, "--validation", "0.3"];

describe("train --task liveness", () => {
  it("trains, resumes bit for bit, evaluates on unseen people, and is not a recognition model", async () => {
    const whole = await cli.json("train", data, "--out", at("whole"), ...learning, "--steps", "80");
    expect(whole.stderr).toContain("28 bona fide pictures and 28 presentation attacks of 7 people");
    expect(whole.stderr).toMatch(/^all steps done; evaluating \d+ held-out pictures$/m);
    expect(Object.keys(whole.validation)).toEqual(["loss", "apcer", "bpcer", "hter", "eer", "auc", "threshold"]);
    const { loss, apcer, bpcer, hter, eer, auc, threshold } = whole.validation;
    expect(hter).toBe((apcer + bpcer) / 2);
    expect(auc).toBeGreaterThan(0.9); // chance is 0.5
    expect(threshold).toBeGreaterThan(0);
    expect(threshold).toBeLessThan(1);

    await cli.json("train", data, "--out", at("parts"), ...learning, "--steps", "7", "--checkpoint-every", "4");
    const rest = await cli.json(
      "train",
      data,
      "--out",
      at("parts"),
      "--resume",
      "--steps",
      "80",
      "--checkpoint-every",
      "500",
    );
    expect(rest).toMatchObject({ steps: 80, lastLoss: whole.lastLoss, validation: whole.validation });
    expect((await readFile(at("parts", "model.safetensors"))).equals(await readFile(whole.checkpoint))).toBe(true);

    // The evaluation of the held-out people equals that of training.
    const unseen = await cli.json("evaluate", at("whole"), data, "--unseen");
    expect(unseen).toMatchObject({ loss, apcer, bpcer, hter, eer, auc, threshold, live: 8, spoof: 8 });
    const strict = await cli.json("evaluate", at("whole"), data, "--threshold", "1");
    expect(strict.stderr).toContain("trained on most of these people");
    expect(strict).toMatchObject({ apcer: 0, bpcer: 1, hter: 0.5, threshold: 1, live: 28, spoof: 28 });

    const crossed = await cli.run("verify", at("whole"), picture("live", 0, 0), picture("live", 0, 1));
    expect(crossed).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`${at("whole")}: This is a liveness model`),
    });
    const other = await cli.run("train", data, "--out", at("whole"), "--resume", "--task", "recognition");
    expect(other).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('task is "liveness" in the run to resume'),
    });

    // A second model refuses presentation attacks before recognition.
    const settings = [...network, "--no-tune", "--validation", "0", "--steps", "1"];
    await cli.json("train", join(data, "live"), "--out", at("people"), ...settings);
    const guard = ["--liveness", at("whole"), "--json"];
    const spoof = picture("spoof", 0, 0);
    const gallery = at("gallery.json");
    const refused = await cli.run("enroll", at("people"), gallery, "Ada", picture("live", 0, 0), spoof, ...guard);
    expect(refused.status).toBe(1);
    const { score, ...told } = JSON.parse(refused.stdout.trimEnd().split("\n").pop()!);
    expect(told).toMatchObject({ refused: "liveness", threshold, picture: spoof, error: { code: "NOT_LIVE" } });
    expect(score).toBeLessThan(threshold);
    expect(refused.stderr).toContain(`twingrad: ${spoof}: rejected as a presentation attack`);
    expect(existsSync(gallery)).toBe(false);
    const lenient = ["--liveness-threshold", "0"];
    const verdict = await cli.run("verify", at("people"), spoof, spoof, ...guard, ...lenient);
    expect(JSON.parse(verdict.stdout)).toMatchObject({ distance: expect.any(Number) });
    const both = await cli.run("verify", at("people"), spoof, spoof, "--liveness", at("people"));
    expect(both.stderr).toContain(`${at("people")}: This is a recognition model`);
  }, 120_000);
});

describe("recapture", () => {
  it("makes live and spoof pictures of a folder of people, the same for the same seed", async () => {
    const made = (out: string, ...more: string[]) => cli.json("recapture", join(data, "live"), at(out), ...more);
    const result = await made("made", "--contact-sheet", at("sheet.png"), "--seed", "7");
    expect(result).toMatchObject({ live: 28, spoof: 28, out: at("made"), contactSheet: at("sheet.png") });
    expect(result.print + result.screen).toBe(28);
    const { width, height } = await sharp(at("sheet.png")).metadata();
    expect([width, height]).toEqual([4 + 8 * (160 + 4), 4 + 4 * (160 + 4)]);
    const { items, identities } = await livenessImages(at("made"));
    expect([items.length, identities.length]).toEqual([56, 7]);
    const bytes = (out: string, kind: string) => readFile(at(out, kind, "p3", "2.jpg"));
    expect((await bytes("made", "spoof")).equals(await bytes("made", "live"))).toBe(false);
    await made("again", "--seed", "7");
    for (const kind of ["live", "spoof"])
      expect((await bytes("again", kind)).equals(await bytes("made", kind))).toBe(true);
    const full = await cli.run("recapture", join(data, "live"), at("made"));
    expect(full).toMatchObject({ status: 1, stderr: expect.stringContaining("expected a new or empty folder") });
  }, 60_000);

  it("leaves out what cannot be decoded where it is told to; the others are made as ever", async () => {
    const some = at("some");
    await cp(join(data, "live", "p3"), join(some, "p3"), { recursive: true });
    const files = (await readdir(join(some, "p3"))).sort();
    await cli.json("recapture", some, at("decodable"));
    await truncate(join(some, "p3", files[0]), 60);
    const refused = await cli.run("recapture", some, at("refused"));
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining(files[0]) });
    expect(refused.stderr).toContain("skip it with --skip-corrupt");
    const made = await cli.json("recapture", some, at("left"), "--skip-corrupt");
    expect(made).toMatchObject({ live: files.length - 1, spoof: files.length - 1 });
    expect(made.stderr).toMatch(new RegExp(`skipped: .*${files[0]}`));
    const bytes = (out: string) => readFile(at(out, "spoof", "p3", files[1].replace(/\.[^.]*$/, ".jpg")));
    expect((await bytes("left")).equals(await bytes("decodable"))).toBe(true);
    for (const file of files) await truncate(join(some, "p3", file), 60);
    const none = await cli.run("recapture", some, at("none"), "--skip-corrupt");
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining("none of the pictures can be decoded") });
  }, 60_000);
});

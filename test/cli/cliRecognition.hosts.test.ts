// From pictures to a name: the command line as its users meet it, built, in processes of its own.
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/formats/safetensors.ts";
import { cliWithPeople, learning, tiny, training } from "./cliPeople.ts";

const orl = resolve(import.meta.dirname, "../../../shared/data/orl");
const { data, at, picture, twingrad, json } = cliWithPeople("cli-recognition-test");

describe("from pictures to a name", () => {
  it("trains, resumes to the same bits, evaluates, enrolls, verifies and identifies", async () => {
    const whole = await json("train", data, "--out", at("whole"), ...learning, "--steps", "60");
    expect(whole).toMatchObject({ steps: 60, checkpoint: at("whole", "model.safetensors") });
    expect(whole.lastLoss).toBeLessThan(whole.firstLoss);
    expect(whole.stepsPerSecond).toBeGreaterThan(0);
    expect(whole.waitingForData).toBeGreaterThan(0);
    expect(whole.waitingForData).toBeLessThan(1);
    expect(Object.keys(whole.validation)).toEqual(["loss", "accuracy", "auc", "eer", "threshold"]);
    expect(whole.stderr).toContain("60 pictures of 12 people");
    expect(whole.stderr).toMatch(/step 60\/60 {2}loss \d\.\d+ {2}\d+ steps\/s/);
    // People unseen in training; chance is 0.5.
    expect(whole.validation.auc).toBeGreaterThan(0.85);

    // The first half leaves a model; the second goes on from it and ends where the whole run did, bit for bit.
    const split = ["--steps", "11", "--checkpoint-every", "4"];
    const half = await json("train", data, "--out", at("parts"), ...learning, ...split);
    expect(half.steps).toBe(11);
    const onward = ["--resume", "--steps", "60", "--checkpoint-every", "500"];
    const rest = await json("train", data, "--out", at("parts"), ...onward);
    expect(rest).toMatchObject({ steps: 60, lastLoss: whole.lastLoss, validation: whole.validation });
    const model = await readFile(at("parts", "model.safetensors"));
    expect(model.equals(await readFile(at("whole", "model.safetensors")))).toBe(true);
    const left = (await readdir(at("parts"))).sort();
    const events = expect.stringMatching(/^events\.out\.tfevents\.\d+\.\d+\.twingrad$/); // one of each process
    expect(left).toEqual(["checkpoints", events, events, "log.csv", "model.safetensors"]);
    const losses = async (run: string) =>
      (await readFile(at(run, "log.csv"), "utf8")).split("\n").map((line) => line.split(",").slice(0, 3).join());
    const steps = (lines: string[]) => lines.filter((line) => !line.endsWith(",")); // evaluations have no loss
    expect(steps(await losses("parts"))).toEqual(steps(await losses("whole")));
    expect(steps(await losses("parts"))).toHaveLength(62); // with the header and the end

    const refused = await twingrad("train", data, "--out", at("parts"), "--resume", "--steps", "70", "--seed", "2");
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining("seed is 1 in the run to resume") });
    const done = await twingrad("train", data, "--out", at("parts"), "--resume");
    expect(done).toMatchObject({ status: 1, stderr: expect.stringContaining("the run to resume is finished") });
    expect((await readFile(at("parts", "model.safetensors"))).equals(model)).toBe(true);

    // The evaluation of the held-out people equals that of training.
    const unseen = await json("evaluate", at("whole"), data, "--unseen");
    expect(unseen).toMatchObject({
      auc: whole.validation.auc,
      eer: whole.validation.eer,
      threshold: whole.validation.threshold,
    });
    const reported = ["--pairs-per-identity", "all", "--report", at("reports", "all.html")];
    const all = await json("evaluate", at("whole"), data, ...reported);
    const page = await readFile(all.report, "utf8");
    expect(page).toContain(`1770 pairs from 60 pictures of 12 people`);
    expect(page).toMatch(/<img src="data:image\/png;base64,/);
    expect(all.pairs).toBe((60 * 59) / 2);
    expect(all.stderr).toContain("trained on most of these people");
    expect(Object.keys(all)).toEqual([
      "pairs",
      "accuracy",
      "accuracyStd",
      "accuracyStandardError",
      "balancedAccuracy",
      "auc",
      "eer",
      "tarAtFar",
      "threshold",
      "genuine",
      "intervals",
      "det",
      "openSet",
      "report",
      "stderr",
    ]);
    expect(all.intervals).toMatchObject({ level: 0.95, resamples: 1000, identities: 12 });
    for (const far of ["0.1", "0.01", "0.001"]) {
      const [lower, upper] = all.intervals.tarAtFar[far];
      expect(lower).toBeLessThanOrEqual(all.tarAtFar[far]);
      expect(upper).toBeGreaterThanOrEqual(all.tarAtFar[far]);
    }
    expect(all.openSet).toMatchObject({ known: 6, strangers: 6, probes: 24, strangerProbes: 30 });
    expect(all.openSet.rank1).toBeGreaterThan(0.5);
    await cp(at("whole"), at("calibrated"), { recursive: true });
    const calibrated = await json("calibrate", at("calibrated"), data, "--far", "0.05");
    expect(calibrated).toMatchObject({ wanted: 0.05, before: whole.validation.threshold, identities: 12 });
    expect(calibrated.falseAccept).toBeLessThanOrEqual(0.05);
    expect(calibrated.falseAccept).toBeGreaterThan(0.03); // 1,650 impostor pairs: the rate is met closely
    expect(calibrated.falseAcceptInterval[1]).toBeGreaterThan(calibrated.falseAccept);
    const within = await json("verify", at("calibrated"), picture(0, 0), picture(0, 0));
    expect(within).toMatchObject({ same: true, threshold: calibrated.threshold });
    expect(within.probability).toBeGreaterThan(0.5);
    const wrong = await twingrad("calibrate", at("calibrated"), data, "--far", "1.5");
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("Expected a rate between 0 and 1") });

    const oneShot = await json("evaluate", at("whole", "model.safetensors"), data, "--one-shot", "4", "--trials", "50");
    expect(oneShot).toMatchObject({ trials: 50, ways: 4, shots: 1 });
    expect(oneShot.accuracy).toBeGreaterThan(0.5);
    expect(oneShot.interval[0]).toBeLessThan(oneShot.accuracy);
    expect(oneShot.interval[1]).toBeGreaterThanOrEqual(oneShot.accuracy);
    const grouped = ["--within-groups", "--one-shot", "4", "--shots", "2", "--match", "mean", "--trials", "50"];
    await mkdir(at("groups"));
    await symlink(data, at("groups", "people"), "junction");
    const fewShot = await json("evaluate", at("whole"), at("groups"), ...grouped);
    expect(fewShot).toMatchObject({ trials: 50, ways: 4, shots: 2, groups: [{ group: "people", trials: 50 }] });
    expect(fewShot.groups[0].accuracy).toBe(fewShot.accuracy);
    expect(fewShot.accuracy).toBeGreaterThan(0.5);
    const ungrouped = await twingrad("evaluate", at("whole"), data, ...grouped);
    expect(ungrouped).toMatchObject({ status: 1, stderr: expect.stringContaining("person 0 has no group") });

    const gallery = at("gallery.json");
    const ada = await json("enroll", at("whole"), gallery, "Ada", picture(0, 0), picture(0, 1));
    expect(ada).toMatchObject({ name: "Ada", images: 2, identities: 1 });
    const grace = await json("enroll", at("whole"), gallery, "Grace", picture(1, 0));
    expect(grace).toMatchObject({ name: "Grace", images: 1, identities: 2 });

    const verdict = await json("verify", at("whole"), picture(0, 0), picture(1, 0));
    expect(verdict.same).toBe(verdict.distance <= verdict.threshold);
    expect(verdict.threshold).toBe(whole.validation.threshold);
    expect(verdict.probability).toBeCloseTo(Math.exp(-verdict.distance), 12);

    const found = await json("identify", at("whole"), gallery, picture(1, 1), "--threshold", "1000");
    expect(found.candidates.map((candidate: { name: string }) => candidate.name).sort()).toEqual(["Ada", "Grace"]);
    expect(found).toMatchObject({ ...found.candidates[0], threshold: 1000 });
    const stranger = await json("identify", at("whole"), gallery, picture(1, 1), "--threshold", "-1");
    expect(stranger).toMatchObject({ name: "unknown", distance: found.distance });

    const averaged = ["--match", "mean", "--threshold", "1000"];
    const mean = await json("identify", at("whole"), gallery, picture(1, 1), ...averaged);
    expect(mean.candidates).toHaveLength(2);
    const nobody = await twingrad("forget", at("whole"), gallery, "Eve");
    expect(nobody).toMatchObject({ status: 1, stderr: expect.stringContaining('nobody called "Eve" is enrolled') });
    expect(await json("forget", at("whole"), gallery, "Ada")).toMatchObject({ forgotten: "Ada", identities: 1 });
    expect(await readFile(gallery, "utf8")).not.toContain("Ada");

    const other = await json("train", data, "--out", at("other"), ...training, "--steps", "1", "--seed", "3");
    const crossed = await twingrad("identify", other.checkpoint, gallery, picture(1, 1));
    expect(crossed).toMatchObject({ status: 1, stderr: expect.stringContaining("made with another model") });
  }, 600_000); // many processes in a row

  it("reads its settings from a file, which flags overrule, and filters pairs as the article does", async () => {
    const settings = { imageSize: [16, 16], channels: 1, filters: [4, 4], embedding: 8, batchSize: 4, steps: 9 };
    const sampling = { sameProbability: 0.9, differentProbability: 0.001, validation: 0 };
    const augment = { rotation: [5, 10], erasing: { probability: 0.5 } };
    const pictures = { sourceSize: [20, 18], resize: "tf1", augment };
    await writeFile(at("config.json"), JSON.stringify({ ...settings, ...sampling, ...pictures, loss: "contrastive" }));
    const result = await json("train", data, "--out", at("configured"), "--config", at("config.json"), "--steps", "3");
    expect(result).toMatchObject({ steps: 3, validation: null });
    expect(result.stderr).toMatch(/about 4\.5 genuine pairs .*--balanced/);
    expect(result.stderr).toContain("no identities are held out");
    const verdict = await json("verify", at("configured"), picture(0, 0), picture(0, 0));
    expect(verdict).toMatchObject({ same: true, distance: 0 });
    expect(verdict.probability).toBeGreaterThan(0.5);
  });

  it("shows on a sheet what training would see of a picture", async () => {
    const config = { imageSize: [12, 10], channels: 1, augment: { noise: [0.1, 0.1] }, seed: 7 };
    await writeFile(at("augment.json"), JSON.stringify(config));
    const sheet = async (name: string, ...more: string[]) => {
      const options = ["--out", at(name), "--count", "3", "--config", at("augment.json"), ...more];
      const { augmentations, count } = await json("augment", picture(0, 0), ...options);
      expect([augmentations.length, count]).toEqual([3, 3]);
      expect(augmentations[0]).toMatchObject({ rotation: 0, noise: 0.1, flip: false, erased: null });
      return sharp(at(name)).grayscale().raw().toBuffer({ resolveWithObject: true });
    };
    const { data: pixels, info } = await sheet("sheet.png");
    // Three columns and two rows of pictures, enlarged 13 times, with gaps of four pixels.
    expect([info.width, info.height]).toEqual([4 + 3 * (130 + 4), 4 + 2 * (156 + 4)]);
    const tile = (n: number) => {
      const [left, top] = [4 + (n % 3) * 134 + 6, 4 + Math.floor(n / 3) * 160 + 6];
      return Array.from(
        { length: 120 },
        (_, i) => pixels[(top + Math.floor(i / 10) * 13) * info.width + left + (i % 10) * 13],
      );
    };
    const plain = await sharp(picture(0, 0)).resize(10, 12, { fit: "cover" }).grayscale().raw().toBuffer();
    expect(tile(0)).toEqual([...plain]);
    for (const n of [1, 2, 3]) {
      const differences = tile(n).map((value, i) => value - plain[i]);
      const deviation = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / 120);
      expect(deviation).toBeGreaterThan(0.7 * 25.5); // noise of 0.1, partly clipped at the ends of the scale
      expect(deviation).toBeLessThan(1.3 * 25.5);
    }
    expect(tile(1)).not.toEqual(tile(2));
    expect((await sheet("again.png")).data.equals(pixels)).toBe(true);
    expect((await sheet("other.png", "--seed", "8")).data.equals(pixels)).toBe(false);
    expect(await twingrad("augment", at("none.png"), "--out", at("x.png"))).toMatchObject({ status: 1, stdout: "" });
  });

  it("trains on triplets, and resumes them to the same bits", async () => {
    const triplet = [...learning, "--loss", "triplet", "--mining", "none"];
    const whole = await json("train", data, "--out", at("triplet"), ...triplet, "--steps", "40");
    expect(whole.lastLoss).toBeLessThan(whole.firstLoss);
    expect(whole.validation.auc).toBeGreaterThan(0.8); // chance is 0.5
    expect(whole.validation.loss).toBeLessThan(0.2); // the margin: what a network that tells nobody apart loses
    await json("train", data, "--out", at("triplet2"), ...triplet, "--steps", "13");
    const rest = await json("train", data, "--out", at("triplet2"), "--resume", "--steps", "40", "--no-tune");
    expect(rest).toMatchObject({ lastLoss: whole.lastLoss, validation: whole.validation });
    const evaluated = await json("evaluate", at("triplet"), data, "--pairs-per-identity", "5");
    expect(evaluated.auc).toBeGreaterThan(0.8);
  }, 300_000); // four processes in a row

  it("trains on batches that are compared as a whole, and resumes them to the same bits", async () => {
    const whole = learning.filter((word, i) => word !== "--batch-size" && learning[i - 1] !== "--batch-size");
    const contrastive = [...whole, "--loss", "supervised-contrastive", "--embedding-activation", "linear"];
    const rates = ["--schedule", "cosine", "--warm-up", "3", "--schedule-steps", "14"];
    const batch = ["--identities-per-batch", "5", "--pictures-per-identity", "3", "--temperature", "0.2"];
    const run = (out: string, steps: string) =>
      json("train", data, "--out", at(out), ...contrastive, ...batch, ...rates, "--steps", steps);
    const unbroken = await run("contrasted", "14");
    expect(unbroken.firstLoss).toBeLessThan(5); // of 14 others, ln 14 where nobody is told apart
    expect(unbroken.lastLoss).toBeLessThan(0.8 * unbroken.firstLoss);
    expect(unbroken.validation.auc).toBeGreaterThan(0.8);
    await run("contrasted2", "5");
    const rest = await json("train", data, "--out", at("contrasted2"), "--resume", "--steps", "14", "--no-tune");
    expect(rest).toMatchObject({ lastLoss: unbroken.lastLoss, validation: unbroken.validation });
    const rows = (await readFile(at("contrasted2", "log.csv"), "utf8")).trim().split("\n").slice(1);
    const logged = rows
      .map((row) => row.split(",")[6])
      .filter(Boolean)
      .map(Number);
    expect(logged).toHaveLength(14);
    const warm = logged.slice(0, 3).map((rate) => rate / 0.01); // --learning-rate
    expect(warm.map((share) => Number(share.toFixed(6)))).toEqual([0.333333, 0.666667, 1]);
    expect(logged[13]).toBeCloseTo((0.01 * (1 + Math.cos((Math.PI * 10) / 11))) / 2, 12);
  }, 300_000);

  it.skipIf(!existsSync(orl))("takes the ORL set's PGM files", async () => {
    const result = await json("train", orl, "--out", at("orl"), ...tiny, "--image-size", "28x23", "--steps", "2");
    expect(result).toMatchObject({ steps: 2, stderr: expect.stringContaining("400 pictures of 40 people") });
  });

  it("towers, views, alignment, whitening and centering come with the model", async () => {
    const batch = ["--loss", "supervised-contrastive", "--identities-per-batch", "4", "--pictures-per-identity", "2"];
    const made = [
      "--towers",
      "pixels,edges,histograms",
      "--views",
      "mirror",
      "--whiten",
      "0.3",
      "--centre",
      "0.9",
      "--align",
      "edges",
    ];
    const options = ["--image-size", "16", "--channels", "1", "--filters", "4,4", "--embedding", "8", "--no-tune"];
    const rest = ["--standardize", "--validation", "0.3", "--steps", "4"];
    const result = await json("train", data, "--out", at("made"), ...options, ...batch, ...made, ...rest);
    const { tensors, metadata } = decode(await readFile(result.checkpoint));
    const shapes = ["tower2/dense/bias", "whitening/kernel", "centring/cohort"].map((name) => tensors.get(name)?.shape);
    expect(shapes).toEqual([[8], [3, 8, 8], [40, 24]]); // eight people's five pictures: nobody who was held out
    const convolutions = [...tensors.keys()].filter((name) => /^tower[^m]*conv.kernel$/.test(name)).sort();
    expect(convolutions).toEqual(["tower/block1/conv/kernel", "tower/block2/conv/kernel", "tower2/block2/conv/kernel"]);
    const { pictures } = JSON.parse(metadata.twingrad);
    expect(pictures).toMatchObject({ views: ["mirror"], alignment: { rows: 28, columns: 28, towers: ["edges"] } });
    const verdict = await json("verify", at("made"), picture(0, 0), picture(0, 0));
    expect(verdict.distance).toBeCloseTo(0, 3);
    const evaluated = await json("evaluate", at("made"), data, "--unseen", "--resamples", "0");
    expect(evaluated.auc).toBeGreaterThan(0.5);
  });
});

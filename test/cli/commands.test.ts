// Each command once, on the smallest model that does something: that they work, and work together. How well, and to the
// last bit, is asked in the *.full.test.ts files beside this one.
import { readFile, stat } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { cliWithPeople, small, training } from "./cliPeople.ts";

const { data, at, picture, json, twingrad } = cliWithPeople("commands-test");
const model = at("model");
let trained: Awaited<ReturnType<typeof json>>;

beforeAll(async () => {
  trained = await json("train", data, "--out", model, ...training, "--steps", "4", "--checkpoint-every", "2");
});

it("train, and train --resume", async () => {
  expect(trained).toMatchObject({ steps: 4, checkpoint: at("model", "model.safetensors") });
  expect(trained.validation.auc).toBeGreaterThan(0.5); // better than chance, on unseen people
  const resumed = await json("train", data, "--out", model, "--resume", "--steps", "6");
  expect(resumed).toMatchObject({ steps: 6, firstLoss: trained.firstLoss, checkpoint: trained.checkpoint });
  trained = resumed;
});

it("train accepts the former name of an option, and says its present one", async () => {
  const options = ["--people-per-batch", "3", "--pictures-per-person=2"];
  const { status, stderr } = await twingrad("train", data, "--out", at("former"), ...options);
  expect(stderr.split("\n")).toEqual([
    "--people-per-batch was renamed: use --identities-per-batch",
    "--pictures-per-person was renamed: use --pictures-per-identity",
    "error: --identities-per-batch and --pictures-per-identity require a loss that compares all pictures of a batch",
    "(see twingrad --help and twingrad COMMAND --help)",
    "",
  ]);
  expect(status).toBe(2);
  expect((await twingrad("train", "--help")).stdout).not.toContain("people-per-batch");
});

it("evaluate and calibrate", async () => {
  const { auc, eer, threshold } = trained.validation;
  expect(await json("evaluate", model, data, "--unseen")).toMatchObject({ auc, eer, threshold });
  const calibrated = await json("calibrate", model, data, "--far", "0.05");
  expect(calibrated).toMatchObject({ wanted: 0.05, before: threshold, identities: 12 });
  expect(calibrated.falseAccept).toBeLessThanOrEqual(0.05);
});

it("enroll, verify, identify and forget", async () => {
  const gallery = at("gallery.json");
  await json("enroll", model, gallery, "Grace", picture(1, 0));
  const enrolled = await json("enroll", model, gallery, "Ada", picture(0, 0), picture(0, 1));
  expect(enrolled).toMatchObject({ name: "Ada", images: 2, identities: 2 });
  expect(await json("verify", model, picture(0, 0), picture(0, 0))).toMatchObject({ same: true });
  const found = await json("identify", model, gallery, picture(0, 0));
  expect(found).toMatchObject({ name: "Ada", candidates: [{ name: "Ada" }, { name: "Grace" }] });
  await json("forget", model, gallery, "Ada");
  const after = await json("identify", model, gallery, picture(0, 0));
  expect(after.candidates).toMatchObject([{ name: "Grace" }]);
});

it("records create, inspect and verify, and training on them", async () => {
  const file = at("people.tfrecord");
  expect(await json("records", "create", data, file)).toMatchObject({ records: 60, files: [file], corrupt: [] });
  expect(await json("records", "inspect", file)).toMatchObject({ records: 60, corrupt: [] });
  expect(await json("records", "verify", file, "--pictures")).toMatchObject({ records: 60, unreadable: [] });
  const options = ["--resume", "--steps", "7"]; // the run began on the folder, which holds the same pictures
  expect(await json("train", file, "--out", model, ...options)).toMatchObject({ steps: 7 });
});

it("augment", async () => {
  const sheet = at("a new folder", "sheet.png");
  expect(await json("augment", picture(0, 0), "--out", sheet, "--count", "2")).toMatchObject({ count: 2 });
  expect((await stat(sheet)).size).toBeGreaterThan(0);
});

it("draw: the same faces for the same seed, in a new folder only", async () => {
  const small = ["--identities", "2", "--pictures", "2", "--size", "16"];
  expect(await json("draw", at("drawn"), ...small)).toMatchObject({ identities: 2, pictures: 4 });
  await json("draw", at("again"), ...small);
  await json("draw", at("others"), ...small, "--seed", "2");
  const first = (folder: string) => readFile(at(folder, "person-1", "1.png"));
  expect(await first("again")).toEqual(await first("drawn"));
  expect(await first("others")).not.toEqual(await first("drawn"));
  expect(await twingrad("draw", at("drawn"), ...small)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is not empty"),
  });
});

it("recapture, and a liveness model trained on its output", async () => {
  expect(await json("recapture", data, at("made"))).toMatchObject({ live: 60, spoof: 60 });
  const options = [...small, "--no-tune", "--task", "liveness", "--validation", "0.3", "--steps", "2"];
  const { validation } = await json("train", at("made"), "--out", at("liveness"), ...options);
  const { apcer, bpcer, hter } = await json("evaluate", at("liveness"), at("made"), "--unseen");
  expect({ apcer, bpcer, hter }).toEqual({ apcer: validation.apcer, bpcer: validation.bpcer, hter: validation.hter });
});

// train --init and --freeze: few steps from a model's weights do better on held-out identities than as many from random ones.
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { drawFaces } from "../../../src/cli/demo/faces/index.ts";
import { decode, type Safetensors } from "../../../src/formats/safetensors.ts";
import { buildCli, testFolder } from "../builtCli.ts";

const folder = testFolder("fine-tuning-test");
const at = (...parts: string[]) => join(folder, ...parts);
const size = 24;
let cli: Awaited<ReturnType<typeof buildCli>>;

/** A folder of drawn people; those of other numbers are other people. */
async function drawPeople(name: string, firstPerson: number, people: number, pictures: number): Promise<void> {
  const bytes = size * size * 3;
  const images = await drawFaces({ people, pictures, size, seed: 7, firstPerson });
  for (let index = 0; index < people * pictures; index++) {
    const own = at(name, `person ${firstPerson + Math.floor(index / pictures)}`);
    await mkdir(own, { recursive: true });
    await sharp(images.subarray(index * bytes, (index + 1) * bytes), {
      raw: { width: size, height: size, channels: 3 },
    })
      .png()
      .toFile(join(own, `${index % pictures}.png`));
  }
}

const common = ["--no-tune", "--validation", "0", "--keep", "last", "--l2", "0"];
const network = [
  "--image-size",
  `${size}`,
  "--filters",
  "16,16",
  "--embedding",
  "32",
  "--embedding-activation",
  "linear",
];
const loss = ["--loss", "supervised-contrastive", "--identities-per-batch", "6", "--pictures-per-identity", "4"];
const base = () => at("base");

const fileOf = async (model: string): Promise<Safetensors> =>
  decode(new Uint8Array(await readFile(at(model, "model.safetensors"))));

beforeAll(async () => {
  cli = await buildCli(folder, { XDG_CACHE_HOME: at("cache") });
  await drawPeople("many", 0, 60, 8);
  await drawPeople("few", 60, 8, 4);
  await drawPeople("unseen", 68, 30, 6);
  const all = [...network, ...loss, "--learning-rate", "0.003", "--steps", "300", "--seed", "1"];
  await cli.json("train", at("many"), "--out", base(), ...common, ...all);
}, 300_000);
afterAll(() => rm(folder, { recursive: true }));

it("beats as many steps from random weights, on held-out identities", async () => {
  const aucOf = async (model: string) =>
    (await cli.json("evaluate", model, at("unseen"), "--resamples", "0")).auc as number;
  const steps = ["--steps", "20", "--seed", "1", "--learning-rate", "0.001"];
  const few = async (name: string, ...more: string[]) => {
    await cli.json("train", at("few"), "--out", at(name), ...common, ...steps, ...more);
    return aucOf(at(name));
  };
  const scratch = await few("scratch", ...network, ...loss);
  const tuned = await few("tuned", "--init", base(), "--identities-per-batch", "6", "--pictures-per-identity", "4");
  const frozen = await few("frozen", "--init", base(), "--freeze", "2", "--identities-per-batch", "6");
  const figures = [scratch, tuned, frozen].map((auc) => auc.toFixed(3)).join(", ");
  console.log(`AUC on 30 held-out identities from random weights, the model's, and with its blocks frozen: ${figures}`);
  expect(Math.min(tuned, frozen) - scratch).toBeGreaterThan(0.05);
}, 300_000);

it("keeps frozen layers bit for bit, says what it began from, and goes on with --resume to the same bits", async () => {
  const run = ["train", at("few"), ...common, "--init", base(), "--freeze", "1", "--checkpoint-every", "2"];
  const { stderr } = await cli.json(...run, "--out", at("whole"), "--steps", "4");
  expect(stderr).toContain("initializing from the weights of");
  await cli.json(...run, "--out", at("halves"), "--steps", "2");
  await cli.json("train", at("few"), "--out", at("halves"), "--resume", "--steps", "4", "--no-tune");
  const [began, whole, halves] = [await fileOf("base"), await fileOf("whole"), await fileOf("halves")];
  const tower = [...whole.tensors.keys()].filter((name) => name.startsWith("tower/"));
  for (const name of tower) {
    expect(Buffer.compare(whole.tensors.get(name)!.bytes, halves.tensors.get(name)!.bytes), name).toBe(0);
    const same = Buffer.compare(whole.tensors.get(name)!.bytes, began.tensors.get(name)!.bytes) === 0;
    if (!name.endsWith("conv/bias")) expect(same, name).toBe(name.startsWith("tower/block1/") && !/moving/.test(name));
  }
  const { init } = JSON.parse(whole.metadata.twingrad);
  expect(init).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.parse(whole.metadata.training).settings).toMatchObject({ init, freeze: 1, filters: [16, 16] });
  expect(JSON.parse(halves.metadata.twingrad).init).toBe(init);
  const { status, stderr: other } = await cli.run(
    "train",
    at("few"),
    "--out",
    at("halves"),
    "--resume",
    "--init",
    at("whole"),
  );
  expect([status, other]).toEqual([
    2,
    expect.stringMatching(/init is "[0-9a-f]{64}" in the run to resume; it cannot change/),
  ]);
}, 300_000);

it("refuses what does not fit the model, by name", async () => {
  const run = (...more: string[]) => cli.run("train", at("few"), "--out", at("none"), "--no-tune", ...more);
  const differs = await run("--init", base(), "--filters", "8,8");
  expect([differs.status, differs.stderr]).toEqual([2, expect.stringContaining("filters 16,16, not 8,8")]);
  const near = await run("--init", base(), "--freeze", "tower/blok1");
  expect([near.status, near.stderr]).toEqual([1, expect.stringContaining('did you mean "tower/block1"?')]);
  expect((await run("--init", at("nowhere"))).stderr).toContain("model not found");
  expect((await run("--freeze", "1")).status).toBe(2);
}, 300_000);

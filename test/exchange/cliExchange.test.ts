// The commands for other programs, each once: what they print, what they write, and how they refuse.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, expect, it } from "vitest";
import { exportWeights } from "../../src/exchange/index.ts";
import { decode, encode, float32 } from "../../src/formats/safetensors.ts";
import { encodeSealed } from "../../src/formats/seal.ts";
import { cliWithPeople, training } from "../cli/cliPeople.ts";
import { randomModel } from "./models.ts";

const { data, at, picture, json, twingrad } = cliWithPeople("exchange-test");
const model = at("model");

beforeAll(async () => {
  await json("train", data, "--out", model, ...training, "--steps", "2", "--batch-norm-epsilon", "1e-5");
});

it("import: weights by PyTorch's names, by a map, and what does not fit", async () => {
  const saved = new Uint8Array(await readFile(at("model", "model.safetensors")));
  const { bytes } = await exportWeights(saved, { to: "pytorch" });
  await writeFile(at("weights.safetensors"), bytes);
  const made = await json(
    "import",
    at("weights.safetensors"),
    "--from",
    "pytorch",
    "--out",
    at("imported.safetensors"),
  );
  expect(made).toMatchObject({ model: at("imported.safetensors"), tensors: 16, ignored: [] });
  const pair = [picture(0, 0), picture(1, 0)];
  const [before, after] = [await json("verify", model, ...pair), await json("verify", made.model, ...pair)];
  expect(after.distance).toBeCloseTo(before.distance, 4);

  await writeFile(at("map.json"), '{"tower/dense/bias": "no.such", "head.bias": null}');
  const refused = [
    "import",
    at("weights.safetensors"),
    "--from",
    "pytorch",
    "--map",
    at("map.json"),
    "--out",
    at("none"),
  ];
  const { status, stdout, stderr } = await twingrad(...refused, "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stdout).error.code).toBe("CHECKPOINT_MISMATCH");
  for (const name of ["tower/dense/bias", "head/bias", "weights.safetensors"]) expect(stderr).toContain(name);
  expect(existsSync(at("none"))).toBe(false);
  expect((await twingrad("import", at("weights.safetensors"), "--out", at("none"))).status).toBe(2);
  expect(decode(new Uint8Array(await readFile(made.model))).tensors.size).toBe(16);

  // The slash at the end says that a name which does not exist yet is a folder.
  const inFolder = ["import", at("weights.safetensors"), "--from", "pytorch", "--out", `${at("new")}/`];
  expect((await json(...inFolder)).model).toBe(at("new", "model.safetensors"));
});

it("import: prints what the file does not say, with the option that sets it", async () => {
  const file = decode(new Uint8Array(await readFile(at("weights.safetensors"))));
  const tensors = [...file.tensors].filter(([name]) => !name.endsWith("conv.bias"));
  const plain = new Map(tensors.map(([name, { shape }]) => [name, { dtype: "F32" as const, shape, data: float32(file, name) }])); // biome-ignore format: one map
  await writeFile(at("plain.safetensors"), encode(plain, {}));
  const parameters = ["import", at("plain.safetensors"), "--from", "pytorch", "--out", at("plain-model.safetensors")];
  const assumed = { "--image-size": "16x16", "--batch-norm-epsilon": 1e-5, "--embedding-activation": "sigmoid" };
  expect(await json(...parameters)).toMatchObject({ assumed, zeros: ["blocks.0.conv.bias", "blocks.1.conv.bias"] });
  const { stdout } = await twingrad(...parameters, "--batch-norm-epsilon", "1e-5");
  expect(stdout).toContain("does not say: --image-size 16x16, --embedding-activation sigmoid\n");
  expect(stdout).toContain("no such biases: blocks.0.conv.bias, blocks.1.conv.bias");

  const training = ["train", data, "--out", at("from-weights"), "--init", at("plain.safetensors")];
  expect((await twingrad(...training)).stderr).toContain("twingrad import");
});

it("verify: an error instead of a verdict for a model whose distance is not finite", async () => {
  const file = decode(await randomModel({}));
  const values = (name: string) => (name === "head/bias" ? Float32Array.of(Number.NaN) : float32(file, name));
  const tensors = new Map([...file.tensors].map(([name, { shape }]) => [name, { dtype: "F32" as const, shape, data: values(name) }])); // biome-ignore format: one map
  await writeFile(at("invalid.safetensors"), await encodeSealed(tensors, file.metadata));
  const pair = [picture(0, 0), picture(1, 0)];
  const { status, stdout } = await twingrad("verify", at("invalid.safetensors"), ...pair, "--json");
  expect([status, JSON.parse(stdout).error.code]).toEqual([1, "NOT_FINITE"]);
});

it("export: embedder, verifier and weights", async () => {
  const [onnx, verifier, safetensors] = [at("embedder.onnx"), at("verifier.onnx"), at("out", "weights.safetensors")];
  const all = ["--onnx", onnx, "--verifier", verifier, "--safetensors", safetensors, "--to", "pytorch"];
  const { files } = await json("export", model, ...all, "--layout", "NCHW", "--license", "MIT");
  const images = { name: "images", shape: ["batch", 1, 16, 16], dtype: "float32" };
  const embedding = { name: "embedding", shape: ["batch", 32], dtype: "float32" };
  expect(files).toMatchObject([
    { file: onnx, inputs: [images], outputs: [embedding], opset: 17 },
    {
      file: verifier,
      inputs: ["a", "b"].map((name) => ({ ...embedding, name })),
      outputs: [{ name: "logit" }],
      opset: 17,
    },
    { file: safetensors, opset: null },
  ]);
  for (const { file, bytes } of files) expect((await readFile(file)).length).toBe(bytes);
  expect(decode(new Uint8Array(await readFile(safetensors))).tensors.has("blocks.1.norm.running_var")).toBe(true);
  expect((await twingrad("export", model)).stderr).toContain("--onnx");
  expect((await twingrad("export", model, "--onnx", onnx, "--layout", "HWC")).status).toBe(2);
  const ofNoEffect = [
    await twingrad("export", model, "--onnx", onnx, "--to", "keras"),
    await twingrad("export", model, "--verifier", verifier, "--source-size", "16"),
  ];
  expect(ofNoEffect.map(({ status }) => status)).toEqual([2, 2]);
  expect(ofNoEffect[0].stderr).toContain("--to has no effect without --safetensors");
  expect(ofNoEffect[1].stderr).toContain("--source-size has no effect without --onnx");
});

it("export: a warning of what the layers of the other framework do not compute, and nothing without such steps", async () => {
  const standardized = at("standardized.safetensors");
  await writeFile(standardized, await randomModel({ pictures: { standardize: true } }));
  const weights = ["--safetensors", at("standardized-weights.safetensors")];
  const { stderr } = await twingrad("export", standardized, ...weights, "--to", "pytorch");
  expect(stderr).toContain("pytorch must compute these steps itself, since its layers do not: standardization");
  expect((await twingrad("export", standardized, ...weights)).stderr).toBe("");
  expect((await twingrad("export", model, ...weights, "--to", "pytorch")).stderr).toBe("");
});

it("embed, and evaluate and calibrate over its files as over the model", async () => {
  const expected = await json("evaluate", model, data, "--resamples", "0");
  for (const name of ["embeddings.npy", "embeddings.csv", "embeddings.safetensors"]) {
    const made = await json("embed", model, data, "--out", at(name), "--projector", at("projector"));
    expect(made).toMatchObject({ file: at(name), rows: 60, length: 32 });
    expect(made.stderr).toContain("its head weighs the differences");
  }
  // The distances of vectors are not those of a head: what is the same is which pairs were asked about, and the table.
  const [first, ...others] = await Promise.all(
    ["npy", "csv", "safetensors"].map((ending) =>
      json("evaluate", "--embeddings", at(`embeddings.${ending}`), "--resamples", "0"),
    ),
  );
  for (const { stderr: _, ...figures } of others) expect(figures).toEqual({ ...first, stderr: undefined });
  expect(first).toMatchObject({ pairs: expected.pairs, genuine: expected.genuine });
  expect(Object.keys(first).sort()).toEqual([...Object.keys(expected), "metric"].sort());
  expect(first.auc).toBeGreaterThan(0.5);
  const names = ["--names", at("embeddings.tsv"), "--metric", "cosine"];
  const asked = await json(
    "evaluate",
    "--embeddings",
    at("embeddings.npy"),
    ...names,
    "--one-shot",
    "4",
    "--trials",
    "50",
  );
  expect(asked).toMatchObject({ trials: 50, ways: 4 });

  const calibrated = await json(
    "calibrate",
    "--embeddings",
    at("embeddings.npy"),
    "--far",
    "0.05",
    "--out",
    at("operating-point.json"),
  );
  expect(calibrated).toMatchObject({ wanted: 0.05, metric: "euclidean", length: 32, file: at("operating-point.json") });
  expect(JSON.parse(await readFile(at("operating-point.json"), "utf8")).threshold).toBe(calibrated.threshold);
  const printed = await twingrad("evaluate", "--embeddings", at("embeddings.npy"), "--metric", "cosine");
  expect(printed.stdout).toContain("cosine distances of vectors of 32 values");
  expect(printed.stdout).toContain("at the best threshold");
  expect(printed.stdout).not.toContain("the model's");
  await writeFile(at("labels.tsv"), "file\tlabel\n1.png\tada\n");
  const unnamed = await twingrad("evaluate", "--embeddings", at("embeddings.csv"), "--names", at("labels.tsv"));
  expect(unnamed.stderr).toMatch(/embeddings\.csv with .*labels\.tsv: the columns are "file", "label"/);
  expect((await twingrad("evaluate", model, data, "--embeddings", at("embeddings.npy"))).status).toBe(2);
  expect((await twingrad("evaluate")).status).toBe(2);
  expect((await twingrad("embed", model, data, "--out", at("embeddings.txt"))).stderr).toContain(
    ".npy, .csv, .safetensors",
  );
  const ontoFile = ["--out", at("embeddings.npy"), "--projector", at("embeddings.csv")];
  expect((await twingrad("embed", model, data, ...ontoFile)).stderr).toContain("it is a file; choose a folder");
});

it.each([
  [["model", "data", "--threshold", "0.3"], "--threshold is for a liveness model or --embeddings"],
  [["model", "data", "--metric", "cosine"], "--metric is for --embeddings: a model has its own distance"],
  [["model", "data", "--names", "d.tsv"], "--names is for --embeddings: a model has its own distance"],
  [["--embeddings", "d.npy", "--robustness"], "--embeddings cannot be combined with --robustness"],
  [["--embeddings", "d.npy", "--group-by", "1"], "--embeddings cannot be combined with --group-by"],
  [["--embeddings", "d.npy", "--skip-corrupt"], "--embeddings cannot be combined with --skip-corrupt"],
])("evaluate refuses options without effect: %j", async (parameters, reason) => {
  const given = parameters.map((text) => (text === "model" ? model : text === "data" ? data : text));
  const { status, stderr } = await twingrad("evaluate", ...given);
  expect(stderr).toContain(reason);
  expect(status).toBe(2);
});

it("import: does not write over the map", async () => {
  const map = at("own-map.json");
  await writeFile(map, "{}");
  const { status, stderr } = await twingrad(
    "import",
    at("weights.safetensors"),
    "--from",
    "pytorch",
    "--map",
    map,
    "--out",
    map,
  );
  expect(stderr).toContain("is the file to read, which this would replace");
  expect([status, await readFile(map, "utf8")]).toEqual([1, "{}"]);
});

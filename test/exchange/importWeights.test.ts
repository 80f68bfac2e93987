// Weights of other frameworks: fixtures of PyTorch and Keras with their embeddings and logits in float64; what does not fit
// is told.
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportWeights, type ImportOptions, importWeights, WeightsError } from "../../src/exchange/index.ts";
import { floats, permuted } from "../../src/exchange/weights/layouts.ts";
import { parametersOf } from "../../src/exchange/weights/parameters.ts";
import { decode, encode, float32 } from "../../src/formats/safetensors.ts";
import { type Device, Model, siamese, type TowerKind, Trainer } from "../../src/index.ts";
import { openDevice } from "../../src/node/index.ts";
import { difference } from "../compare.ts";
import { uniform } from "../random.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

type Tensors = Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>;

/** Any safetensors file, of whatever types. */
function written(
  tensors: readonly (readonly [name: string, dtype: string, shape: readonly number[], bytes: Uint8Array])[],
) {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, dtype, shape, bytes] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const [, , , bytes] of tensors) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

const folder = new URL("../../../shared/fixtures/pytorch/", import.meta.url).pathname;
const hasFixture = existsSync(`${folder}siamese.safetensors`);
if (!hasFixture) it.skip("the fixture of PyTorch's weights is absent: shared/fixtures/pytorch", () => {});

/** Embeddings and logits of a framework for its own weights, in float64. */
interface Expected {
  readonly pictures: readonly number[];
  readonly embeddings: readonly number[];
  readonly logits: readonly number[];
  readonly pairs: readonly (readonly [number, number])[];
}

/** Compares the model's embeddings and logits with the framework's. */
async function agree(bytes: Uint8Array, expected: Expected): Promise<void> {
  const model = await Model.open(device, bytes);
  const embeddings = await model.embed(Float32Array.from(expected.pictures));
  expect(difference(embeddings, expected.embeddings).relative).toBeLessThan(1e-5);
  const { embedding: length } = model;
  const embedding = (n: number) => embeddings.subarray(n * length, (n + 1) * length);
  const rows = (which: 0 | 1) => Float32Array.from(expected.pairs.flatMap((pair) => [...embedding(pair[which])]));
  expect(difference(model.scores(rows(0), rows(1)), expected.logits).relative).toBeLessThan(1e-5);
  await model.dispose();
}

describe("Keras's weights", () => {
  const file = (name: string) => readFileSync(new URL(`keras/${name}`, import.meta.url));
  const expected: Expected = JSON.parse(file("expected.json").toString());

  it("embed and score as in Keras, and come back the same through Keras's layouts", async () => {
    const { model, tensors, ignored } = await importWeights(file("siamese.safetensors"), { from: "keras" });
    expect([tensors, ignored]).toEqual([16, []]);
    await agree(model, expected);
    const exported = decode((await exportWeights(model, { to: "keras" })).bytes);
    const original = decode(file("siamese.safetensors"));
    expect([...exported.tensors.keys()].sort()).toEqual([...original.tensors.keys()].sort());
    for (const [name, tensor] of original.tensors) expect(exported.tensors.get(name), name).toEqual(tensor);
  });
});

describe("Keras's weights of a second network in a session", () => {
  it("are matched by order, since its layers are numbered from others", async () => {
    const file = (name: string) => readFileSync(new URL(`keras/${name}`, import.meta.url));
    const original = decode(file("siamese.safetensors"));
    const renumbered = [...original.tensors].map(([name, { dtype, shape, bytes }]) => {
      const later = name.replace(
        /^([a-z2]+(?:_[a-z]+)*?)(?:_(\d+))?\//,
        (_, layer, n) => `${layer}_${Number(n ?? 0) + 1}/`,
      );
      return [later, dtype, shape, bytes] as const;
    });
    expect(renumbered.map(([name]) => name)).toContain("dense_2/kernel");
    const network = { imageSize: JSON.parse(original.metadata.network).imageSize };
    const { model } = await importWeights(written(renumbered), { from: "keras", network });
    await agree(model, JSON.parse(file("expected.json").toString()));
  });
});

describe.runIf(hasFixture)("PyTorch's weights", () => {
  const weights = hasFixture ? new Uint8Array(readFileSync(`${folder}siamese.safetensors`)) : new Uint8Array();
  const fixture = hasFixture ? JSON.parse(readFileSync(`${folder}expected.json`, "utf8")) : { logits: {} };
  const expected: Expected = {
    pictures: fixture.pictures?.data,
    embeddings: fixture.embeddings?.data,
    logits: fixture.logits.data,
    pairs: fixture.logits.pairs,
  };
  // The fixture's batch-norms were made with an epsilon of 1e-3, which is not PyTorch's default.
  const options = { from: "pytorch", network: { imageSize: fixture.imageSize, batchNormEpsilon: 1e-3 } } as const;

  it("embed and score as in PyTorch; counters are ignored", async () => {
    const { model, tensors, ignored } = await importWeights(weights, options);
    expect(tensors).toBe(22);
    expect(ignored).toEqual([0, 1, 2].map((n) => `blocks.${n}.norm.num_batches_tracked`));
    await agree(model, expected);
    const otherEpsilon = await importWeights(weights, { ...options, network: { imageSize: fixture.imageSize } });
    await expect(agree(otherEpsilon.model, expected)).rejects.toThrow();
  });

  it("come back the same through our own file, PyTorch's layouts and Keras's", async () => {
    const { model } = await importWeights(weights, options);
    for (const to of ["pytorch", "keras", "twingrad"] as const) {
      const { bytes, tensors } = await exportWeights(model, { to });
      expect(tensors).toHaveLength(22);
      await agree((await importWeights(bytes, { from: to })).model, expected); // the file says what its tensors do not
    }
    const again = decode((await exportWeights(model, { to: "pytorch" })).bytes);
    for (const [name, { shape, bytes }] of again.tensors) {
      expect(decode(weights).tensors.get(name)).toMatchObject({ shape, bytes });
    }
  });

  it.each([
    ["a parameter that the network has not", { "tower/dnse/bias": "dense.bias" }, /"tower\/dnse\/bias" is no parameter of the network; did you mean "tower\/dense\/bias"\?/], // biome-ignore format: one case
    ["names that nothing has", { foo: "bar" }, /"foo" is no parameter of the network/],
    ["one tensor twice", { "tower/dense/bias": "dense.bias", "head/bias": "dense.bias" }, /"dense.bias" is given to two/], // biome-ignore format: one case
  ])("are not mapped by a map with %s", async (_, map, reason) => {
    await expect(importWeights(weights, { ...options, map })).rejects.toThrow(reason);
  });

  it("are found under other names by their order and shapes, or by a map either way round", async () => {
    const { tensors } = decode(weights);
    const renamed = (name: string) =>
      name
        .replace(/^blocks\.(\d)\.conv/, (_, n) => `features.${4 * n}`)
        .replace(/^blocks\.(\d)\.norm/, (_, n) => `features.${4 * n + 2}`)
        .replace(/^dense/, "fc1")
        .replace(/^head/, "fc2");
    const entries = [...tensors].map(
      ([name, { dtype, shape, bytes }]) => [renamed(name), dtype, shape, bytes] as const,
    );
    await agree((await importWeights(written(entries), options)).model, expected);

    const odd = entries.map(([name, ...rest]) => [name === "features.4.weight" ? "stem" : name, ...rest] as const);
    await expect(importWeights(written(odd), options)).rejects.toThrow(WeightsError);
    const maps: Record<string, string>[] = [
      { stem: "tower/block2/conv/kernel" },
      { "tower/block2/conv/kernel": "stem" },
    ];
    for (const map of maps) {
      const rest = { "features.4.bias": "tower/block2/conv/bias" };
      await agree((await importWeights(written(odd), { ...options, map: { ...map, ...rest } })).model, expected);
    }
    const more = [...entries, ["extra.weight", "F32", [1], new Uint8Array(4)] as const];
    const { ignored } = await importWeights(written(more), { ...options, map: { "extra.weight": null } });
    expect(ignored).toContain("extra.weight");
  });

  it("tell all that is missing, left over or wrong in one error", async () => {
    const entries = [...decode(weights).tensors].map(([name, t]) => [name, t.dtype, t.shape, t.bytes] as const);
    const changed = entries
      .filter(([name]) => !["blocks.1.conv.weight", "head.bias"].includes(name))
      .map((entry) => (entry[0] === "dense.bias" ? ([entry[0], "F32", [23], entry[3].slice(4)] as const) : entry));
    const broken = written([
      ...changed.filter(([name]) => name !== "blocks.2.norm.bias"),
      ["blocks.2.norm.bias", "I32", [16], new Uint8Array(64)],
      ["stranger", "F32", [1], new Uint8Array(4)],
    ]);
    const error: WeightsError = await importWeights(broken, options).then(
      () => undefined,
      (found) => found,
    );
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.code).toBe("CHECKPOINT_MISMATCH");
    expect(error.missing).toEqual(["tower/block2/conv/kernel", "head/bias"]);
    expect(error.unused).toEqual(["stranger"]);
    expect(error.wrong.map(({ name }) => name).sort()).toEqual(["blocks.2.norm.bias", "dense.bias"]);
    expect(error.message).toContain("tower/block2/conv/kernel (pytorch: blocks.1.conv.weight)");
    for (const name of [...error.missing, ...error.unused, "dense.bias is F32 [23], expected floats [24]"]) {
      expect(error.message).toContain(name);
    }
    await expect(importWeights(weights, { from: "pytorch" })).resolves.toBeDefined(); // a square of 16 x 16
    await expect(importWeights(weights, { from: "pytorch", network: { imageSize: [24, 16, 3] } })).rejects.toThrow(
      "dense.weight is F32 [24,64], expected floats [24,96]",
    );
  });

  it("of the table's names are taken before others, which are left over", async () => {
    const file = decode(weights);
    const entries = [...file.tensors].map(([name, t]) => [name, t.dtype, t.shape, t.bytes] as const);
    const zeros = (name: string, shape: number[]) =>
      [name, "F32", shape, new Uint8Array(4 * shape.reduce((product, extent) => product * extent, 1))] as const;
    const further = [
      zeros("aux.weight", [7, 5]),
      zeros("scale", []),
      zeros("aux_conv.weight", [4, 4, 3, 3]),
      zeros("a_norm.weight", [4]),
    ];
    const names = ["a_norm.weight", "aux.weight", "aux_conv.weight", "scale"];
    for (const order of [
      [...entries, ...further],
      [...further, ...entries],
    ]) {
      const error: WeightsError = await importWeights(written(order), options).catch((found) => found);
      expect([error.missing, error.unused, error.wrong]).toEqual([[], names, []]);
    }
    const map = Object.fromEntries(names.map((name) => [name, null]));
    await agree((await importWeights(written([...further, ...entries]), { ...options, map })).model, expected);
  });

  it("may have no biases of convolutions, which are then zeros", async () => {
    const file = decode(weights);
    const isBias = (name: string) => /conv\.bias$/.test(name);
    const zeroed = [...file.tensors].map(
      ([name, t]) => [name, t.dtype, t.shape, isBias(name) ? new Uint8Array(t.bytes.length) : t.bytes] as const,
    );
    const complete = await importWeights(written(zeroed), options);
    const without = await importWeights(written(zeroed.filter(([name]) => !isBias(name))), options);
    expect(without.zeros).toEqual([0, 1, 2].map((n) => `blocks.${n}.conv.bias`));
    expect([complete.zeros, complete.tensors, without.tensors]).toEqual([[], 22, 19]);
    expect(without.model).toEqual(complete.model);
    const missing = importWeights(written(zeroed.filter(([name]) => name !== "dense.bias")), options);
    await expect(missing).rejects.toThrow("missing: tower/dense/bias (pytorch: dense.bias).");
  });

  it("of a wrong shape are told alone, where bias and norm agree against a kernel", async () => {
    const swapped: Record<string, number[]> = {
      "blocks.0.conv.weight": [3, 8, 3, 3],
      "blocks.1.conv.weight": [8, 12, 3, 3],
      "dense.weight": [64, 24],
      "blocks.2.conv.bias": [4, 4],
    };
    const square = { from: "pytorch" } as const;
    for (const [name, shape] of Object.entries(swapped)) {
      const entries = [...decode(weights).tensors].map(
        ([key, t]) => [key, t.dtype, key === name ? shape : t.shape, t.bytes] as const,
      );
      for (const given of [options, square]) {
        const error: WeightsError = await importWeights(written(entries), given).catch((found) => found);
        expect([error.missing, error.unused, error.wrong.map((tensor) => tensor.name)]).toEqual([[], [], [name]]);
      }
    }
  });

  it("of another framework's layout are refused with the framework to try", async () => {
    const { model } = await importWeights(weights, options);
    const files = { pytorch: weights, keras: (await exportWeights(model, { to: "keras" })).bytes, twingrad: model };
    const attempts = [["keras", "pytorch"], ["pytorch", "keras"], ["twingrad", "pytorch"], ["pytorch", "twingrad"]] as const; // biome-ignore format: one list
    for (const [own, from] of attempts) {
      await expect(importWeights(files[own], { from })).rejects.toMatchObject({
        code: "CHECKPOINT_MISMATCH",
        message: expect.stringMatching(new RegExp(`try --from ${own}\\.$`)),
      });
    }
  });

  it("tell which options were assumed", async () => {
    const of = async (given: ImportOptions, bytes: Uint8Array = weights) => (await importWeights(bytes, given)).assumed;
    const activation = { embeddingActivation: "sigmoid" };
    expect(await of({ from: "pytorch" })).toEqual({ imageSize: [16, 16, 3], batchNormEpsilon: 1e-5, ...activation });
    expect(await of(options)).toEqual(activation);
    const { bytes } = await exportWeights((await importWeights(weights, options)).model, { to: "keras" });
    expect(await of({ from: "keras" }, bytes)).toEqual({});
  });

  it("with an invalid picture size in the metadata are refused", async () => {
    const file = decode(weights);
    const isFloat = (name: string) => file.tensors.get(name)!.dtype === "F32";
    const tensors: Tensors = new Map();
    for (const [name, { shape }] of file.tensors) if (isFloat(name)) tensors.set(name, { dtype: "F32", shape, data: float32(file, name) }); // biome-ignore format: one loop
    for (const imageSize of ["20x16", [20], [20, -16], [20, 16, 3, 1], 20]) {
      const bytes = encode(tensors, { network: JSON.stringify({ imageSize }) });
      await expect(importWeights(bytes, { from: "pytorch" })).rejects.toThrow(`imageSize ${JSON.stringify(imageSize)}`);
      await expect(importWeights(bytes, options)).resolves.toBeDefined(); // the option has precedence
    }
  });

  it("are refused with values that no trained network has", async () => {
    const changed = (name: string, bytes: Uint8Array) => {
      const values = new Float32Array(bytes.slice().buffer);
      if (name === "blocks.0.conv.weight") values[5] = Number.NaN;
      if (name === "dense.bias") values.fill(Number.NEGATIVE_INFINITY, 1, 3);
      if (name === "blocks.2.norm.running_var") values[1] = -1;
      if (name === "blocks.2.norm.running_mean") values[1] = -1;
      return new Uint8Array(values.buffer);
    };
    const entries = [...decode(weights).tensors].map(
      ([name, { dtype, shape, bytes }]) =>
        [name, dtype, shape, dtype === "F32" ? changed(name, bytes) : bytes] as const,
    );
    const large = new Uint8Array(new Float64Array(1).fill(1e300).buffer);
    const broken = written(
      entries.map((entry) => (entry[0] === "head.bias" ? ["head.bias", "F64", [1], large] : entry)),
    );
    const error: WeightsError = await importWeights(broken, options).then(
      () => undefined,
      (found) => found,
    );
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.invalid).toEqual([
      { name: "blocks.0.conv.weight", reason: "1 of 216 values that are not finite" },
      { name: "blocks.2.norm.running_var", reason: "negative variances" },
      { name: "dense.bias", reason: "2 of 24 values that are not finite" },
      { name: "head.bias", reason: "1 of 1 values that are not finite" },
    ]);
    for (const { name, reason } of error.invalid) expect(error.message).toContain(`${name} has ${reason}`);
    expect([error.missing, error.unused, error.wrong]).toEqual([[], [], []]);
  });

  it("are widened from half precision, to what its values are", async () => {
    const narrow = (values: Float32Array, bits: (value: number) => number) =>
      new Uint8Array(Uint16Array.from(values, bits).buffer);
    const view = new DataView(new ArrayBuffer(4));
    const bfloat = (value: number) => {
      view.setFloat32(0, value);
      return view.getUint16(0);
    };
    const file = decode(weights);
    const entries = [...file.tensors].map(([name, { dtype, shape, bytes }]) =>
      dtype === "F32" ? ([name, "BF16", shape, narrow(float32(file, name), bfloat)] as const) : ([name, dtype, shape, bytes] as const),
    ); // biome-ignore format: one list
    const { model } = await importWeights(written(entries), options);
    const [kept] = float32(decode(model), "tower/block1/conv/bias");
    const [given] = float32(file, "blocks.0.conv.bias");
    view.setFloat32(0, given);
    view.setUint16(2, 0);
    expect(kept).toBe(view.getFloat32(0));
  });
});

describe("halves", () => {
  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x3555, 0.333251953125],
    [0x8000, -0],
    [0x7c00, Number.POSITIVE_INFINITY],
  ])("0x%s are %d", (bits, value) => {
    const bytes = new Uint8Array(Uint16Array.of(bits).buffer);
    expect(floats({ dtype: "F16", shape: [1], bytes })![0]).toBe(value);
  });
});

describe("permuted", () => {
  it("puts each value where its axes say", () => {
    const [shape, axes] = [
      [2, 3, 4, 5],
      [2, 3, 1, 0],
    ];
    const values = Float32Array.from({ length: 120 }, (_, i) => i);
    const result = permuted(values, shape, axes);
    for (let a = 0; a < 2; a++)
      for (let b = 0; b < 3; b++)
        for (let c = 0; c < 4; c++)
          for (let d = 0; d < 5; d++) {
            expect(result[((c * 5 + d) * 3 + b) * 2 + a]).toBe(((a * 3 + b) * 4 + c) * 5 + d);
          }
  });
});

describe("parametersOf", () => {
  it.each([[["pixels"]], [["edges", "histograms"]], [["pixels", "edges"]]] as [TowerKind[]][])(
    "are those of a trainer's network of %j, which comes back through its weights",
    async (towers) => {
      const network = siamese({ imageSize: [14, 12, 1], filters: [3, 4], embedding: 5, towers });
      const several = towers.length > 1;
      const loss = several ? "supervised-contrastive" : "cross-entropy";
      const trainer = await Trainer.create(device, network, { batchSize: 4, loss });
      const expected = [...trainer.parameters()].map(([name, { shape }]) => [name, [...shape]]);
      const found = [...parametersOf(network.options, { head: !several })].map(([name, { shape }]) => [name, shape]);
      expect(found.sort()).toEqual(expected.sort());

      const saved = await trainer.save();
      const { bytes, tensors } = await exportWeights(saved, { to: "twingrad" });
      expect(tensors).toHaveLength(found.length);
      const plain: Tensors = new Map();
      const file = decode(bytes);
      for (const [name, { shape }] of file.tensors) plain.set(name, { dtype: "F32", shape, data: float32(file, name) });
      const size = { imageSize: network.options.imageSize };
      // With the description of our own file, and without it by the names alone.
      const images = Float32Array.from({ length: 2 * 168 }, uniform(1));
      const embeddings: Float32Array[] = [];
      for (const source of [saved, bytes, encode(plain, {})]) {
        const options: ImportOptions = { from: "twingrad", loss, network: size };
        const model = await Model.open(device, (await importWeights(source, options)).model);
        embeddings.push(await model.embed(images));
        await model.dispose();
      }
      expect(embeddings[1]).toEqual(embeddings[0]);
      expect(embeddings[2]).toEqual(embeddings[0]);
      if (towers.length > 1) await expect(exportWeights(saved, { to: "pytorch" })).rejects.toThrow(/towers of/);
      await trainer.dispose();
    },
  );
});

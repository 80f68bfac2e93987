// The examples of the public interface (README and API page), verbatim.

import {
  adam,
  conv2d,
  dense,
  evaluate,
  flatten,
  siamese,
  sigmoidCrossEntropy,
  Tape,
  Trainer,
  tensor,
} from "../../../src/index.ts";
import { binary, normal, uniform } from "../../random.ts";
import { assert, assertEqual, define } from "../suite.ts";

define("examples: an operation with its gradients", async (device) => {
  const xValues = [...normal([2, 5, 5, 3], 1).data];
  const fValues = Float32Array.from(normal([3, 3, 3, 8], 2).data);
  const bValues = [...normal([8], 3).data];
  const gValues = Float32Array.from(normal([2, 5, 5, 8], 4).data);

  const x = tensor([2, 5, 5, 3], xValues); // shape, then Float32Array | number[]; NHWC
  const filter = tensor([3, 3, 3, 8], fValues); // HWIO
  const bias = tensor([8], bValues);
  const { value, gradients } = await evaluate(
    device,
    ({ x, filter, bias }) => conv2d(x, filter, { bias, stride: 1, padding: "same" }),
    { x, filter, bias },
    { gradientsOf: ["x", "filter", "bias"], outputGradient: tensor([2, 5, 5, 8], gValues) },
  );

  assertEqual("value.shape", value.shape, [2, 5, 5, 8]);
  assert(value.data instanceof Float32Array, "value.data is a Float32Array");
  assertEqual("size of gradients.filter.data", gradients.filter.data.length, 3 * 3 * 3 * 8);
});

define("examples: the device describes its adapter", async (device) => {
  const { vendor, architecture, description, software } = device.adapter;
  assert(
    [vendor, architecture, description].every((text) => typeof text === "string"),
    "adapter's names are strings",
  );
  assertEqual("type of software", typeof software, "boolean");
});

define("examples: the tape and its program", async (device) => {
  const xs = Float32Array.from(normal([8, 4], 1).data);
  const ys = Float32Array.from(binary([8], 2).data);

  const tape = new Tape(device);
  const x = tape.input("x", [8, 4]),
    y = tape.input("y", [8]);
  const w = tape.parameter("w", [4, 1], { initial: "glorot-uniform", seed: 1 });
  const loss = sigmoidCrossEntropy(flatten(dense(x, w)), y); // [8, 1] or [8] logits
  const step = await tape.compile({ loss, optimizer: adam({ learningRate: 1e-3 }) });
  const { loss: value } = await step.run({ x: xs, y: ys }); // number

  assert(Number.isFinite(value), `loss is ${value}`);
  for (const { kernel, workgroups, reads, writes } of step.launches) {
    assert(typeof kernel === "string" && workgroups.length === 3 && reads && writes, `launch of ${kernel}`);
  }
  const memory = step.memory();
  const { parameters, optimizer, activations, gradients, staging, total, buffers } = memory;
  const bytes = [parameters, optimizer, activations, gradients, staging, total, buffers];
  assert(bytes.every(Number.isInteger), `memory is ${JSON.stringify(memory)}`);
  assertEqual("size of w", (await w.read()).length, 4);
  step.dispose();
});

define("examples: the network and the trainer", async (device) => {
  const random = uniform(1);
  const pictures = () => Uint8Array.from({ length: 8 * 56 * 56 * 3 }, () => Math.floor(random() * 256));
  const left = pictures();
  const right = pictures();
  const leftLabels = Int32Array.of(1, 2, 3, 4, 1, 2, 3, 4);
  const rightLabels = Int32Array.of(1, 2, 3, 4, 4, 3, 2, 1);
  const batch = { left, right, leftLabels, rightLabels };

  const network = siamese({ imageSize: [56, 56, 3], filters: [64, 64, 64, 32], embedding: 1024, seed: 1 });
  const trainer = await Trainer.create(device, network, {
    batchSize: 8,
    loss: "cross-entropy",
    l2: 0.1,
    optimizer: adam({ learningRate: 1e-3 }),
  });
  const { loss, step } = await trainer.step({ left, right, leftLabels, rightLabels });
  const parameters = trainer.parameters();
  const gradients = await trainer.gradients(batch);
  const bytes = await trainer.save();
  await trainer.load(bytes);
  const embed = await trainer.embedder();

  assert(Number.isFinite(loss), `loss is ${loss}`);
  assertEqual("step", step, 1);
  assertEqual("shape of the first kernel", parameters.get("tower/block1/conv/kernel")?.shape, [3, 3, 3, 64]);
  const names = [1, 2, 3, 4].flatMap((n) => [
    `tower/block${n}/conv/kernel`,
    `tower/block${n}/conv/bias`,
    `tower/block${n}/norm/gamma`,
    `tower/block${n}/norm/beta`,
    `tower/block${n}/norm/moving_mean`,
    `tower/block${n}/norm/moving_variance`,
  ]);
  names.push("tower/dense/kernel", "tower/dense/bias", "head/kernel", "head/bias");
  assertEqual("parameters", [...parameters.keys()].sort(), names.sort());
  assertEqual("gradients", [...gradients.keys()].sort(), [...names.filter((n) => !/moving/.test(n)), "loss"].sort());
  assert(bytes instanceof Uint8Array, "save gives bytes");
  assertEqual("embeddings", (await embed(left)).length, 8 * 1024);
  await trainer.dispose();
});

// A custom network on the tape: records operations, compiles them to one program, runs it.
import { adam, batchNorm, conv2d, dense, flatten, maxPool2d, relu, sigmoidCrossEntropy, Tape } from "twingrad";
import { openDevice } from "twingrad/node";

const device = await openDevice();
const tape = new Tape(device);
const weights = (name, shape) => tape.parameter(name, shape, { initial: "glorot-uniform", seed: 1 });
const images = tape.input("images", [16, 12, 12, 1]);
const features = maxPool2d(conv2d(images, weights("filter", [3, 3, 1, 8])));
const [gamma, beta] = [tape.parameter("gamma", [8], { initial: 1 }), tape.parameter("beta", [8], { initial: 0 })];
const hidden = relu(batchNorm(features, { gamma, beta })); // fused with the convolution and the max-pool
const logits = dense(flatten(hidden), weights("kernel", [6 * 6 * 8, 1]));
const loss = sigmoidCrossEntropy(logits, tape.input("labels", [16]));
const program = await tape.compile({ loss, optimizer: adam({ learningRate: 0.01 }) });

// Class 1 has brighter pictures.
const values = { images: new Float32Array(16 * 144), labels: new Float32Array(16) };
let last = 0;
for (let step = 0; step < 40; step++) {
  for (let i = 0; i < 16; i++) {
    values.labels[i] = i % 2;
    for (let p = 0; p < 144; p++) values.images[i * 144 + p] = Math.random() * 0.5 + 0.5 * (i % 2);
  }
  ({ loss: last } = await program.run(values));
}
console.log(`loss ${last.toFixed(4)}`);
device.dispose();

// A custom loss is a composition of operations, so it has a gradient. Here: the mean L1 distance of genuine pairs, plus
// the hinge max(0, margin - mean L1 distance) of impostor pairs.
import { absDifference, add, dense, mean, relu, scale, sgd, Tape } from "twingrad";
import { openDevice } from "twingrad/node";

const device = await openDevice();
const tape = new Tape(device);
const kernel = tape.parameter("kernel", [4, 2], { initial: "glorot-uniform", seed: 1 });
const embed = (name) => dense(tape.input(name, [8, 4]), kernel);
const distance = (a, b) => scale(mean(absDifference(embed(a), embed(b))), 2); // mean over pairs of the sum over 2 values
const margin = tape.constant("margin", [], Float32Array.of(1));
const loss = add(distance("left", "same"), relu(add(margin, scale(distance("anchor", "other"), -1))));
const program = await tape.compile({ loss, optimizer: sgd({ learningRate: 0.1 }) });

const rows = (offset) => Float32Array.from({ length: 32 }, (_, i) => Math.sin(i + offset));
const inputs = { left: rows(0), same: rows(0.1), anchor: rows(0), other: rows(2) };
const losses = [];
for (let step = 0; step < 20; step++) losses.push((await program.run(inputs)).loss);
console.log(`from ${losses[0].toFixed(3)} to ${losses[19].toFixed(3)}`);
device.dispose();

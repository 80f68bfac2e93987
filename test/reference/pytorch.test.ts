// The references against PyTorch in float64: operations, a whole network's gradients, and three Adam steps.

import { describe, expect, it } from "vitest";
import { difference } from "../compare.ts";
import { type Fixtures, parseFixtures } from "../fixtures.ts";
import { fixturesMissing, fixturesText } from "../fixturesFile.ts";
import { map, type NdArrays, ndarray } from "./ndarray.ts";
import { adam } from "./network/adam.ts";
import { siamese } from "./network/siamese.ts";
import { referenceOf } from "./operations.ts";

if (fixturesText) describe("references agree with PyTorch float64", () => agreement(parseFixtures(fixturesText!)));
else it.skip(fixturesMissing, () => {});

function agreement({ cases, network }: Fixtures) {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, { op, inputs, options, outputGradient, ...expected }) => {
    const value = referenceOf(op).value(inputs, options);
    expect(difference(value.data, expected.value.data).relative).toBeLessThan(1e-12);
    if (value.shape.length) expect(value.shape).toEqual(expected.value.shape);
    const gradients = referenceOf(op).gradients(inputs, options, outputGradient);
    for (const [name, gradient] of Object.entries(expected.gradients)) {
      expect(gradients[name].shape).toEqual(gradient.shape);
      expect(difference(gradients[name].data, gradient.data).relative, name).toBeLessThan(1e-12);
    }
  });

  it("the whole network's loss and gradients, and its loss over three Adam steps", () => {
    const imageShape = [network.batchSize, ...network.imageSize];
    const batch = {
      left: map(ndarray(imageShape, network.left), (pixel) => pixel / 255),
      right: map(ndarray(imageShape, network.right), (pixel) => pixel / 255),
      same: ndarray(
        [network.batchSize],
        network.leftLabels.map((label, i) => (label === network.rightLabels[i] ? 1 : 0)),
      ),
    };
    const parameters: NdArrays = structuredClone(network.parameters);
    const update = adam({ learningRate: network.learningRate });
    network.losses.forEach((loss, step) => {
      const result = siamese(parameters, batch, network.l2);
      expect(result.loss).toBeCloseTo(loss, 9);
      if (step === 0) {
        expect(Object.keys(result.gradients).sort()).toEqual(Object.keys(network.gradients).sort());
        for (const [name, gradient] of Object.entries(network.gradients)) {
          // A bias before a batch-norm has no effect: its true gradient is 0, both sides are rounding noise.
          const scale = /block\d+\/conv\/bias/.test(name) ? 1 : 0;
          const { relative } = difference(result.gradients[name].data, gradient.data, scale);
          expect(relative, name).toBeLessThan(1e-11);
        }
      }
      update(parameters, result.gradients);
    });
  });
}

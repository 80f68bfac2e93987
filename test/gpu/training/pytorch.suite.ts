// Every stored case of PyTorch float64: one GPU case per operation.

import type { OperationName } from "../../reference/operations.ts";
import { compareOperation } from "../operation.ts";
import { assert, defineWithFixtures } from "../suite.ts";
import { deviceAs, kinds } from "../variants.ts";

const operations: OperationName[] = [
  "conv2d",
  "maxPool2d",
  "batchNorm",
  "dense",
  "absDifference",
  "sigmoidCrossEntropy",
  "contrastiveLoss",
  "tripletLoss",
  "l2Normalize",
];

for (const [op, kind] of operations.flatMap((op) => kinds.map((kind) => [op, kind] as const))) {
  const products = op === "conv2d" || op === "dense"; // the others have one kernel for all adapters
  if (kind === "GPUs" && !products) continue;
  defineWithFixtures(
    `${op}${products ? `, kernels for ${kind}` : ""}: the PyTorch fixtures`,
    "compilers",
    async (device, { cases }) => {
      const stored = cases.filter((c) => c.op === op);
      assert(stored.length > 0, `the fixtures hold no case of ${op}`);
      const failures: string[] = [];
      for (const { name, inputs, options, value, gradients, outputGradient } of stored) {
        const isLoss = outputGradient.shape.length === 0;
        await compareOperation(
          deviceAs(device, kind),
          op,
          inputs,
          options,
          { value, gradients },
          isLoss ? undefined : outputGradient,
        ).catch((error: Error) => failures.push(`${name}: ${error.message}`));
      }
      assert(failures.length === 0, failures.join("\n"));
    },
  );
}

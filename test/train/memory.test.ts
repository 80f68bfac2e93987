// A training that cannot fit is refused from its plan: nothing is allocated, and no kernel runs.
import { expect, it } from "vitest";
import { siamese } from "../../src/nn/siamese.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { describedDevice } from "../tape/describedDevice.ts";

const network = siamese({ imageSize: [56, 56, 3] });
const create = (batchSize: number) => Trainer.create(describedDevice({ memory: 2 ** 30 }), network, { batchSize });

it("reports the excess over the machine's memory, and a batch that fits", async () => {
  await expect(create(500)).rejects.toMatchObject({
    code: "LIMIT",
    message: expect.stringMatching(
      /^the program takes \d\.\d+ GiB; this adapter has at most 1 GiB\. .*a batch of at most [1-3]\d\d in place of 500/,
    ),
  });
}, 30_000);

it("refuses a batch of any size without planning all its parts", async () => {
  await expect(create(1e8)).rejects.toMatchObject({
    code: "LIMIT",
    message: expect.stringMatching(/^"pooled" takes \d+ GiB; .*a batch of at most [23]\d\d in place of 100000000/),
  });
}, 30_000);

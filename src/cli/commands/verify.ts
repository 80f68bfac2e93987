// twingrad verify: are two pictures of one person?

import type { Command } from "commander";
import { verification } from "../../internal.ts";
import { addBoxesOption } from "../options/dataOptions.ts";
import { number } from "../options/values.ts";
import { action, digits, percent } from "../outcome.ts";
import { addGuardOptions, type GuardFlags, withGuardedModel } from "./livenessGuard.ts";
import { readPictures } from "./models.ts";

export function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("Tells whether two pictures show the same person.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<a>", "a picture")
    .argument("<b>", "another picture")
    .option("--threshold <distance>", "the largest distance taken for one person (default: the model's own)", number);
  action(
    addBoxesOption(addGuardOptions(command)),
    async (modelPath: string, a: string, b: string, options: GuardFlags & { threshold?: number }) =>
      withGuardedModel(modelPath, [a, b], options, async (model) => {
        const embeddings = await model.embed(await readPictures([a, b], model, options));
        const [distance] = model.distances(
          embeddings.subarray(0, model.embedding),
          embeddings.subarray(model.embedding),
        );
        const result = verification(model, distance, options.threshold);
        const verdict = result.same ? "the same person" : "different people";
        return {
          result,
          text: `${verdict}: distance ${digits(distance)}, threshold ${digits(result.threshold)}, probability of one person ${percent(result.probability)}`,
        };
      }),
  );
}

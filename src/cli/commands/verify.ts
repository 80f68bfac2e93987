// twingrad verify: do two pictures show the same person?

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
    .description("Verifies whether two pictures show the same person.")
    .argument("<model>", "a model file or the folder that contains it")
    .argument("<a>", "the first picture")
    .argument("<b>", "the second picture")
    .option(
      "--threshold <distance>",
      "the largest distance accepted as the same person (default: the model's threshold)",
      number,
    );
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
          text: `${verdict}: distance ${digits(distance)}, threshold ${digits(result.threshold)}, probability of the same person ${percent(result.probability)}`,
        };
      }),
  );
}

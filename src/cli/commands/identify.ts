// twingrad identify: finds the person of a picture in a gallery.

import { type Command, Option } from "commander";
import { type Match, TwingradError } from "../../index.ts";
import { matches } from "../../internal.ts";
import { loadGallery } from "../galleryFiles.ts";
import { addBoxesOption } from "../options/dataOptions.ts";
import { number, wholeNumber } from "../options/values.ts";
import { action, digits } from "../outcome.ts";
import { addGuardOptions, type GuardFlags, withGuardedModel } from "./livenessGuard.ts";
import { readPictures } from "./models.ts";

export function addIdentify(program: Command): void {
  const command = program
    .command("identify")
    .description(
      'Identifies the person on a picture among those of a gallery; "unknown" if nobody is within the threshold.',
    )
    .argument("<model>", "a model file or the folder that contains it")
    .argument("<gallery>", "the gallery's JSON file")
    .argument("<image>", "the picture")
    .option(
      "--threshold <distance>",
      "the largest distance accepted as the same person (default: the model's threshold)",
      number,
    )
    .option("--candidates <count>", "number of nearest people to list", wholeNumber(1), 5)
    .addOption(
      new Option(
        "--match <rule>",
        "compare with the nearest of a person's pictures, or with their mean (default: the gallery's setting)",
      ).choices(matches),
    );
  action(
    addBoxesOption(addGuardOptions(command)),
    async (
      modelPath: string,
      galleryPath: string,
      image: string,
      options: GuardFlags & { threshold?: number; candidates: number; match?: Match },
    ) =>
      withGuardedModel(modelPath, [image], options, async (model) => {
        const gallery = await loadGallery(galleryPath, model);
        if (!gallery)
          throw new TwingradError(
            "BAD_INPUT",
            `${galleryPath}: gallery not found; create one with \`twingrad enroll\``,
          );
        const { threshold, candidates, match } = options;
        const asked = { threshold, candidates, match };
        const found = await gallery.identify(await readPictures([image], model, options), asked);
        // "unknown" is reserved: nobody can be enrolled under it.
        const result = { ...found, name: found.name ?? "unknown" };
        const lines = found.candidates.map(({ name, distance }) => `  ${digits(distance)}  ${name}`);
        return {
          result,
          text: [`${result.name} (threshold ${digits(found.threshold)})`, ...lines].join("\n"),
        };
      }),
  );
}

// twingrad identify: who is on a picture?

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
    .description('Tells who of a gallery is on a picture; "unknown" when nobody is near enough.')
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<gallery>", "the gallery's JSON file")
    .argument("<image>", "the picture")
    .option("--threshold <distance>", "the largest distance taken for one person (default: the model's own)", number)
    .option("--candidates <count>", "how many of the nearest people to list", wholeNumber(1), 5)
    .addOption(
      new Option(
        "--match <rule>",
        "by the nearest of a person's pictures, or by their mean (default: the gallery's own)",
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
          throw new TwingradError("BAD_INPUT", `${galleryPath}: there is no such gallery; enroll makes one`);
        const { threshold, candidates, match } = options;
        const asked = { threshold, candidates, match };
        const found = await gallery.identify(await readPictures([image], model, options), asked);
        // Nobody can be enrolled under this name.
        const result = { ...found, name: found.name ?? "unknown" };
        const lines = found.candidates.map(({ name, distance }) => `  ${digits(distance)}  ${name}`);
        return {
          result,
          text: [`${result.name} (threshold ${digits(found.threshold)})`, ...lines].join("\n"),
        };
      }),
  );
}

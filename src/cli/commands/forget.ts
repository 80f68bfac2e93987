// twingrad forget: removes a person from a gallery.

import { stat } from "node:fs/promises";
import type { Command } from "commander";
import { TwingradError } from "../../index.ts";
import { nearest, readableName, shown } from "../../internal.ts";
import { updateGallery } from "../galleryFiles.ts";
import { action, warn } from "../outcome.ts";
import { withModel } from "./models.ts";

export function addForget(program: Command): void {
  const command = program
    .command("forget")
    .description("Removes a person from a gallery: the name and every embedding.")
    .argument("<model>", "a model file or the folder that contains it")
    .argument("<gallery>", "the gallery's JSON file")
    .argument("<name>", "the name to remove");
  action(command, async (modelPath: string, galleryPath: string, rawName: string) =>
    withModel(modelPath, async (model) => {
      const name = readableName(rawName);
      const links = (await stat(galleryPath).catch(() => undefined))?.nlink ?? 1;
      const gallery = await updateGallery(galleryPath, model, (present) => {
        if (!present) throw new TwingradError("BAD_INPUT", `${galleryPath}: gallery not found`);
        if (!present.remove(name)) {
          const { names } = present;
          const known = names.length === 0 ? "nobody" : `${names.length} people`;
          const near = nearest(name, names);
          throw new TwingradError(
            "BAD_INPUT",
            `${galleryPath}: nobody called "${shown(name)}" is enrolled; ${near === undefined ? `it holds ${known}` : `did you mean "${near}"?`}`,
          );
        }
        return present;
      });
      if (links > 1) {
        warn(
          `${galleryPath} was one of ${links} hard links to its file: the file under the other names still contains ${shown(name)}`,
        );
      }
      const identities = gallery.names.length;
      return {
        result: { forgotten: name, identities },
        text: `removed ${name}; the gallery holds ${identities} people`,
      };
    }),
  );
}

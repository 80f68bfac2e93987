// twingrad forget: removes a person from a gallery.

import type { Command } from "commander";
import { TwingradError } from "../../index.ts";
import { readableName, shown } from "../../internal.ts";
import { loadGallery, saveGallery } from "../galleryFiles.ts";
import { action } from "../outcome.ts";
import { withModel } from "./models.ts";

export function addForget(program: Command): void {
  const command = program
    .command("forget")
    .description("Removes one person from a gallery: the name and every embedding. Nothing of them is kept.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<gallery>", "the gallery's JSON file")
    .argument("<name>", "who is to be forgotten");
  action(command, async (modelPath: string, galleryPath: string, said: string) =>
    withModel(modelPath, async (model) => {
      const name = readableName(said);
      const gallery = await loadGallery(galleryPath, model);
      if (!gallery) throw new TwingradError("BAD_INPUT", `${galleryPath}: there is no such gallery`);
      if (!gallery.remove(name)) {
        const known = gallery.names.length === 0 ? "nobody" : `${gallery.names.length} people`;
        throw new TwingradError(
          "BAD_INPUT",
          `${galleryPath}: nobody called "${shown(name)}" is enrolled; it holds ${known}`,
        );
      }
      await saveGallery(galleryPath, gallery);
      const identities = gallery.names.length;
      return {
        result: { forgotten: name, identities },
        text: `${name} is forgotten; the gallery holds ${identities} people`,
      };
    }),
  );
}

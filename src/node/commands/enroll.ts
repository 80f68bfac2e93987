// twingrad enroll: makes a person known.
import type { Command } from "commander";
import { Gallery } from "../../recognition/gallery.ts";
import { loadGallery, saveGallery } from "../galleries.ts";
import { action, readPictures, withModel } from "./common.ts";

export function addEnroll(program: Command): void {
  const command = program
    .command("enroll")
    .description("Adds one person to a gallery, from one or a few pictures; a known name gets further pictures.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<gallery>", "the gallery's JSON file; made where there is none")
    .argument("<name>", "who it is")
    .argument("<images...>", "pictures of this person");
  action(command, async (modelPath: string, galleryPath: string, name: string, images: string[]) =>
    withModel(modelPath, async (model) => {
      const gallery = (await loadGallery(galleryPath, model)) ?? new Gallery(model);
      const count = await gallery.enroll(name, await readPictures(images, model));
      await saveGallery(galleryPath, gallery);
      const identities = gallery.names.length;
      return {
        result: { name, images: count, identities },
        text: `${name} is known by ${count} picture(s); the gallery holds ${identities} people`,
      };
    }),
  );
}

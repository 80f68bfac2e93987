// twingrad enroll: makes a person known.

import { type Command, Option } from "commander";
import { Gallery, type Match } from "../../index.ts";
import { matches, readableName } from "../../internal.ts";
import { joined, updateGallery } from "../galleryFiles.ts";
import { addBoxesOption } from "../options/dataOptions.ts";
import { action } from "../outcome.ts";
import { addGuardOptions, type GuardFlags, withGuardedModel } from "./livenessGuard.ts";
import { readPictures } from "./models.ts";

interface Flags extends GuardFlags {
  match?: Match;
}

export function addEnroll(program: Command): void {
  const command = program
    .command("enroll")
    .description("Adds one person to a gallery, from one or a few pictures; a known name gets further pictures.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .argument("<gallery>", "the gallery's JSON file; made where there is none")
    .argument("<name>", "who it is")
    .argument("<images...>", "pictures of this person")
    .addOption(
      new Option(
        "--match <rule>",
        "from now on, for everybody in the gallery: by the nearest of a person's pictures, or by their mean",
      ).choices(matches),
    );
  action(
    addBoxesOption(addGuardOptions(command)),
    async (modelPath: string, galleryPath: string, said: string, images: string[], flags: Flags) =>
      withGuardedModel(modelPath, images, flags, async (model) => {
        const name = readableName(said);
        const added = new Gallery(model);
        await added.enroll(said, await readPictures(images, model, flags));
        // The file is not locked while the pictures are embedded: others may change it meanwhile.
        const gallery = await updateGallery(galleryPath, model, (present = new Gallery(model)) => {
          const all = joined(present, added);
          if (flags.match) all.match = flags.match;
          return all;
        });
        const [known] = added.names;
        const count = gallery.toJSON().people.find((person) => person.name === known)!.embeddings.length;
        const identities = gallery.names.length;
        return {
          result: { name, images: count, identities, match: gallery.match },
          text: `${name} is known by ${count} picture(s); the gallery holds ${identities} people, matched by ${gallery.match}`,
        };
      }),
  );
}

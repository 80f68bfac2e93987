// twingrad enroll: adds a person to a gallery.

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
    .description("Enrolls a person in a gallery from one or more pictures; pictures for an enrolled name are added.")
    .argument("<model>", "a model file or the folder that contains it")
    .argument("<gallery>", "the gallery's JSON file; created if missing")
    .argument("<name>", "the person's name")
    .argument("<images...>", "pictures of this person")
    .addOption(
      new Option(
        "--match <rule>",
        "how the gallery compares from now on: with the nearest of a person's pictures, or with their mean",
      ).choices(matches),
    );
  action(
    addBoxesOption(addGuardOptions(command)),
    async (modelPath: string, galleryPath: string, rawName: string, images: string[], flags: Flags) =>
      withGuardedModel(modelPath, images, flags, async (model) => {
        const name = readableName(rawName);
        const added = new Gallery(model);
        await added.enroll(rawName, await readPictures(images, model, flags));
        // The file is not locked while the pictures are embedded: other processes may change it meanwhile.
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
          text: `${name} is enrolled with ${count} picture(s); the gallery holds ${identities} people, compared by ${gallery.match}`,
        };
      }),
  );
}

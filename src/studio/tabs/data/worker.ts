// The worker's part of the Data tab.
import { TwingradError } from "../../../errors.ts";
import type { Context, Handlers } from "../../worker/context.ts";
import { deleteEverything } from "../../worker/folders.ts";
import { pictureFile } from "../../worker/pictureFiles.ts";
import { tellStorage } from "../../worker/storageFigures.ts";
import { drawnPictures } from "./draw.ts";
import { drawnName } from "./drawn.ts";
import { recordPictures } from "./records.ts";

export function handlers(context: Context): Handlers<"data"> {
  const { library, publisher, training, runs, models, decoder } = context;
  /** Shows an activity until the work is done. */
  const during = async <T>(text: string, work: (told: (done: number, total: number) => void) => Promise<T>) => {
    publisher.set("activity", { text });
    try {
      return await work((done, total) => publisher.set("activity", { text, done, total }));
    } finally {
      publisher.set("activity", null);
      await tellStorage(publisher);
    }
  };
  const unlessTraining = () => {
    if (!training.busy) return;
    throw new TwingradError("BAD_INPUT", "The run in training uses these pictures: stop it before you remove any.");
  };
  return {
    "data.draw": ({ people, pictures }) =>
      during("Drawing faces", async (told) => {
        const [first, ...others] = Array.from({ length: pictures }, (_, number) => number);
        const everyone = Array.from({ length: people }, (_, number) => number);
        const total = people * pictures;
        // Drawn people who are here stay as they are: renamed, held out, or with fewer pictures. Most are found by
        // their first picture, which saves drawing the others.
        const firsts = await drawnPictures(context, everyone, [first], (done) => told(done, total));
        const known = await library.peopleHere(firsts);
        const newcomers = everyone.filter((number) => !known.has(drawnName(number)));
        const skipped = total - newcomers.length * others.length;
        const rest = await drawnPictures(context, newcomers, others, (done) => told(skipped + done, total));
        const alsoKnown = await library.peopleHere(rest);
        const missing = [...firsts, ...rest].filter(({ person }) => !known.has(person) && !alsoKnown.has(person));
        return library.add(missing, (done) => told(done, missing.length));
      }),
    "data.add": ({ entries }) =>
      during("Adding pictures", (told) =>
        library.add(
          entries.map(({ person, name, file }) => ({
            person,
            name,
            bytes: async () => new Uint8Array(await file.arrayBuffer()),
          })),
          (done) => told(done, entries.length),
        ),
      ),
    "data.addRecords": ({ files }) =>
      during("Reading records", async (told) => {
        const pictures = await recordPictures(files);
        return library.add(pictures, (done) => told(done, pictures.length));
      }),
    "data.pictures": async ({ person }) => library.pictures(person),
    "data.thumbnail": ({ picture }) => library.thumbnail(picture),
    "data.thumbnailOf": async ({ file }) => {
      const size = [96, 96, 3] as const;
      return pictureFile(await decoder.decode(new Uint8Array(await file.arrayBuffer()), size), size);
    },
    "data.rename": ({ person, name }) => library.rename(person, name),
    "data.holdOut": ({ person, heldOut }) => library.holdOut(person, heldOut),
    "data.removePeople": async ({ people }) => {
      unlessTraining();
      await library.removePeople(people);
    },
    "data.removePicture": async ({ person, picture }) => {
      unlessTraining();
      await library.removePicture(person, picture);
    },
    "data.dismissRefused": async () => library.dismissRefused(),
    "data.deleteEverything": () =>
      during("Deleting everything", () =>
        training.deleted(async () => {
          await library.forget(deleteEverything);
          runs.forget();
          models.forget();
          for (const forget of context.forgetters) forget();
        }),
      ),
  };
}

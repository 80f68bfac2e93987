// --liveness: a second model that refuses presentation attacks before recognition.

import { type Command, Option } from "commander";
import { type Model, requireLive } from "../../index.ts";
import { loadLivenessModel } from "../../node/index.ts";
import { number } from "../options/values.ts";
import { type PictureFlags, readPictures, withModel } from "./models.ts";

export interface GuardFlags extends PictureFlags {
  liveness?: string;
  livenessThreshold?: number;
}

export function addGuardOptions(command: Command): Command {
  return command
    .option(
      "--liveness <model>",
      "a model of `twingrad train --task liveness`: refuses presentation attacks, with exit status 1",
    )
    .option(
      "--liveness-threshold <score>",
      "the lowest score, from 0 to 1, accepted as bona fide (default: the liveness model's threshold)",
      number,
    )
    .addOption(
      new Option(
        "--crop <part>",
        "how pictures are cropped, as for train (default: as in the model's training); also applies to the liveness model",
      ).choices(["centre", "box", "face"]),
    );
}

/**
 * As `withModel`, after all pictures pass the liveness check.
 * @throws NOT_LIVE for the first that does not.
 */
export async function withGuardedModel<T>(
  path: string,
  pictures: readonly string[],
  { liveness, livenessThreshold: threshold, ...flags }: GuardFlags,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  return withModel(path, async (model, device) => {
    if (liveness !== undefined) {
      const livenessModel = await loadLivenessModel(device, liveness);
      await requireLive(livenessModel, await readPictures(pictures, livenessModel, flags), {
        threshold,
        names: pictures,
      });
      await livenessModel.dispose();
    }
    return work(model);
  });
}

// --liveness: a second model that refuses pictures of pictures before the first one looks at them.

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
      "what `twingrad train --task liveness` wrote: refuses a picture of a picture, with exit status 1",
    )
    .option(
      "--liveness-threshold <score>",
      "the least score, from 0 to 1, that is taken for a live person (default: the liveness model's own)",
      number,
    )
    .addOption(
      new Option(
        "--crop <part>",
        "centre, box or face, as of train (default: as the model's training had it); the liveness model's pictures are cropped alike",
      ).choices(["centre", "box", "face"]),
    );
}

/**
 * As `withModel`, once all pictures are taken for live.
 * @throws NOT_LIVE for the first that is not.
 */
export async function withGuardedModel<T>(
  path: string,
  pictures: readonly string[],
  { liveness, livenessThreshold: threshold, ...flags }: GuardFlags,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  return withModel(path, async (model, device) => {
    if (liveness !== undefined) {
      const judge = await loadLivenessModel(liveness, device);
      await requireLive(judge, await readPictures(pictures, judge, flags), { threshold, names: pictures });
      await judge.dispose();
    }
    return work(model);
  });
}

// The worker's part of the Train tab.
import { TwingradError } from "../../../errors.ts";
import type { Context, Handlers } from "../../worker/context.ts";
import { personName } from "../../worker/data/personName.ts";
import { preview } from "./preview.ts";

export function handlers({ training, runs, models, library, device, publisher }: Context): Handlers<"train"> {
  return {
    "train.start": async ({ settings }) => ({ run: (await training.start(settings)).id }),
    "train.pause": () => training.pause(),
    "train.resume": ({ run }) => training.resume(run),
    "train.stop": () => training.stop(),
    "train.curve": async ({ run }) => {
      const { losses, evaluations } = runs.get(run);
      return { losses: [...losses], evaluations: [...evaluations] };
    },
    "train.rename": async ({ run, name }) => {
      const found = runs.get(run);
      const before = found.name;
      const wanted = personName(name);
      if (runs.list().some((one) => one !== found && one.name === wanted)) {
        throw new TwingradError("BAD_INPUT", `There is already a run called ${wanted}.`);
      }
      found.name = wanted;
      await runs.save(found).catch((error: Error) => {
        found.name = before;
        runs.tell();
        throw error;
      });
    },
    "train.delete": async ({ run }) => {
      const shown = publisher.state.training.run === run;
      if (shown && training.busy) await training.pause();
      if (runs.get(run).hasModel) await models.removeGallery(run);
      await runs.remove(run);
      if (shown) training.show(runs.list()[0]);
    },
    "train.preview": async (wanted) => preview(await device(), library.datasets().training, wanted),
  };
}

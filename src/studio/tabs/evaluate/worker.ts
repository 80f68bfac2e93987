// The worker's part of the Evaluate tab.
import { TwingradError } from "../../../errors.ts";
import { Model, withOperatingPoint } from "../../../recognition/recognitionModel.ts";
import type { RunSettings } from "../../messages.ts";
import type { Context, Handlers } from "../../worker/context.ts";
import { dataUri, pictureFile } from "../../worker/pictureFiles.ts";
import { described } from "../train/described.ts";
import { type Evaluated, evaluated, mistakesAt, summary } from "./evaluation.ts";

const pictureSide = 96;
const inWords = (settings: RunSettings) =>
  Object.fromEntries(Object.entries(described).map(([name, text]) => [name, text(settings)]));

export function handlers(context: Context): Handlers<"evaluate"> {
  const { library, runs, models, publisher, device } = context;
  /** The newest evaluation: requests about it need no GPU. It is repeated when the pictures or the model change. */
  let newest: { key: string; made: Promise<Evaluated> } | undefined;
  context.forgetters.add(() => {
    newest = undefined;
  });

  const evaluate = (model: string) =>
    during("Evaluating on held-out people", async (told) =>
      evaluated(await device(), await models.read(model), library.datasets().heldOut, told),
    );
  const keyOf = async (model: string) => {
    const steps = models.isImported(model) ? 0 : runs.get(model).losses.length;
    return JSON.stringify([model, steps, await library.fingerprint()]);
  };
  const of = async (model: string): Promise<Evaluated> => {
    const key = await keyOf(model);
    if (newest?.key !== key) {
      const mine = { key, made: evaluate(model) };
      newest = mine;
      mine.made.catch(() => {
        if (newest === mine) newest = undefined; // the next request tries again
      });
    }
    return newest.made;
  };
  const doubtOf = async (model: string) => {
    if (models.isImported(model)) return "imported";
    return runs.get(model).fingerprint === (await library.fingerprint()) ? null : "changed";
  };
  async function during<T>(text: string, work: (told: (done: number, total: number) => void) => Promise<T>) {
    publisher.set("activity", { text });
    try {
      return await work((done, total) => publisher.set("activity", { text, done, total }));
    } finally {
      publisher.set("activity", null);
    }
  }

  return {
    "evaluate.model": async ({ model }) => summary(model, await of(model), await doubtOf(model)),
    "evaluate.at": async ({ model, threshold }) => mistakesAt(await of(model), threshold),
    "evaluate.picture": async ({ model, picture }) => {
      const { dataset } = await of(model);
      const size = [pictureSide, pictureSide, 3] as const;
      return pictureFile(await dataset.items[picture].decode(size), size);
    },
    "evaluate.useThreshold": async ({ model: id, threshold }) => {
      if (!Number.isFinite(threshold))
        throw new TwingradError("BAD_INPUT", `Invalid threshold ${threshold}: expected a number.`);
      const bytes = await models.read(id);
      const model = await Model.open(await device(), bytes);
      const { calibration } = model.operatingPoint;
      await model.dispose();
      await models.write(id, await withOperatingPoint(bytes, { threshold, calibration }));
      const found = await of(id);
      newest = { key: await keyOf(id), made: Promise.resolve({ ...found, threshold }) };
    },
    "evaluate.report": async ({ model: id }) => {
      const { dataset, scored, report, intervals, curve } = await of(id);
      return during("Writing the report", async () => {
        const [{ evaluationPage }, { evaluationReport }, { detCurve }] = await Promise.all([
          import("../../../report/evaluationPage.ts"),
          import("../../../report/evaluationReport.ts"),
          import("../../../evaluation/det.ts"),
        ]);
        const model = await Model.open(await device(), await models.read(id));
        try {
          const about = {
            model: models.nameOf(id),
            settings: models.isImported(id) ? undefined : inWords(runs.get(id).settings),
            data: "held-out people of the studio",
            folds: "over folds of people",
            verification: { ...report, det: detCurve(curve), intervals },
            roc: [...curve],
          };
          const page = await evaluationReport(model, dataset, scored, about, async (item) => {
            const pixels = await item.decode(model.imageSize);
            return dataUri(await pictureFile(pixels, model.imageSize, { type: "image/png" }));
          });
          return new Blob([evaluationPage(page)], { type: "text/html" });
        } finally {
          await model.dispose();
        }
      });
    },
  };
}

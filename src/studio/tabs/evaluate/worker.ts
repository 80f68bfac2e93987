// The worker's part of the Evaluate tab.
import { TwingradError } from "../../../errors.ts";
import { Model, withOperatingPoint } from "../../../recognition/recognitionModel.ts";
import type { Context, Handlers } from "../../worker/context.ts";
import { dataUri, pictureFile } from "../../worker/pictureFiles.ts";
import { type Evaluated, evaluated, mistakesAt, summary } from "./evaluation.ts";

const pictureSide = 96;

export function handlers(context: Context): Handlers<"evaluate"> {
  const { library, runs, publisher, device } = context;
  /** The newest evaluation: requests about it need no GPU. It is repeated when the pictures or the model change. */
  let newest: { key: string; made: Promise<Evaluated> } | undefined;

  const evaluate = (run: string) =>
    during("Evaluating on held-out people", async (told) =>
      evaluated(await device(), await runs.model(run), library.datasets().heldOut, told),
    );
  const keyOf = async (run: string) => JSON.stringify([run, runs.get(run).losses.length, await library.fingerprint()]);
  const of = async (run: string): Promise<Evaluated> => {
    const key = await keyOf(run);
    if (newest?.key !== key) {
      const mine = { key, made: evaluate(run) };
      newest = mine;
      mine.made.catch(() => {
        if (newest === mine) newest = undefined; // the next request tries again
      });
    }
    return newest.made;
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
    "evaluate.run": async ({ run }) => {
      const found = await of(run);
      return summary(run, found, runs.get(run).fingerprint !== (await library.fingerprint()));
    },
    "evaluate.at": async ({ run, threshold }) => mistakesAt(await of(run), threshold),
    "evaluate.picture": async ({ run, picture }) => {
      const { dataset } = await of(run);
      const size = [pictureSide, pictureSide, 3] as const;
      return pictureFile(await dataset.items[picture].decode(size), size);
    },
    "evaluate.useThreshold": async ({ run, threshold }) => {
      if (!Number.isFinite(threshold))
        throw new TwingradError("BAD_INPUT", `Invalid threshold ${threshold}: expected a number.`);
      const bytes = await runs.model(run);
      const model = await Model.open(await device(), bytes);
      const { calibration } = model.operatingPoint;
      await model.dispose();
      await runs.writeModel(run, await withOperatingPoint(bytes, { threshold, calibration }));
      const found = await of(run);
      newest = { key: await keyOf(run), made: Promise.resolve({ ...found, threshold }) };
    },
    "evaluate.report": async ({ run }) => {
      const { dataset, scored, report, intervals, curve } = await of(run);
      return during("Writing the report", async () => {
        const [{ evaluationPage }, { evaluationReport }, { detCurve }] = await Promise.all([
          import("../../../report/evaluationPage.ts"),
          import("../../../report/evaluationReport.ts"),
          import("../../../evaluation/det.ts"),
        ]);
        const model = await Model.open(await device(), await runs.model(run));
        try {
          const about = {
            model: runs.get(run).name,
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

// Learning to tell live people from pictures of people, as a training run's task.
import {
  balancedLiveness,
  crossFittedReport,
  DecodedImages,
  type LivenessDataset,
  type LivenessItem,
  LivenessModel,
  livenessBatches,
  livenessReport,
  liveness as network,
  splitLiveness,
  thresholdOf,
} from "../../../index.ts";
import { livenessKey, livenessLogits, meanLoss, scoreOf, withLivenessJudgement } from "../../../internal.ts";
import { openLiveness } from "../../options/dataOptions.ts";
import { mebibyte } from "../trainingStream.ts";
import type { TrainingTask } from "./task.ts";

/** How many pictures of each kind a checkpoint is evaluated by. */
const evaluatedPictures = 250;

export const liveness: TrainingTask<LivenessItem> = {
  examples: "pictures",
  open: openLiveness,
  describe({ items, identities }) {
    const live = items.filter((item) => item.live).length;
    return `${live} pictures of live people and ${items.length - live} of pictures, ${identities.length} people together`;
  },
  divide: splitLiveness,
  some: someOf,
  network,
  operatingPointKey: livenessKey,

  batches(training, decoded, { seed, batchSize, prefetch, imageCache }, _warn, _alignment, share) {
    const images = new DecodedImages(training, decoded, { maximumBytes: imageCache * mebibyte });
    const pictures = balancedLiveness(training, { seed });
    const perEpoch = training.items.length;
    const stream = livenessBatches(images, pictures, { batchSize, prefetch, share });
    return {
      stream,
      batchSize,
      perEpoch,
      steps: (epochs) => Math.floor((epochs * perEpoch) / (batchSize * (share?.size ?? 1))),
    };
  },

  async evaluate(device, bytes, people, { quick, training }) {
    const model = await LivenessModel.open(device, bytes);
    try {
      const presentations = await livenessLogits(model, people);
      const loss = meanLoss(presentations);
      const { apcer, bpcer, hter, eer, auc, ...found } =
        quick || training
          ? livenessReport(
              presentations,
              thresholdOf(quick || !training ? presentations : await livenessLogits(model, training)),
            )
          : crossFittedReport(presentations, people);
      const threshold = scoreOf(found.threshold);
      return {
        loss,
        auc,
        eer,
        figures: { loss, apcer, bpcer, hter, eer, auc, threshold },
        sealed: (bytes) => withLivenessJudgement(bytes, { threshold }),
      };
    } finally {
      await model.dispose();
    }
  },
};

/** Evenly through the pictures of each kind: evaluating on the way must stay cheap. */
function someOf({ identities, items }: LivenessDataset): LivenessDataset {
  const some = [true, false].flatMap((kind) => {
    const own = items.filter((item) => item.live === kind);
    const step = Math.max(1, own.length / evaluatedPictures);
    return Array.from({ length: Math.min(own.length, evaluatedPictures) }, (_, n) => own[Math.floor(n * step)]);
  });
  return { identities, items: some };
}

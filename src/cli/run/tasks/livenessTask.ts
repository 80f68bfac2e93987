// The training task of presentation attack detection.
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
import { livenessKey, livenessLogits, meanLoss, scoreOf, withLivenessOperatingPoint } from "../../../internal.ts";
import { openLiveness } from "../../options/dataOptions.ts";
import { mebibyte } from "../trainingStream.ts";
import type { TrainingTask } from "./task.ts";

/** Pictures of each class that evaluate a checkpoint. */
const evaluatedPictures = 250;

export const liveness: TrainingTask<LivenessItem> = {
  examples: "pictures",
  open: openLiveness,
  describe({ items, identities }) {
    const live = items.filter((item) => item.live).length;
    return `${live} bona fide pictures and ${items.length - live} presentation attacks of ${identities.length} people`;
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
        sealed: (bytes) => withLivenessOperatingPoint(bytes, { threshold }),
      };
    } finally {
      await model.dispose();
    }
  },
};

/** An even sample of each class: evaluation at checkpoints must stay cheap. */
function someOf({ identities, items }: LivenessDataset): LivenessDataset {
  const some = [true, false].flatMap((kind) => {
    const own = items.filter((item) => item.live === kind);
    const step = Math.max(1, own.length / evaluatedPictures);
    return Array.from({ length: Math.min(own.length, evaluatedPictures) }, (_, n) => own[Math.floor(n * step)]);
  });
  return { identities, items: some };
}

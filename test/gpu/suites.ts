// All suites: importing this file registers every case.

import "./training/alignment.suite.ts";
import "./images/augmentation.suite.ts";
import "./ops/batchLoss.suite.ts";
import "./ops/batchNorm.suite.ts";
import "./ops/clip.suite.ts";
import "./ops/block.suite.ts";
import "./ops/conv2d.suite.ts";
import "./ops/dense.suite.ts";
import "./engine/device.suite.ts";
import "./images/edgeHistograms.suite.ts";
import "./ops/elementwise.suite.ts";
import "./engine/errors.suite.ts";
import "./training/examples.suite.ts";
import "./ops/l2Normalize.suite.ts";
import "./training/memoryAdvice.suite.ts";
import "./engine/leaks.suite.ts";
import "./training/livenessNetwork.suite.ts";
import "./ops/losses.suite.ts";
import "./ops/nearestRows.suite.ts";
import "./ops/maxPool2d.suite.ts";
import "./images/photometric.suite.ts";
import "./images/orientedGradients.suite.ts";
import "./engine/parts.suite.ts";
import "./engine/program.suite.ts";
import "./training/pytorch.suite.ts";
import "./training/recovery.suite.ts";
import "./ops/reductions.suite.ts";
import "./images/resample.suite.ts";
import "./images/standardize.suite.ts";
import "./engine/structure.suite.ts";
import "./engine/tape.suite.ts";
import "./training/towers.suite.ts";
import "./training/trainer.suite.ts";
import "./engine/tuner.suite.ts";
import "./training/views.suite.ts";

export { cases } from "./suite.ts";

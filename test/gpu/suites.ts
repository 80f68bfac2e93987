// All suites: importing this file registers every case.

import "./alignment.suite.ts";
import "./augmentation.suite.ts";
import "./batchLoss.suite.ts";
import "./batchNorm.suite.ts";
import "./clip.suite.ts";
import "./block.suite.ts";
import "./conv2d.suite.ts";
import "./dense.suite.ts";
import "./device.suite.ts";
import "./edgeHistograms.suite.ts";
import "./elementwise.suite.ts";
import "./errors.suite.ts";
import "./examples.suite.ts";
import "./l2Normalize.suite.ts";
import "./fit.suite.ts";
import "./leaks.suite.ts";
import "./liveness.suite.ts";
import "./losses.suite.ts";
import "./match.suite.ts";
import "./maxPool2d.suite.ts";
import "./photometric.suite.ts";
import "./orientedGradients.suite.ts";
import "./parts.suite.ts";
import "./program.suite.ts";
import "./pytorch.suite.ts";
import "./recovery.suite.ts";
import "./reductions.suite.ts";
import "./resample.suite.ts";
import "./standardize.suite.ts";
import "./structure.suite.ts";
import "./tape.suite.ts";
import "./towers.suite.ts";
import "./trainer.suite.ts";
import "./tuner.suite.ts";
import "./views.suite.ts";

export { cases } from "./suite.ts";

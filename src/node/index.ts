// The Node side of the library: a device, folders of pictures, models as files.
export { type Batch, batches, DecodedImages } from "../data/batches.ts";
export { type Dataset, type ImageSize, type Item, labelsOf, splitIdentities } from "../data/dataset.ts";
export { allPairs, oneShotTrials, pairsPerIdentity } from "../data/evaluation.ts";
export { balancedPairs, filteredPairs } from "../data/pairs.ts";
export { oneShotAccuracy } from "../recognition/oneshot.ts";
export { type VerificationReport, verificationReport } from "../recognition/protocol.ts";
export { assess, assessOneShot } from "./assessment.ts";
export { openDevice } from "./device.ts";
export { imageFolder, loadModel, saveModel } from "./files.ts";
export { decodePicture, readPicture } from "./images.ts";

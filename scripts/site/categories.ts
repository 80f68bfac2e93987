// A public symbol's category in the reference, by the file that declares it: the first prefix that matches counts.
const categories: readonly (readonly [start: string, name: string])[] = [
  ["src/train", "Training"],
  ["src/node/files/checkpointFolder", "Training"],
  ["src/web/originPrivateFolder", "Training"],
  ["src/nn", "Networks"],
  ["src/ops/losses", "Losses"],
  ["src/ops/images", "Image operations"],
  ["src/ops", "Operations"],
  ["src/optim", "Optimizers"],
  ["src/tape", "Tape and programs"],
  ["src/valueAndGradients", "Tape and programs"],
  ["src/gpu/program", "Tape and programs"],
  ["src/gpu/diagnosis", "Tape and programs"],
  ["src/gpu", "Device and tuning"],
  ["src/node/adapter", "Device and tuning"],
  ["src/node/files/tuning", "Device and tuning"],
  ["src/web/tuning", "Device and tuning"],
  ["src/data/augmentation", "Augmentation"],
  ["src/data/detection", "Faces"],
  ["src/node/faces", "Faces"],
  ["src/web/faceFinders", "Faces"],
  ["src/evaluation", "Evaluation"],
  ["src/recognition/evaluateModel", "Evaluation"],
  ["src/node/files/protocolFiles", "Evaluation"],
  ["src/model", "Models and galleries"],
  ["src/recognition", "Models and galleries"],
  ["src/node/files/modelFiles", "Models and galleries"],
  ["src/errors", "Errors"],
  ["src/exchange/weights/weightsError", "Errors"],
  ["src/exchange/onnx", "ONNX"],
  ["src/exchange/weights", "Weights"],
  ["src/exchange/embeddings", "Embeddings"],
  ["src/data", "Data pipeline"],
  ["src/formats", "Data pipeline"],
  ["src/node", "Data pipeline"],
  ["src/web", "Data pipeline"],
];

export function categoryOf(file: string): string {
  const found = categories.find(([start]) => file.startsWith(start));
  if (!found)
    throw new Error(`scripts/site/categories.ts has no category for ${file}, which declares a public symbol.`);
  return found[1];
}

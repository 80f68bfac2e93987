// The way from labeled pictures to a recognized identity, with most of what the entries export by name: compiled, not run.
import {
  absDifference,
  adam,
  areaUnderCurve,
  augmentationPresets,
  type Batch,
  balancedPairs,
  batches,
  batchNorm,
  Checkpoints,
  contrastiveLoss,
  conv2d,
  type Dataset,
  DecodedImages,
  type Device,
  dense,
  type ErrorCode,
  type EvaluationResult,
  evaluateModel,
  flatten,
  Gallery,
  type Identification,
  type ImageSize,
  l2Normalize,
  labelsOf,
  learningRateSchedule,
  type Memory,
  Model,
  maxPool2d,
  type OpenDeviceOptions,
  openDevice,
  pairsPerIdentity,
  type Recovered,
  relu,
  roc,
  Saver,
  type ScoredPair,
  type StepResult,
  siamese,
  sigmoidCrossEntropy,
  splitIdentities,
  Tape,
  Trainer,
  type TrainerOptions,
  type TuningStore,
  TwingradError,
  tensor,
  type Verification,
  valueAndGradients,
} from "twingrad";
import {
  decodePicture,
  diskFolder,
  fileTuningStore,
  imageFolder,
  loadModel,
  openDevice as openNodeDevice,
  readPairs,
  saveModel,
  tfrecords,
  writeRecords,
} from "twingrad/node";
import { imageFiles, originPrivateFolder, PageDecoder, tfrecords as pageRecords, pageTuningStore } from "twingrad/web";

const size: ImageSize = [56, 46, 1];

export async function device(inPage: boolean, gpu?: OpenDeviceOptions["gpu"]): Promise<Device> {
  const store: TuningStore = inPage ? pageTuningStore() : fileTuningStore();
  return inPage ? openDevice(gpu ? { gpu, tuning: { store } } : {}) : openNodeDevice({ tuning: { store } });
}

export async function people(chosen?: FileList): Promise<Dataset> {
  const decoder = new PageDecoder();
  if (chosen) return imageFiles(chosen, { decode: decoder.decode, crop: { mode: "box", margin: 0.2 } });
  const found = await imageFolder("people/");
  const { files } = await writeRecords("faces.tfrecord", found, { shards: 2, compression: "gzip" });
  return globalThis.location ? pageRecords(files) : tfrecords(files, { prefix: "train" });
}

export async function train(device: Device, dataset: Dataset, inPage: boolean): Promise<Uint8Array> {
  const { training } = splitIdentities(dataset, { fraction: 0.2, seed: 1 });
  const network = siamese({ imageSize: [...size], filters: [16, 32], embedding: 64, embeddingActivation: "linear" });
  const options: TrainerOptions = {
    batchSize: 8,
    loss: "contrastive",
    optimizer: adam({
      learningRate: learningRateSchedule({ learningRate: 1e-3, kind: "cosine", steps: 600, warmUp: 50 }),
    }),
    augmentation: { ...augmentationPresets.light, seed: 1 },
    recovery: { onRecovery: ({ from, to }: Recovered) => console.warn(from, to) },
  };
  const trainer = await Trainer.create(device, network, options);
  const pairs = balancedPairs(labelsOf(training), { seed: 1 });
  const stream = batches(new DecodedImages(training, size), pairs, { batchSize: 8 });
  const folder = inPage ? originPrivateFolder("runs/faces") : diskFolder("runs/faces");
  const saver = new Saver(new Checkpoints(folder, { keep: 3 }), { every: 500, warn: console.warn });
  for await (const batch of stream) {
    const given: Batch = batch;
    const { loss, step }: { loss: number; step: number } = await trainer.step(given);
    if (saver.due(step)) await saver.save(await trainer.save(), step, loss);
    if (step === 600) break;
  }
  const { total }: Memory = await trainer.memory();
  console.log(total);
  const bytes = await trainer.save();
  if (!inPage) await saveModel("model.safetensors", bytes);
  return bytes;
}

export async function recognize(device: Device, bytes: Uint8Array, dataset: Dataset): Promise<Identification> {
  const model = await Model.open(device, bytes);
  const questions = pairsPerIdentity(labelsOf(dataset), { perIdentity: 10, seed: 1 });
  const { report }: EvaluationResult = await evaluateModel(model, dataset, questions);
  console.log(report.auc, report.eer);
  const gallery = new Gallery(await loadModel(device, "model.safetensors"), { match: "nearest" });
  const picture = await decodePicture(bytes, size);
  await gallery.enroll("Ada", picture);
  const { same, probability }: Verification = await gallery.verify("Ada", picture);
  console.log(same, probability);
  return Gallery.fromJSON(model, JSON.parse(JSON.stringify(gallery))).identify(picture);
}

export async function score(scored: readonly ScoredPair[], dataset: Dataset): Promise<number> {
  const { pairs } = await readPairs("pairs.txt", dataset);
  const points = roc(scored);
  return areaUnderCurve(points) + points.length + pairs.length;
}

export async function record(device: Device): Promise<StepResult> {
  const tape = new Tape(device);
  const x = tape.input("x", [4, 8, 8, 3]);
  const filter = tape.parameter("filter", [3, 3, 3, 4], { initial: "glorot-uniform", seed: 1 });
  const gamma = tape.parameter("gamma", [4], { initial: 1 });
  const beta = tape.parameter("beta", [4], { initial: 0 });
  const head = tape.parameter("head", [64, 1], { initial: "glorot-uniform", seed: 2 });
  const features = flatten(relu(batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta })));
  const loss = sigmoidCrossEntropy(flatten(dense(features, head)), tape.input("y", [4]));
  const step = await tape.compile({ loss, optimizer: adam() });
  const result = await step.run({ x: new Float32Array(4 * 192), y: [0, 1, 0, 1] });
  const values: Float32Array = await head.read();
  console.log(result.loss, values.length);
  step.dispose();
  return result;
}

export async function distance(device: Device): Promise<Float32Array> {
  const rows = {
    a: tensor([2, 3], [1, 2, 3, 4, 5, 6]),
    b: tensor([2, 3], [6, 5, 4, 3, 2, 1]),
    same: tensor([2], [1, 0]),
  };
  const { gradients } = await valueAndGradients(
    device,
    ({ a, b, same }) => contrastiveLoss(l2Normalize(a), l2Normalize(b), same, { margin: 1 }),
    rows,
    { gradientsOf: ["a"] },
  );
  const { value } = await valueAndGradients(device, ({ a, b }) => absDifference(a, b), rows);
  // @ts-expect-error: an input that is not there
  await valueAndGradients(device, ({ a }) => a, rows, { gradientsOf: ["c"] });
  return gradients.a.data.length === value.data.length ? value.data : gradients.a.data;
}

export function explain(error: unknown): ErrorCode | undefined {
  // @ts-expect-error: a code that is not there
  if (error instanceof TwingradError && error.code === "NO_SUCH_CODE") return undefined;
  return error instanceof TwingradError ? error.code : undefined;
}

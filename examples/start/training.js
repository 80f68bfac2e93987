// Trains a small Siamese network on a dataset and evaluates it on held-out identities, in any runtime.
import {
  adam,
  balancedPairs,
  batches,
  DecodedImages,
  evaluateModel,
  labelsOf,
  Model,
  pairsPerIdentity,
  siamese,
  splitIdentities,
  Trainer,
} from "twingrad";

export async function train(device, dataset, steps = 60) {
  const { training, heldOut } = splitIdentities(dataset, { fraction: 0.25, seed: 1 });
  const network = siamese({ imageSize: [56, 46, 1], filters: [8, 16, 16], embedding: 64, seed: 1 });
  const trainer = await Trainer.create(device, network, { batchSize: 8, optimizer: adam({ learningRate: 1e-3 }) });
  const pictures = new DecodedImages(training, network.options.imageSize);
  for await (const batch of batches(pictures, balancedPairs(labelsOf(training), { seed: 1 }), { batchSize: 8 })) {
    const { step } = await trainer.step(batch);
    if (step === steps) break;
  }
  const bytes = await trainer.save(); // a safetensors file
  await trainer.dispose();

  const model = await Model.open(device, bytes);
  const { report } = await evaluateModel(
    model,
    heldOut,
    pairsPerIdentity(labelsOf(heldOut), { perIdentity: 10, seed: 1 }),
  );
  await model.dispose();
  return { bytes, identities: heldOut.identities.length, accuracy: report.accuracy, auc: report.auc };
}

// twingrad embed: exports the embeddings of pictures for other programs.
import { join } from "node:path";
import type { Command } from "commander";
import { embeddingFormat, encodeEmbeddings, encodeNames, projectorFiles, tableOf } from "../../../exchange/index.ts";
import { embedAll } from "../../../index.ts";
import { checkOutputs, makeFolder, modelFileOf, writeOutputs } from "../../../internal.ts";
import { addDataOptions, type DataFlags, dataHelp, openData } from "../../options/dataOptions.ts";
import { action, note, type Outcome } from "../../outcome.ts";
import { picturesFor, showing, withModel } from "../models.ts";
import { namesBeside } from "./embeddingFiles.ts";

export function addEmbed(program: Command): void {
  const command = program
    .command("embed")
    .description("Writes the embedding and the identity of each picture.")
    .argument("<model>", "a model file or the folder that contains it")
    .argument("<data...>", dataHelp)
    .requiredOption(
      "--out <file>",
      "output file: NAME.npy (with the identities of the rows in NAME.tsv), NAME.csv or NAME.safetensors",
    )
    .option(
      "--projector <folder>",
      "also write files for TensorBoard's embedding projector: tensorboard --logdir FOLDER",
    );
  action(addDataOptions(command), embed);
}

async function embed(
  path: string,
  data: string[],
  flags: DataFlags & { out: string; projector?: string },
): Promise<Outcome> {
  const { out, projector, ...dataFlags } = flags;
  const format = embeddingFormat(out);
  const source = await modelFileOf(path);
  await checkOutputs([out], { sources: [source] }); // before all pictures are embedded
  if (projector !== undefined) await makeFolder(projector);
  return withModel(path, async (model) => {
    if (model.description.loss === "cross-entropy") {
      note(
        "the distances of this model are not those of its embeddings, which evaluate --embeddings and calibrate --embeddings measure: its head weighs the differences; for its own figures, evaluate the model",
      );
    }
    const dataset = await openData(data, dataFlags, note, picturesFor(model));
    const values = await showing(dataset, (onProgress) => embedAll(model, dataset, onProgress));
    const identities = dataset.items.map(({ identity }) => dataset.identities[identity]);
    const table = tableOf(model.embedding, values, { identities, names: dataset.items.map(({ name }) => name) });
    const metadata = { fingerprint: model.fingerprint, threshold: `${model.threshold}` };
    const files: [string, Uint8Array | string][] = [[out, encodeEmbeddings(table, format, metadata)]];
    if (format === "npy") files.push([namesBeside(out), encodeNames(table)]);
    if (projector !== undefined) {
      for (const [name, text] of Object.entries(projectorFiles(table))) files.push([join(projector, name), text]);
    }
    // Embeddings are personal data of the people in the pictures: readable by the owner alone.
    await writeOutputs(files, { ownerOnly: true, sources: [source] });
    const [rows, length] = [identities.length, table.length];
    return {
      result: { file: out, rows, length },
      text: `${out}: ${rows} embeddings of ${length} values`,
    };
  });
}

// The tower alone, with inference statistics: pictures to embeddings, for a network in training or a finished one.
import { aligned } from "../data/alignment/alignment.ts";
import { partOf } from "../data/augmentation/drawAugmentation.ts";
import type { Pictures } from "../data/batch.ts";
import { checkPictures } from "../data/checkPictures.ts";
import { TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import { embeddingLength, type Network } from "../nn/network.ts";
import { towerSize } from "../nn/networkOptions.ts";
import { repeated, resample } from "../ops/images/resample.ts";
import { l2Normalize } from "../ops/l2Normalize.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { Tape } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";
import { givenSize, type InputDtype, type PictureOptions, picturesInput } from "./pictures.ts";
import { patchPlaces, viewTransforms } from "./views.ts";

/** Gives the embeddings of each tower, by its number. */
type EmbeddingProgram = Program<Record<string, Float32Array>>;

export interface Embedder {
  /** Any number of pictures to [N, embedding]. Uses the store's weights as they are at each call. */
  embed(images: Pictures): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Compiles the tower for `batchSize` pictures in bytes; the form for float32 follows when first needed. More pictures
 * go in chunks; the last is filled up with zeros, whose embeddings are dropped. With a loss on distances embeddings have
 * unit length. Several views of a picture, or its patches, go one after another, and their embeddings' mean counts.
 */
export async function towerEmbedder(parts: {
  device: Device;
  store: ParameterStore;
  network: Network;
  loss: string;
  batchSize: number;
  pictures?: PictureOptions;
}): Promise<Embedder> {
  const { device, store, network, loss, batchSize, pictures } = parts;
  const { length: towers } = network.options.towers;
  const embedding = embeddingLength(network.options);
  const imageSize = givenSize(network.options, pictures);
  const size = sizeOf(imageSize);
  const programs = new Map<InputDtype, Promise<EmbeddingProgram>>();
  const unit = loss !== "cross-entropy";
  const { imageSize: whole, patch } = network.options;
  const { alignment, views: kinds, resize: method = "area" } = pictures ?? {};
  const shown =
    (kinds || patch > 0) && viewTransforms(kinds ?? [], [imageSize[0], imageSize[1]], [whole[0], whole[1]], method);
  const places = patch > 0 ? patchPlaces([whole[0], whole[1]], patch) : [[0, 0] as const];
  const transforms = shown ? shown.flatMap((view) => places.map(([y, x]) => partOf(view, y, x))) : undefined;
  const views = transforms?.map((transform) => repeated(transform, batchSize));
  /** By tower, the input that it takes. */
  const inputNames = network.options.towers.map((kind) => (alignment?.towers.includes(kind) ? "aligned" : "images"));
  const compiled = (dtype: InputDtype) => {
    let program = programs.get(dtype);
    if (!program) {
      const tape = new Tape(device, { parameters: store });
      const view = views && tape.input("view", [batchSize, 6]);
      const change = view && ((images: Tensor) => resample(images, view, towerSize(network.options), { method }));
      const seen = Object.fromEntries(
        [...new Set(inputNames)].map((name) => {
          return [name, picturesInput(tape, network, batchSize, dtype, pictures, { change, name })];
        }),
      );
      const outputs = Array.from({ length: towers }, (_, index) => {
        const tower = network.tower(tape, seen[inputNames[index]], { training: false, index });
        return [`${index}`, unit ? l2Normalize(tower) : tower] as const;
      });
      program = tape.compile({ outputs: Object.fromEntries(outputs) });
      programs.set(dtype, program);
      program.catch(() => programs.delete(dtype));
    }
    return program;
  };
  const embedChunk = async (program: EmbeddingProgram, chunk: Record<string, Pictures>): Promise<Float32Array> => {
    const run = async (inputs: Record<string, Pictures>) => {
      const found = await program.run(inputs);
      const parts = Array.from({ length: towers }, (_, index) => found[index]);
      return towers === 1 ? parts[0] : besideOneAnother(parts, network.options.embedding);
    };
    if (!views) return run(chunk);
    return meanRows(await Promise.all(views.map((view) => run({ ...chunk, view }))), embedding, unit);
  };
  await compiled("u8");

  return {
    async embed(images) {
      checkPictures("embedder", images, imageSize);
      const count = images.length / size;
      if (!Number.isInteger(count)) {
        const shape = ["N", ...imageSize].join(", ");
        throw new TwingradError(
          "BAD_INPUT",
          `embedder: ${images.length} values are no whole number of pictures [${shape}].`,
        );
      }
      const program = await compiled(images instanceof Uint8Array ? "u8" : "f32");
      const given: [name: string, pictures: Pictures][] = [];
      if (inputNames.includes("images")) given.push(["images", images]);
      if (alignment && count > 0) given.push(["aligned", aligned(alignment, images, imageSize)]);
      const result = new Float32Array(count * embedding);
      const chunks: Promise<void>[] = [];
      for (let first = 0; first < count; first += batchSize) {
        const taken = Math.min(batchSize, count - first);
        const parts = given.map(([name, pictures]) => [name, filledUp(pictures, first * size, batchSize * size)]);
        const chunk = embedChunk(program, Object.fromEntries(parts)).then((embeddings) => {
          result.set(embeddings.subarray(0, taken * embedding), first * embedding);
        });
        chunks.push(chunk);
      }
      await Promise.all(chunks);
      return result;
    },
    async dispose() {
      for (const program of programs.values()) (await program).dispose();
    },
  };
}

/** So many values from `first` on, with zeros for those that there are not. */
function filledUp(pictures: Pictures, first: number, length: number): Pictures {
  const full = pictures instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  full.set(pictures.subarray(first, first + length));
  return full;
}

/** The mean of each row over the views, brought to unit length where the views' own rows have it. */
function meanRows(views: readonly Float32Array[], length: number, unit: boolean): Float32Array {
  const mean = views[0].map((_, i) => views.reduce((sum, view) => sum + view[i], 0) / views.length);
  if (!unit) return mean;
  for (let first = 0; first < mean.length; first += length) {
    const row = mean.subarray(first, first + length);
    const norm = Math.hypot(...row);
    if (norm > 0)
      row.forEach((value, i) => {
        row[i] = value / norm;
      });
  }
  return mean;
}

/** Rows of unit length from each tower as longer rows, of unit length as well. */
function besideOneAnother(parts: readonly Float32Array[], length: number): Float32Array {
  const scale = 1 / Math.sqrt(parts.length);
  const whole = new Float32Array(parts.length * parts[0].length);
  for (const [index, part] of parts.entries()) {
    for (let i = 0; i < part.length; i++) {
      const row = Math.floor(i / length);
      whole[(row * parts.length + index) * length + (i % length)] = part[i] * scale;
    }
  }
  return whole;
}

// The tower alone, with inference statistics: pictures to embeddings, for a network in training or a finished one.
import { partOf } from "../data/augmentation/drawAugmentation.ts";
import type { Pictures } from "../data/batch.ts";
import { checkPictures } from "../data/checkPictures.ts";
import { TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import { embeddingLength, type Network } from "../nn/network.ts";
import { towerSize } from "../nn/networkOptions.ts";
import { repeated, resample } from "../ops/images/resample.ts";
import { plainL2Normalize } from "../ops/l2Normalize.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { lowerTape } from "../tape/plan.ts";
import { Tape } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";
import { givenSize, type InputDtype, type PictureOptions, picturesInput } from "./pictures.ts";
import { patchPlaces, viewTransforms } from "./views.ts";

/** Outputs the embeddings of each tower, by its number. */
type EmbeddingProgram = Program<Record<string, Float32Array>>;

export interface Embedder {
  /**
   * Compiles the programs for batches of this size: for bytes and, unless `bytes` is given, for float32, with the
   * current weights.
   */
  compile(size: number, bytes?: "bytes"): Promise<void>;
  /** Any number of pictures to [N, embedding]. Uses the store's weights at the time of each call. */
  embed(images: Pictures): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Batch sizes that together handle any number of pictures with little padding: 1, 4, 16, ... and `most`. Each is
 * compiled when first needed, shares pipelines with the others where possible, and has its own buffers; all others
 * together need a third of the largest's.
 */
export const batchSizes = (most: number): number[] => {
  const sizes: number[] = [];
  for (let size = 1; size < most; size *= 4) sizes.push(size);
  return [...sizes, most];
};

/**
 * The batch sizes to process `count` pictures with, largest first. The last batch is padded with zeros where at least
 * three quarters of it are used, or where there is no smaller size.
 */
export function chunksOf(count: number, sizes: readonly number[]): number[] {
  const ascending = [...sizes].sort((a, b) => a - b);
  const chunks: number[] = [];
  for (let left = count; left > 0; left -= chunks[chunks.length - 1]) {
    const filled = ascending.find((size) => left <= size && left >= 0.75 * size);
    chunks.push(filled ?? ascending.findLast((size) => size <= left) ?? ascending[0]);
  }
  return chunks;
}

/**
 * The tower for pictures in bytes and in float32, with a program for each of `sizes`. With a loss on distances
 * embeddings have unit length. Several views of a picture, or its patches, are run one after another, and their
 * embeddings are averaged. The network's parameters are declared in the store immediately; programs are compiled on
 * first use.
 * @param tune whether to time kernel variants, on a device that was opened with tuning.
 */
export function towerEmbedder(parts: {
  device: Device;
  store: ParameterStore;
  network: Pick<Network, "options" | "tower">;
  loss: string;
  sizes: readonly number[];
  pictures?: PictureOptions;
  tune: boolean;
}): Embedder {
  const { device, store, network, loss, sizes, pictures, tune } = parts;
  const { length: towers } = network.options.towers;
  const embedding = embeddingLength(network.options);
  const imageSize = givenSize(network.options, pictures);
  const picture = sizeOf(imageSize);
  const programs = new Map<string, Promise<EmbeddingProgram>>();
  const unit = loss !== "cross-entropy";
  const { imageSize: whole, patch } = network.options;
  const { alignment, views: kinds, resize: method = "area" } = pictures ?? {};
  const shown =
    (kinds || patch > 0) && viewTransforms(kinds ?? [], [imageSize[0], imageSize[1]], [whole[0], whole[1]], method);
  const places = patch > 0 ? patchPlaces([whole[0], whole[1]], patch) : [[0, 0] as const];
  const views = shown ? shown.flatMap((view) => places.map(([y, x]) => partOf(view, y, x))) : undefined;
  /** By tower, the name of its input. */
  const inputNames = network.options.towers.map((kind) => (alignment?.towers.includes(kind) ? "aligned" : "images"));

  const record = (dtype: InputDtype, size: number) => {
    const tape = new Tape(device, { parameters: store });
    const view = views && tape.input("view", [size, 6]);
    const change = view && ((images: Tensor) => resample(images, view, towerSize(network.options), { method }));
    const seen = Object.fromEntries(
      [...new Set(inputNames)].map((name) => {
        return [name, picturesInput(tape, network, size, dtype, pictures, { change, name })];
      }),
    );
    const outputs = Array.from({ length: towers }, (_, index) => {
      const tower = network.tower(tape, seen[inputNames[index]], { training: false, index });
      return [`${index}`, unit ? plainL2Normalize(tower) : tower] as const;
    });
    return { tape, outputs: Object.fromEntries(outputs) };
  };
  const compiled = (dtype: InputDtype, size: number) => {
    const key = `${dtype} ${size}`;
    let program = programs.get(key);
    if (!program) {
      program = (async () => {
        const recorded = () => {
          const { tape, outputs } = record(dtype, size);
          lowerTape(tape, { outputs });
        };
        if (tune) await device.tuner.tune(recorded);
        const { tape, outputs } = record(dtype, size);
        return tape.compile({ outputs });
      })();
      programs.set(key, program);
      program.catch(() => programs.delete(key));
    }
    return program;
  };
  const run = async (program: EmbeddingProgram, inputs: Record<string, Pictures>) => {
    const found = await program.run(inputs);
    const parts = Array.from({ length: towers }, (_, index) => found[index]);
    return towers === 1 ? parts[0] : concatenated(parts, network.options.embedding);
  };
  const embedChunk = async (program: EmbeddingProgram, chunk: Record<string, Pictures>, size: number) => {
    if (!views) return run(program, chunk);
    const seen = views.map((view) => run(program, { ...chunk, view: repeated(view, size) }));
    return meanRows(await Promise.all(seen), embedding, unit);
  };
  record("u8", sizes[0]);

  return {
    async compile(size, bytes) {
      const all = await Promise.all([compiled("u8", size), ...(bytes ? [] : [compiled("f32", size)])]);
      for (const program of all) program.prepare();
    },
    async embed(images) {
      checkPictures("embedder", images, imageSize, 2);
      const count = images.length / picture;
      if (!Number.isInteger(count)) {
        const shape = ["N", ...imageSize].join(", ");
        throw new TwingradError(
          "BAD_INPUT",
          `Invalid pictures: ${images.length} values are not a multiple of the size of one picture; expected [${shape}].`,
        );
      }
      const dtype = images instanceof Uint8Array ? "u8" : "f32";
      const given: [name: string, pictures: Pictures][] = [];
      if (inputNames.includes("images")) given.push(["images", images]);
      if (alignment && count > 0) {
        const { aligned } = await import("../data/alignment/alignment.ts"); // few models use it
        given.push(["aligned", aligned(alignment, images, imageSize)]);
      }
      const result = new Float32Array(count * embedding);
      let next = 0;
      const chunks = chunksOf(count, sizes).map(async (size) => {
        const first = next;
        const taken = Math.min(size, count - first);
        next += taken;
        const parts = given.map(([name, all]) => [name, padded(all, first * picture, size * picture)]);
        const embeddings = await embedChunk(await compiled(dtype, size), Object.fromEntries(parts), size);
        result.set(embeddings.subarray(0, taken * embedding), first * embedding);
      });
      await Promise.all(chunks);
      return result;
    },
    async dispose() {
      for (const program of programs.values()) (await program).dispose();
    },
  };
}

/** `length` values from `first` on, padded with zeros. */
function padded(pictures: Pictures, first: number, length: number): Pictures {
  if (first + length <= pictures.length) return pictures.subarray(first, first + length);
  const full = pictures instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  full.set(pictures.subarray(first, first + length));
  return full;
}

/** The mean of each row over the views, normalized to unit length where the views' rows are. */
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

/** Concatenates the towers' rows of unit length to rows of unit length. */
function concatenated(parts: readonly Float32Array[], length: number): Float32Array {
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

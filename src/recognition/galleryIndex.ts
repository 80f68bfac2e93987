// A matrix of embeddings on the GPU for exact nearest-neighbor search, in parts that fit a device's binding limit.

import { inBytes, ResourceError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import { mostNearest, noRow, type RowPart, rowBlock, scoreOf, vectorsOf } from "../ops/kernels/rowLayout.ts";
import { Storage } from "../tape/lowering/storage.ts";
import { Tape } from "../tape/tape.ts";

/** The score computed on the device, and its conversion to a distance. */
export interface Metric {
  /** Weights of |a - b|: the score is the weighted sum. Absent: the score is the squared Euclidean distance. */
  readonly weights?: Float32Array;
  /** Must be monotonically increasing. */
  distanceOf(score: number): number;
}

/** A row of the index that a search found. */
export interface NearestRow {
  /** Its number, from 0. */
  row: number;
  /** The distance of the probe to it. */
  distance: number;
}

interface Part {
  readonly storage: Storage;
  readonly capacity: number;
  readonly first: number;
  count: number;
}

/** Larger bindings would only make devices run out of memory sooner. */
const largestPart = 256 * 2 ** 20;
/** The WebGPU limit of workgroups in one dimension, on any adapter. */
const mostBlocks = 65535;

/** The outputs of a search: the nearest rows, or the scores of each part. */
type Scores = Record<string, Float32Array>;

/**
 * A matrix of embeddings on the GPU, searched exhaustively. Rows are numbered from 0 in insertion order.
 * @example
 * ```ts
 * const index = model.index();
 * await index.add(embeddings); // [N, model.embedding]
 * const nearest = await index.search(embeddings.subarray(0, model.embedding), 5);
 * ```
 */
export class GalleryIndex {
  readonly #device: Device;
  readonly #metric: Metric;
  readonly #parts: Part[] = [];
  /** The rows of the last, incomplete block, in the GPU's layout. */
  readonly #block: Float32Array;
  /** The program of the last search, for the current rows. */
  #program?: { k: number; made: Promise<Program<Scores>>; searches: Set<Promise<unknown>> };
  #disposed?: Promise<void>;

  /** @param embedding the number of values of a row. */
  constructor(
    device: Device,
    readonly embedding: number,
    metric: Metric,
  ) {
    if (typeof metric?.distanceOf !== "function") {
      throw new TwingradError(
        "BAD_INPUT",
        `GalleryIndex: invalid metric ${metric}; expected { weights?, distanceOf }.`,
      );
    }
    this.#device = device;
    this.#metric = metric;
    this.#block = new Float32Array(rowBlock * vectorsOf(embedding) * 4);
  }

  /** How many rows were added. */
  get rows(): number {
    return this.#parts.reduce((sum, { count }) => sum + count, 0);
  }

  /** Bytes of the parts on the GPU, which are padded to whole blocks and may have room left. */
  get bytes(): number {
    return this.#parts.reduce((sum, { storage }) => sum + storage.bytes, 0);
  }

  /** The number of buffers that hold the rows. */
  get parts(): number {
    return this.#parts.length;
  }

  /**
   * Appends rows, [N, embedding]. Adding few at a time is efficient: a new part is as large as all before.
   * @throws BAD_INPUT for values that are not whole rows of finite numbers; LIMIT or OUT_OF_MEMORY where they do not
   * fit, which disposes the index.
   */
  async add(rows: Float32Array): Promise<void> {
    const { embedding } = this;
    const at = rows.findIndex((value) => !usable(value));
    if (rows.length % embedding !== 0 || at >= 0) {
      const got = at >= 0 ? `${rows[at]} in row ${Math.floor(at / embedding)}` : `${rows.length} values`;
      const expected = `a multiple of ${embedding} finite values of at most ${largestValue}`;
      throw new TwingradError("BAD_INPUT", `Invalid rows: got ${got}; expected ${expected}.`);
    }
    this.#refuseDisposed();
    await this.#dropProgram();
    try {
      await this.#device.checked("gallery index", () => {
        for (let row = 0; row < rows.length / embedding; ) {
          const part = this.#room(rows.length / embedding - row);
          row += this.#fill(part, rows.subarray(row * embedding));
        }
      });
    } catch (error) {
      await this.dispose();
      throw error;
    }
  }

  /**
   * The k nearest rows, nearest first; all of them where there are fewer. Ties are ordered by row. Several searches may
   * be in flight.
   */
  async search(probe: Float32Array, k: number): Promise<NearestRow[]> {
    if (!Number.isInteger(k) || k < 1 || k > mostNearest) {
      throw new TwingradError("BAD_INPUT", `Invalid k ${k}: expected an integer from 1 to ${mostNearest}.`);
    }
    this.#refuseDisposed();
    const rows = this.rows;
    if (rows === 0) return [];
    const result = await this.#run(probe, Math.min(k, rows));
    const words = wordsOf(result.nearest);
    return Array.from({ length: words.length / 2 }, (_, n) => ({
      row: words[2 * n + 1],
      distance: this.#metric.distanceOf(scoreOf(words[2 * n])),
    })).filter(({ row }) => row !== noRow);
  }

  /** The distance of every row, in order, for searches beyond the largest k. */
  async distances(probe: Float32Array): Promise<Float64Array> {
    this.#refuseDisposed();
    const distances = new Float64Array(this.rows);
    if (distances.length === 0) return distances;
    const result = await this.#run(probe, 0);
    for (const [part, { first, count }] of this.#parts.entries()) {
      const words = wordsOf(result[`part ${part}`]);
      for (let n = 0; n < count; n++) distances[first + n] = this.#metric.distanceOf(scoreOf(words[2 * n]));
    }
    return distances;
  }

  /** Releases the GPU memory after searches in flight have completed. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#dropProgram().then(() => {
      for (const { storage } of this.#parts.splice(0)) this.#device.release(storage.external!.buffer);
      this.#block.fill(0);
    });
    return this.#disposed;
  }

  /** The last part where it has room, otherwise a new one. */
  #room(wanted: number): Part {
    const last = this.#parts[this.#parts.length - 1];
    if (last && last.count < last.capacity) return last;
    const { limits } = this.#device.gpu;
    const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize, largestPart);
    const blockBytes = this.#block.byteLength;
    const blocks = Math.min(mostBlocks, Math.floor(most / blockBytes));
    if (blocks < 1) {
      const what = `gallery index: ${rowBlock} rows of ${this.embedding} values take ${inBytes(blockBytes)}; this adapter binds at most ${inBytes(most)}`;
      throw new ResourceError("LIMIT", what, {
        needed: blockBytes,
        available: most,
        advice: "Use a smaller embedding",
      });
    }
    const first = this.rows;
    const capacity = rowBlock * Math.min(blocks, Math.ceil(Math.max(wanted, first) / rowBlock));
    const name = `gallery part ${this.#parts.length + 1}`;
    const storage = new Storage("constant", name, (capacity / rowBlock) * this.#block.length, "f32");
    storage.external = { buffer: this.#device.createBuffer(name, storage.bytes), offset: 0 };
    const part = { storage, capacity, first, count: 0 };
    this.#parts.push(part);
    return part;
  }

  /** Writes as many rows as fit after those of a part, in whole blocks; returns how many. */
  #fill(part: Part, rows: Float32Array): number {
    const { embedding } = this;
    const count = Math.min(rows.length / embedding, part.capacity - part.count);
    const begun = part.count % rowBlock;
    const blocks = Math.ceil((begun + count) / rowBlock);
    const laid = new Float32Array(blocks * this.#block.length);
    if (begun > 0) laid.set(this.#block);
    for (let n = 0; n < count; n++) {
      const place = begun + n;
      const lane = Math.floor(place / rowBlock) * this.#block.length + (place % rowBlock) * 4;
      for (let d = 0; d < embedding; d++) {
        laid[lane + (d >> 2) * rowBlock * 4 + (d & 3)] = rows[n * embedding + d];
      }
    }
    const { buffer } = part.storage.external!;
    this.#device.write(buffer, ((part.count - begun) / rowBlock) * this.#block.byteLength, laid);
    this.#block.set(laid.subarray((blocks - 1) * this.#block.length));
    part.count += count;
    return count;
  }

  /** Runs the program for `k` rows; 0 for all scores. */
  async #run(probe: Float32Array, k: number) {
    if (probe.length !== this.embedding || !probe.every(usable)) {
      throw new TwingradError(
        "BAD_INPUT",
        `Invalid probe: expected ${this.embedding} values of at most ${largestValue}, got ${probe.length} values.`,
      );
    }
    while (this.#program && this.#program.k !== k) await this.#dropProgram();
    this.#program ??= { k, made: this.#compile(k), searches: new Set() };
    const { made, searches } = this.#program;
    const search = made.then((program) => program.run({ probe: padded(probe) }));
    searches.add(search);
    try {
      return await search;
    } finally {
      searches.delete(search);
    }
  }

  async #compile(k: number): Promise<Program<Scores>> {
    const { nearestRows, rowScores } = await import("../ops/nearestRows.ts"); // not needed by small galleries
    const tape = new Tape(this.#device);
    const length = vectorsOf(this.embedding) * 4;
    const { weights } = this.#metric;
    const probe = tape.input("probe", [length]);
    const factors = weights && tape.constant("weights", [length], padded(weights));
    const parts: RowPart[] = this.#parts.map(({ storage, count, first }) => ({ storage, count, first }));
    const scores = () => rowScores(probe, parts, factors).map((part, n) => [`part ${n}`, part] as const);
    const found = k > 0 ? [["nearest", nearestRows(probe, parts, k, factors)] as const] : scores();
    return tape.compile({ outputs: Object.fromEntries(found) });
  }

  /** The next search compiles a new program; searches in flight complete with the old one. */
  async #dropProgram(): Promise<void> {
    const dropped = this.#program;
    this.#program = undefined;
    if (!dropped) return;
    await Promise.allSettled(dropped.searches);
    await dropped.made.then((program) => program.dispose()).catch(() => {}); // the caller that compiled it got the error
  }

  #refuseDisposed(): void {
    if (this.#disposed) throw new TwingradError("DISPOSED", "the gallery's index was disposed");
  }
}

/** Squares and weighted sums of smaller values stay finite. */
const largestValue = 1e15;
const usable = (value: number) => Math.abs(value) <= largestValue; // false for NaN

/** Reinterprets a float32 readback as 32-bit words. */
const wordsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The values, padded with zeros to a whole vec4. */
function padded(values: Float32Array): Float32Array {
  const filled = new Float32Array(vectorsOf(values.length) * 4);
  filled.set(values);
  return filled;
}

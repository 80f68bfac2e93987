// Resolves paths to record files, and reads their bytes as a stream or in parts.
import { closeSync, createReadStream, openSync, read, unlinkSync, write } from "node:fs";
import { mkdtemp, open, readdir, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { glob, isDynamicPattern } from "tinyglobby";
import { byNaturalOrder } from "../../data/naturalOrder.ts";
import type { RecordSource } from "../../data/sources/recordDataset.ts";
import { DiskError, TwingradError } from "../../errors.ts";
import { compressionOf } from "../../formats/tfrecord/compression.ts";
import { beginsWithHeader } from "../../formats/tfrecord/framing.ts";
import { recordCodec } from "../../formats/tfrecord/recordCodec.ts";
import { diskError, statOf } from "../files/diskError.ts";
import { kindOf } from "../files/writeAtomic.ts";

const chunkBytes = 2 ** 18;

/** faces.tfrecord, faces.tfrecord-00003-of-00010, faces.tfrecords.gz, faces.record.zlib */
const recordName = /(\.(tf)?records?|-\d{5,}-of-\d{5,})(\.(gz|gzip|zlib))?$/i;

/**
 * The record files of the given paths, sorted by name for each path. A path is a file; a folder of record
 * files; a pattern (`faces-*.tfrecord`); a sharded set by TensorFlow's notation (`faces.tfrecord@10`); or the
 * common name of its shards (`faces.tfrecord` for `faces.tfrecord-00000-of-00010` and so on).
 * @throws BAD_INPUT if there is no such file, or if shards of a set are missing.
 */
export async function recordFiles(paths: string | readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of typeof paths === "string" ? [paths] : paths)
    for (const file of await expand(path)) found.add(file);
  return [...found];
}

async function expand(path: string): Promise<string[]> {
  const there = await statOf(path);
  if (there?.isDirectory()) {
    const files = await recordFilesIn(path);
    if (files.length > 0) return complete(path, files);
    throw new TwingradError("BAD_INPUT", `${path}: there are no record files in this folder`);
  }
  if (there?.isFIFO() || there?.isSocket()) {
    const what = `expected a file, not ${kindOf(there)}: records are read more than once`;
    throw new TwingradError("BAD_INPUT", `${path}: ${what}`);
  }
  if (there) return [path];
  const [, base, count] = /^(.+)@(\d+)$/.exec(path) ?? [];
  if (base !== undefined) {
    const files = (await shards(base)).filter((file) => shardOf(file)!.count === Number(count));
    if (files.length > 0) return complete(path, files);
    throw new TwingradError(
      "BAD_INPUT",
      `${path}: there are no shards ${basename(base)}-?????-of-${count.padStart(5, "0")}`,
    );
  }
  const set = await shards(path);
  if (set.length > 0) return complete(path, set);
  if (isDynamicPattern(path)) {
    // A pattern may select some shards of a set, so it need not be complete.
    const files = await glob(path.replaceAll("\\", "/"), { absolute: isAbsolute(path), expandDirectories: false });
    if (files.length > 0) return files.sort(byNaturalOrder);
    throw new TwingradError("BAD_INPUT", `${path}: no file matches this pattern`);
  }
  throw new TwingradError("BAD_INPUT", `${path}: there is no such folder or file`);
}

/** The record files directly in a folder. */
export async function recordFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: Error) => {
    throw diskError(folder, "listed", error);
  });
  return filesOf(
    folder,
    names.filter((name) => recordName.test(name) && !name.startsWith(".")),
  );
}

/** The paths of the names that are files, in their order: a folder or a pipe may have such a name, too. */
async function filesOf(folder: string, names: readonly string[]): Promise<string[]> {
  const paths = [...names].sort(byNaturalOrder).map((name) => join(folder, name));
  const isFile = await Promise.all(
    paths.map(async (path) => (await stat(path).catch(() => undefined))?.isFile() ?? true), // a dangling link is reported
  );
  return paths.filter((_, n) => isFile[n]);
}

/** Whether a file begins like a record file, compressed or not; an empty file does. */
export async function beginsLikeRecords(path: string): Promise<boolean> {
  const { crc32c } = await recordCodec();
  const head = await fileSource(path).read(0, 12);
  return head.length === 0 || beginsWithHeader(head, crc32c) || compressionOf(head) !== undefined;
}

/** The existing files `base-00000-of-00010` and so on. */
async function shards(base: string): Promise<string[]> {
  const names = await readdir(dirname(base)).catch(() => []);
  return filesOf(
    dirname(base),
    names.filter((name) => shardOf(name)?.base === basename(base)),
  );
}

function shardOf(file: string) {
  const [, base, index, count] = /^(.*)-(\d{5,})-of-(\d{5,})(?:\.(?:gz|gzip|zlib))?$/.exec(file) ?? [];
  return base === undefined ? undefined : { base, index: Number(index), count: Number(count) };
}

/** With missing shards, training would silently use a part of the data; with two sets, all of it twice. */
function complete(path: string, files: string[]): string[] {
  const sets = new Map<string, Map<number, Set<number>>>();
  for (const file of files) {
    const shard = shardOf(file);
    if (!shard) continue;
    const ofBase = sets.get(shard.base) ?? new Map<number, Set<number>>();
    sets.set(shard.base, ofBase.set(shard.count, (ofBase.get(shard.count) ?? new Set()).add(shard.index)));
  }
  for (const [base, byCount] of sets) {
    const counts = [...byCount.keys()];
    if (counts.length > 1) {
      throw new TwingradError(
        "BAD_INPUT",
        `${path}: there are sets of ${counts.join(" and of ")} shards; ${base}@${counts[0]} names one of them`,
      );
    }
    const [[count, present]] = byCount;
    if (present.size !== count) {
      throw new TwingradError(
        "BAD_INPUT",
        `${path}: ${present.size} of the ${count} shards of ${base} exist; a pattern, such as ${base}-*, uses them anyway`,
      );
    }
  }
  return files;
}

/** A file as a source for the record reader. It is open only while it is read. */
export function fileSource(path: string): RecordSource {
  const cannotRead = (error: unknown) => diskError(path, "read", error as Error);
  return {
    name: path,
    async *stream() {
      try {
        const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: chunkBytes });
        for await (const chunk of chunks) yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      } catch (error) {
        throw cannotRead(error);
      }
    },
    async read(offset, length) {
      try {
        const file = await open(path);
        try {
          const bytes = new Uint8Array(length);
          const { bytesRead } = await file.read(bytes, 0, length, offset);
          return bytes.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      } catch (error) {
        throw cannotRead(error);
      }
    },
  };
}

const closeWhenForgotten = new FinalizationRegistry(closeSync);

/**
 * Stores bytes in one unlinked temporary file: the system frees it when nobody can read from it, or when the process
 * ends in any way.
 */
export class Spool {
  #file: Promise<number> | undefined;
  #length = 0;

  keep = async (bytes: Uint8Array): Promise<() => Promise<Uint8Array>> => {
    const file = await (this.#file ??= this.#open());
    const offset = this.#length;
    const length = bytes.length; // not the bytes themselves, which the function below would keep alive
    this.#length += length;
    try {
      for (let done = 0; done < length; ) {
        done += (await promisify(write)(file, bytes, done, length - done, offset + done)).bytesWritten;
      }
    } catch (error) {
      throw new DiskError(
        "full",
        `no space for the uncompressed records in ${tmpdir()}: ${(error as Error).message}; set the environment variable TMPDIR to another folder`,
        { cause: error },
      );
    }
    return async () => {
      await this.#file; // keeps the spool, and so the file, alive as long as this function
      const { buffer } = await promisify(read)(file, { buffer: new Uint8Array(length), position: offset });
      return buffer as Uint8Array;
    };
  };

  async #open(): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), "twingrad-"));
    const path = join(folder, "records");
    const file = openSync(path, "wx+", 0o600);
    closeWhenForgotten.register(this, file);
    unlinkSync(path);
    await rmdir(folder);
    return file;
  }
}

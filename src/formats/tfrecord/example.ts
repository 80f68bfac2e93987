// Reads and writes tf.train.Example with the wire format reader of the protobuf package. A decoder generated from the
// schema would turn every byte of a packed list into an object of 32 bytes, and every feature of a record into a
// message; here a feature stays encoded until its values are read. Messages and field numbers:
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto and example.proto
//   Example { Features features = 1 }  Features { map<string, Feature> feature = 1 }
//   Feature { oneof { BytesList 1, FloatList 2, Int64List 3 } }  each list { repeated value = 1 }, numbers packed
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { TwingradError } from "../../errors.ts";
import type { Example, Feature, FeatureValues } from "./recordTypes.ts";

/** A record with more features is not part of a dataset. */
const mostFeatures = 10_000;

const kinds = [undefined, "bytes", "float", "int64"] as const;
const listNumber = { bytes: 1, float: 2, int64: 3 } as const;

export function readExample(bytes: Uint8Array, wanted?: ReadonlySet<string>): Example {
  const features = new Map<string, Feature>();
  try {
    for (const [, list] of messages(bytes, [1])) {
      for (const [, entry] of messages(list, [1])) {
        const { name, value } = mapEntry(entry);
        if (wanted && !wanted.has(name)) continue;
        features.set(name, feature(value));
        if (features.size > mostFeatures) throw new RangeError(`it has more than ${mostFeatures} features`);
      }
    }
  } catch (error) {
    throw invalid("it is not a tf.train.Example", error);
  }
  return features;
}

function mapEntry(bytes: Uint8Array): { name: string; value: Uint8Array } {
  const reader = new BinaryReader(bytes);
  let name = "";
  let value: Uint8Array = new Uint8Array(0);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field > 2) {
      reader.skip(type, field);
      continue;
    }
    expectType(type, WireType.LengthDelimited);
    if (field === 1) name = reader.string(true);
    else value = reader.bytes();
  }
  return { name, value };
}

/** The last of several kinds of list applies, as in any oneof; lists of one kind are concatenated. */
function feature(bytes: Uint8Array): Feature {
  let type: Feature["type"] = "empty";
  let lists: Uint8Array[] = [];
  for (const [field, list] of messages(bytes, [1, 2, 3])) {
    const kind = kinds[field]!;
    if (kind !== type) lists = [];
    type = kind;
    lists.push(list);
  }
  return {
    type,
    *values() {
      if (type === "empty") return;
      try {
        for (const list of lists) yield* listValues(list, type);
      } catch (error) {
        throw invalid(`its ${type} list is invalid`, error);
      }
    },
  };
}

/** Numbers may be packed or not; readers of the format must accept both. */
function* listValues(list: Uint8Array, kind: "bytes" | "float" | "int64"): Generator<Uint8Array | number | bigint> {
  const reader = new BinaryReader(list);
  const number = () => (kind === "float" ? reader.float() : BigInt(reader.int64()));
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field !== 1) reader.skip(type, field);
    else if (kind === "bytes") {
      expectType(type, WireType.LengthDelimited);
      yield reader.bytes();
    } else if (type === WireType.LengthDelimited) {
      const length = reader.uint32();
      const end = reader.pos + length;
      if (end > reader.len) throw new RangeError("premature EOF");
      while (reader.pos < end) yield number();
      if (reader.pos > end) throw new RangeError("a value extends beyond its list");
    } else {
      expectType(type, kind === "float" ? WireType.Bit32 : WireType.Varint);
      yield number();
    }
  }
}

/** The sub-messages with one of these field numbers; others are skipped, as the format requires. */
function* messages(bytes: Uint8Array, numbers: readonly number[]): Generator<[number, Uint8Array]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (numbers.includes(field)) {
      expectType(type, WireType.LengthDelimited);
      yield [field, reader.bytes()];
    } else reader.skip(type, field);
  }
}

function expectType(type: WireType, expected: WireType): void {
  if (type !== expected) throw new TypeError(`wire type ${type}; expected ${expected}`);
}

function invalid(what: string, error: unknown): TwingradError {
  return new TwingradError("CORRUPT_FILE", `${what}: ${(error as Error).message}`, { cause: error });
}

/** Names are sorted by code units, so that equal features give equal bytes. */
export function writeExample(features: ReadonlyMap<string, FeatureValues>): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(1)).fork();
  for (const name of [...features.keys()].sort()) {
    writer.uint32(tag(1)).fork().uint32(tag(1)).string(name).uint32(tag(2)).fork();
    writeFeature(writer, name, features.get(name)!);
    writer.join().join();
  }
  return writer.join().finish();
}

function writeFeature(writer: BinaryWriter, name: string, values: FeatureValues): void {
  if (values.length === 0) return; // no list, since its kind is unknown
  const [first] = values;
  const kind = first instanceof Uint8Array ? "bytes" : typeof first === "bigint" ? "int64" : "float";
  if (values.some((value) => typeof value !== typeof first)) {
    throw new TwingradError("BAD_INPUT", `feature "${name}": expected all values to be of one kind`);
  }
  writer.uint32(tag(listNumber[kind])).fork();
  if (kind === "bytes") for (const value of values as readonly Uint8Array[]) writer.uint32(tag(1)).bytes(value);
  else {
    writer.uint32(tag(1)).fork();
    if (kind === "int64") for (const value of values as readonly bigint[]) writer.int64(value);
    else for (const value of values as readonly number[]) writer.float(value);
    writer.join();
  }
  writer.join();
}

/** The key of a length-delimited field. */
const tag = (field: number) => (field << 3) | WireType.LengthDelimited;

// TensorBoard's event file: protobuf messages in TFRecord frames. Messages and field
// numbers: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto and
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/summary.proto
//   Event { double wall_time = 1; int64 step = 2; oneof { string file_version = 3; Summary summary = 5;
//           SessionLog session_log = 7 } }
//   Summary { repeated Value value = 1 }  Value { string tag = 1; float simple_value = 2 }
//   SessionLog { enum status = 1, where START is 1 }

import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { frame, recordCodec } from "../../../internal.ts";
import { Appender } from "./appender.ts";
import type { LogEntry, LogWriter } from "./logWriter.ts";

/** TensorBoard recognizes the file by its name; each process starts its own file. */
export async function eventLog(folder: string, from: number): Promise<LogWriter> {
  const { crc32c } = await recordCodec();
  const now = Date.now() / 1000;
  const path = join(folder, `events.out.tfevents.${Math.floor(now)}.${process.pid}.twingrad`);
  const file = new Appender(path, () => ({ keep: 0, first: "" }));
  file.append(frame(fileVersion(now), crc32c));
  // TensorBoard discards events of this and later steps in earlier files: the run resumes before them.
  file.append(frame(sessionStart(now, from + 1), crc32c));
  return {
    path,
    write: (entry) => file.append(frame(scalars(entry), crc32c)),
    flush: () => file.flush(),
    close: () => file.close(),
  };
}

function scalars({ step, epoch, loss, learningRate, validation, seconds }: LogEntry): Uint8Array {
  const values: [tag: string, value: number][] = [];
  if (loss !== undefined) values.push(["loss", loss], ["epoch", epoch]);
  if (learningRate !== undefined) values.push(["learning_rate", learningRate]);
  if (validation) {
    const { loss, auc, eer } = validation;
    values.push(["validation/loss", loss], ["validation/auc", auc], ["validation/eer", eer]);
  }
  const writer = event(seconds, step).uint32(key(5, WireType.LengthDelimited)).fork();
  for (const [tag, value] of values) {
    writer.uint32(key(1, WireType.LengthDelimited)).fork();
    writer.uint32(key(1, WireType.LengthDelimited)).string(tag);
    writer.uint32(key(2, WireType.Bit32)).float(value);
    writer.join();
  }
  return writer.join().finish();
}

const fileVersion = (seconds: number) =>
  event(seconds, 0).uint32(key(3, WireType.LengthDelimited)).string("brain.Event:2").finish();

const sessionStart = (seconds: number, step: number) =>
  event(seconds, step)
    .uint32(key(7, WireType.LengthDelimited))
    .fork()
    .uint32(key(1, WireType.Varint))
    .int32(1)
    .join()
    .finish();

function event(seconds: number, step: number): BinaryWriter {
  const writer = new BinaryWriter().uint32(key(1, WireType.Bit64)).double(seconds);
  return step === 0 ? writer : writer.uint32(key(2, WireType.Varint)).int64(step); // proto3 leaves zeros out
}

const key = (field: number, type: WireType) => (field << 3) | type;

// Event files against others' work: bytes that TensorBoard itself wrote; and read back, the framing by the reader of TFRecord
// files, the messages by protobuf's own decoder from the published definitions.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, type DescMessage, fromBinary, fromJson, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, describe, expect, it, vi } from "vitest";
import { eventLog } from "../../../../src/cli/run/log/events.ts";
import { readRecords } from "../../../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../../../src/formats/tfrecord/recordCodec.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-events-"));
afterAll(() => rm(folder, { recursive: true }));

const field = (name: string, number: number, type: string, more: object = {}) => ({
  name,
  number,
  type: `TYPE_${type}`,
  label: "LABEL_OPTIONAL",
  jsonName: name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  ...more,
});
/** event.proto and summary.proto of TensorFlow, as far as our events use them. */
const definitions = fromJson(FileDescriptorProtoSchema, {
  name: "event.proto",
  package: "tensorflow",
  syntax: "proto3",
  messageType: [
    {
      name: "Event",
      field: [
        field("wall_time", 1, "DOUBLE"),
        field("step", 2, "INT64"),
        field("file_version", 3, "STRING", { oneofIndex: 0 }),
        field("summary", 5, "MESSAGE", { oneofIndex: 0, typeName: ".tensorflow.Summary" }),
        field("session_log", 7, "MESSAGE", { oneofIndex: 0, typeName: ".tensorflow.SessionLog" }),
      ],
      oneofDecl: [{ name: "what" }],
    },
    {
      name: "Summary",
      field: [field("value", 1, "MESSAGE", { label: "LABEL_REPEATED", typeName: ".tensorflow.Summary.Value" })],
      nestedType: [
        {
          name: "Value",
          field: [field("tag", 1, "STRING"), field("simple_value", 2, "FLOAT", { oneofIndex: 0 })],
          oneofDecl: [{ name: "value" }],
        },
      ],
    },
    {
      name: "SessionLog",
      field: [field("status", 1, "ENUM", { typeName: ".tensorflow.SessionLog.SessionStatus" })],
      enumType: [
        {
          name: "SessionStatus",
          value: ["STATUS_UNSPECIFIED", "START", "STOP", "CHECKPOINT"].map((name, number) => ({ name, number })),
        },
      ],
    },
  ],
});
const registry = createFileRegistry({ $typeName: FileDescriptorSetSchema.typeName, file: [definitions] });
const Event = registry.getMessage("tensorflow.Event") as DescMessage;

async function eventsIn(path: string): Promise<unknown[]> {
  const { crc32c } = await recordCodec();
  const bytes = await readFile(path);
  const source = (async function* () {
    yield new Uint8Array(bytes);
  })();
  const events: unknown[] = [];
  for await (const { data } of readRecords(source, { file: path, crc32c })) {
    events.push(toJson(Event, fromBinary(Event, data, { readUnknownFields: false }), { registry }));
  }
  return events;
}

describe("the event file", () => {
  it("begins with its version and the step to go on from, and holds each value to the bit", async () => {
    const log = await eventLog(folder, 6);
    const loss = Math.fround(0.1);
    log.write({ step: 7, epoch: 2, loss, learningRate: 0.25, seconds: 1700000000.25 });
    log.write({ step: 7, epoch: 2, validation: { loss: 0.5, auc: 0.75, eer: 0.125 }, seconds: 1700000001 });
    await log.flush();
    log.write({ step: 2 ** 33, epoch: 3, loss: -2, seconds: 1700000002 });
    await log.flush();
    await log.close();
    expect(log.path).toMatch(/events\.out\.tfevents\.\d{10}\./);

    const value = (tag: string, simpleValue: number) => ({ tag, simpleValue });
    expect(await eventsIn(log.path)).toEqual([
      { wallTime: expect.any(Number), fileVersion: "brain.Event:2" },
      { wallTime: expect.any(Number), step: "7", sessionLog: { status: "START" } },
      {
        wallTime: 1700000000.25,
        step: "7",
        summary: { value: [value("loss", loss), value("epoch", 2), value("learning_rate", 0.25)] },
      },
      {
        wallTime: 1700000001,
        step: "7",
        summary: {
          value: [value("validation/loss", 0.5), value("validation/auc", 0.75), value("validation/eer", 0.125)],
        },
      },
      { wallTime: 1700000002, step: String(2 ** 33), summary: { value: [value("loss", -2), value("epoch", 3)] } },
    ]);
  });

  it("is byte for byte what TensorBoard writes of the same events", async () => {
    // By tensorboard 2.21.0's RecordWriter and event_pb2: version, session start, two summaries.
    const written = Buffer.from(
      "GAAAAAAAAACjf0siCQAAIED8VNlBGg1icmFpbi5FdmVudDoyKzUxEA8AAAAAAAAAbVMrCQkAACBA/FTZQRAHOgIIAZvrBqcoAAAAAAAAAP9wFkoJ" +
        "AAAQQPxU2UEQByobCgsKBGxvc3MVzczMPQoMCgVlcG9jaBUAAABAuafIDFcAAAAAAAAA5rqUjAkAAEBA/FTZQRCAgICAICpGChYKD3ZhbGlkYXRp" +
        "b24vbG9zcxUAAAA/ChUKDnZhbGlkYXRpb24vYXVjFQAAQD8KFQoOdmFsaWRhdGlvbi9lZXIVAACAPh2qwTc=",
      "base64",
    );
    vi.useFakeTimers({ toFake: ["Date"], now: 1700000000500 });
    const log = await eventLog(folder, 6);
    vi.useRealTimers();
    log.write({ step: 7, epoch: 2, loss: 0.1, seconds: 1700000000.25 });
    log.write({ step: 2 ** 33, epoch: 3, validation: { loss: 0.5, auc: 0.75, eer: 0.25 }, seconds: 1700000001 });
    await log.flush();
    await log.close();
    expect((await readFile(log.path)).equals(written)).toBe(true);
  });
});

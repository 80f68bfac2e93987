// The CSV log: one line for each step, and one for each evaluation.
import { Appender } from "./appender.ts";
import type { LogEntry, LogWriter } from "./logWriter.ts";

const header = "step,epoch,loss,validation_loss,validation_auc,seconds,learning_rate,validation_eer\n";
/** The header of earlier versions, without the last columns. */
const shorter = "step,epoch,loss,validation_loss,validation_auc,seconds\n";

/**
 * Numbers round-trip exactly; `seconds` is Unix time. An existing table is kept up to step `from`, where the run resumes;
 * with 0 it is overwritten.
 */
export function csvLog(path: string, from: number): LogWriter {
  const file = new Appender(path, (present) => {
    const text = new TextDecoder("latin1").decode(present);
    const length = from === 0 ? 0 : lengthUpTo(text, from);
    if (length === 0) return { keep: 0, first: header };
    if (text.startsWith(header)) return { keep: length, first: "" };
    return { keep: 0, first: header + text.slice(shorter.length, length).replaceAll("\n", ",,\n") };
  });
  return {
    path,
    write({ step, epoch, loss, learningRate, validation, seconds }: LogEntry) {
      const evaluated = [validation?.loss, validation?.auc];
      const row = [step, epoch, loss, ...evaluated, seconds.toFixed(3), learningRate, validation?.eer];
      file.append(`${row.map((value) => value ?? "").join(",")}\n`);
    },
    flush: () => file.flush(),
    close: () => file.close(),
  };
}

/** The length of the header and of the lines of steps up to `last`; 0 if the file is not such a table. */
function lengthUpTo(text: string, last: number): number {
  const begun = [header, shorter].find((line) => text.startsWith(line));
  if (begun === undefined) return 0;
  let length = begun.length;
  for (const line of text.slice(length).split(/(?<=\n)/)) {
    const step = /^(\d+),.*\n$/.exec(line)?.[1];
    if (step === undefined || Number(step) > last) break;
    length += line.length;
  }
  return length;
}

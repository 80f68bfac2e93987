// Every step's loss as a table, for spreadsheets and scripts: one line a step, and one for each judgement on the way.
import { Appender } from "./appender.ts";
import type { LogEntry, LogWriter } from "./log.ts";

const header = "step,epoch,loss,validation_loss,validation_auc,seconds\n";

/**
 * Numbers are written so that reading gives them back bit for bit; `seconds` is Unix time. A table that is there already
 * is kept up to the lines of step `from`, where the run goes on; with 0 it begins anew.
 */
export function csvLog(path: string, from: number): LogWriter {
  const file = new Appender(path, (present) => {
    const keep = from === 0 ? 0 : lengthUpTo(new TextDecoder("latin1").decode(present), from);
    return { keep, first: keep === 0 ? header : "" };
  });
  return {
    path,
    write({ step, epoch, loss, validation, seconds }: LogEntry) {
      const row = [step, epoch, loss, validation?.loss, validation?.auc, seconds.toFixed(3)];
      file.append(`${row.map((value) => value ?? "").join(",")}\n`);
    },
    flush: () => file.flush(),
    close: () => file.close(),
  };
}

/** The length of the header and of the lines of steps up to `last`; 0 for what is no such table. */
function lengthUpTo(text: string, last: number): number {
  if (!text.startsWith(header)) return 0;
  let length = header.length;
  for (const line of text.slice(header.length).split(/(?<=\n)/)) {
    const step = /^(\d+),.*\n$/.exec(line)?.[1];
    if (step === undefined || Number(step) > last) break;
    length += line.length;
  }
  return length;
}

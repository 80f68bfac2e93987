// A process with work that does not end by itself, and does not listen either.
import { interruptible } from "../../../../src/cli/interrupt.ts";

setInterval(() => undefined, 1000);
await interruptible(
  () => {
    process.stdout.write("begun\n"); // by now it listens
    return new Promise<never>(() => undefined);
  },
  (text) => process.stdout.write(`${text}\n`),
);

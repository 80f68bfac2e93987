// A process with work that does not end by itself, and does not listen either.
import { interruptible } from "../../../src/node/interrupt.ts";

setInterval(() => undefined, 1000);
process.stdout.write("begun\n");
await interruptible(
  () => new Promise<never>(() => undefined),
  (text) => process.stdout.write(`${text}\n`),
);

// npm run soak [STEPS]: 5,000 steps by default of a small network in Node, then in Chrome, with an evaluation and a
// checkpoint in each hundred; exit status 1 where anything grows.

import { heapGrowth, soakInChrome, soakInNode } from "./hosts.ts";
import { leaks } from "./soak.ts";

const steps = Number(process.argv[2] ?? 5000);
const segments = [
  50,
  ...Array.from({ length: Math.ceil((steps - 50) / 100) }, (_, i) => Math.min(100, steps - 50 - 100 * i)),
];
/** A kept state and its log weigh less; a leak of a hundred bytes a step weighs more. */
const mostGrowth = 100 * steps;

let failed = false;
for (const [name, soak] of [
  ["Node", soakInNode],
  ["Chrome", soakInChrome],
] as const) {
  const measured = await soak(segments, ({ step, buffers, bytes, heap }) => {
    if (step % 500 === 50 || step === steps)
      console.log(`${name}, step ${step}: ${buffers} buffers, ${bytes} bytes, heap ${heap}`);
  });
  const growth = heapGrowth(measured);
  const found = leaks(measured);
  for (const leak of found) console.error(`${name}: ${leak}`);
  console.log(
    `${name}: ${found.length} leaks on the device; the heap's median grew by ${growth} bytes in ${steps} steps`,
  );
  if (found.length > 0 || growth > mostGrowth) failed = true;
}
process.exit(failed ? 1 : 0);

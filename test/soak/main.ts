// npm run soak [STEPS]: 5,000 steps by default of a small network in Node, then in Chrome, with an evaluation and a
// checkpoint in each fifty; exit status 1 where anything grows.

import { heapSlope, mostSlope, soakInChrome, soakInNode } from "./hosts.ts";
import { leaks, segmentsOf } from "./soak.ts";

const steps = Number(process.argv[2] ?? 5000);

let failed = false;
for (const [name, soak] of [
  ["Node", soakInNode],
  ["Chrome", soakInChrome],
] as const) {
  const begun = performance.now();
  const measured = await soak(segmentsOf(steps), ({ step, buffers, bytes, heap }) => {
    if (step % 500 === 25 || step === steps)
      console.log(`${name}, step ${step}: ${buffers} buffers, ${bytes} bytes, heap ${heap}`);
  });
  const slope = heapSlope(measured);
  const found = leaks(measured);
  for (const leak of found) console.error(`${name}: ${leak}`);
  console.log(
    `${name}: ${steps} steps in ${Math.round((performance.now() - begun) / 1000)} s, ${found.length} leaks on the device, ` +
      `heap ${slope.toFixed(2)} bytes a step over the last four fifths (at most ${mostSlope(steps)})`,
  );
  if (found.length > 0 || slope > mostSlope(steps)) failed = true;
}
process.exit(failed ? 1 : 0);

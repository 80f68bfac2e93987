// All checks and measurements for a machine with a GPU, in at most 8 minutes: node bench/gpu.mjs --out FILE
process.argv.splice(2, 0, "bench/gpu.ts");
await import("../scripts/run.mjs");

// What long work says on standard error: a bar on a terminal, a line now and then elsewhere.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Progress } from "../../src/cli/progress.ts";

let written = "";
const terminal = process.stderr.isTTY;
beforeEach(() => {
  written = "";
  vi.useFakeTimers({ toFake: ["performance", "Date", "setTimeout", "clearTimeout"] });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.stderr.isTTY = terminal;
});

it("writes plain lines, not more than one in five seconds, and the last step", () => {
  process.stderr.isTTY = false;
  const progress = new Progress(300, 100);
  for (let step = 101; step <= 300; step++) {
    vi.advanceTimersByTime(100);
    progress.update(step, 1 / step);
  }
  progress.stop();
  expect(written.split("\n")).toEqual([
    "step 151/300  loss 0.0066  10 steps/s  15 s left",
    "step 202/300  loss 0.0050  10 steps/s  10 s left",
    "step 253/300  loss 0.0040  10 steps/s  5 s left",
    "step 300/300  loss 0.0033  10 steps/s  0 s left",
    "",
  ]);
});

it("counts other things than steps, and says nothing of what is soon done", () => {
  process.stderr.isTTY = false;
  const progress = new Progress(100, 0, "picture");
  progress.update(64);
  progress.update(100);
  expect(written).toBe("");
  vi.advanceTimersByTime(400_000);
  progress.update(50);
  expect(written).toBe("picture 50/100  0.13 pictures/s  6 min 40 s left\n");
});

it("draws a bar on a terminal, with other lines above it, and leaves Ctrl-C alone", () => {
  process.stderr.isTTY = true;
  const before = process.listenerCount("SIGINT");
  const progress = new Progress(10, 0);
  expect(process.listenerCount("SIGINT")).toBe(before);
  vi.advanceTimersByTime(1000);
  progress.update(5, 0.5);
  vi.advanceTimersByTime(1000);
  progress.above(() => process.stderr.write("a line\n"));
  progress.stop();
  expect(written).toContain("5/10 steps  loss 0.5000  5.00 steps/s  1 s left");
  expect(written).toContain("\r\x1b[Ka line\n");
});

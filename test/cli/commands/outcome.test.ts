// What is printed about names from the command line and from a disk, which may hold line breaks and terminal codes.
import { afterEach, expect, it, vi } from "vitest";
import { reason, warn } from "../../../src/cli/outcome.ts";

const argv = process.argv;
afterEach(() => {
  process.argv = argv;
  vi.restoreAllMocks();
});

it("escapes a line break in a name, and joins the lines of a message", () => {
  process.argv = ["node", "twingrad", "verify", "model", "in/nope\nx.png", "\n"];
  expect(reason(new Error("in/nope\nx.png: cannot be read"))).toBe("in/nope\\u000ax.png: cannot be read");
  expect(reason(new Error("two\n  lines"))).toBe("two; lines");
});

it("warns in one line, whatever a file is called", () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  warn("skipped: a\nb\u001b[2J.png: it is no picture");
  expect(write.mock.calls).toEqual([["skipped: a\\u000ab\\u001b[2J.png: it is no picture\n"]]);
});

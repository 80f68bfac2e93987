import { describe, expect, it } from "vitest";
import { identityName, readableName, shown } from "../../src/data/names.ts";

describe("identityName", () => {
  it.each([
    ["Rene\u0301e", "Ren\u00e9e"],
    ["  Ada\t", "Ada"],
    ["2024 / Rene\u0301e ", "2024/Ren\u00e9e"],
    ["Ada Lovelace", "Ada Lovelace"],
    ["Ada\u00a0 Lovelace", "Ada Lovelace"],
    ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"], // a joiner is part of the spelling
  ])("%j is %j", (text, name) => {
    expect(identityName(text)).toBe(name);
    expect(readableName(name)).toBe(name);
  });

  it.each(["", "  ", "\u00a0", " / ", "\u200d", "\ufe0f", "\u3164"])("%j is invalid", (text) => {
    expect(() => identityName(text)).toThrow(/visible characters/);
  });

  it.each(["A\u0000da", "\u001b[2JAda", "A\u200bda", "a\u202eda", "a\nb", "\ud800", "Ad\u00ada", "Ada\u200e"])(
    "%j is rejected",
    (text) => {
      expect(() => identityName(text)).toThrow(/has invisible characters/);
    },
  );

  it("escapes invisible characters", () => {
    expect(shown("A\u001b[31md\u200ba")).toBe("A\\u001b[31md\\u200ba");
    for (const seen of ["Ren\u00e9e 🙂", "\u2764\ufe0f"]) expect(shown(seen)).toBe(seen);
  });
});

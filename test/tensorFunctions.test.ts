// No public function that gives a tensor may be missing where gradients are tested.
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { examples } from "./gpu/engine/tensorFunctions.ts";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Names of what src/index.ts exports that is called and gives a Tensor, or several. */
function tensorFunctions(): string[] {
  const { config } = ts.readConfigFile(path("tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, path("."));
  const program = ts.createProgram([path("src/index.ts")], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path("src/index.ts"))!;
  const gives = (type: ts.Type): boolean =>
    type.getSymbol()?.name === "Tensor" || checker.getTypeArguments(type as ts.TypeReference).some(gives);
  return checker
    .getExportsOfModule(checker.getSymbolAtLocation(source)!)
    .filter((symbol) => {
      const type = checker.getTypeOfSymbolAtLocation(symbol, source);
      return type.getCallSignatures().some((signature) => gives(signature.getReturnType()));
    })
    .map(({ name }) => name);
}

describe("functions that give a tensor", () => {
  it("all have an example in test/gpu/engine/tensorFunctions.ts", () => {
    const known = Object.keys(examples).filter((name) => !name.includes("."));
    expect(tensorFunctions().sort()).toEqual(known.sort());
  }, 60_000);
});

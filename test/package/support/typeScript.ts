// What TypeScript has to say of programs that use the installed package.
import path from "node:path";
import ts from "typescript";

export const page = ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"];

export const settings = {
  NodeNext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: page },
  Bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, lib: page },
} satisfies Record<string, ts.CompilerOptions>;

/** Empty where there is nothing to complain of; the package's own types are checked as well. */
export function complaints(files: string[], options: ts.CompilerOptions): string {
  const program = ts.createProgram(files, {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2022,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  });
  const types = program.getSourceFiles().filter(({ fileName }) => fileName.includes("node_modules/twingrad/"));
  if (types.length === 0) throw new Error(`no types of twingrad were found for ${files}`);
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
    getCurrentDirectory: () => path.dirname(files[0]),
    getCanonicalFileName: (name) => name,
    getNewLine: () => "\n",
  });
}

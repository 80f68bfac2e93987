// What the host knows of a .wgsl file: types that are written by reflection (shaders/reflect.mjs), values that are read here.

/** How a shader uses a binding, as declared in its WGSL. */
export type Access = "read" | "read_write" | "uniform";

/**
 * A shader and how it is bound. `Bindings` maps each binding's name to its access; `Required` and `Optional` name its override
 * constants without and with a default; `Tunables` names the module-scope integer `const`s that may be replaced.
 *
 * Extents are override constants where the compiler makes something of them: loops it unrolls, divisions it turns into
 * shifts. Where it would not, a shader has them in a uniform `shape` instead, and launches of all sizes share one pipeline:
 * a pipeline takes 0.1 to 0.4 s to make. To a launch there is no difference: both are given as its constants.
 */
export interface Shader<
  Bindings extends Record<string, Access> = Record<string, Access>,
  Required extends string = string,
  Optional extends string = string,
  Tunables extends string = string,
> {
  readonly name: string;
  readonly code: string;
  readonly bindings: { readonly [K in keyof Bindings]: { readonly binding: number; readonly access: Bindings[K] } };
  readonly shape?: {
    readonly binding: number;
    readonly fields: readonly { readonly name: string; readonly type: string }[];
  };
  /** For the type check of launches alone: no shader has it when the program runs. */
  readonly names?: { readonly required: Required; readonly optional: Optional; readonly tunable: Tunables };
}

/**
 * Reads a shader's bindings in its text, which states them already: one group, one entry point called `main`, a struct `Shape`
 * of numbers if there is a `shape`. The build has refused a shader of any other form (shaders/reflect.mjs).
 */
export function readShader(name: string, code: string): Shader {
  const text = code.replace(/\/\/.*/g, "");
  const bindings: Record<string, { binding: number; access: Access }> = {};
  let shape: Shader["shape"];
  const declarations = text.matchAll(/@binding\((\d+)\)\s*var<(?:storage,\s*)?(\w+)>\s*(\w+)/g);
  for (const [, number, access, variable] of declarations) {
    const binding = Number(number);
    if (variable === "shape") shape = { binding, fields: fieldsOf(text) };
    else bindings[variable] = { binding, access: access as Access };
  }
  return { name, code, bindings, shape };
}

function fieldsOf(text: string): { name: string; type: string }[] {
  const [body] = text.match(/struct Shape\s*\{[^}]*/)!;
  return Array.from(body.matchAll(/(\w+):\s*(\w+)/g), ([, name, type]) => ({ name, type }));
}

/** Values for a shader's override constants and shape: all that have no default, any that have one. */
export type ConstantsOf<S> =
  S extends Shader<infer _B, infer R, infer O, infer _T>
    ? { readonly [K in R]: number } & { readonly [K in O]?: number }
    : never;

/** One value for each binding of a shader. */
export type BindingsOf<S, Value> =
  S extends Shader<infer B, infer _R, infer _O, infer _T> ? { readonly [K in keyof B]: Value } : never;

export type TunablesOf<S> =
  S extends Shader<infer _B, infer _R, infer _O, infer T> ? { readonly [K in T]?: number } : never;

/**
 * The shader's text with some of its `const` tunables replaced. Names that the shader does not have are a programming
 * error that the types catch, so they are not looked for here.
 */
export function specialise(shader: Shader, tunables: Readonly<Record<string, number>> = {}): string {
  let code = shader.code;
  for (const [name, value] of Object.entries(tunables)) {
    code = code.replace(
      new RegExp(`^(const\\s+${name}\\s*(?::\\s*u32)?\\s*=\\s*)\\d+`, "m"),
      (_, declaration: string) => declaration + value,
    );
  }
  return code;
}

/** Of a launch's constants those that are compiled in. */
export function overridesOf(shader: Shader, values: Readonly<Record<string, number>>): Record<string, number> {
  const inShape = new Set(shader.shape?.fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(values).filter(([name]) => !inShape.has(name)));
}

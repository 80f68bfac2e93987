// The amount of computation of a part of a step whose kernel was chosen among several: the reference for its time.

/**
 * Operations of the direct form of a convolution or matrix product, from the key of its choice. A block's gradients
 * include that of its filter and, except in the first block, of its input: the key does not distinguish them.
 */
export function operationsOf(part: string): number | undefined {
  const [what, ...extents] = part.split(" ");
  const of = new Map<string, readonly number[]>(
    extents.map((e) => e.split("=")).map(([n, v]) => [n, v.split(",").map(Number)] as const),
  );
  const product = (...names: string[]) => {
    return names.every((name) => of.has(name)) ? names.reduce((n, name) => n * of.get(name)![0], 2) : undefined;
  };
  if (what === "block.forward") {
    const windows = of
      .get("x")
      ?.slice(0, 2)
      .reduce((n, extent) => n * extent, 9); // 3 x 3, SAME
    return windows && of.has("images") && of.has("filters")
      ? 2 * of.get("images")![0] * windows * of.get("x")![2] * of.get("filters")![0]
      : undefined;
  }
  if (!what.startsWith("conv2d"))
    return what.startsWith("product") ? product("batch", "rows", "inputs", "outputs") : undefined;
  const channels = product("batch", "channels", "filters");
  const windows = ["y", "x"]
    .map((axis) => of.get(axis))
    .reduce((n, axis) => n * (axis ? axis[1] * axis[2] : Number.NaN), 1);
  return channels === undefined || Number.isNaN(windows) ? undefined : channels * windows;
}

// Checks of stored values, which may be damaged.

export type Shape = (value: unknown) => boolean;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === "string";
export const isNumber = (value: unknown): value is number => typeof value === "number";
export const isYesOrNo = (value: unknown): value is boolean => typeof value === "boolean";
export const isListOf =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(shape);
export const isOneOf =
  (...known: readonly unknown[]): Shape =>
  (value) =>
    known.includes(value);

/** Whether a value is an object with at least these fields. */
export function hasFields<T>(value: unknown, fields: { readonly [K in keyof T]-?: Shape }): value is T {
  return isObject(value) && Object.entries<Shape>(fields).every(([name, shape]) => shape(value[name]));
}

/**
 * Parses a JSON text. If it is damaged, parses its longest valid part that ends with an element of a list.
 * @param end the text that ends an element
 * @param closing the text after the last element
 */
export function readablePart(text: string, end: string, closing: string): unknown {
  let value = parsed(text);
  for (let at = text.lastIndexOf(end); value === undefined && at > 0; at = text.lastIndexOf(end, at - 1)) {
    value = parsed(text.slice(0, at) + end + closing);
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

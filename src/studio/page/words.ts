// Formats numbers for people.

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** Never certain, however near it is to 0 or 1. */
export const likelihood = (p: number): string => (p > 0.99 ? "over 99 %" : p < 0.01 ? "under 1 %" : percent(p, 0));

export const count = (n: number, one: string, several = `${one}s`): string =>
  `${n.toLocaleString("en")} ${n === 1 ? one : several}`;

/** A name within a sentence: its direction of writing does not turn the words around it (Unicode isolates). */
export const isolated = (name: string): string => `\u2068${name}\u2069`;

export function duration(seconds: number): string {
  if (seconds < 100) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(n: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, n)) / 10));
  return `${Number((n / 1024 ** power).toPrecision(3))} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

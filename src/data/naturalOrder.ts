// Natural sort order, independent of locale and system.

/** By code units, and numbers by value: s2 before s10. */
export function byNaturalOrder(a: string, b: string): number {
  const partsA = a.match(/\d+|\D+/g) ?? [];
  const partsB = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(partsA.length, partsB.length); i++) {
    const difference = Number(partsA[i]) - Number(partsB[i]);
    if (difference) return difference;
    if (Number.isNaN(difference) && partsA[i] !== partsB[i]) return partsA[i] < partsB[i] ? -1 : 1;
  }
  return partsA.length - partsB.length || (a < b ? -1 : a > b ? 1 : 0);
}

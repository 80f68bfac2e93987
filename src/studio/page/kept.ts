// Choices that survive a reload, in the browser's local storage, until everything is deleted.

const prefix = "studio-";

/** A stored choice; undefined where there is none. */
export function kept(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(prefix + name) ?? "null") ?? undefined;
  } catch {
    return undefined; // site data is blocked, or it is not ours
  }
}

export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // site data is blocked, so the choice lasts until the page is left
  }
}

export function forgetKept(): void {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(prefix)) localStorage.removeItem(name);
  } catch {
    // site data is blocked: nothing is stored
  }
}

// Choices that survive a reload, in the browser's local storage. Where site data is blocked they last until the page is
// left.

/** Outlives "Delete everything", which removes the others. */
const themeName = "theme";
const prefix = "studio-";

function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // site data is blocked
  }
}

export const keptTheme = (): string | null => read(themeName);
export const keepTheme = (theme: string): void => write(themeName, theme);

/** A stored choice; undefined where there is none. */
export function kept(name: string): unknown {
  try {
    return JSON.parse(read(prefix + name) ?? "null") ?? undefined;
  } catch {
    return undefined; // it is not ours
  }
}

export const keep = (name: string, value: unknown): void => write(prefix + name, JSON.stringify(value));

export function forgetKept(): void {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(prefix)) localStorage.removeItem(name);
  } catch {
    // site data is blocked: nothing is stored
  }
}

// The model that the Evaluate tab shows.
import { signal } from "@preact/signals";

/** The id of a run or of an imported model; null before the first one was shown. It stays until another is chosen. */
export const chosen = signal<string | null>(null);

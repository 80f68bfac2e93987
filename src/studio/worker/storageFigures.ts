// Publishes the storage that this origin uses, and its quota.
import type { Publisher } from "./publisher.ts";

export async function tellStorage(publisher: Publisher): Promise<void> {
  const { usage, quota } = await navigator.storage.estimate().catch((): StorageEstimate => ({}));
  publisher.patch("storage", { used: usage ?? null, quota: quota ?? null });
}

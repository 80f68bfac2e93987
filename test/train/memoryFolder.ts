// A folder of checkpoints in memory, whose disk can be full.
import { TwingradError } from "../../src/errors.ts";
import type { CheckpointFolder } from "../../src/train/checkpoints.ts";

export interface MemoryFolder extends CheckpointFolder {
  readonly files: Map<string, Uint8Array>;
  full: boolean;
}

export function memoryFolder(): MemoryFolder {
  const files = new Map<string, Uint8Array>();
  return {
    path: "memory",
    files,
    full: false,
    list: async () => [...files.keys()],
    read: async (name) => files.get(name)!.slice(),
    async write(name, bytes) {
      if (this.full) throw new TwingradError("DISK", "memory: no space left");
      files.set(name, bytes.slice());
    },
    async remove(name) {
      files.delete(name);
    },
  };
}

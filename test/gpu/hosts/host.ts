// The interface of a host, for any runtime.

import type { Outcome, Start } from "./runner.ts";

export interface Host {
  /** The adapter's names, for messages. */
  adapter: string;
  /** Rejects if the runtime itself failed (a crash); the host is then unusable. */
  run(name: string): Promise<Outcome>;
  /** Ends the runtime, by force if it does not answer. */
  close(): Promise<void>;
}

export type OpenHost = (start: Start) => Promise<Host>;

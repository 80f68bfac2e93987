// What a host is to the tests, whichever runtime stands behind it.

import type { Outcome, Start } from "./runner.ts";

export interface Host {
  /** The adapter's names, for messages. */
  adapter: string;
  /** Rejects where the runtime itself failed (a crash); the host is then of no more use. */
  run(name: string): Promise<Outcome>;
  /** Ends the runtime, by force where it does not answer. */
  close(): Promise<void>;
}

export type OpenHost = (start: Start) => Promise<Host>;

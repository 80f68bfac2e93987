// The host that runs the engines: a page in headless Chrome, or a Node process on Dawn. Both have the functions of
// page/main.ts and can be restarted.
import { fileURLToPath } from "node:url";
import type { Page } from "./page/main.ts";

export const hosts = ["chrome", "node"] as const;
export type HostName = (typeof hosts)[number];

export type Calls = { [K in keyof Page]: (...rest: Parameters<Page[K]>) => Promise<Awaited<ReturnType<Page[K]>>> };

export interface BenchHost {
  readonly page: Calls;
  /** Versions of the host's software, by name. */
  versions(): Promise<Record<string, string>>;
  /** Restarts the host, without anything that an engine cached. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** The repository's root, from a bundle in build/bench/. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** Pending calls, by their ids. */
export class Waiting {
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private calls = 0;

  /** A proxy of `page`: its functions are called through `send`, and their results arrive through `settle`. */
  through(send: (id: number, method: string, rest: unknown[]) => Promise<unknown>): Calls {
    return new Proxy({} as Calls, {
      get:
        (_, method) =>
        (...rest: unknown[]) => {
          const id = this.calls++;
          return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            send(id, String(method), rest).catch(reject);
          });
        },
    });
  }

  settle(id: number, error: string | null, value: string): void {
    const answer = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === null) answer?.resolve(JSON.parse(value));
    else answer?.reject(new Error(error));
  }

  /** Rejects all pending calls, because the host has ended. */
  lose(what: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`The bench's host has ended: ${what}`));
    this.waiting.clear();
  }
}

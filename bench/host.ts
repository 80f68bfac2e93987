// Where the engines run while they are measured: a page in headless Chrome, or a process of Node on Dawn. Both offer the functions of
// page/main.ts and begin afresh when they are asked to.
import { fileURLToPath } from "node:url";
import type { Page } from "./page/main.ts";

export const hosts = ["chrome", "node"] as const;
export type HostName = (typeof hosts)[number];

export type Calls = { [K in keyof Page]: (...rest: Parameters<Page[K]>) => Promise<Awaited<ReturnType<Page[K]>>> };

export interface BenchHost {
  readonly page: Calls;
  /** Of what the engines run in, by name. */
  versions(): Promise<Record<string, string>>;
  /** Restarts: nothing that an engine cached is left. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** The repository's root, from a bundle in build/bench/. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** Pending answers, by the numbers of their calls. */
export class Waiting {
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private calls = 0;

  /** `page` whose functions are called by what `send` sends; the answer comes through `settle`. */
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

  /** The host is gone: rejects all pending calls. */
  lose(what: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`The bench's host is gone: ${what}`));
    this.waiting.clear();
  }
}

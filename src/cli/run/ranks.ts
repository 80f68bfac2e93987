// The processes of a distributed run as the command line needs them: the first one reads and writes files and talks to the
// user, the others train along.
import { type Communicator, TwingradError } from "../../index.ts";
import { broadcast, expectSame } from "../../internal.ts";
import { mpi } from "../../node/index.ts";
import type { ResolvedSettings } from "../options/settingsSchema.ts";
import { silence } from "../outcome.ts";

let active: Ranks | undefined;

export class Ranks {
  /** Whether this is rank 0. */
  readonly first: boolean;
  readonly size: number;

  private constructor(
    /** For the trainer. */
    readonly communicator: Communicator,
    /** For what is agreed on beside its steps. */
    private readonly control: Communicator,
    /** The implementation of MPI. */
    readonly library: string,
  ) {
    this.first = communicator.rank === 0;
    this.size = communicator.size;
  }

  /** Joins the others. All but rank 0 are silent from here on, up to an error. */
  static async open(): Promise<Ranks> {
    const communicator = await mpi();
    active = new Ranks(communicator, await communicator.duplicate(), communicator.library);
    if (!active.first) silence();
    return active;
  }

  /** What rank 0's work gives, on every rank. Where it fails rank 0 throws, and ends all of them. */
  async share<T>(work: () => T | Promise<T>): Promise<T> {
    const own = this.first ? encode(await work()) : undefined;
    return decode(await broadcast(this.control, own)) as T;
  }

  /** Rank 0's bytes, on every rank; undefined where it has none. */
  async shareBytes(bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const found = await broadcast(this.control, bytes);
    return found.length === 0 ? undefined : found;
  }

  /** What each rank has, by rank. */
  async gather<T>(own: T): Promise<T[]> {
    return (await this.control.allGather(encode(own))).map((bytes) => decode(bytes) as T);
  }

  /** Whether any of the ranks says so. */
  async any(own: boolean): Promise<boolean> {
    return (await this.gather(own)).includes(true);
  }

  /** @throws BAD_INPUT on every rank if the settings of the ranks differ. */
  expectSame(settings: Readonly<Record<string, unknown>>): Promise<void> {
    return expectSame(this.control, settings);
  }

  /** This rank's number among those of its machine. */
  async place(): Promise<number> {
    const hosts = await this.hosts();
    return hosts.slice(0, this.communicator.rank).filter((host) => host === this.communicator.host).length;
  }

  /** Each rank's machine. */
  hosts(): Promise<string[]> {
    return this.gather(this.communicator.host);
  }

  /** Which process each rank is: of one that is killed some launchers tell its number and machine alone. */
  async inWords(): Promise<string> {
    const processes = await this.gather(`${this.communicator.host}, process ${process.pid}`);
    const lines = processes.map((text, rank) => `rank ${rank} on ${text}`);
    return `${this.size} ranks under ${this.library}: ${lines.join("; ")}`;
  }

  async close(): Promise<void> {
    await this.communicator.close();
    active = undefined;
  }
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value ?? null));
const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

/** Ends all ranks where this process is one of several that train together; tells the reason with its rank and host. */
export function abortRanks(reason: string): void {
  active?.communicator.abort(reason);
}

/** Whether this process is one of several: `abortRanks` reports its errors. */
export const isDistributed = () => active !== undefined;

/** @throws BAD_INPUT for what only makes sense for several ranks. */
export function refuseAlone({ syncEvery, outerMomentum, overlap }: ResolvedSettings): void {
  const given = { "--sync-every": syncEvery, "--outer-momentum": outerMomentum, "--overlap": overlap };
  const flag = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (flag) throw new TwingradError("BAD_INPUT", `${flag} is for several ranks: it needs --distributed`);
}

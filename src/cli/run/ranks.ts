// The ranks of a distributed run, for the command line. Rank 0 reads and writes files and prints; the other ranks only
// train.
import { type Communicator, TwingradError } from "../../index.ts";
import { broadcast, expectSame } from "../../internal.ts";
import { mpi } from "../../node/index.ts";
import { SettingsError } from "../options/settingsError.ts";
import type { ResolvedSettings } from "../options/settingsSchema.ts";
import { silence } from "../outcome.ts";

let active: Ranks | undefined;

export class Ranks {
  /** Whether this is rank 0. */
  readonly first: boolean;
  readonly size: number;

  private constructor(
    /** The trainer's communicator. */
    readonly communicator: Communicator,
    /** For exchanges outside of the trainer, such as comparing settings. */
    private readonly control: Communicator,
    /** The implementation of MPI. */
    readonly library: string,
  ) {
    this.first = communicator.rank === 0;
    this.size = communicator.size;
  }

  /** Joins the other ranks. From here on, all ranks but 0 print nothing except errors. */
  static async open(): Promise<Ranks> {
    const communicator = await mpi();
    active = new Ranks(communicator, await communicator.duplicate(), communicator.library);
    if (!active.first) silence();
    return active;
  }

  /** Runs `work` on rank 0, and returns its result on every rank. If it fails, rank 0 throws, which ends all ranks. */
  async share<T>(work: () => T | Promise<T>): Promise<T> {
    const own = this.first ? encode(await work()) : undefined;
    return decode(await broadcast(this.control, own)) as T;
  }

  /** Broadcasts rank 0's bytes; undefined if it has none. */
  async shareBytes(bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    const found = await broadcast(this.control, bytes);
    return found.length === 0 ? undefined : found;
  }

  /** The values of all ranks, in their order. */
  async gather<T>(own: T): Promise<T[]> {
    return (await this.control.allGather(encode(own))).map((bytes) => decode(bytes) as T);
  }

  /** Whether `own` is true on any rank. */
  async any(own: boolean): Promise<boolean> {
    return (await this.gather(own)).includes(true);
  }

  /** @throws BAD_INPUT on every rank if the settings of the ranks differ. */
  expectSame(settings: Readonly<Record<string, unknown>>): Promise<void> {
    return expectSame(this.control, settings);
  }

  /** The local rank: this rank's number, from 0, among those of its machine. */
  async place(): Promise<number> {
    const hosts = await this.hosts();
    return hosts.slice(0, this.communicator.rank).filter((host) => host === this.communicator.host).length;
  }

  /** The machine of each rank. */
  hosts(): Promise<string[]> {
    return this.gather(this.communicator.host);
  }

  /** Names each rank's process: of a killed process some launchers report only its id and machine. */
  async inWords(): Promise<string> {
    const processes = await this.gather(`${this.communicator.host}, process ${process.pid}`);
    const lines = processes.map((text, rank) => `rank ${rank} on ${text}`);
    return `${this.size} ${this.size === 1 ? "rank" : "ranks"} under ${this.library}: ${lines.join("; ")}`;
  }

  async close(): Promise<void> {
    await this.communicator.close();
    active = undefined;
  }
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value ?? null));
const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

/** Ends all ranks of a distributed run, and prints the reason with this rank and its host. Does nothing otherwise. */
export function abortRanks(reason: string): void {
  active?.communicator.abort(reason);
}

/** Whether this is a distributed run: `abortRanks` then reports the errors. */
export const isDistributed = () => active !== undefined;

const firstGiven = (options: Readonly<Record<string, unknown>>) =>
  Object.entries(options).find(([, value]) => value !== undefined)?.[0];

/** @throws SettingsError for an option of local steps where each step is exchanged. */
export function refuseExact({ syncEvery = 1, outerMomentum, overlap }: ResolvedSettings): void {
  const flag = firstGiven({ "--outer-momentum": outerMomentum, "--overlap": overlap });
  if (flag && syncEvery === 1)
    throw new SettingsError(`${flag} is for local steps: it needs --sync-every above 1, or auto`);
}

/** @throws BAD_INPUT for an option that requires several ranks. */
export function refuseAlone({ syncEvery, outerMomentum, overlap }: ResolvedSettings): void {
  const flag = firstGiven({ "--sync-every": syncEvery, "--outer-momentum": outerMomentum, "--overlap": overlap });
  if (flag) throw new TwingradError("BAD_INPUT", `${flag} is for several ranks: it needs --distributed`);
}

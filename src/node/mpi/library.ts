// Calls the machine's MPI library through a foreign function interface. The implementations' binary interfaces differ
// in how they pass handles.
import type koffi from "koffi";
import { TwingradError } from "../../errors.ts";
import { loadPackage } from "../packages.ts";

type Koffi = typeof koffi;
type Library = ReturnType<Koffi["load"]>;

/** A handle of MPI: a pointer's address, or an int. */
export type Handle = bigint | number;

/** The constants and types of an implementation's C header. */
interface Interface {
  readonly name: string;
  /** The C type of communicators, datatypes and requests. */
  readonly handle: "intptr_t" | "int";
  world(library: Library, koffi: Koffi): Handle;
  byte(library: Library, koffi: Koffi): Handle;
  /** MPI_STATUS_IGNORE. */
  readonly statusIgnore: bigint;
  /** MPI_THREAD_FUNNELED: the process has threads, and one of them makes all calls. */
  readonly funneled: number;
}

const symbolOf = (name: string) => (library: Library, koffi: Koffi) => koffi.address(library.symbol(name));

/** Open MPI's handles are addresses of its own objects. */
const openMpi: Interface = {
  name: "Open MPI",
  handle: "intptr_t",
  world: symbolOf("ompi_mpi_comm_world"),
  byte: symbolOf("ompi_mpi_byte"),
  statusIgnore: 0n,
  funneled: 1,
};

/** MPICH's handles are ints, as are those of Intel MPI, MVAPICH and Cray MPICH, which share its binary interface. */
const mpich: Interface = {
  name: "MPICH",
  handle: "int",
  world: () => 0x44000000,
  byte: () => 0x4c00010d,
  statusIgnore: 1n,
  funneled: 1,
};

/** The standard ABI of MPI 5.0 (section 20): handles are small numbers as pointers. */
const standard: Interface = {
  name: "the standard MPI ABI",
  handle: "intptr_t",
  world: () => 0x101n,
  byte: () => 0x247n,
  statusIgnore: 0n,
  funneled: 1024,
};

/** The libraries' names for the dynamic linker. */
const openMpiNames = ["libmpi.so.40", "libmpi.40.dylib"];
const mpichNames = ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"];
const standardNames = ["libmpi_abi.so.0", "libmpi_abi.so", "libmpi_abi.0.dylib"];

/** The environment variable that names another library: a path, or a name for the linker. */
export const libraryVariable = "TWINGRAD_MPI";

/** UCX's variable for how it replaces libc's functions of memory. */
const memoryHooks = "UCX_MEM_MMAP_HOOK_MODE";

/** The libraries to try, in order: the launcher's own first, by its environment variables. */
export function libraryNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const named = env[libraryVariable];
  if (named) return [named];
  const byOpenMpi = env.OMPI_COMM_WORLD_SIZE !== undefined || env.PMIX_RANK !== undefined;
  const order = byOpenMpi
    ? [openMpiNames, mpichNames, standardNames]
    : env.PMI_RANK === undefined
      ? [openMpiNames, mpichNames, standardNames]
      : [mpichNames, standardNames, openMpiNames];
  return order.flat();
}

/** The binary interface of a library, by its file name and version string. */
export function interfaceOf(file: string, version: string): Interface {
  if (/mpi_abi/.test(file)) return standard;
  if (/^Open MPI/i.test(version)) return openMpi;
  if (/^(MPICH|Intel|MVAPICH|CRAY MPICH)/i.test(version)) return mpich;
  throw new TwingradError(
    "MISSING_PACKAGE",
    `${file} is "${version.split("\n")[0]}"; expected Open MPI, MPICH or a library with its ABI, or the standard ABI (libmpi_abi). Set ${libraryVariable} to another library.`,
  );
}

/** The MPI calls in use. An error ends the process, as is MPI's default. */
export interface Mpi {
  /** Name and version of the implementation. */
  readonly version: string;
  readonly world: Handle;
  readonly byte: Handle;
  initialized(): boolean;
  init(): void;
  finalize(): void;
  abort(communicator: Handle, status: number): void;
  rank(communicator: Handle): number;
  size(communicator: Handle): number;
  host(): string;
  duplicate(communicator: Handle): Handle;
  /** Sends one block of `bytes` bytes to each rank. */
  startAllToAll(send: Uint8Array, receive: Uint8Array, bytes: number, communicator: Handle): Request;
  /** Sends the same `bytes` bytes to every rank. */
  startAllGather(send: Uint8Array, receive: Uint8Array, bytes: number, communicator: Handle): Request;
}

/** A collective operation in progress; MPI advances it in calls of `isDone`. */
export interface Request {
  isDone(): boolean;
}

const longestVersion = 8192;
const longestName = 256;

const howTo =
  "Install one, as root on Debian or Ubuntu: apt-get install openmpi-bin (or mpich); on macOS: brew install open-mpi; on a " +
  `cluster load its module. If it is in an unusual place, set ${libraryVariable} to the library's file`;

/** @throws MISSING_PACKAGE without koffi, or without an MPI library. */
export async function loadMpi(env: Readonly<Record<string, string | undefined>> = process.env): Promise<Mpi> {
  const name = "koffi";
  // Bundlers do not follow this import: a program that trains in one process is bundled without the package.
  const load = (): Promise<{ default: Koffi }> => import(/* webpackIgnore: true */ /* @vite-ignore */ name);
  const { default: ffi } = await loadPackage(name, "Training under MPI", load);
  // UCX, the transport of MPICH and of Open MPI on InfiniBand, replaces libc's functions of memory while the process
  // runs: with Node's threads, 18 of 640 jobs of two ranks ended in a segmentation fault at their start. UCX reads the
  // variable when it is loaded.
  process.env[memoryHooks] ??= "none";
  const tried: string[] = [];
  for (const file of libraryNames(env)) {
    let library: Library;
    try {
      library = ffi.load(file, { global: true }); // Open MPI's plugins look for its symbols
    } catch (error) {
      tried.push(`${file}: ${(error as Error).message.split("\n")[0]}`);
      continue;
    }
    return bind(ffi, library, file);
  }
  const missing = env[libraryVariable] ? tried[0] : "there is no MPI library (libmpi) among those the linker finds";
  throw new TwingradError("MISSING_PACKAGE", `Training under MPI: ${missing}. ${howTo}.`);
}

function bind(ffi: Koffi, library: Library, file: string): Mpi {
  const text = (call: (buffer: Uint8Array, length: number[]) => number, most: number) => {
    const [buffer, length] = [new Uint8Array(most), [0]];
    call(buffer, length);
    return new TextDecoder().decode(buffer.subarray(0, length[0])).replace(/\0.*$/s, "").trim();
  };
  const getVersion = library.func("int MPI_Get_library_version(_Out_ uint8_t *version, _Out_ int *length)");
  const version = text(getVersion, longestVersion);
  const abi = interfaceOf(file, version);
  const { handle } = abi;
  const f = (name: string, parameters: string) => library.func(`int MPI_${name}(${parameters})`);
  const calls = {
    initialized: f("Initialized", "_Out_ int *flag"),
    init: f("Init_thread", "void *argc, void *argv, int required, _Out_ int *provided"),
    finalize: f("Finalize", ""),
    abort: f("Abort", `${handle} comm, int status`),
    rank: f("Comm_rank", `${handle} comm, _Out_ int *rank`),
    size: f("Comm_size", `${handle} comm, _Out_ int *size`),
    host: f("Get_processor_name", "_Out_ uint8_t *name, _Out_ int *length"),
    duplicate: f("Comm_dup", `${handle} comm, _Out_ ${handle} *copy`),
    allToAll: f(
      "Ialltoall",
      `const void *send, int sends, ${handle} sent, void *receive, int receives, ${handle} received, ${handle} comm, _Out_ ${handle} *request`,
    ),
    allGather: f(
      "Iallgather",
      `const void *send, int sends, ${handle} sent, void *receive, int receives, ${handle} received, ${handle} comm, _Out_ ${handle} *request`,
    ),
    test: f("Test", `_Inout_ ${handle} *request, _Out_ int *flag, intptr_t status`),
  };
  const out = (call: (value: Handle[]) => number): Handle => {
    const value: Handle[] = [0];
    call(value);
    return value[0];
  };
  const [world, byte] = [abi.world(library, ffi), abi.byte(library, ffi)];
  type Start = typeof calls.allGather;
  const start = (call: Start, send: Uint8Array, receive: Uint8Array, bytes: number, communicator: Handle): Request => {
    const request = out((value) => call(send, bytes, byte, receive, bytes, byte, communicator, value));
    const inOut = [request];
    const flag = [0];
    return {
      isDone() {
        void [send, receive]; // MPI holds their addresses: they must not be garbage-collected before
        calls.test(inOut, flag, abi.statusIgnore);
        return flag[0] !== 0;
      },
    };
  };
  return {
    version: `${version.split("\n")[0].split(",")[0].replace(/\s+/g, " ")}${abi === standard ? " (standard ABI)" : ""}`,
    world,
    byte,
    initialized: () => out(calls.initialized) !== 0,
    init: () => void calls.init(null, null, abi.funneled, [0]),
    finalize: () => void calls.finalize(),
    abort: (communicator, status) => void calls.abort(communicator, status),
    rank: (communicator) => Number(out((value) => calls.rank(communicator, value))),
    size: (communicator) => Number(out((value) => calls.size(communicator, value))),
    host: () => text(calls.host, longestName),
    duplicate: (communicator) => out((value) => calls.duplicate(communicator, value)),
    startAllToAll: (send, receive, bytes, communicator) => start(calls.allToAll, send, receive, bytes, communicator),
    startAllGather: (send, receive, bytes, communicator) => start(calls.allGather, send, receive, bytes, communicator),
  };
}

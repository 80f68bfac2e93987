import { describe, expect, it } from "vitest";
import { interfaceOf, libraryNames, loadMpi } from "../../../src/node/mpi/library.ts";
import { launchedRanks } from "../../../src/node/mpi/mpi.ts";

describe("the MPI library", () => {
  it("is the launcher's first, or the one that the user names", () => {
    expect(libraryNames({ OMPI_COMM_WORLD_SIZE: "4" })[0]).toBe("libmpi.so.40");
    expect(libraryNames({ PMIX_RANK: "0" })[0]).toBe("libmpi.so.40");
    expect(libraryNames({ PMI_RANK: "0", PMI_SIZE: "4" })[0]).toBe("libmpich.so.12");
    expect(libraryNames({})).toContain("libmpi_abi.so.0");
    expect(libraryNames({ TWINGRAD_MPI: "/opt/mpi/libmpi.so", PMI_RANK: "0" })).toEqual(["/opt/mpi/libmpi.so"]);
  });

  it.each([
    ["libmpi.so.40", "Open MPI v4.1.4, package: Debian OpenMPI", "Open MPI"],
    ["libmpi.so.12", "MPICH Version:\t4.0.2", "MPICH"],
    ["libmpi.so.12", "Intel(R) MPI Library 2021.12 for Linux* OS", "MPICH"],
    ["libmpi_abi.so.0", "MPICH Version:\t5.0.0", "the standard MPI ABI"],
  ])("%s, which says %j, has the interface of %s", (file, version, name) => {
    expect(interfaceOf(file, version).name).toBe(name);
  });

  it("unknown libraries are refused, and a missing one names what to install", async () => {
    expect(() => interfaceOf("libmpi.so.1", "LAM 7")).toThrow(/libmpi\.so\.1 is "LAM 7".*TWINGRAD_MPI/);
    await expect(loadMpi({ TWINGRAD_MPI: "/nowhere/libmpi.so" })).rejects.toMatchObject({
      code: "MISSING_PACKAGE",
      message: expect.stringMatching(/\/nowhere\/libmpi\.so.*apt-get install openmpi-bin/s),
    });
  });

  it("is held against what the launcher says that it started", () => {
    expect(launchedRanks({ OMPI_COMM_WORLD_SIZE: "4" })).toBe(4);
    expect(launchedRanks({ PMI_SIZE: "2" })).toBe(2);
    expect(launchedRanks({})).toBeUndefined();
  });
});

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeSealed } from "../../src/formats/seal.ts";
import { makeFolder } from "../../src/node/files/diskError.ts";
import { imageFolder } from "../../src/node/files/imageFolders.ts";
import { readModelFile, writeOutput, writeOutputs } from "../../src/node/files/modelFiles.ts";
import { startTimeOf } from "../../src/node/files/processes.ts";
import { readText } from "../../src/node/files/textFiles.ts";
import { removeParts, writeAtomic } from "../../src/node/files/writeAtomic.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(...files: string[]): Promise<void> {
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), "P5 1 1 255\n7");
  }
}

describe("imageFolder", () => {
  it("takes the folder for the person, at any depth, in the order of the names", async () => {
    await put("s10/1.pgm", "s2/10.pgm", "s2/9.PGM", "2024/ada/1.jpeg", "2024/ada/2.webp");
    const dataset = await imageFolder(folder);
    expect(dataset.identities).toEqual(["2024/ada", "s2", "s10"]);
    expect(dataset.items.map((item) => [item.identity, item.name.slice(folder.length + 1)])).toEqual([
      [0, join("2024", "ada", "1.jpeg")],
      [0, join("2024", "ada", "2.webp")],
      [1, join("s2", "9.PGM")],
      [1, join("s2", "10.pgm")],
      [2, join("s10", "1.pgm")],
    ]);
    expect(await dataset.items[2].decode([1, 1, 1])).toEqual(Uint8Array.of(0x37));
  });

  it("leaves out other files, hidden ones and hidden folders", async () => {
    await put("a/1.png", "a/notes.txt", "README", "SHA256SUMS", ".git/x.png", "a/.thumb/1.png", "a/._1.png");
    expect((await imageFolder(folder)).items).toHaveLength(1);
  });

  it("follows links to folders and files, and ends where they go in circles", async () => {
    await put("real/a/1.png", "real/a/2.png");
    await mkdir(join(folder, "linked"));
    await symlink(join(folder, "real", "a"), join(folder, "linked", "ada"));
    await symlink(join(folder, "linked"), join(folder, "linked", "again"));
    const dataset = await imageFolder(join(folder, "linked"));
    expect(dataset.identities).toEqual(["ada"]);
    expect(dataset.items).toHaveLength(2);
  });

  it("names a picture that cannot be decoded, when it is asked for", async () => {
    await put("a/1.png");
    await writeFile(join(folder, "a/1.png"), "no picture");
    const [item] = (await imageFolder(folder)).items;
    await expect(item.decode([8, 8, 3])).rejects.toThrow(join(folder, "a", "1.png"));
  });

  it("says what is wrong with a path", async () => {
    await expect(imageFolder(join(folder, "none"))).rejects.toThrow(/none: there is no such folder/);
    await expect(imageFolder(folder)).rejects.toThrow(/no pictures found; expected one folder for each person/);
    await put("a/1.png", "lone.png");
    await expect(imageFolder(join(folder, "lone.png"))).rejects.toThrow(/this is a file; expected a folder/);
    await expect(imageFolder(folder)).rejects.toThrow(/lone\.png: expected pictures in one folder for each person/);
  });
});

describe("writeAtomic", () => {
  it("replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "model.safetensors");
    await writeAtomic(path, "first");
    await writeAtomic(path, Uint8Array.of(1, 2));
    expect(new Uint8Array(await readFile(path))).toEqual(Uint8Array.of(1, 2));
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
  });

  it("keeps the old state and leaves no part when it fails", async () => {
    // A folder in the file's place: the rename, the very last act, must fail.
    await put("model.safetensors/inside.png");
    await expect(writeAtomic(join(folder, "model.safetensors"), "new")).rejects.toThrow(/cannot be written/);
    expect(await readdir(folder)).toEqual(["model.safetensors"]);
    expect(await readdir(join(folder, "model.safetensors"))).toEqual(["inside.png"]);
  });

  it("writes where symbolic links lead, also to a file that is not there yet", async () => {
    await mkdir(join(folder, "real"));
    await writeFile(join(folder, "real", "a"), "old");
    await symlink("real/a", join(folder, "second"));
    await symlink(join(folder, "second"), join(folder, "first"));
    await writeAtomic(join(folder, "first"), "new");
    expect(await readFile(join(folder, "real", "a"), "utf8")).toBe("new");
    expect(await readlink(join(folder, "second"))).toBe("real/a");
    // A folder on the way is a link, too: ".." in a link starts from where it really is.
    await symlink("real", join(folder, "alias"));
    await symlink("../b", join(folder, "real", "dangling"));
    await writeAtomic(join(folder, "alias", "dangling"), "b");
    expect(await readFile(join(folder, "b"), "utf8")).toBe("b");
    await symlink("circle", join(folder, "circle"));
    await expect(writeAtomic(join(folder, "circle"), "x")).rejects.toMatchObject({ code: "BAD_INPUT" });
    expect((await readdir(folder)).sort()).toEqual(["alias", "b", "circle", "first", "real", "second"]);
  });

  it("keeps permissions, owner and group of a file; a new one is private where that is asked for", async () => {
    const path = join(folder, "x");
    const access = async () => {
      const { mode, uid, gid } = await stat(path);
      return [mode & 0o777, uid, gid];
    };
    await writeFile(path, "old");
    await chmod(path, 0o604);
    const root = process.getuid?.() === 0;
    if (root) await chown(path, 1234, 4321);
    const before = await access();
    await writeAtomic(path, "new", { ownerOnly: true });
    expect(await access()).toEqual(before);
    expect(before[0]).toBe(0o604);
    if (root) expect(before.slice(1)).toEqual([1234, 4321]);
    await rm(path);
    await writeAtomic(path, "new", { ownerOnly: true });
    expect((await access())[0]).toBe(0o600);
    await rm(path);
    await writeAtomic(path, "new");
    expect((await access())[0]).toBe(0o666 & ~process.umask());
  });

  it("refuses what is no file, and leaves it", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(writeAtomic(pipe, "x")).rejects.toMatchObject({
      code: "BAD_INPUT",
      message: `${pipe}: cannot be written: expected a file, not a named pipe`,
    });
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    await symlink("/dev/null", join(folder, "null"));
    await expect(writeAtomic(join(folder, "null"), "x")).rejects.toThrow(/expected a file, not a device/);
    await expect(writeAtomic("/dev/null", "x")).rejects.toMatchObject({ code: "BAD_INPUT" });
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  it("names the path when the folder is missing", async () => {
    const path = join(folder, "none", "x");
    await expect(writeAtomic(path, "new")).rejects.toThrow(`${path}: cannot be written`);
  });
});

describe("readModelFile", () => {
  it("takes the file or its folder, and says when there is none", async () => {
    await writeFile(join(folder, "model.safetensors"), "bytes");
    expect(Buffer.from(await readModelFile(folder)).toString()).toBe("bytes");
    expect(Buffer.from(await readModelFile(join(folder, "model.safetensors"))).toString()).toBe("bytes");
    await expect(readModelFile(join(folder, "none"))).rejects.toThrow(/model not found/);
    await mkdir(join(folder, "begun", "checkpoints"), { recursive: true });
    await expect(readModelFile(join(folder, "begun"))).rejects.toThrow(
      /training has not ended: .* --resume, or name one of/,
    );
    await mkdir(join(folder, "empty"));
    await expect(readModelFile(join(folder, "empty"))).rejects.toThrow(
      /empty: there is no model\.safetensors in this folder/,
    );
  });
});

describe("imageFolder and what stands in folders", () => {
  it("takes names that read the same for one, and refuses what nobody can read", async () => {
    await put("Ren\u00e9e/1.pgm", "Rene\u0301e/2.pgm", "ada /1.pgm", "ada/2.pgm");
    const { identities, items } = await imageFolder(folder);
    expect(identities).toEqual(["Ren\u00e9e", "ada"]);
    expect(items.map(({ identity }) => identity).sort()).toEqual([0, 0, 1, 1]);
    await put("A\u001b[2Jda/1.pgm");
    await expect(imageFolder(folder)).rejects.toThrow(/A\\u001b\[2Jda.* has invisible characters/);
  });

  it("tells of folders without a picture, and of links to nowhere in place of a folder", async () => {
    await put("ada/1.png", "bob/1.png");
    await mkdir(join(folder, "carl"));
    await symlink(join(folder, "none"), join(folder, "dora"));
    const told: string[] = [];
    await imageFolder(folder, { warn: (text) => told.push(text) });
    expect(told).toEqual([expect.stringMatching(/^empty, left out: (carl, dora|dora, carl)$/)]);
  });

  it("tells of formats that are passed over, and of who vanishes with them", async () => {
    await put("ada/1.pgm", "ada/2.bmp", "ada/3.JFIF", "grace/1.jfif", "grace/notes.txt", ".thumbs/1.bmp");
    const told: string[] = [];
    const { identities } = await imageFolder(folder, { tell: (text) => told.push(text) });
    expect(identities).toEqual(["ada"]);
    expect(told).toEqual([
      "skipped: 1 .bmp, 2 .jfif; without other pictures, left out: grace. Convert them to .jpg, .jpeg, .png, .webp, .pgm, .ppm to use them",
    ]);
    await rm(join(folder, "ada"), { recursive: true });
    await expect(imageFolder(folder)).rejects.toThrow(/no pictures found.*skipped: 1 \.jfif/);
  });

  it.runIf(process.platform === "linux")(
    "a name that is not UTF-8 is told, or left out where that was asked for",
    async () => {
      await put("ada/1.pgm");
      await mkdir(Buffer.concat([Buffer.from(`${folder}/Ren`), Buffer.of(0xe9)]));
      await expect(imageFolder(folder)).rejects.toMatchObject({
        code: "BAD_INPUT",
        message: expect.stringMatching(/Ren\ufffd: this name is not UTF-8; rename it/),
      });
      const skipped: string[] = [];
      const onUnreadable = ({ code }: { code: string }) => skipped.push(code);
      expect((await imageFolder(folder, { onUnreadable })).identities).toEqual(["ada"]);
      expect(skipped).toEqual(["BAD_INPUT"]);
    },
  );

  it.runIf(process.getuid?.() === 0)("what may not be read is DISK, with its path", async () => {
    await put("ada/1.pgm", "bob/1.pgm");
    await chmod(folder, 0o755);
    await chmod(join(folder, "ada/1.pgm"), 0);
    const { items } = await imageFolder(folder);
    const as = async <T>(user: number, work: () => Promise<T>) => {
      process.seteuid!(user);
      return work().finally(() => process.seteuid!(0));
    };
    const denied = { code: "DISK", reason: "denied" };
    const message = expect.stringContaining(join(folder, "ada", "1.pgm: cannot be read: EACCES"));
    await expect(as(65534, () => items[0].decode([1, 1, 1]))).rejects.toMatchObject({ ...denied, message });
    await chmod(join(folder, "bob"), 0);
    await expect(as(65534, () => imageFolder(folder))).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining(`${join(folder, "bob")}: cannot be listed: EACCES`),
    });
    const skipped: Error[] = [];
    const rest = await as(65534, () => imageFolder(folder, { onUnreadable: (error) => skipped.push(error) }));
    expect([rest.identities, skipped.length]).toEqual([["ada"], 1]);
  });
});

it("text is read with any byte-order mark", async () => {
  const path = join(folder, "list.txt");
  for (const bytes of [
    Buffer.from("G\u00f6del"),
    Buffer.from("\ufeffG\u00f6del"),
    Buffer.from("\ufeffG\u00f6del", "utf16le"),
    Buffer.from("\ufeffG\u00f6del", "utf16le").swap16(),
  ]) {
    await writeFile(path, bytes);
    expect(await readText(path)).toBe("G\u00f6del");
  }
});

describe.runIf(process.platform === "linux")("removeParts", () => {
  it("removes what an earlier process of the same number left, and not what one writes", async () => {
    const own = `.a-01234567.${process.pid}-${startTimeOf(process.pid)}.part`;
    const earlier = `.a-01234567.${process.pid}-1.part`;
    const gone = ".a-01234567.4194305-1.part";
    for (const name of [own, earlier, gone]) await writeFile(join(folder, name), "");
    await removeParts(folder);
    expect(await readdir(folder)).toEqual([own]);
  });
});

describe("writeOutput", () => {
  const fileOf = (...names: string[]) =>
    encodeSealed(new Map(names.map((name) => [name, { dtype: "F32", shape: [1], data: new Float32Array(1) }])), {});

  it("refuses to replace a trained model, also a damaged one", async () => {
    const path = join(folder, "model.safetensors");
    const model = await fileOf("tower/dense/bias", "optimizer/m/tower/dense/bias");
    model[model.length - 1] ^= 1;
    await writeFile(path, model);
    await expect(writeOutput(path, "new")).rejects.toThrow(/model\.safetensors is a trained model, which this would/);
    expect((await readFile(path)).equals(model)).toBe(true);
  });

  it("refuses to replace a model of an optimizer without state", async () => {
    const path = join(folder, "model.safetensors");
    const model = await encodeSealed(new Map(), {
      twingrad: JSON.stringify({ version: 2, optimizer: "sgd", step: 3 }),
    });
    await writeFile(path, model);
    await expect(writeOutput(path, "new")).rejects.toThrow(/model\.safetensors is a trained model, which this would/);
  });

  it("refuses to replace a source, by whatever name", async () => {
    await put("weights", "a/1.pgm");
    const source = join(folder, "weights");
    await symlink(source, join(folder, "link"));
    for (const path of [source, join(folder, "link"), join(folder, "a", "..", "weights")]) {
      await expect(writeOutput(path, "new", { sources: [source] })).rejects.toThrow(/is the file to read/);
    }
    expect(await readFile(source, "utf8")).toMatch(/^P5/);
  });

  it("writes new files, and replaces other files and exported weights", async () => {
    const path = join(folder, "out");
    for (const before of [undefined, "text", await fileOf("tower/dense/bias")]) {
      if (before) await writeFile(path, before);
      await writeOutput(path, "new", { sources: [join(folder, "not there")] });
      expect(await readFile(path, "utf8")).toBe("new");
    }
  });

  it("writes none of several if one cannot be, or if two are one file", async () => {
    const at = (name: string) => join(folder, name);
    await mkdir(at("taken"));
    for (const [second, reason] of [
      ["taken", /taken: .*folder/],
      ["new/../first", /first is another output too/],
    ] as const) {
      const files = [at("first"), `${folder}/${second}`].map((path) => [path, "new"] as const);
      await expect(writeOutputs(files)).rejects.toThrow(reason);
      await expect(readFile(at("first"))).rejects.toThrow("ENOENT");
    }
    await writeOutputs([at("a/b/c"), at("a/d")].map((path) => [path, "new"] as const));
    expect(await readFile(at("a/b/c"), "utf8")).toBe("new");
  });
});

describe("makeFolder", () => {
  it("tells the first folder that was missing, and refuses a file", async () => {
    await mkdir(join(folder, "a"));
    expect(await makeFolder(join(folder, "a", "b", "c"))).toBe(join(folder, "a", "b"));
    expect(await makeFolder(join(folder, "a", "b", "c"))).toBeUndefined();
    await writeFile(join(folder, "file"), "");
    await expect(makeFolder(join(folder, "file"))).rejects.toThrow(/file: cannot be made: it is a file/);
    await expect(makeFolder(join(folder, "file", "b"))).rejects.toThrow(/cannot be made/);
  });

  it.runIf(existsSync("/proc/self"))("ends where no folder can be made", async () => {
    await expect(makeFolder("/proc/twingrad/reports")).rejects.toThrow(/\/proc\/twingrad\/reports: cannot be made/);
  });
});

describe("readText", () => {
  it("refuses another encoding than it can know, with the place", async () => {
    const path = join(folder, "latin1.csv");
    await writeFile(path, Buffer.from("name\nJos\u00e9 1\nJos\u00e8 2\n", "latin1"));
    await expect(readText(path)).rejects.toThrow(/^line 2 is not UTF-8; save the file as UTF-8/);
    await writeFile(path, "name\nJos\u00e9 1\n");
    expect(await readText(path)).toBe("name\nJos\u00e9 1\n");
  });
});

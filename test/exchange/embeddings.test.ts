// Tables of embeddings in the files of other programs, and vectors of any model in our galleries and protocols.
import { describe, expect, it } from "vitest";
import {
  datasetOf,
  decodeEmbeddings,
  decodeNames,
  embeddingFormat,
  encodeEmbeddings,
  encodeNames,
  projectorFiles,
  scorePairs,
  tableOf,
  vectorRecognizer,
} from "../../src/exchange/index.ts";
import { encode } from "../../src/formats/safetensors.ts";
import { allPairs, Gallery, labelsOf, verificationReport } from "../../src/index.ts";
import { normal } from "../random.ts";

const values = normal([4 * 3], 1).data.map(Math.fround);
const names = { identities: ["Ada", "Ada", "Grace, née M.", "Лю"], names: ["a/1.png", "a/2.png", "g\t1", '"l".png'] };
const table = tableOf(3, Float32Array.from(values), names);

describe("files of embeddings", () => {
  it.each(["npy", "csv", "safetensors"] as const)("%s: come back the same", (format) => {
    const bytes = encodeEmbeddings(table, format);
    const told = format === "npy" ? decodeNames(encodeNames(table)) : undefined;
    const found = decodeEmbeddings(bytes, format, told);
    expect(found.values).toEqual(table.values);
    expect(found.identities).toEqual(names.identities);
    expect(found.names).toEqual(format === "npy" ? names.names.map((name) => name.replace("\t", " ")) : names.names);
    const said = { identities: ["w", "x", "y", "z"] };
    expect(decodeEmbeddings(bytes, format, said).identities).toEqual(said.identities);
  });

  it.each([
    ["little-endian", (text: Buffer) => text],
    ["big-endian", (text: Buffer) => text.swap16()],
  ])("reads a .csv in UTF-16, %s, as spreadsheets save it", (_, order) => {
    const csv = new TextDecoder().decode(encodeEmbeddings(table, "csv"));
    const found = decodeEmbeddings(new Uint8Array(order(Buffer.from(`\ufeff${csv}`, "utf16le"))), "csv");
    expect(found.values).toEqual(table.values);
    expect(found.identities).toEqual(names.identities);
  });

  /** As np.save writes an array, its data given. */
  const saved = (descr: string, order: string, shape: string, data: ArrayBuffer, version = 1) => {
    const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(
      version === 1 ? 117 : 115,
    );
    const length = version === 1 ? [118, 0] : [116, 0, 0, 0];
    return Uint8Array.of(0x93, ...Buffer.from("NUMPY"), version, 0, ...length, ...Buffer.from(`${header}\n`), ...new Uint8Array(data)); // biome-ignore format: one line
  };

  it("reads NumPy's float64 and float16, of version 1 and 2", () => {
    const doubles = saved("<f8", "False", "(2, 2)", Float64Array.of(1, 2, 3, 4.5).buffer, 2);
    const read = (bytes: Uint8Array) => [...decodeEmbeddings(bytes, "npy", { identities: ["a", "b"] }).values];
    expect(read(doubles)).toEqual([1, 2, 3, 4.5]);
    expect(read(saved("<f2", "False", "(2, 1)", Uint16Array.of(0x3c00, 0xc000).buffer))).toEqual([1, -2]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["another file", new TextEncoder().encode("PNG, say"), /not a .npy file/],
    ["columns first", saved("<f4", "True", "(1, 1)", Float32Array.of(1).buffer), /columns first/],
    ["whole numbers", saved("<i4", "False", "(1, 1)", Float32Array.of(1).buffer), /<i4/],
    ["a list", saved("<f4", "False", "(1,)", Float32Array.of(1).buffer), /\(1,\)/],
    ["too few bytes", saved("<f4", "False", "(2, 1)", Float32Array.of(1).buffer), /4 bytes/],
    ["not a number", saved("<f4", "False", "(1, 1)", Float32Array.of(Number.NaN).buffer), /NaN/],
  ])("refuses a .npy with %s", (_, bytes, reason) => {
    expect(() => decodeEmbeddings(bytes, "npy", { identities: ["a"] })).toThrow(reason);
  });

  it("reads a CSV of numbers alone, with the names of a list; refuses rows without numbers", () => {
    const text = (csv: string) => new TextEncoder().encode(csv);
    const found = decodeEmbeddings(text("1,2\n3,4\n"), "csv", decodeNames("Ada\nGrace\n"));
    expect(found).toMatchObject({ length: 2, identities: ["Ada", "Grace"] });
    expect(() => decodeEmbeddings(text("1,2\n3,4\n"), "csv")).toThrow(/"identity".*--names/);
    expect(() => decodeEmbeddings(text("1,2\n"), "csv", decodeNames("Ada\nGrace"))).toThrow(/2 identities for 1 rows/);
    expect(() => embeddingFormat("a.txt")).toThrow(/\.npy, \.csv, \.safetensors/);
  });

  it.each([
    ["no header and identities", "ada,0.5,2\nben,1,0.5\n", /column 1 has text \("ben"\).*header.*"identity"/],
    ["no header and numbers for identities", "1,0.5,2.5\n2,1.5,0\n", /column 1 has whole numbers alone/],
    ["numbered columns and another", "label,f0,f1\n1,0.5,2\n2,1,1\n", /column "label" is not numbered as the others/],
  ])("refuses a CSV with %s, with and without a list of names", (_, csv, reason) => {
    const bytes = new TextEncoder().encode(csv);
    expect(() => decodeEmbeddings(bytes, "csv")).toThrow(reason);
    expect(() => decodeEmbeddings(bytes, "csv", { identities: ["ada", "ben"] })).toThrow(reason);
  });

  it.each([
    ["nothing", "", /the file is empty; expected rows of numbers/],
    ["a shorter row", "1,2\n3\n", /row 2 has 1 columns, the first one 2/],
    ["a longer row", "a,b\n1,2\n3,4,5\n", /row 3 has 3 columns, the first one 2/],
    ["another kind of number", "a0,a1\n1,2\n3,0x10\n", /row 3, column 2 is "0x10"; expected a number/],
    ["an empty field", "a0,a1\n1,2\n3,\n", /row 3, column 2 is ""; expected a number/],
  ])("refuses a CSV with %s", (_, csv, reason) => {
    const names = { identities: ["ada", "ben"] };
    expect(() => decodeEmbeddings(new TextEncoder().encode(csv), "csv", names)).toThrow(reason);
  });

  it("refuses identities in a .safetensors that are no list of texts", () => {
    for (const identities of ["[1, 2]", "[1", '"ada"']) {
      const tensor = { dtype: "F32" as const, shape: [2, 1], data: new Float32Array(2) };
      const bytes = encode(new Map([["embeddings", tensor]]), { identities });
      expect(() => decodeEmbeddings(bytes, "safetensors")).toThrow(/the metadata "identities" is not a list of texts/);
    }
  });

  it("takes whole numbers and any names of columns where they can be no identities", () => {
    const read = (csv: string) => decodeEmbeddings(new TextEncoder().encode(csv), "csv", { identities: ["a", "b"] });
    expect(read("1,2\n3,4\n").length).toBe(2);
    expect(read("0,0.5\n0,1.5\n").length).toBe(2); // a unit that is never active
    expect(read("x,y\n1,0.5\n2,1.5\n").length).toBe(2);
  });

  it("finds identities in a list with a header by its name alone", () => {
    expect(decodeNames("picture\tidentity\n1.png\tada\n")).toEqual({ identities: ["ada"], names: ["1.png"] });
    expect(decodeNames("identity\nada\nben\n").identities).toEqual(["ada", "ben"]);
    expect(decodeNames("ada\nben\n").identities).toEqual(["ada", "ben"]);
    expect(() => decodeNames("file\tlabel\n1.png\tada\n")).toThrow(/"file", "label".*"identity"/);
  });

  it("are TensorBoard's projector", () => {
    const files = projectorFiles(table);
    expect(files["vectors.tsv"].trimEnd().split("\n")[3].split("\t").map(Number)).toEqual([...values.slice(9)]);
    expect(files["metadata.tsv"].split("\n")[1]).toBe("Ada\ta/1.png");
    expect(files["projector_config.pbtxt"]).toContain('metadata_path: "metadata.tsv"');
  });
});

describe("vectorRecognizer", () => {
  it.each(["euclidean", "cosine"] as const)("serves galleries and protocols by its distance: %s", async (metric) => {
    const recognizer = vectorRecognizer({ model: "some", length: 3, metric, threshold: 0.3 });
    const [a, b] = [Float32Array.of(1, 2, 2), Float32Array.of(2, 4, 4)];
    expect(recognizer.distances(a, b)[0]).toBeCloseTo(metric === "cosine" ? 0 : 3, 6);
    const gallery = new Gallery(recognizer);
    await gallery.enroll("Ada", Float32Array.of(1, 0, 0, 0.9, 0.1, 0));
    await gallery.enroll("Grace", Float32Array.of(0, 1, 0));
    expect(await gallery.identify(Float32Array.of(0.95, 0.05, 0))).toMatchObject({ name: "Ada" });
    expect(await gallery.identify(Float32Array.of(0, 0, 1))).toMatchObject({ name: null });
    const other = vectorRecognizer({ model: "another", length: 3, metric, threshold: 0.3 });
    expect(() => Gallery.fromJSON(other, gallery.toJSON())).toThrow(/another model/);
    expect(Gallery.fromJSON(recognizer, gallery.toJSON()).names).toEqual(["Ada", "Grace"]);

    const dataset = datasetOf(table);
    expect(dataset.identities).toEqual(["Ada", "Grace, née M.", "Лю"]);
    await expect(dataset.items[0].decode([1, 1, 1])).rejects.toThrow(/no picture/);
    const scored = scorePairs(recognizer, table.values, allPairs(labelsOf(dataset)));
    expect(scored).toHaveLength(6);
    const of = (row: number) => table.values.subarray(3 * row, 3 * row + 3);
    for (const { left, right, distance } of scored) expect(distance).toBe(recognizer.distances(of(left), of(right))[0]);
    const labels = [0, 0, 1, 1];
    const pairs = scored.map((pair) => ({ ...pair, same: labels[pair.left] === labels[pair.right] }));
    expect(verificationReport(pairs, pairs, labels)).toMatchObject({ pairs: 6 });
  });

  it("refuses what is no vector, and a probability without a calibration", async () => {
    const options = { model: "some", length: 3, threshold: 1 };
    const recognizer = vectorRecognizer(options);
    await expect(recognizer.embed(new Float32Array(4))).rejects.toThrow(/vectors of length 3/);
    for (const other of [new Uint8Array(3), new Float64Array(3), [1, 2, 3]] as Uint8Array[]) {
      await expect(recognizer.embed(other)).rejects.toThrow(/are a \w*Array; expected a Float32Array/);
    }
    const cosine = vectorRecognizer({ ...options, metric: "cosine" });
    await expect(cosine.embed(Float32Array.of(1, 0, 0, 0, 0, 0))).rejects.toThrow(/vector 1 is zero/);
    expect(() => cosine.distances(new Float32Array(3), Float32Array.of(1, 0, 0))).toThrow(/zero/);
    expect(() => recognizer.probability(1)).toThrow(/calibration/);
    const calibration = { slope: 2, intercept: 2 };
    expect(vectorRecognizer({ ...options, calibration }).probability(1)).toBe(0.5);
    const operatingPoint = { metric: "euclidean", length: 3, threshold: 1, calibration } as const;
    expect(vectorRecognizer({ ...options, calibration: operatingPoint }).probability(1)).toBe(0.5);
    const refused = (given: object) => () => vectorRecognizer({ ...options, calibration: given as typeof calibration });
    expect(refused({ ...operatingPoint, metric: "cosine" })).toThrow(/calibration is for the cosine distance/);
    expect(refused({ ...operatingPoint, length: 4 })).toThrow(/calibration is for vectors of length 4/);
    expect(refused({ threshold: 1 })).toThrow(/slope and intercept/);
    expect(() => vectorRecognizer({ ...options, metric: "manhattan" as "cosine" })).toThrow(/manhattan/);
  });
});

// @ts-check
// The licenses of the packages whose code is part of a built package.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** @typedef {import("esbuild").Metafile} Metafile */

/** @param {string} folder of the built package @param {Metafile} metafile */
export async function writeNotices(folder, metafile) {
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const packages = new Set(used.map(([file]) => file.match(/^(node_modules\/(@[^/]+\/)?[^/]+)\//)?.[1] ?? ""));
  packages.delete("");
  const texts = await Promise.all([...packages].sort().map(notice));
  if (used.some(([file]) => file.startsWith(schema))) texts.push(await schemaNotice());
  if (texts.length === 0) return;
  await writeFile(path.join(folder, "THIRD-PARTY-NOTICES.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));
}

/** ONNX's own description of its file format, the source of some generated code of ours. */
const schema = "src/exchange/onnx/schema/";

async function schemaNotice() {
  return `onnx.proto of ONNX 1.23.0 (Apache-2.0)\n\n${(await readFile(`${schema}LICENSE`, "utf8")).trim()}\n`;
}

/** @param {string} folder of an installed package @returns {Promise<string>} */
async function notice(folder) {
  const { name, version, license, repository } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const source = repository?.url ?? repository;
  if (!file && !source) throw new Error(`${name} has neither a license file nor an address of its source.`);
  const text = file ? await readFile(path.join(folder, file), "utf8") : `Source and license: ${source}`;
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

// What the test of face finders calls in a page.
import * as faceApi from "@vladmandic/face-api";
import type { FoundFace } from "../../src/data/detection/faceFinder.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { faceDataset } from "../../src/index.ts";
import { browserFaceFinder, faceApiInPage, imageFiles, pagePictures } from "../../src/web/index.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const opened = () => faceApiInPage(faceApi, "/model");

async function find(base64: string): Promise<readonly FoundFace[]> {
  const { scale: _, ...shown } = await pagePictures.whole({ bytes: bytesOf(base64) });
  return (await opened()).find(shown);
}

/** The folder's pictures cropped to their faces, and the faults that were reported. */
async function cropped(files: Record<string, string>, size: ImageSize) {
  const chosen = Object.entries(files).map(([path, base64]) => {
    const file = new File([bytesOf(base64)], path.slice(path.lastIndexOf("/") + 1));
    return Object.defineProperty(file, "webkitRelativePath", { value: path });
  });
  const faults: (readonly [string, readonly string[], boolean])[] = [];
  const onFaults = (item: { name: string }, found: readonly string[], used: boolean) =>
    void faults.push([item.name, found, used]);
  const { items } = await faceDataset(imageFiles(chosen), pagePictures, { finder: await opened() }, { onFaults });
  const pictures = await Promise.all(items.map(async (item) => [...(await item.decode(size))]));
  return { names: items.map(({ name }) => name), pictures, faults };
}

const ownFinder = async () => (await browserFaceFinder())?.name;

declare global {
  var faces: { find: typeof find; cropped: typeof cropped; ownFinder: typeof ownFinder };
}
globalThis.faces = { find, cropped, ownFinder };

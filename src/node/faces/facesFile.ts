// Caches the detected faces of a folder's pictures in a file beside them. The key is a hash of the picture file, not
// its name: a moved picture keeps its entry, and a changed one is searched again.
import { type ChosenFace, faceFaults, faceLimits } from "../../data/detection/chooseFace.ts";
import type { FaceStore } from "../../data/detection/faceDataset.ts";
import type { FoundFace } from "../../data/detection/faceFinder.ts";
import { readText } from "../files/textFiles.ts";
import { updateFile } from "../files/updateFile.ts";

const version = 1;

type Faces = Record<string, ChosenFace>;

export interface FacesFile extends FaceStore {
  /** Writes the new entries, if any. */
  save(): Promise<void>;
}

/**
 * @param finder the detector's name: results of another detector, or with other limits, are ignored.
 * @param warn called if the file is corrupt; the file is then replaced.
 */
export async function openFacesFile(path: string, finder: string, warn: (text: string) => void): Promise<FacesFile> {
  const key = `${finder}; ${JSON.stringify(faceLimits)}`;
  const text = await readText(path).catch(() => undefined);
  let faces: Faces = {};
  try {
    if (text !== undefined) faces = parse(text, key);
  } catch (error) {
    warn(`${path}: ${(error as Error).message}; it will be replaced`);
  }
  const added: Faces = {};
  return {
    get: (digest) => added[digest] ?? faces[digest],
    set: (digest, chosen) => {
      added[digest] = chosen;
    },
    async save() {
      if (Object.keys(added).length === 0) return;
      await updateFile(path, async (present) => {
        const others = present ? parsed(() => parse(present.toString(), key)) : {};
        return `${JSON.stringify({ version, key, faces: { ...others, ...added } })}\n`;
      });
    },
  };
}

function parsed(work: () => Faces): Faces {
  try {
    return work();
  } catch {
    return {}; // reported when it was opened
  }
}

function parse(text: string, key: string): Faces {
  const file = JSON.parse(text) as { version?: unknown; key?: unknown; faces?: unknown };
  if (file.version !== version || typeof file.faces !== "object" || file.faces === null) {
    throw new Error("this is not a file of detected faces");
  }
  if (file.key !== key) return {};
  const faces = file.faces as Faces;
  for (const [digest, chosen] of Object.entries(faces)) {
    if (!isChosen(chosen)) throw new Error(`its entry ${digest} is not a face`);
  }
  return faces;
}

function isChosen(chosen: unknown): chosen is ChosenFace {
  const { face, faults } = (chosen ?? {}) as Partial<ChosenFace>;
  return Array.isArray(faults) && faults.every((f) => faceFaults.includes(f)) && (face === undefined || isFace(face));
}

function isFace({ box, landmarks, score }: FoundFace): boolean {
  const numbers = [score, box?.xmin, box?.ymin, box?.xmax, box?.ymax, ...(landmarks?.flat() ?? [])];
  return numbers.every(Number.isFinite) && (landmarks === undefined || landmarks.length === 5);
}

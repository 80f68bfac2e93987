// Which faces were found in a folder's pictures, kept beside them, so that nothing is found twice. By what is in a picture's
// file, not by its name: a picture that is moved keeps its face, and one that is changed loses it.
import { type ChosenFace, faceFaults, faceLimits } from "../../data/detection/chooseFace.ts";
import type { FaceStore } from "../../data/detection/faceDataset.ts";
import type { FoundFace } from "../../data/detection/faceFinder.ts";
import { readText } from "../files/textFiles.ts";
import { updateFile } from "../files/updateFile.ts";

const version = 1;

type Faces = Record<string, ChosenFace>;

export interface FacesFile extends FaceStore {
  /** Writes what was added, if anything. */
  save(): Promise<void>;
}

/**
 * @param finder its name: results of another finder, or with other limits, are ignored.
 * @param warn is told of a file that is broken, which is then replaced.
 */
export async function openFacesFile(path: string, finder: string, warn: (text: string) => void): Promise<FacesFile> {
  const key = `${finder}; ${JSON.stringify(faceLimits)}`;
  const text = await readText(path).catch(() => undefined);
  let faces: Faces = {};
  try {
    if (text !== undefined) faces = parse(text, key);
  } catch (error) {
    warn(`${path}: ${(error as Error).message}; it is written anew`);
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
    return {}; // told of when it was opened
  }
}

function parse(text: string, key: string): Faces {
  const file = JSON.parse(text) as { version?: unknown; key?: unknown; faces?: unknown };
  if (file.version !== version || typeof file.faces !== "object" || file.faces === null) {
    throw new Error("this is no file of found faces");
  }
  if (file.key !== key) return {};
  const faces = file.faces as Faces;
  for (const [digest, chosen] of Object.entries(faces)) {
    if (!isChosen(chosen)) throw new Error(`its entry ${digest} is no face`);
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

// --crop face: face detection and cropping, for every command that takes pictures.
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import {
  type CropOptions,
  type Dataset,
  type FaceAction,
  type FaceFault,
  type FacePolicy,
  type Item,
  TwingradError,
} from "../index.ts";
import { faceDataset, faceFaults, faceOf, faultInWords, firstNames, nodePictures, openFacesFile } from "../internal.ts";
import { openFaceFinder, readPicture } from "../node/index.ts";
import { note, warn } from "./outcome.ts";
import { Progress } from "./progress.ts";

export interface FaceFlags {
  onNoFace?: FaceAction;
  facePolicy?: Partial<FacePolicy>;
}

const actions = { skip: "skip", fail: "fail", centre: "use" } as const;
export const noFaceActions = Object.keys(actions);

/** Options for pictures without a face or with other faults. */
export function addFaceOptions(command: Command): Command {
  return command
    .option(
      "--on-no-face <action>",
      "with --crop face, what to do with a picture without a face: skip it, fail, or use its center (default: skip; for single pictures: fail)",
      (text): FaceAction => {
        if (Object.hasOwn(actions, text)) return actions[text as keyof typeof actions];
        throw new InvalidArgumentError("Expected skip, fail or centre.");
      },
    )
    .option(
      "--face-policy <list>",
      `with --crop face, what to do with pictures with other faults (${faceFaults.slice(1).join(", ")}): use (default), skip or fail each, e.g. turned=skip,several=fail`,
      parsePolicy,
    );
}

function parsePolicy(text: string): Partial<FacePolicy> {
  const entries = text.split(",").map((part) => part.split("=") as [FaceFault, FaceAction]);
  for (const [fault, action] of entries) {
    if (!faceFaults.slice(1).includes(fault) || !["use", "skip", "fail"].includes(action)) {
      throw new InvalidArgumentError(`Expected ${faceFaults.slice(1).join(", ")}, each with =use, =skip or =fail.`);
    }
  }
  return Object.fromEntries(entries);
}

const policyOf = ({ onNoFace, facePolicy }: FaceFlags): Partial<FacePolicy> => ({
  ...facePolicy,
  ...(onNoFace && { none: onNoFace }),
});

/** @throws BAD_INPUT for an option that would do nothing with this crop. */
export function checkCropFlags(
  mode: CropOptions["mode"] | undefined,
  { onNoFace, facePolicy, boxes }: FaceFlags & { readonly boxes?: string },
): void {
  const needed = {
    "--on-no-face": ["face", onNoFace],
    "--face-policy": ["face", facePolicy],
    "--boxes": ["box", boxes],
  };
  for (const [option, [crop, value]] of Object.entries(needed)) {
    if (value === undefined || crop === mode) continue;
    throw new TwingradError("BAD_INPUT", `${option} does nothing without --crop ${crop}; expected both or neither`);
  }
}

/**
 * The dataset with its pictures cropped to their faces. Detected faces are cached next to the pictures.
 * @param path the folder, or the first record file.
 */
export async function cropToFaces<I extends Item>(
  dataset: Dataset<I>,
  path: string,
  isFolder: boolean,
  { margin }: CropOptions,
  flags: FaceFlags,
): Promise<Dataset<I>> {
  const finder = await openFaceFinder();
  const file = isFolder ? join(path, ".faces.json") : `${path}.faces.json`;
  const store = await openFacesFile(file, finder.name, warn);
  const found = new Map<string, { fault: FaceFault; used: boolean; names: string[] }>();
  const progress = new Progress(dataset.items.length, 0, "face");
  try {
    return await faceDataset(
      dataset,
      nodePictures,
      { finder, margin, policy: policyOf(flags), store },
      {
        onProgress: (count) => progress.update(count),
        onFaults: ({ name }, faults, used) => {
          for (const fault of faults) {
            const key = `${fault} ${used}`;
            if (!found.has(key)) found.set(key, { fault, used, names: [] });
            found.get(key)!.names.push(name);
          }
        },
      },
    );
  } finally {
    progress.stop();
    await store.save().catch((error: Error) => warn(`detected faces are not cached: ${error.message}`));
    for (const { fault, used, names } of found.values()) {
      const what = used ? "used anyway" : "left out";
      (used ? note : warn)(`${faultInWords[fault]}, ${what}: ${firstNames(names)}`);
    }
  }
}

/** One picture, cropped to its aligned face. @throws NO_FACE, unless the policy is to use the center. */
export async function readFace(
  path: string,
  size: Parameters<typeof readPicture>[1],
  { margin }: CropOptions,
  flags: FaceFlags,
): Promise<Uint8Array> {
  const policy = { none: "fail", ...policyOf(flags) } as const;
  const skipped = Object.entries(policy).find(([, action]) => action === "skip");
  if (skipped) {
    throw new TwingradError(
      "BAD_INPUT",
      "a single picture cannot be skipped: expected --on-no-face fail or centre, and --face-policy with use or fail",
    );
  }
  const finder = await openFaceFinder();
  const store = await openFacesFile(join(dirname(path), ".faces.json"), finder.name, warn); // read, never written
  const picture = await nodePictures.read(path);
  const { crop, faults } = await faceOf(path, picture, nodePictures, { finder, margin, policy, store });
  for (const fault of faults) note(`${path}: ${faultInWords[fault]}`);
  return readPicture(path, size, crop);
}

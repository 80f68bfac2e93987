// Face detection with the tiny detector and the landmarks of @vladmandic/face-api. The models come with the package;
// its recognition is not used. Shared by Node and the browser: each loads the package and the models' bytes.
import type { FaceFinder, FaceLandmarks, FoundFace, Pixels, Point } from "./faceFinder.ts";

/** The part of the package that is used. */
export interface FaceApi {
  /** Of the package. */
  readonly version: { readonly faceapi?: string } | string;
  /** The TensorFlow.js that it computes with. */
  readonly tf: {
    setBackend(name: string): Promise<boolean>;
    ready(): Promise<void>;
    tensor3d(data: Uint8Array, shape: [number, number, number], dtype: "int32"): FaceApiTensor;
  };
  /** The options of its smallest detector. */
  readonly TinyFaceDetectorOptions: new (options: {
    inputSize: number;
    scoreThreshold: number;
  }) => object;
  /** Finds the faces of a picture. */
  detectAllFaces(picture: FaceApiTensor, options: object): { withFaceLandmarks(): Promise<FaceApiFace[]> };
}

interface FaceApiTensor {
  dispose(): void;
}

interface FaceApiFace {
  readonly detection: { readonly score: number };
  readonly alignedRect: { readonly box: unknown };
  readonly landmarks: { readonly positions: readonly { readonly x: number; readonly y: number }[] };
}

/**
 * The attempts on a picture, in order, until one finds a face: the whole picture, for faces in a scene; a smaller input
 * with a gray border, for tight crops, which the detector misses otherwise; and a larger input, for faces far away,
 * down to a tenth of the picture's width.
 */
const attempts = [
  { inputSize: 416, border: 0 },
  { inputSize: 224, border: 0.5 },
  { inputSize: 608, border: 0 },
] as const;

/** Least score. In scenes, 2 of 27 portraits at 416 score below the detector's default of 0.5. */
const least = 0.4;

export function faceApiFinder(api: FaceApi, version: string): FaceFinder {
  return {
    name: `@vladmandic/face-api ${version}`,
    async find(picture) {
      for (const attempt of attempts) {
        const found = await detect(api, picture, attempt);
        if (found.length > 0) return found;
      }
      return [];
    },
  };
}

async function detect(
  api: FaceApi,
  picture: Pixels,
  { inputSize, border }: (typeof attempts)[number],
): Promise<FoundFace[]> {
  const around = Math.round(border * Math.max(picture.height, picture.width));
  const { data, height, width } = around === 0 ? picture : withBorder(picture, around);
  const tensor = api.tf.tensor3d(data, [height, width, 3], "int32");
  try {
    const options = new api.TinyFaceDetectorOptions({ inputSize, scoreThreshold: least });
    const faces = await api.detectAllFaces(tensor, options).withFaceLandmarks();
    return faces.map((face) => foundFace(face, around, picture));
  } finally {
    tensor.dispose();
  }
}

function withBorder({ data, height, width }: Pixels, around: number): Pixels {
  const wide = width + 2 * around;
  const larger = new Uint8Array((height + 2 * around) * wide * 3).fill(127);
  for (let row = 0; row < height; row++) {
    larger.set(data.subarray(row * width * 3, (row + 1) * width * 3), ((row + around) * wide + around) * 3);
  }
  return { data: larger, height: height + 2 * around, width: wide };
}

/** Reduces 68 landmarks (the 300-W scheme) to five; the box is that of the landmarks, from the brows to the chin. */
function foundFace({ detection, landmarks }: FaceApiFace, around: number, { height, width }: Pixels): FoundFace {
  const points = landmarks.positions.map(({ x, y }): Point => [x - around, y - around]);
  const middle = (from: number, to: number): Point => {
    const some = points.slice(from, to);
    return [some.reduce((sum, [x]) => sum + x, 0) / some.length, some.reduce((sum, [, y]) => sum + y, 0) / some.length];
  };
  const five: FaceLandmarks = [middle(36, 42), middle(42, 48), points[30], points[48], points[54]];
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const box = {
    xmin: Math.max(0, Math.min(...xs)),
    ymin: Math.max(0, Math.min(...ys)),
    xmax: Math.min(width, Math.max(...xs)),
    ymax: Math.min(height, Math.max(...ys)),
    relative: false,
  };
  return { box, landmarks: five, score: detection.score };
}

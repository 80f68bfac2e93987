// The browser's own face detector, of the Shape Detection API (https://wicg.github.io/shape-detection-api/).

/** TypeScript's types lack it. */
export interface ShapeDetector {
  detect(picture: ImageBitmapSource): Promise<readonly { readonly boundingBox: DOMRectReadOnly }[]>;
}
type ShapeDetectorClass = new (options: { maxDetectedFaces: number }) => ShapeDetector;

/** Undefined in browsers without a detector, which most are. */
export async function shapeDetector(options: { maxDetectedFaces: number }): Promise<ShapeDetector | undefined> {
  const { FaceDetector } = globalThis as { FaceDetector?: ShapeDetectorClass };
  if (!FaceDetector) return undefined;
  try {
    const detector = new FaceDetector(options);
    await detector.detect(new ImageData(32, 32)); // Chrome has the class on platforms without a detector behind it
    return detector;
  } catch {
    return undefined;
  }
}

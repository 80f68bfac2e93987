// The camera: off until the user starts it, and off again when it is stopped or the tab is left.
import { signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** The camera's stream; null while it is off. */
export const stream = signal<MediaStream | null>(null);
/** Why it did not start, for the user. */
export const cameraTrouble = signal<string | null>(null);

/** Side of a square picture. */
const side = 256;

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError:
    "Access to the camera was denied. Allow it in the browser's address bar, then start the camera again.",
  NotFoundError: "No camera was found. Connect one, or use picture files.",
  NotReadableError: "The camera cannot be opened: another program may be using it.",
};

/** Counts starts and stops: an outdated start has no effect. */
let wish = 0;

export async function startCamera(): Promise<void> {
  const mine = ++wish;
  cameraTrouble.value = null;
  if (!navigator.mediaDevices) {
    cameraTrouble.value = "The camera is not available on this page: browsers allow it only on https and localhost.";
    return;
  }
  try {
    const video = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
    const opened = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    if (mine !== wish) return end(opened);
    for (const track of opened.getTracks()) {
      track.addEventListener("ended", () => {
        if (stream.value !== opened) return;
        stopCamera();
        cameraTrouble.value = "The camera stopped: it was unplugged, or access was revoked.";
      });
    }
    stream.value = opened;
  } catch (error) {
    const { name, message } = error as Error;
    if (mine === wish) cameraTrouble.value = reasons[name] ?? `The camera could not be started: ${message}`;
  }
}

export function stopCamera(): void {
  wish++;
  if (stream.value) end(stream.value);
  stream.value = null;
}

function end(opened: MediaStream): void {
  for (const track of opened.getTracks()) track.stop();
}

/** For a video element that shows the camera while it is on. */
export function useCamera(): RefObject<HTMLVideoElement | null> {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => stopCamera, []);
  useEffect(() => {
    if (video.current) video.current.srcObject = stream.value;
  }, [stream.value]);
  return video;
}

/** The centered square of the current frame; null before the first frame. */
export async function frameOf(video: HTMLVideoElement | null): Promise<ImageBitmap | null> {
  if (!video || !stream.value) return null;
  const { videoWidth: width, videoHeight: height } = video;
  const edge = Math.min(width, height);
  if (edge === 0) return null;
  return createImageBitmap(video, (width - edge) / 2, (height - edge) / 2, edge, edge, {
    resizeWidth: side,
    resizeHeight: side,
    resizeQuality: "medium",
  }).catch(() => null); // it was unplugged in this moment
}

/** The centered square of the current frame as a file, which is shown as it will be used; null before the first frame. */
export async function pictureOf(video: HTMLVideoElement | null): Promise<Blob | null> {
  const frame = await frameOf(video);
  if (!frame) return null;
  const canvas = new OffscreenCanvas(frame.width, frame.height);
  canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(frame);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

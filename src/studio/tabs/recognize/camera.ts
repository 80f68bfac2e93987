// The camera: off until somebody starts it, off again when they stop it or leave the tab.
import { signal } from "@preact/signals";

/** What the camera shows; null while it is off. */
export const stream = signal<MediaStream | null>(null);
/** Why it did not start, for the reader. */
export const cameraTrouble = signal<string | null>(null);

/** Side of the square that is looked at. */
const frameSide = 256;

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError: "The camera was not allowed. Allow it in the browser's address bar, then start it again.",
  NotFoundError: "There is no camera. Connect one, or use picture files.",
  NotReadableError: "The camera cannot be opened: another program may be using it.",
};

/** Counts starts and stops: one that was overtaken takes nothing. */
let wish = 0;

export async function startCamera(): Promise<void> {
  const mine = ++wish;
  cameraTrouble.value = null;
  if (!navigator.mediaDevices) {
    cameraTrouble.value = "This page has no camera: browsers give one on https and on localhost alone.";
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
        cameraTrouble.value = "The camera is gone: it was unplugged, or taken back.";
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

/** The middle square of what the video shows now; null before there is anything. */
export async function frameOf(video: HTMLVideoElement): Promise<ImageBitmap | null> {
  const { videoWidth: width, videoHeight: height } = video;
  const side = Math.min(width, height);
  if (side === 0) return null;
  return createImageBitmap(video, (width - side) / 2, (height - side) / 2, side, side, {
    resizeWidth: frameSide,
    resizeHeight: frameSide,
    resizeQuality: "medium",
  });
}

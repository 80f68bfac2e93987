// The camera: off until the user starts it, and off again when it is stopped or the tab is left.
import { signal } from "@preact/signals";

/** The camera's stream; null while it is off. */
export const stream = signal<MediaStream | null>(null);
/** Why it did not start, for the user. */
export const cameraTrouble = signal<string | null>(null);

/** Side of the square frame to identify. */
const frameSide = 256;

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

/** The centered square of the current frame; null before the first frame. */
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

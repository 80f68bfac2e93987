// The camera: off until its button is pressed, and off again when the tab is left.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError:
    "Access to the camera was denied. Allow it in the browser's address bar, then start the camera again.",
  NotFoundError: "No camera was found.",
  NotReadableError: "The camera is in use by another program.",
};

export function useCamera() {
  const video = useRef<HTMLVideoElement>(null);
  const stream = useRef<MediaStream>(undefined);
  const status = useSignal<"off" | "starting" | "on">("off");
  const problem = useSignal<string | null>(null);

  const stop = () => {
    for (const track of stream.current?.getTracks() ?? []) track.stop();
    stream.current = undefined;
    if (video.current) video.current.srcObject = null;
    status.value = "off";
  };
  const start = async () => {
    problem.value = null;
    status.value = "starting";
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "NotFoundError"); // not a secure context
      const wanted = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
      stream.current = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      const [track] = stream.current.getVideoTracks();
      track.onended = stop; // unplugged, or permission revoked in the browser's settings
      video.current!.srcObject = stream.current;
      await video.current!.play();
      status.value = "on";
    } catch (error) {
      stop();
      const { name, message } = error as Error;
      problem.value = reasons[name] ?? `The camera could not be started: ${message}`;
    }
  };
  useEffect(() => stop, []);

  /** The centered square of the current frame, as a picture file. */
  const capture = (side: number): Promise<Blob> => {
    const { videoWidth, videoHeight } = video.current!;
    const edge = Math.min(videoWidth, videoHeight);
    const canvas = new OffscreenCanvas(side, side);
    canvas
      .getContext("2d")!
      .drawImage(video.current!, (videoWidth - edge) / 2, (videoHeight - edge) / 2, edge, edge, 0, 0, side, side);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  };
  return { video, status, problem, start, stop, capture };
}

// Starts and stops the camera.
import { startCamera, stopCamera, stream } from "./camera.ts";

export function CameraButton() {
  if (stream.value) {
    return (
      <button type="button" onClick={stopCamera}>
        Stop camera
      </button>
    );
  }
  return (
    <button type="button" class="primary" onClick={startCamera}>
      Start camera
    </button>
  );
}
